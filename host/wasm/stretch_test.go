package wasm_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// What the body of a stretched module is made of.
const (
	straight = iota // one long way
	calls           // calls of a small function
	rounds          // short loops, each with fewer rounds than it is charged for at a time
)

// stretched is a module whose endless loop holds a body that is repeated many times: much
// work between two headers of that loop.
func stretched(times, of int) []byte {
	u := func(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }
	section := func(id byte, body []byte) []byte { return append(append([]byte{id}, u(len(body))...), body...) }
	divide := []byte{0x23, 0, 0x42, 3, 0x80, 0x42, 0x7f, 0x84, 0x24, 0} // global = global/3 | -1
	small := append(append([]byte{0}, bytes.Repeat(divide, 50)...), 0x0b)
	body := bytes.Repeat(divide, times)
	switch of {
	case calls:
		body = bytes.Repeat([]byte{0x10, 1}, times)
	case rounds:
		round := append(bytes.Repeat(divide, 24), 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0) // n--; br_if 0 (n)
		round = append(append([]byte{0x41, 7, 0x21, 0, 0x03, 0x40}, round...), 0x0b)        // n = 7; loop
		body = bytes.Repeat(round, times)
	}
	large := append(append(append([]byte{1, 1, 0x7f, 0x03, 0x40}, body...), 0x0c, 0, 0x0b), 0x41, 0, 0x0b)
	code := append([]byte{2}, u(len(large))...)
	code = append(append(append(code, large...), u(len(small))...), small...)
	return bytes.Join([][]byte{
		[]byte("\x00asm\x01\x00\x00\x00"),
		section(1, []byte{2, 0x60, 0, 1, 0x7f, 0x60, 0, 0}),
		section(3, []byte{2, 0, 1}),
		section(5, []byte{1, 0, 1}),
		section(6, []byte{1, 0x7e, 1, 0x42, 1, 0x0b}),
		section(7, append(append([]byte{1, 7}, "execute"...), 0, 0)),
		section(10, code),
	}, nil)
}

// However much code there is between two loop headers, a guest that runs away is
// stopped soon: ticks are counted by the amount of code.
func TestRunawayWithLongBodyIsStopped(t *testing.T) {
	t.Parallel()
	for name, module := range map[string][]byte{
		"straight": stretched(20_000, straight), "calls": stretched(20_000, calls), "rounds": stretched(1_000, rounds),
	} {
		t.Run(name, func(t *testing.T) {
			m := load(t, newHost(t), module)
			const deadline = 50 * time.Millisecond
			// With a tick a round it would be many seconds.
			late := hosttest.InTime(t, "the end after the deadline", time.Second, func() time.Duration {
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()
				began := time.Now()
				_, err := m.Call(ctx, wasm.Call{Export: "execute"})
				wantFailure(t, err, wasm.CodeTimeout, contract.OriginLimit)
				return time.Since(began) - deadline
			})
			t.Logf("stopped %v after its deadline", late)
		})
	}
}
