package wasm

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

// A memory image taken after initialisation holds the state of every random
// generator that was seeded on the way: all calls would draw the same numbers.
//
// For a Go program the state is known exactly. The runtime reads 32 bytes from
// random_get, once, and seeds a ChaCha8 generator with them (runtime.randinit);
// from that one it seeds the generator of its only thread (runtime.mrandinit),
// from which everything random comes: math/rand, maphash, the order of maps. As
// this host handed out those 32 bytes it can compute both generators and find them
// in the image, bit for bit. Their buffered output and key, which are uniformly
// random bytes to begin with, are then overwritten with fresh ones from the
// operating system before each call. What follows is as random as after a true
// start. No name, offset or Go version is assumed beyond the layout that the search
// itself proves: a program in which both are not found exactly once is initialised
// anew for every call.
//
// What stays as it was at initialisation are the seeds of maps made then. They
// stay secret to the program, as in any process that serves more than one request.

// span is a range of the memory image.
type span struct{ offset, size int }

// Layout of the generator's state (internal/chacha8rand.State): 32 words of
// output, 4 words of key, and three counters of 32 bits.
const (
	goSeedBytes  = 32
	stateBuffer  = 256
	stateKey     = 32
	stateRandom  = stateBuffer + stateKey
	stateBytes   = stateRandom + 12
	stateCheap   = stateRandom + 16 // runtime.m.cheaprand follows, aligned to 8
	drawsPerKey  = 124              // then the generator takes a new key
	draws        = 32               // words in the buffer
	lastDraws    = 28               // of the last buffer of a key
	chainMax     = 2048             // keys followed from the first
	skipMax      = 16               // draws made before the thread is seeded
	cheapStepMax = 1 << 16
)

// goSeeds finds the generators of a Go program in mem that were seeded with seed,
// and returns what must be random anew in each call.
func goSeeds(seed []byte, mem []byte) ([]span, bool) {
	if len(seed) != goSeedBytes {
		return nil, false
	}
	states := findStates(mem)
	g := rand.NewChaCha8([goSeedBytes]byte(seed))
	first := make([]byte, 0, 8*lastDraws)
	for range lastDraws {
		first = binary.LittleEndian.AppendUint64(first, g.Uint64())
	}
	for skip := range skipMax {
		at := first[8*skip:]
		thread, global := at[:stateKey], at[stateKey:2*stateKey]
		if len(states[string(global)]) != 1 {
			continue
		}
		offset, ok := followKeys(states, [stateKey]byte(thread))
		if !ok {
			continue
		}
		spans := []span{{states[string(global)][0], stateRandom}, {offset, stateRandom}}
		if hasCheap(mem, offset+stateCheap, [stateKey]byte(thread)) {
			spans = append(spans, span{offset + stateCheap, 8})
		}
		return spans, true
	}
	return nil, false
}

// findStates lists the offsets of all ChaCha8 generators in mem by key. A candidate
// counts if its buffer is what its key yields.
func findStates(mem []byte) map[string][]int {
	found := map[string][]int{}
	for at := 0; at+stateBytes <= len(mem); at += 8 {
		i := binary.LittleEndian.Uint32(mem[at+stateRandom:])
		n := binary.LittleEndian.Uint32(mem[at+stateRandom+4:])
		if n != draws && n != lastDraws || i > n {
			continue
		}
		counter := binary.LittleEndian.Uint32(mem[at+stateRandom+8:])
		if counter > 12 || counter%4 != 0 || (counter == 12) != (n == lastDraws) {
			continue
		}
		key := mem[at+stateBuffer:][:stateKey]
		if yields([stateKey]byte(key), int(counter/4*draws), mem[at:]) {
			found[string(key)] = append(found[string(key)], at)
		}
	}
	return found
}

// yields reports whether a generator with that key gives the words in buffer after
// skip draws.
func yields(key [stateKey]byte, skip int, buffer []byte) bool {
	g := rand.NewChaCha8(key)
	for range skip {
		g.Uint64()
	}
	for i := range lastDraws {
		if g.Uint64() != binary.LittleEndian.Uint64(buffer[8*i:]) {
			return false
		}
	}
	return true
}

// followKeys finds the one state whose key is in the chain that begins with key.
func followKeys(states map[string][]int, key [stateKey]byte) (int, bool) {
	for range chainMax {
		if at, ok := states[string(key[:])]; ok {
			return at[0], len(at) == 1
		}
		g := rand.NewChaCha8(key)
		for range drawsPerKey + 1 {
			g.Uint64()
		}
		b, err := g.MarshalBinary()
		if err != nil || len(b) < 2*8+stateKey {
			return 0, false
		}
		copy(key[:], b[2*8:])
	}
	return 0, false
}

// hasCheap reports whether the runtime's cheap generator, which schedules and picks
// cases of select, lies at that offset: it began with the first draw of the thread
// and went on as xorshift64+ does.
func hasCheap(mem []byte, at int, thread [stateKey]byte) bool {
	if at+8 > len(mem) {
		return false
	}
	var want [8]byte
	binary.LittleEndian.PutUint64(want[:], rand.NewChaCha8(thread).Uint64())
	s1, s0 := binary.LittleEndian.Uint32(want[:4]), binary.LittleEndian.Uint32(want[4:])
	for range cheapStepMax {
		binary.LittleEndian.PutUint32(want[:4], s1)
		binary.LittleEndian.PutUint32(want[4:], s0)
		if bytes.Equal(mem[at:at+8], want[:]) {
			return true
		}
		s1 ^= s1 << 17
		s1 = s1 ^ s0 ^ s1>>7 ^ s0>>16
		s1, s0 = s0, s1
	}
	return false
}
