package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/memory"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/pdk/contract"
)

// purely makes the nodes pure whose names begin with p.
func purely(node string) bool { return strings.HasPrefix(node, "p") }

// gated is a stage whose commits pass one by one, once the run r1 has begun and the call
// of its first node, a, which is not pure, has ended.
func gated(t *testing.T, f *engine.Flow) (*stage, *gate, *faulty) {
	t.Helper()
	s, store := faultyStage(t)
	s.exec.pure = purely
	began, release := s.exec.hold("a")
	s.run("r1", f)
	<-began
	g := newGate()
	store.set(g.commit)
	release()
	<-g.arrived
	return s, g, store
}

func TestPureNodesRunAheadOfTheCommit(t *testing.T) {
	t.Parallel()
	s, g, store := gated(t, serial("a", "p1", "p2", "b", "p3"))
	s.untilCalled("p2", 1)
	viewed := make(chan engine.RunView, 1)
	go func() {
		v, _ := s.runner.View(context.Background(), "r1")
		viewed <- v
	}()
	s.settle(0)
	if s.exec.count("b") != 0 {
		t.Error("b, which is not pure, was called before the record of it was durable")
	}
	if rs := s.pub.of("r1"); lastState(rs, "a") == engine.NodeSucceeded || len(viewed) != 0 {
		t.Errorf("what is not durable was shown:\n%s", lines(rs))
	}
	store.set(nil)
	g.pass <- struct{}{}
	s.untilState("r1", engine.RunSucceeded)
	if v := <-viewed; v.Nodes["a"].State != engine.NodeSucceeded {
		t.Errorf("view = %+v", v.Nodes)
	}
	for _, d := range []string{"a", "p1", "p2", "b", "p3"} {
		if n := s.exec.count(d); n != 1 {
			t.Errorf("%s was called %d times", d, n)
		}
	}
	for _, info := range s.exec.infos("p1", "b") {
		if want := info.node == "p1"; info.Ahead != want {
			t.Errorf("RunInfo.Ahead of %s = %v", info.node, info.Ahead)
		}
	}
}

func TestARunGoesSixtyFourNodesAhead(t *testing.T) {
	t.Parallel()
	ids := []string{"a"}
	for i := range 200 {
		ids = append(ids, fmt.Sprintf("p%d", i))
	}
	s, g, store := gated(t, serial(ids...))
	s.untilCalled("p63", 1)
	s.settle(0)
	if n := s.exec.count("p64"); n != 0 {
		t.Error("the run goes on although 64 nodes are not durable")
	}
	store.set(nil)
	g.pass <- struct{}{}
	s.untilState("r1", engine.RunSucceeded)
}

func TestARunGoesTwentyMillisecondsAhead(t *testing.T) {
	t.Parallel()
	s, store := faultyStage(t)
	s.exec.pure = purely
	s.exec.on("p2", func(context.Context, engine.Dispatch, func(engine.Note)) contract.Answer {
		s.clock.advance(20 * time.Millisecond)
		return done()
	})
	began, release := s.exec.hold("a")
	s.run("r1", serial("a", "p1", "p2", "p3"))
	<-began
	g := newGate()
	store.set(g.commit)
	release()
	<-g.arrived
	s.untilCalled("p2", 1)
	s.settle(0)
	if s.exec.count("p3") != 0 {
		t.Error("p3 was called although the run was 20 ms ahead")
	}
	store.set(nil)
	g.pass <- struct{}{}
	s.untilState("r1", engine.RunSucceeded)
}

