package wasm

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/culmhq/culm/host/wasm/wasmtest"
	"github.com/culmhq/culm/pdk/contract"
)

// inputs is how many inputs a test of many takes: those that CULM_INPUTS asks for, else
// normal, or few where each takes long.
func inputs(t *testing.T, normal, few int) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv("CULM_INPUTS")); err == nil && n > 0 {
		return n
	}
	if testing.Short() || raceDetector { // which makes the compiler ten times slower
		return few
	}
	return normal
}

// TestMutants: ten thousand damaged modules. Each is refused, or traps, or runs; none takes the
// host down or keeps it.
func TestMutants(t *testing.T) {
	t.Parallel()
	n := inputs(t, 10_000, 10_000)
	seeds := mutantSeeds(t)
	lim := DefaultLimits()
	lim.StartTime, lim.GuestTime = 20*time.Millisecond, 20*time.Millisecond
	h := newHost(Config{Limits: lim, Parallel: 1})
	r := rand.New(rand.NewPCG(1, 2)) // a fixed seed: the same mutants every time
	ends := map[string]int{}
	for range n {
		ends[h.survive(t, mutate(r, pick(r, seeds)))]++
	}
	t.Logf("%d mutants: %v", n, ends)
	if ends["ran"] == 0 || ends[CodeModuleInvalid] == 0 || n >= 2000 && ends[CodeTrap] == 0 {
		t.Errorf("the mutants are not varied: %v", ends)
	}
	if ends[CodeHostFault] != 0 {
		t.Errorf("%d mutants made the host fail", ends[CodeHostFault])
	}
}

// mutantSeeds are the modules that are damaged; the last one is large.
func mutantSeeds(t *testing.T) [][]byte {
	t.Helper()
	var seeds [][]byte
	for _, name := range []string{"flow", "small", "evil/state", "evil/state-image", "evil/indirect", "evil/log-spam", "restock"} {
		b, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)+".wasm"))
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, b)
	}
	return seeds
}

// pick takes a seed, the large one less often.
func pick(r *rand.Rand, seeds [][]byte) []byte {
	if r.IntN(8) == 0 {
		return seeds[r.IntN(len(seeds))]
	}
	return seeds[r.IntN(len(seeds)-1)]
}

// TestMutantsInWorkers: damaged modules as an upload meets them, inspected by a child
// process and called in a worker. None makes the host fail, and each process is gone, or
// serves again, afterwards.
func TestMutantsInWorkers(t *testing.T) {
	t.Parallel()
	n := inputs(t, 60, 12)
	seeds := mutantSeeds(t)
	lim := DefaultLimits()
	lim.StartTime, lim.GuestTime = 20*time.Millisecond, 20*time.Millisecond
	h, err := New(t.Context(), Config{
		Limits: lim, CacheDir: t.TempDir(), Compiler: wasmtest.Compiler(t), Worker: wasmtest.Worker(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	r := rand.New(rand.NewPCG(3, 4))
	ends := map[string]int{}
	for range n {
		module := mutate(r, pick(r, seeds))
		// Most are refused by the parser: one in four may be, the others come further.
		for try := 0; try < 200 && r.IntN(4) != 0; try++ {
			if _, e := analyse(module, lim); e == nil {
				break
			}
			module = mutate(r, pick(r, seeds))
		}
		end := h.surviveInWorkers(t, module)
		ends[end]++
		if end == CodeHostFault {
			t.Errorf("module %x makes the host fail", module)
		}
	}
	t.Logf("%d mutants in workers: %v", n, ends)
	if ends["ran"] == 0 || ends[CodeModuleInvalid] == 0 {
		t.Errorf("the mutants are not varied: %v", ends)
	}
	if got := h.Workers().Processes(); got > lim.Workers {
		t.Errorf("%d processes, %d are allowed", got, lim.Workers)
	}
	whole := Isolated{Digest: Digest(seeds[0]), Tenant: "whole", Code: func(context.Context) ([]byte, error) { return seeds[0], nil }}
	if _, err := h.Workers().Call(t.Context(), whole, Call{Export: "execute", Input: []byte("{}")}); err != nil {
		if f := AsFailure(err); f == nil || f.Origin == contract.OriginHost {
			t.Errorf("a module that is whole: %v", err)
		}
	}
}

// surviveInWorkers takes a module as far as it goes in child processes and says how it
// ended.
func (h *Host) surviveInWorkers(t *testing.T, module []byte) string {
	t.Helper()
	code := func(err error) string {
		f := AsFailure(err)
		if f == nil {
			t.Errorf("module %x: %v", module, err)
			return "no failure"
		}
		return f.Code
	}
	if _, err := h.Inspect(t.Context(), module); err != nil {
		return code(err)
	}
	m := Isolated{Digest: Digest(module), Tenant: "mutants", Code: func(context.Context) ([]byte, error) { return module, nil }}
	defer h.Workers().Forget(m.Digest)
	if _, err := h.Workers().Call(t.Context(), m, Call{Export: "execute", Input: []byte("{}")}); err != nil {
		return code(err)
	}
	return "ran"
}

// survive runs a module as far as it goes and says how it ended.
func (h *Host) survive(t *testing.T, module []byte) string {
	t.Helper()
	began := time.Now()
	defer func() {
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("a mutant took %v", took)
		}
	}()
	a, e := analyse(module, h.limits)
	if e != nil {
		return e.Failure.Code
	}
	l, e := h.build(t.Context(), a, t.TempDir(), h.limits)
	if e != nil {
		return e.Failure.Code
	}
	defer l.close(t.Context())
	kind := a.calls["execute"]
	if kind == notCallable {
		return CodeExportMissing
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	v := newInvocation(h, h.limits, Call{Input: []byte("{}")})
	_, i, e := l.run(ctx, v, "execute", kind)
	if e != nil {
		return e.Failure.Code
	}
	l.keep(ctx, v, i)
	return "ran"
}

// mutate damages a copy of a module: bits, bytes, ranges.
func mutate(r *rand.Rand, module []byte) []byte {
	b := slices.Clone(module)
	for range 1 + r.IntN(4) {
		at := 8 + r.IntN(len(b)-8)
		switch r.IntN(6) {
		case 0:
			return b[:at]
		case 1, 2:
			b[at] ^= 1 << r.IntN(8)
		case 3:
			b[at] = byte(r.IntN(256))
		case 4:
			to := min(at+1+r.IntN(8), len(b))
			b = slices.Delete(b, at, to)
		case 5:
			b = slices.Insert(b, at, byte(r.IntN(256)))
		}
		if len(b) < 10 {
			return b
		}
	}
	return b
}
