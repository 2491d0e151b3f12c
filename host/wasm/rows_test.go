package wasm_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// The tests of this file are rows of docs/containment.md that no other test shows.

// TestAnEndlessLoopEndsAtItsLimitAndTheNextCallIsQuick is P01.
func TestAnEndlessLoopEndsAtItsLimitAndTheNextCallIsQuick(t *testing.T) {
	inBothTiers(t, func(t *testing.T, in tier) {
		h := newHost(t, strict)
		good, endless := in.load(t, h, evil(t, "failing")), in.load(t, h, evil(t, "endless"))
		hosttest.InTime(t, "the end after the limit", 250*time.Millisecond, func() time.Duration {
			began := time.Now()
			r, err := endless.Call(t.Context(), wasm.Call{Export: "execute"})
			wantFailure(t, err, wasm.CodeTimeout, contract.OriginLimit)
			return max(r.Duration, time.Since(began)-r.Duration) - h.Limits().GuestTime
		})
		hosttest.InTime(t, "the next call", 100*time.Millisecond, func() time.Duration {
			_, err := endless.Call(t.Context(), wasm.Call{Export: "execute"})
			wantFailure(t, err, wasm.CodeTimeout, contract.OriginLimit)
			began := time.Now()
			_, err = good.Call(t.Context(), wasm.Call{Export: "execute"})
			wantFailure(t, err, wasm.CodeFailed, contract.OriginPlugin)
			return time.Since(began)
		})
	})
}

// TestManyRecursionsHurtOnlyThemselves is P03: in worker processes the host does not pay
// for their stacks either.
func TestManyRecursionsHurtOnlyThemselves(t *testing.T) {
	inBothTiers(t, func(t *testing.T, in tier) {
		h := newHost(t, slowMachine)
		m, good := in.load(t, h, evil(t, "recursion")), in.load(t, h, evil(t, "state-image"))
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				_, err := m.Call(t.Context(), wasm.Call{Export: "execute"})
				if f := wasm.AsFailure(err); f == nil || f.Code != wasm.CodeResource {
					t.Errorf("a recursion ended with %v", err)
				}
			})
		}
		for range 8 {
			if got := output(t, good, wasm.Call{Export: "execute"}); got != "aaaaaaa" {
				t.Errorf("the well-behaved module answers %q", got)
			}
		}
		wg.Wait()
	})
}

// TestRecursionsInWorkersDoNotGrowTheHost is P03's figure. Not parallel: it weighs the
// whole process.
func TestRecursionsInWorkersDoNotGrowTheHost(t *testing.T) { //nolint:paralleltest // weighs the process
	h := newHost(t, slowMachine)
	m := isolate(h, evil(t, "recursion"), "a")
	before := hosttest.Resident(t)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			_, err := m.Call(t.Context(), wasm.Call{Export: "execute"})
			if f := wasm.AsFailure(err); f == nil || f.Code != wasm.CodeResource {
				t.Errorf("a recursion ended with %v", err)
			}
		})
	}
	wg.Wait()
	if grown := hosttest.Resident(t) - before; grown > hosttest.HeldAtMost(100<<20) {
		t.Errorf("the host grew by %d MiB", grown>>20)
	}
}

// TestCallsGoOnWhileABombIsCompiled is P08's other half: what is compiled in a child
// holds up nobody.
func TestCallsGoOnWhileABombIsCompiled(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *wasm.Config) {
		c.Limits = wasm.DefaultLimits()
		c.Limits.CompileTime = 2 * time.Second
	})
	good := load(t, h, evil(t, "state-image"))
	bomb := append(append(bytes.Repeat([]byte{0x02, 0x40}, 50_000), bytes.Repeat([]byte{0x0b}, 50_000)...), 0x41, 0)
	done := make(chan error, 1)
	go func() { _, err := h.Inspect(t.Context(), moduleOf(bomb)); done <- err }()
	calls := 0
	for {
		select {
		case err := <-done:
			wantFailure(t, err, wasm.CodeCompileLimit, contract.OriginLimit)
			if calls < 20 {
				t.Errorf("%d calls while the bomb was compiled", calls)
			}
			return
		default:
			output(t, good, wasm.Call{Export: "execute"})
			calls++
		}
	}
}

