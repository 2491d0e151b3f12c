package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/memory"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/pdk/contract"
)

// below is a serial flow whose node sub runs another flow as a run of its own, after the
// task id_a and before id_z.
func below(id string, child *engine.Flow) *engine.Flow {
	f := serial(id+"_a", "sub", id+"_z")
	f.ID = id
	for i := range f.Nodes {
		if f.Nodes[i].ID == "sub" {
			f.Nodes[i] = engine.Node{ID: "sub", Type: engine.TypeSubflow, Flow: child.ID, Mode: engine.SubflowIndependent}
		}
	}
	own := *child
	f.Subflows = map[string]*engine.Flow{child.ID: &own}
	for ref, sub := range child.Subflows {
		f.Subflows[ref] = sub
	}
	own.Subflows = nil
	return f
}

// leaf is a flow of one task with an input and an output.
func leaf(node string) *engine.Flow {
	f := serial(node)
	f.ID = "leaf"
	f.Variables = []engine.Variable{
		{Name: "size", Source: engine.SourceInput, Schema: json.RawMessage(`{"type":"integer"}`), Value: json.RawMessage(`3`)},
		{Name: "result", Source: engine.SourceNode, Output: true},
	}
	f.Nodes[1].Inputs = map[string]json.RawMessage{"size": json.RawMessage(`"${size}"`)}
	f.Nodes[1].Outputs = map[string]string{"result": "text"}
	return f
}

// generations is a flow with a run below, and another below that.
func generations() *engine.Flow { return below("top", below("mid", leaf("work"))) }

// tree compiles a flow and those below, so that runs of them can be made.
func (s *stage) tree(f *engine.Flow) *engine.Flow {
	s.t.Helper()
	s.graphs.compile(s.t, f)
	for ref := range f.Subflows {
		child, ok := engine.ChildDocument(f, ref)
		if !ok {
			s.t.Fatalf("no document of %s", ref)
		}
		s.graphs.compile(s.t, child)
	}
	return f
}

// child waits until a run has one below that lives or has lived, and returns its id.
func (s *stage) child(parent string) string {
	s.t.Helper()
	s.untilNode(parent, "sub", engine.NodeWaiting)
	id := s.view(parent).Nodes["sub"].Child
	s.until(id, "start", func(rs []engine.Record) bool { return len(rs) > 0 })
	return id
}

func worked(context.Context, engine.Dispatch, func(engine.Note)) contract.Answer {
	return contract.Answer{Status: contract.StatusSucceeded, Outputs: json.RawMessage(`{"text":"ready"}`)}
}

func TestAChildRunEndsTheWaitOfItsParent(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		s.exec.on("work", worked)
		s.run("r1", s.tree(generations()))
		s.untilState("r1", engine.RunSucceeded)
		mid := s.view("r1").Nodes["sub"].Child
		low := s.view(mid).Nodes["sub"].Child
		h, err := s.runner.Head(t.Context(), low)
		want := engine.Parent{Run: mid, Node: "sub", Epoch: 1, Depth: 2}
		if err != nil || h.Parent == nil || *h.Parent != want || h.Project != "p" || h.Operator != "li" {
			t.Errorf("head = %+v, %v; want parent %+v", h, err, want)
		}
		if got := string(s.view(low).Outputs["result"]); got != `"ready"` {
			t.Errorf("outputs of the lowest run = %s", got)
		}
		hs, err := s.runner.List(t.Context(), runner.RunQuery{Parent: "r1"})
		if err != nil || len(hs) != 1 || hs[0].ID != mid {
			t.Errorf("runs below r1 = %+v, %v", hs, err)
		}
	})
}

func TestAChildThatFailsIsStartedAnewByARetry(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		s.exec.on("work", func(context.Context, engine.Dispatch, func(engine.Note)) contract.Answer { return failed("X") })
		low := leaf("work")
		low.OnFailure = engine.FailureFail
		s.run("r1", s.tree(below("top", low)))
		s.untilState("r1", engine.RunBlocked)
		v := s.view("r1").Nodes["sub"]
		if v.Failure == nil || v.Failure.Code != engine.FailChildFailed {
			t.Errorf("failure = %+v", v.Failure)
		}
		first := v.Child
		s.exec.on("work", worked)
		s.command("r1", by("li"), engine.Retry{Node: "sub"})
		s.untilState("r1", engine.RunSucceeded)
		if second := s.view("r1").Nodes["sub"].Child; second == first {
			t.Error("a retry does not start another run")
		}
	})
}

func TestAChildThatCannotBeStartedFailsItsNode(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		f := below("top", leaf("work"))
		s.tree(f)
		child, _ := engine.ChildDocument(f, "leaf")
		g := engine.Digest(child)
		kept := s.graphs[g]
		delete(s.graphs, g)
		s.run("r1", f)
		s.untilState("r1", engine.RunBlocked)
		if f := s.view("r1").Nodes["sub"].Failure; f == nil || f.Code != runner.FailChildStart || f.Origin != contract.OriginHost {
			t.Errorf("failure = %+v", f)
		}
		s.graphs[g] = kept
		s.command("r1", by("li"), engine.Retry{Node: "sub"})
		s.untilState("r1", engine.RunSucceeded)
	})
}