func TestARunStopsToGoAhead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		does    func(ctx context.Context, d engine.Dispatch, emit func(engine.Note)) contract.Answer
		command engine.Event
	}{
		"at a failure": {does: func(context.Context, engine.Dispatch, func(engine.Note)) contract.Answer { return failed("X") }},
		"at a wait":    {does: sleeper(contract.Wait{Kind: contract.WaitTimer, AfterMS: 1})},
		"at a pause":   {command: engine.Pause{}},
		"at a revoke":  {command: engine.Revoke{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, store := faultyStage(t)
			s.exec.pure = purely
			s.exec.on("p1", c.does)
			began, release := s.exec.hold("a")
			s.run("r1", serial("a", "p1", "p2"))
			<-began
			var held <-chan engine.Dispatch
			free := func() {}
			if c.command != nil {
				held, free = s.exec.hold("p1")
			}
			g := newGate()
			store.set(g.commit)
			release()
			<-g.arrived
			answered := make(chan error, 1)
			if c.command != nil {
				<-held
				seq := s.runner.Applied("r1")
				go func() {
					_, err := s.runner.Command(context.Background(), "p", "r1", by("li"), c.command)
					answered <- err
				}()
				for s.runner.Applied("r1") == seq {
					runtime.Gosched()
				}
			}
			free()
			s.untilCalled("p1", 1)
			s.settle(0)
			if n := s.exec.count("p2") + len(answered); n != 0 {
				t.Error("p2 was called, or the command answered, before the commit")
			}
			store.set(nil)
			g.pass <- struct{}{}
			if c.command != nil {
				if err := <-answered; err != nil {
					t.Error(err)
				}
			}
			s.attempt("r1", engine.Revoke{})
			s.untilEnded("r1")
		})
	}
}

func TestNotesOfACallAheadAreShownAfterTheCommit(t *testing.T) {
	t.Parallel()
	s, store := faultyStage(t)
	s.exec.pure = purely
	noted := make(chan struct{})
	s.exec.on("p1", func(_ context.Context, _ engine.Dispatch, emit func(engine.Note)) contract.Answer {
		emit(engine.Note{Log: []contract.LogLine{{Level: contract.LevelInfo, Text: "line"}}})
		close(noted)
		return done()
	})
	began, release := s.exec.hold("a")
	s.run("r1", serial("a", "p1"))
	<-began
	g := newGate()
	store.set(g.commit)
	release()
	<-g.arrived
	<-noted
	s.settle(0)
	for _, r := range s.pub.of("r1") {
		if r.Kind == engine.KindNodeNote {
			t.Error("a note was shown before its commit")
		}
	}
	store.set(nil)
	g.pass <- struct{}{}
	s.untilState("r1", engine.RunSucceeded)
}

// What makes the process end is in the records, because a run that was taken in after a
// crash does not go ahead before its next commit.
func TestARevivedRunDoesNotGoAhead(t *testing.T) {
	t.Parallel()
	s, store := faultyStage(t)
	s.exec.pure = purely
	began, _ := s.exec.hold("p1")
	s.run("r1", serial("p1", "p2", "p3"))
	<-began
	g := newGate()
	s.crash(func() {
		s.exec.on("p1", nil)
		store.set(g.commit)
	})
	<-g.arrived
	s.settle(0)
	if s.exec.count("p2") != 0 {
		t.Error("p2 was called before the end of p1 was durable")
	}
	store.set(nil)
	g.pass <- struct{}{}
	s.untilState("r1", engine.RunSucceeded)
	if d := s.exec.infos("p3"); len(d) != 1 || !d[0].Ahead {
		t.Errorf("p3 = %+v; it may go ahead again", d)
	}
}

// A worker that goes ahead with one run turns to others that wait.
func TestARunThatIsAheadLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	ids := []string{"a"}
	for i := range 200 {
		ids = append(ids, fmt.Sprintf("p%d", i))
	}
	store := &faulty{Store: memory.New()}
	s := &stage{t: t, open: func() runner.Store { return store }, exec: newScript(), clock: newFakeClock(), pub: newWatcher(), graphs: graphs{}, workers: 1}
	s.start()
	s.exec.pure = purely
	began, release := s.exec.hold("a")
	s.run("r1", serial(ids...))
	<-began
	s.run("r2", serial("b"))
	release()
	s.untilState("r2", engine.RunSucceeded)
	s.untilState("r1", engine.RunSucceeded)
	s.exec.mu.Lock()
	defer s.exec.mu.Unlock()
	at := slices.IndexFunc(s.exec.calls, func(d engine.Dispatch) bool { return d.Node == "b" })
	if at > 20 {
		t.Errorf("the other run waited for %d calls", at)
	}
	s.stop()
	s.checkHistories()
}