// TestTooMuchIsRefusedBeforeItIsRead is P09: by its size alone, or by a count before any
// of what is counted is read.
func TestTooMuchIsRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	functions := append([]byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03"), append(uleb(3+1_000_000), uleb(1_000_000)...)...)
	functions = append(functions, make([]byte, 1_000_000)...)
	for name, module := range map[string][]byte{"64 MB": append([]byte("\x00asm\x01\x00\x00\x00"), make([]byte, 64_000_000)...), "a million functions": functions} {
		began := time.Now()
		_, err := h.Inspect(t.Context(), module)
		wantFailure(t, err, wasm.CodeModuleLimit, contract.OriginLimit)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: refused after %v", name, took)
		}
	}
}

// TestTheSixtyFifthGatewayCallIsNotMade is P13: the gateway sees as many calls as are allowed,
// one at a time, and no more.
func TestTheSixtyFifthGatewayCallIsNotMade(t *testing.T) {
	inBothTiers(t, func(t *testing.T, in tier) {
		h := newHost(t)
		var made, at, atOnce atomic.Int64
		s := &services{gateway: func(context.Context, contract.GatewayRequest) contract.GatewayResponse {
			made.Add(1)
			if n := at.Add(1); n > atOnce.Load() {
				atOnce.Store(n)
			}
			defer at.Add(-1)
			return contract.GatewayResponse{Status: 200}
		}}
		_, err := in.load(t, h, evil(t, "gateway-spam")).Call(t.Context(), wasm.Call{Export: "execute", Services: s})
		wantFailure(t, err, wasm.CodeHostCallLimit, contract.OriginLimit)
		if made.Load() != 64 || atOnce.Load() != 1 {
			t.Errorf("%d calls were made, %d at once", made.Load(), atOnce.Load())
		}
	})
}

// TestADenialIsAnAnswer is P12: the plugin goes on with the denial as a value.
func TestADenialIsAnAnswer(t *testing.T) {
	inBothTiers(t, func(t *testing.T, in tier) {
		h := newHost(t)
		s := &services{gateway: func(context.Context, contract.GatewayRequest) contract.GatewayResponse {
			return contract.GatewayResponse{Failure: &contract.Failure{Code: "DENIED", Origin: contract.OriginGateway, Message: "not granted"}}
		}}
		m := goIn(t, in, h)
		got := output(t, m, wasm.Call{Export: "call", Input: []byte(`{"system":"cmdb","operation":"drop"}`), Services: s})
		if !strings.Contains(got, `"code":"DENIED"`) || !strings.Contains(got, `"origin":"gateway"`) {
			t.Errorf("the plugin sees %s", got)
		}
	})
}

// slowMachine gives guests the time that they need on a busy machine to run into another
// limit than that of time.
func slowMachine(c *wasm.Config) {
	c.Limits = wasm.DefaultLimits()
	c.Limits.GuestTime = time.Minute
}

// goIn is the Go plugin of most tests in a tier.
func goIn(t *testing.T, in tier, h *wasm.Host) caller {
	t.Helper()
	here := goPlugin(t, h)
	if in.name == "in process" {
		return here
	}
	code, err := goBuild(t, "goplugin")
	if err != nil {
		t.Fatal(err)
	}
	return in.load(t, h, code)
}

// TestWaitingPinsNobody is P22: a project whose calls all wait for a slow system takes
// neither places nor processes from another. That none of its calls has ended shows that the
// other's did not wait for them; the row's figure is what they did wait.
func TestWaitingPinsNobody(t *testing.T) {
	t.Parallel()
	// The other's call asks nobody: each question would wait for a processor, and that is not the row's wait.
	spam, quick := evil(t, "gateway-spam"), evil(t, "state-image")
	for name, plugin := range map[string]func(h *wasm.Host, code []byte, tenant string) caller{
		"in process": func(h *wasm.Host, code []byte, _ string) caller { return load(t, h, code) },
		"workers":    func(h *wasm.Host, code []byte, tenant string) caller { return isolate(h, code, tenant) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, slowMachine, func(c *wasm.Config) { c.Parallel, c.Limits.Timeout = 1, 2*time.Minute })
			release := make(chan struct{})
			entered := make(chan struct{}, 8)
			slow := &services{gateway: func(ctx context.Context, _ contract.GatewayRequest) contract.GatewayResponse {
				select {
				case entered <- struct{}{}:
				default:
				}
				select {
				case <-release:
				case <-ctx.Done():
				}
				return contract.GatewayResponse{Status: 200}
			}}
			var wg sync.WaitGroup
			var over atomic.Int64
			for range 40 { // more than the share of the project can take
				wg.Go(func() {
					defer over.Add(1)
					_, err := plugin(h, spam, "greedy").Call(t.Context(), wasm.Call{Export: "execute", Services: slow})
					if f := wasm.AsFailure(err); f == nil || f.Code != wasm.CodeHostCallLimit {
						t.Errorf("a slow call ended with %v", err)
					}
				})
			}
			for n := range cap(entered) {
				select {
				case <-entered:
				case <-time.After(time.Minute):
					t.Fatalf("%d calls wait for the system: they hold places that others wait for", n)
				}
			}
			modest := plugin(h, quick, "modest")
			p99 := hosttest.InTime(t, "99 of 100 calls of another project", time.Second, func() time.Duration {
				var waits []time.Duration
				for range 100 {
					began := time.Now()
					if got := output(t, modest, wasm.Call{Export: "execute"}); got != "aaaaaaa" {
						t.Fatalf("another project's call answers %q", got)
					}
					waits = append(waits, time.Since(began))
				}
				slices.Sort(waits)
				return waits[98]
			})
			t.Logf("99 of 100 calls of another project took %v or less", p99)
			if n := over.Load(); n > 0 {
				t.Errorf("%d calls that wait had ended before", n)
			}
			close(release)
			wg.Wait()
		})
	}
}

