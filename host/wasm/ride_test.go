package wasm_test

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// TestCallsThatWaitForAPlaceRideWithOneThatHasIt: many calls at once share one place by
// riding with each other; each gets its own answer, and a recording of its own.
func TestCallsThatWaitForAPlaceRideWithOneThatHasIt(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *wasm.Config) { c.Parallel = 1 })
	h.Workers().SetLanePatience(5 * time.Second) // on a busy machine, too
	goPlugin(t, h)
	code, err := goBuild(t, "goplugin")
	if err != nil {
		t.Fatal(err)
	}
	m := isolate(h, code, "a").module
	output(t, isolate(h, code, "a"), wasm.Call{Export: "echo"}) // starts the process
	var wg sync.WaitGroup
	var rode atomic.Int64
	for i := range 16 {
		wg.Go(func() {
			for j := 0; j < 10 || j < 1000 && rode.Load() == 0; j++ { // until some wait at the same time
				in := bytes.Repeat(fmt.Appendf(nil, "%d-%d ", i, j), 1+j%10*10)
				r, with, err := h.Workers().CallRode(t.Context(), m, wasm.Call{Export: "echo", Input: in, RecordBytes: 1 << 20})
				if err != nil || !bytes.Equal(r.Output, in) {
					t.Errorf("call %d of %d: %.40q, %v", j, i, r.Output, err)
					return
				}
				if r.Recording == nil || !bytes.Equal(r.Recording.Input, in) {
					t.Errorf("call %d of %d has no recording of its own", j, i)
				}
				if with {
					rode.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if rode.Load() == 0 {
		t.Error("no call rode with another")
	}
	if n := h.Workers().Processes(); n != 1 {
		t.Errorf("%d processes served one place", n)
	}
}

// TestAProcessThatServesAtOnceWhatIsOneAfterTheOtherIsKilled: calls that share a place are no
// way to more than one.
func TestAProcessThatServesAtOnceWhatIsOneAfterTheOtherIsKilled(t *testing.T) {
	t.Parallel()
	h := takenOverHost(t, "lane: all at once", func(c *wasm.Config) { c.Parallel = 1 })
	h.Workers().SetLanePatience(time.Second) // on a busy machine, too
	p := isolate(h, evil(t, "state-image"), "a")
	output(t, p, wasm.Call{Export: "execute"}) // starts the process, which answers what comes alone
	var wg sync.WaitGroup
	var killed atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range 1000 { // until some wait at the same time
				_, err := p.Call(t.Context(), wasm.Call{Export: "execute"})
				switch f := wasm.AsFailure(err); {
				case f == nil:
				case f.Origin == contract.OriginHost && !f.Retryable:
					t.Errorf("a call ended with %v", err)
				case f.Code == wasm.CodeTrap:
					killed.Add(1)
				}
				if killed.Load() > 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	if killed.Load() < 2 {
		t.Errorf("%d calls ended because their process was killed for running them at once", killed.Load())
	}
}
