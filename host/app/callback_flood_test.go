package app_test

import (
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// envCallbacks is how many callbacks TestACallbackThatComesBeforeItsWaitEndsIt sends.
const envCallbacks = "CULM_CALLBACKS"

// C05: a system that calls back before it even answers the call loses nothing: each callback is
// answered with 202 and is in the audit, each ends its wait, and the run of each succeeds. Up to
// 256 runs are started at once, and the system has up to 64 calls, and callbacks, under way.
// With many callbacks (make callbacks) it also says that nothing piles up in memory.
func TestACallbackThatComesBeforeItsWaitEndsIt(t *testing.T) {
	t.Parallel()
	n := 200
	if text := os.Getenv(envCallbacks); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	s, j, _ := jobServer(t, true, func(s *server) {
		s.cfg.Record.Mode = "off"
		s.deps.Logger = slog.New(slog.DiscardHandler)
	})
	before := heap()
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(256, n/8) {
		wg.Go(func() {
			for next.Add(1) <= int64(n) && !t.Failed() {
				code, _, text := s.do("POST", s.in("/flows/job/runs"), nil, `{}`)
				if code != 201 {
					t.Error(code, text)
					return
				}
				run := idOf(t, text)
				s.published.wait(t, run, "job succeeded", "run succeeded")
				s.published.forget(run)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	slices.Sort(j.took)
	t.Logf("%d callbacks: the answers took %s at the median, %s at the 99th percentile, %s at most; the heap grew by %d KiB",
		n, j.took[n/2], j.took[n*99/100], j.took[n-1], (heap()-before)>>10)
	// Other tests of the process have a heap of their own.
	if grown := heap() - before; os.Getenv(envCallbacks) != "" && grown > 64<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	code, _, lines := s.do("GET", "/api/v1/audit/export?kind=callback&outcome=ok", nil, nil)
	if entered := strings.Count(lines, "\n"); code != 200 || entered != n {
		t.Errorf("%d: %d of %d callbacks are in the audit", code, entered, n)
	}
}

// heap is what is in use after everything else was collected.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