func TestRevokeReachesAllGenerations(t *testing.T) {
	onStores(t, func(s *stage) {
		began, _ := s.exec.hold("work")
		s.run("r1", s.tree(generations()))
		mid := s.child("r1")
		low := s.child(mid)
		<-began
		s.command("r1", by("wang"), engine.Revoke{Reason: "enough"})
		for _, run := range []string{"r1", mid, low} {
			s.untilState(run, engine.RunRevoked)
		}
		rs := s.pub.of(low)
		if who := rs[len(rs)-1].Actor.ID; who != "wang" && rs[len(rs)-1].Kind == engine.KindRunState {
			s.t.Errorf("the lowest run was revoked by %s", who)
		}
	})
}

func TestPauseReachesAllGenerations(t *testing.T) {
	onStores(t, func(s *stage) {
		s.exec.on("work", worked)
		began, release := s.exec.hold("work")
		s.run("r1", s.tree(generations()))
		mid := s.child("r1")
		low := s.child(mid)
		<-began
		s.command("r1", by("li"), engine.Pause{})
		for _, run := range []string{mid, low} { // as soon as the command is answered
			if state := s.view(run).State; state != engine.RunSuspended {
				s.t.Errorf("%s is %s", run, state)
			}
		}
		release()
		s.untilNode(low, "end", engine.NodeReady)
		s.crash()
		if state := s.view(low).State; state != engine.RunSuspended {
			s.t.Errorf("after a restart the lowest run is %s", state)
		}
		s.command("r1", by("li"), engine.Resume{})
		s.untilState("r1", engine.RunSucceeded)
	})
}

// lookups is a store that tests can make slow to find runs: the start of a child begins
// with a look whether it exists.
type lookups struct {
	*memory.Store
	mu   sync.Mutex
	wait func(id string)
}

// Run implements runner.Store.
func (l *lookups) Run(ctx context.Context, id string) (runner.RunHead, error) {
	l.mu.Lock()
	wait := l.wait
	l.mu.Unlock()
	if wait != nil {
		wait(id)
	}
	return l.Store.Run(ctx, id)
}

// Close does nothing, so that the store survives a restart.
func (*lookups) Close() error { return nil }

// While a child is being started its parent is paused, and resumed or revoked.
func TestAChildThatStartsAfterThePause(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		events []engine.Event
		crash  bool
	}{
		{"resumed before the start", []engine.Event{engine.Pause{}, engine.Resume{}}, false},
		{"resumed after the start", []engine.Event{engine.Pause{}, nil, engine.Resume{}}, false},
		{"resumed after a crash", []engine.Event{engine.Pause{}, nil, engine.Resume{}}, true},
		{"paused again", []engine.Event{engine.Pause{}, engine.Resume{}, engine.Pause{}, nil, engine.Resume{}}, false},
		{"revoked before the start", []engine.Event{engine.Pause{}, engine.Revoke{}}, false},
		{"revoked after the start", []engine.Event{engine.Pause{}, nil, engine.Revoke{}}, false},
		{"revoked after a crash", []engine.Event{engine.Pause{}, nil, engine.Revoke{}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := &lookups{Store: memory.New()}
			s := newStage(t, func() runner.Store { return store })
			s.exec.on("work", worked)
			looked, free := make(chan string, 8), make(chan struct{})
			store.wait = func(id string) {
				if id != "r1" {
					looked <- id
					<-free
				}
			}
			s.run("r1", s.tree(below("top", leaf("work"))))
			child := <-looked
			open := sync.OnceFunc(func() { close(free) })
			for _, e := range c.events {
				if e != nil {
					s.command("r1", by("li"), e)
					continue
				}
				if c.crash {
					go open()
					s.crash()
				}
				open()
				s.settle(0)
				if n := s.exec.count("work"); n != 0 {
					t.Fatal("the child runs although its parent is paused")
				}
			}
			open()
			if c.events[len(c.events)-1] == (engine.Revoke{}) {
				s.settle(0)
				if n := s.exec.count("work"); n != 0 {
					t.Error("the child ran although its parent was revoked")
				}
				if h, err := store.Store.Run(t.Context(), child); err == nil && !h.State.Ended() {
					t.Errorf("the child is %s", h.State)
				}
				return
			}
			s.untilState("r1", engine.RunSucceeded)
			if n := s.exec.count("work"); n != 1 {
				t.Errorf("%d calls of the child's task", n)
			}
		})
	}
}

