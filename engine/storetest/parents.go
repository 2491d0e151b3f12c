package storetest

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
)

func testParents(t *testing.T, s runner.Store) {
	under := func(run, parent string, epoch uint64, depth int) runner.Batch {
		b := first(run, 2)
		p := &engine.Parent{Run: parent, Node: "deploy.sub", Epoch: epoch, Depth: depth}
		b.New.Parent = p
		d, _ := b.Records[0].Data.(engine.RunStarted)
		d.Parent = p
		b.Records[0].Data = d
		return b
	}
	commit(t, s, first("r1", 2), under("r2", "r1", 7, 1), under("r3", "r2", 1, 2), under("r4", "r1", 9, 1))
	want := engine.Parent{Run: "r2", Node: "deploy.sub", Epoch: 1, Depth: 2}
	if h, err := s.Run(t.Context(), "r3"); err != nil || h.Parent == nil || *h.Parent != want {
		t.Errorf("head = %+v, %v; want parent %+v", h, err, want)
	}
	if h, err := s.Run(t.Context(), "r1"); err != nil || h.Parent != nil {
		t.Errorf("head = %+v, %v; want no parent", h, err)
	}
	for _, c := range []struct {
		q    runner.RunQuery
		want string
	}{
		{runner.RunQuery{Parent: "r1"}, "r4 r2"},
		{runner.RunQuery{Parent: "r2", Limit: 1}, "r3"},
		{runner.RunQuery{Parent: "r3"}, ""},
		{runner.RunQuery{Roots: true}, "r1"},
		{runner.RunQuery{Project: "p"}, "r4 r3 r2 r1"},
	} {
		hs, err := s.List(t.Context(), c.q)
		var ids []string
		for _, h := range hs {
			ids = append(ids, h.ID)
		}
		if got := strings.Join(ids, " "); err != nil || got != c.want {
			t.Errorf("List(%+v) = %q, %v; want %q", c.q, got, err, c.want)
		}
	}
	live, err := s.Live(t.Context())
	if err != nil || len(live) != 4 || live[1].Parent == nil || live[1].Parent.Epoch != 7 {
		t.Errorf("Live = %+v, %v", live, err)
	}
	stranger := under("r5", "r1", 1, 1)
	stranger.New.Parent = nil
	if err := s.Commit(t.Context(), []runner.Batch{stranger}); err == nil {
		t.Error("a head that names another parent than the first record is accepted")
	}
}

// testRunTimer: the deadline of a run is a timer as well; its node is empty.
func testRunTimer(t *testing.T, s runner.Store) {
	at := func(sec int) time.Time { return epoch().Add(time.Duration(sec) * time.Second) }
	b := first("r1", 2)
	b.Timers = []runner.TimerChange{{Due: at(90)}, {Node: "a", Epoch: 1, Due: at(30)}}
	commit(t, s, b)
	want := func(ts ...runner.Timer) {
		t.Helper()
		got, err := s.Timers(t.Context())
		if err != nil || !reflect.DeepEqual(got, ts) {
			t.Errorf("Timers = %+v, %v; want %+v", got, err, ts)
		}
	}
	want(runner.Timer{Run: "r1", Node: "a", Epoch: 1, Due: at(30)}, runner.Timer{Run: "r1", Due: at(90)})
	// A timer that is set while the call goes on takes the place of the one before,
	// also with the same epoch; in one batch the last change counts.
	again := next("r1", 3, 3)
	again.Timers = []runner.TimerChange{{Node: "a", Epoch: 1, Due: at(20)}, {Due: at(80)}, {Node: "b", Epoch: 1, Due: at(1)}, {Node: "b", Epoch: 1}}
	commit(t, s, again)
	want(runner.Timer{Run: "r1", Node: "a", Epoch: 1, Due: at(20)}, runner.Timer{Run: "r1", Due: at(80)})
	gone := next("r1", 4, 4)
	gone.Timers = []runner.TimerChange{{Node: "a", Epoch: 2}, {}}
	commit(t, s, gone)
	want()
}