// cut is a store that breaks at one commit: what came before is durable, and that commit
// itself perhaps.
type cut struct {
	*memory.Store
	mu     sync.Mutex
	left   int
	writes bool // whether the commit at which it breaks is written
}

// Commit implements runner.Store.
func (c *cut) Commit(ctx context.Context, bs []runner.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left > 0 {
		return c.Store.Commit(ctx, bs)
	}
	if c.left == 0 && c.writes {
		if err := c.Store.Commit(ctx, bs); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: cut", runner.ErrStoreFailed)
}

// Close does nothing, so that the store survives a restart.
func (*cut) Close() error { return nil }

// A run with pure and other nodes is broken off at each of its commits. It always comes
// to the same end, a node that is not pure is called only when the record of it is
// durable, and none after its end is.
func TestACrashWhileRunsAreAhead(t *testing.T) {
	t.Parallel()
	for _, writes := range []bool{false, true} {
		for n := 2; n < 12; n++ {
			t.Run(fmt.Sprintf("commit %d, written %v", n, writes), func(t *testing.T) {
				t.Parallel()
				store := &cut{Store: memory.New(), left: n, writes: writes}
				s := newStage(t, func() runner.Store { return store })
				s.exec.pure = purely
				judge := &trail{t: t, store: store.Store}
				s.exec.all = judge.do
				s.run("r1", trailFlow())
				s.pub.untilEnded("r1", s.runner.Failed())
				s.stopAnyhow()
				store.mu.Lock()
				store.left = 1 << 30
				store.mu.Unlock()
				s.start()
				s.untilEnded("r1")
				if got, want := string(s.view("r1").Outputs["trail"]), `"p1p2i1p3p4i2p5"`; got != want {
					t.Errorf("trail = %s; want %s", got, want)
				}
			})
		}
	}
}

// trailFlow hands a text from node to node, each of which adds its name.
func trailFlow() *engine.Flow {
	f := serial("p1", "p2", "i1", "p3", "p4", "i2", "p5")
	f.Variables = []engine.Variable{{Name: "trail", Source: engine.SourceNode, Value: json.RawMessage(`""`), Output: true}}
	for i := range f.Nodes {
		if f.Nodes[i].Type == engine.TypeTask {
			f.Nodes[i].Inputs = map[string]json.RawMessage{"trail": json.RawMessage(`"${trail}"`)}
			f.Nodes[i].Outputs = map[string]string{"trail": "trail"}
		}
	}
	return f
}

// trail is what the nodes of trailFlow do, with an eye on what is durable.
type trail struct {
	t     *testing.T
	store *memory.Store
}

func (x *trail) do(run runner.RunInfo, d engine.Dispatch) contract.Answer {
	rs, err := x.store.Records(context.Background(), run.ID, 0, 0)
	if err != nil {
		x.t.Error(err)
	}
	state := lastState(rs, d.Node)
	if state == engine.NodeSucceeded {
		x.t.Errorf("%s is called after its end is durable", d.Node)
	}
	if !purely(d.Node) && state != engine.NodeRunning {
		x.t.Errorf("%s is called although the record of it is not durable", d.Node)
	}
	var in struct{ Trail string }
	if err := json.Unmarshal(d.Inputs, &in); err != nil {
		x.t.Error(err)
	}
	out, _ := json.Marshal(map[string]string{"trail": in.Trail + d.Node})
	return contract.Answer{Status: contract.StatusSucceeded, Outputs: out}
}

func lastState(rs []engine.Record, node string) (s engine.NodeState) {
	for i := range rs {
		if c, ok := rs[i].Data.(engine.NodeChanged); ok && rs[i].Node == node {
			s = c.To
		}
	}
	return s
}

// untilEnded waits for the end of a run, or for something else.
func (w *watcher) untilEnded(run string, or <-chan struct{}) {
	for {
		w.mu.Lock()
		rs, changed := w.records[run], w.changed
		w.mu.Unlock()
		for _, r := range rs {
			if c, ok := r.Data.(engine.RunChanged); ok && c.To.Ended() {
				return
			}
		}
		select {
		case <-changed:
		case <-or:
			return
		}
	}
}