// A run below takes no place from those above, or else they would wait for ever.
func TestChildrenDoNotCountAgainstTheLimit(t *testing.T) {
	t.Parallel()
	g := graphs{}
	exec, pub := newScript(), newWatcher()
	exec.on("work", worked)
	store := &faulty{Store: memory.New()}
	r, err := runner.New(runner.Config{
		Store: store, Executor: exec, Publisher: pub, Clock: newFakeClock(), Graphs: g, Logger: slog.New(slog.DiscardHandler), LiveRunsMax: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, runner: r, store: store, exec: exec, pub: pub, graphs: g}
	s.run("r1", s.tree(generations()))
	s.untilState("r1", engine.RunSucceeded)
	s.stop()
	s.checkHistories()
}

// Three generations are broken off at each commit, and come to the same end.
func TestACrashBetweenParentAndChild(t *testing.T) {
	t.Parallel()
	for _, revoked := range []bool{false, true} {
		for _, writes := range []bool{false, true} {
			for n := 2; n < 14; n++ {
				t.Run(fmt.Sprintf("commit %d, written %v, revoked %v", n, writes, revoked), func(t *testing.T) {
					t.Parallel()
					crashGenerations(t, n, writes, revoked)
				})
			}
		}
	}
}

func crashGenerations(t *testing.T, n int, writes, revoked bool) {
	t.Helper()
	store := &cut{Store: memory.New(), left: n, writes: writes}
	s := newStage(t, func() runner.Store { return store })
	s.exec.on("work", worked)
	s.run("r1", s.tree(generations()))
	if revoked { // at any moment
		for range n * 50 {
			runtime.Gosched()
		}
		_, _ = s.runner.Command(context.Background(), "p", "r1", by("li"), engine.Revoke{})
	}
	s.pub.untilEnded("r1", s.runner.Failed())
	s.stopAnyhow()
	calls := len(s.exec.of("work"))
	store.mu.Lock()
	store.left = 1 << 30
	store.mu.Unlock()
	s.start()
	if revoked {
		s.attempt("r1", engine.Revoke{})
	}
	s.untilEnded("r1")
	s.settle(0)
	heads, err := store.List(t.Context(), runner.RunQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var states []string
	for _, h := range heads {
		states = append(states, string(h.State))
		if !h.State.Ended() {
			t.Errorf("%s (%s) is %s", h.ID, h.Flow, h.State)
		}
	}
	if !revoked && strings.Join(states, " ") != "succeeded succeeded succeeded" {
		t.Errorf("the runs are %v", states)
	}
	if n := len(s.exec.of("work")); n > calls+1 {
		t.Errorf("%d calls after the restart", n-calls)
	}
}

// What a crash cannot part, a store that is written by somebody else can: the end of the
// child is durable, and the parent has not been told.
func TestAParentIsToldOfAnEndThatItMissed(t *testing.T) {
	onStores(t, func(s *stage) {
		_, release := s.exec.hold("work")
		defer release()
		f := s.tree(below("top", leaf("work")))
		s.run("r1", f)
		child := s.child("r1")
		s.crash(func() { s.append(child, engine.Revoke{Reason: "behind everybody's back"}) })
		s.untilState("r1", engine.RunBlocked)
		if f := s.view("r1").Nodes["sub"].Failure; f == nil || f.Code != engine.FailChildRevoked {
			s.t.Errorf("failure = %+v", f)
		}
	})
}

func TestAChildThatNobodyWaitsForIsRevoked(t *testing.T) {
	for _, e := range []engine.Event{engine.Revoke{}, engine.ForceFail{Node: "sub"}} {
		t.Run(fmt.Sprintf("%T", e), func(t *testing.T) {
			onStores(t, func(s *stage) {
				_, release := s.exec.hold("work")
				defer release()
				s.run("r1", s.tree(below("top", leaf("work"))))
				child := s.child("r1")
				s.crash(func() { s.append("r1", e) })
				s.untilState(child, engine.RunRevoked)
			})
		})
	}
}

// append steps a run past the runner, in the store only.
func (s *stage) append(run string, e engine.Event) {
	s.t.Helper()
	rs, err := s.store.Records(context.Background(), run, 0, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	started, _ := rs[0].Data.(engine.RunStarted)
	g := s.graphs[started.Digest]
	state, err := engine.Replay(g, rs)
	if err != nil {
		s.t.Fatal(err)
	}
	made, cs, err := engine.Step(g, state, engine.Meta{At: s.clock.Now(), Actor: engine.Actor{ID: "somebody"}}, e)
	if err != nil {
		s.t.Fatal(err)
	}
	b := runner.Batch{Run: run, Records: made, State: state.RunState()}
	if at := s.clock.Now(); b.State.Ended() {
		b.EndedAt = &at
	}
	b.Timers = slices.Clone(b.Timers)
	for _, c := range cs {
		if _, ok := c.(engine.SetTimer); ok {
			s.t.Fatalf("%T makes timers", e)
		}
	}
	if err := s.store.Commit(context.Background(), []runner.Batch{b}); err != nil {
		s.t.Fatal(err)
	}
}
