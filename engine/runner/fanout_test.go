package runner_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// A flow of nearly ten thousand nodes, a thousand side by side, runs to its end in bounded
// memory; small flows that are started meanwhile do not wait for it.
func TestAWideFlowDoesNotHoldUpASmallOne(t *testing.T) {
	t.Parallel()
	s := newStage(t, stores()["sqlite"](t))
	big := s.request("big", blocks(9, 1000))
	alone := s.latency(20, "alone")
	if _, err := s.runner.StartRun(t.Context(), big); err != nil {
		t.Fatal(err)
	}
	beside := s.latency(20, "beside")
	s.untilEndedWithin("big", 2*time.Minute)
	if v := s.view("big"); v.State != engine.RunSucceeded || len(v.Nodes) != 9*1002+2 {
		t.Errorf("the big run is %s with %d nodes", v.State, len(v.Nodes))
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("a small flow takes %v alone, %v beside; %d MB from the system", alone, beside, m.Sys>>20)
	if m.Sys > 1536<<20 {
		t.Errorf("%d MB of memory", m.Sys>>20)
	}
	// A machine that does other things too: the bound is far above what is usual.
	if beside > max(20*alone, time.Second) {
		t.Errorf("a small flow takes %v beside the big one, %v alone", beside, alone)
	}
}

// blocks is a flow of n blocks of tasks side by side, one after the other.
func blocks(n, width int) *engine.Flow {
	f := &engine.Flow{Format: engine.FlowFormat, ID: "blocks", Name: contract.Text{En: "blocks"}}
	f.Nodes = []engine.Node{{ID: "start", Type: engine.TypeStart}}
	last := "start"
	for b := range n {
		fork, join := fmt.Sprintf("fork%d", b), fmt.Sprintf("join%d", b)
		f.Nodes = append(f.Nodes, engine.Node{ID: fork, Type: engine.TypeParallel})
		f.Edges = append(f.Edges, edge(last, fork))
		for i := range width {
			id := fmt.Sprintf("n%d_%d", b, i)
			f.Nodes = append(f.Nodes, task(id))
			f.Edges = append(f.Edges, edge(fork, id), edge(id, join))
		}
		f.Nodes = append(f.Nodes, engine.Node{ID: join, Type: engine.TypeJoin})
		last = join
	}
	f.Nodes = append(f.Nodes, engine.Node{ID: "end", Type: engine.TypeEnd})
	f.Edges = append(f.Edges, edge(last, "end"))
	return f
}

// latency is the median of how long small runs take, one after the other.
func (s *stage) latency(n int, name string) time.Duration {
	s.t.Helper()
	var took []time.Duration
	for i := range n {
		began := time.Now()
		run := fmt.Sprintf("%s%d", name, i)
		s.run(run, serial("a", "b"))
		s.untilEnded(run)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[n/2]
}

// untilEndedWithin is untilEnded for a run that takes long.
func (s *stage) untilEndedWithin(run string, d time.Duration) {
	s.t.Helper()
	ctx, stop := context.WithTimeout(s.t.Context(), d)
	defer stop()
	for !s.view(run).State.Ended() {
		s.pub.mu.Lock()
		changed := s.pub.changed
		s.pub.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			s.t.Fatalf("%s has not ended within %v", run, d)
		}
	}
}