// TestWorkersHoldToTheirContract: what crosses the pipe arrives as it does in process:
// variables, refusals, expressions that are absent, a cut sleep, a call without its
// export, an input that is too large.
func TestWorkersHoldToTheirContract(t *testing.T) {
	inBothTiers(t, func(t *testing.T, in tier) {
		h := newHost(t)
		m := in.load(t, h, evil(t, "state-image"))
		_, err := m.Call(t.Context(), wasm.Call{Export: "absent"})
		wantFailure(t, err, wasm.CodeExportMissing, contract.OriginPlugin)
		_, err = m.Call(t.Context(), wasm.Call{Export: "execute", Input: make([]byte, 4<<20+1)})
		wantFailure(t, err, wasm.CodeInputLimit, contract.OriginLimit)
		sleeping := in.load(t, h, evil(t, "sleeping"))
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err = sleeping.Call(ctx, wasm.Call{Export: "execute"})
		wantFailure(t, err, wasm.CodeTimeout, contract.OriginLimit)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the cause is lost: %v", err)
		}
		r, err := m.Call(t.Context(), wasm.Call{Export: "execute", RecordBytes: 1 << 20})
		if err != nil || r.Recording == nil || r.PeakMemoryBytes == 0 || r.Duration <= 0 || r.Guest <= 0 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// TestForgottenModulesHaveNoProcess: a module that was blocked keeps no process.
func TestForgottenModulesHaveNoProcess(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	code := evil(t, "state-image")
	for _, tenant := range []string{"a", "b"} {
		output(t, isolate(h, code, tenant), wasm.Call{Export: "execute"})
	}
	h.Workers().Forget(wasm.Digest(code))
	if n := h.Workers().Processes(); n != 0 {
		t.Errorf("%d processes are left", n)
	}
	if got := output(t, isolate(h, code, "a"), wasm.Call{Export: "execute"}); got != "aaaaaaa" {
		t.Errorf("a new process answers %q", got)
	}
}

// TestIdleProcessesMakeRoom: more modules than there may be processes are called by
// turns; each finds one.
func TestIdleProcessesMakeRoom(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *wasm.Config) {
		c.Limits = wasm.DefaultLimits()
		c.Limits.Workers = 2
	})
	for range 2 {
		for _, name := range []string{"state-image", "state"} {
			for _, tenant := range []string{"a", "b"} {
				if got := output(t, isolate(h, evil(t, name), tenant), wasm.Call{Export: "execute"}); !strings.HasPrefix(got, "aaaaaaa") {
					t.Fatalf("%s answers %q", name, got)
				}
			}
		}
	}
	if n := h.Workers().Processes(); n > 2 {
		t.Errorf("%d processes, two are allowed", n)
	}
}

// TestWorkersRefuseWhatTheDigestDoesNotName: S01 in the other tier.
func TestWorkersRefuseWhatTheDigestDoesNotName(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	m := isolate(h, evil(t, "state-image"), "a")
	m.module.Code = func(context.Context) ([]byte, error) { return evil(t, "state"), nil }
	_, err := m.Call(t.Context(), wasm.Call{Export: "execute"})
	wantFailure(t, err, wasm.CodeDigestMismatch, contract.OriginHost)
	m.module.Code = func(context.Context) ([]byte, error) { return nil, os.ErrPermission }
	if _, err := m.Call(t.Context(), wasm.Call{Export: "execute"}); wasm.AsFailure(err).Code != wasm.CodeHostFault {
		t.Errorf("code that cannot be read: %v", err)
	}
}
