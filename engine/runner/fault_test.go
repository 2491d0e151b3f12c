package runner_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/memory"
	"github.com/culmhq/culm/engine/runner"
)

// faulty is a store whose commits tests decide about.
type faulty struct {
	*memory.Store
	mu     sync.Mutex
	before func(bs []runner.Batch) error
}

// Commit implements runner.Store.
func (f *faulty) Commit(ctx context.Context, bs []runner.Batch) error {
	f.mu.Lock()
	before := f.before
	f.mu.Unlock()
	if before != nil {
		if err := before(bs); err != nil {
			return err
		}
	}
	return f.Store.Commit(ctx, bs)
}

// Close does nothing, so that the store survives a restart.
func (*faulty) Close() error { return nil }

func (f *faulty) set(before func(bs []runner.Batch) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = before
}

func faultyStage(t *testing.T) (*stage, *faulty) {
	t.Helper()
	f := &faulty{Store: memory.New()}
	return newStage(t, func() runner.Store { return f }), f
}

// gate lets commits through one by one.
type gate struct{ arrived, pass chan struct{} }

func newGate() *gate { return &gate{arrived: make(chan struct{}, 64), pass: make(chan struct{}, 64)} }

func (g *gate) commit([]runner.Batch) error {
	g.arrived <- struct{}{}
	<-g.pass
	return nil
}

func TestNothingIsDoneOrShownBeforeTheCommit(t *testing.T) {
	t.Parallel()
	s, f := faultyStage(t)
	g := newGate()
	f.set(g.commit)
	began, release := s.exec.hold("a")
	defer release()
	q := s.request("r1", serial("a", "b"))
	started := make(chan error, 1)
	go func() {
		_, err := s.runner.StartRun(context.Background(), q)
		started <- err
	}()
	<-g.arrived
	viewed := make(chan engine.RunView, 1)
	go func() {
		v, _ := s.runner.View(context.Background(), "r1")
		viewed <- v
	}()
	if n := len(s.exec.of("a")) + len(s.pub.of("r1")) + len(started) + len(viewed); n != 0 {
		t.Error("something happened before the commit")
	}
	g.pass <- struct{}{}
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	<-began
	if v := <-viewed; v.Nodes["a"].State != engine.NodeRunning {
		t.Errorf("view = %+v", v)
	}
	// A command: neither its answer, nor a refusal that tells of it, before the commit.
	paused, refused := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := s.runner.Command(context.Background(), "p", "r1", by("li"), engine.Pause{})
		paused <- err
	}()
	<-g.arrived
	go func() {
		_, err := s.runner.Command(context.Background(), "p", "r1", by("wang"), engine.Pause{})
		refused <- err
	}()
	if len(paused)+len(refused) != 0 {
		t.Error("a command was answered before its commit")
	}
	f.set(nil)
	g.pass <- struct{}{}
	if err := <-paused; err != nil {
		t.Error(err)
	}
	wantCode(t, <-refused, engine.CodeWrongState)
	s.command("r1", by("li"), engine.Resume{})
}

func TestAStoreThatIsBusyMakesCommitsWait(t *testing.T) {
	t.Parallel()
	s, f := faultyStage(t)
	tries := make(chan int, 8)
	n := 0
	f.set(func([]runner.Batch) error {
		n++
		tries <- n
		if n < 3 {
			return fmt.Errorf("%w: disk full", runner.ErrStoreBusy)
		}
		return nil
	})
	q := s.request("r1", serial("a"))
	started := make(chan error, 1)
	go func() {
		_, err := s.runner.StartRun(context.Background(), q)
		started <- err
	}()
	<-tries
	s.clock.untilWaiting(t)
	_, err := s.runner.StartRun(t.Context(), s.request("r2", serial("a")))
	wantIs(t, err, runner.ErrBusy)
	s.clock.advance(time.Second)
	<-tries
	s.clock.untilWaiting(t)
	s.clock.advance(time.Second)
	if err := <-started; err != nil {
		t.Errorf("start: %v", err)
	}
	s.untilState("r1", engine.RunSucceeded)
	s.run("r2", serial("a"))
	s.untilState("r2", engine.RunSucceeded)
}

// Callers do not wait for ever: after some seconds they are told, and what they asked for
// is done when the store goes on.
func TestAStoreThatStaysBusyIsToldToThoseWhoWait(t *testing.T) {
	t.Parallel()
	s, f := faultyStage(t)
	began, release := s.exec.hold("a")
	s.run("r1", serial("a"))
	<-began
	f.set(func([]runner.Batch) error { return runner.ErrStoreFull })
	told := make(chan error, 2)
	go func() {
		_, err := s.runner.Command(context.Background(), "p", "r1", by("li"), engine.Pause{})
		told <- err
	}()
	for range 5 {
		if len(told) > 0 {
			t.Error("told at once")
		}
		s.clock.untilWaiting(t)
		s.clock.advance(time.Second)
	}
	wantIs(t, <-told, runner.ErrStoreFull)
	_, err := s.runner.StartRun(t.Context(), s.request("r2", serial("a")))
	wantIs(t, err, runner.ErrStoreFull)
	f.set(nil)
	s.clock.untilWaiting(t)
	s.clock.advance(time.Second)
	s.untilState("r1", engine.RunSuspended)
	release()
	s.command("r1", by("li"), engine.Resume{})
	s.untilState("r1", engine.RunSucceeded)
}

func TestAStoreThatFailsEndsTheRunner(t *testing.T) {
	t.Parallel()
	s, f := faultyStage(t)
	began, _ := s.exec.hold("a")
	s.run("r1", serial("a"))
	<-began
	f.set(func([]runner.Batch) error { return fmt.Errorf("%w: fsync", runner.ErrStoreFailed) })
	_, err := s.runner.Command(t.Context(), "p", "r1", by("li"), engine.Pause{})
	wantIs(t, err, runner.ErrStoreFailed)
	wantIs(t, err, runner.ErrStopped)
	<-s.runner.Failed()
	wantIs(t, s.runner.Err(), runner.ErrStoreFailed)
	_, err = s.runner.StartRun(t.Context(), s.request("r2", serial("a")))
	wantIs(t, err, runner.ErrStopped)
	_, err = s.runner.View(t.Context(), "r1")
	wantIs(t, err, runner.ErrStopped)
	wantIs(t, s.runner.Stop(t.Context()), runner.ErrStoreFailed)
	// The next start goes on from what is durable: without the pause.
	f.set(nil)
	s.exec.on("a", nil)
	s.start()
	s.untilState("r1", engine.RunSucceeded)
}

func TestARunThatTheStoreRefusesDoesNotSpoilTheOthers(t *testing.T) {
	t.Parallel()
	s, f := faultyStage(t)
	began, _ := s.exec.hold("a")
	good, release := s.exec.hold("b")
	s.run("bad", serial("a"))
	s.run("good", serial("b"))
	<-began
	<-good
	refusal := errors.New("row too large")
	f.set(func(bs []runner.Batch) error {
		for _, b := range bs {
			if b.Run == "bad" {
				return refusal
			}
		}
		return nil
	})
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := s.runner.Command(context.Background(), "p", "bad", by("li"), engine.Pause{})
		wantIs(t, err, refusal)
	})
	wg.Go(func() {
		_, err := s.runner.Command(context.Background(), "p", "good", by("li"), engine.Pause{})
		wantIs(t, err, nil)
	})
	wg.Wait()
	s.command("good", by("li"), engine.Resume{})
	release()
	s.untilState("good", engine.RunSucceeded)
	_, err := s.runner.Command(t.Context(), "p", "bad", by("li"), engine.Revoke{})
	wantIs(t, err, runner.ErrQuarantined)
	if v := s.view("bad"); v.State != engine.RunRunning {
		t.Errorf("the view of a quarantined run is what is durable; got %+v", v)
	}
	f.set(nil)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	f := &faulty{Store: memory.New()}
	g := graphs{}
	exec, pub := newScript(), newWatcher()
	r, err := runner.New(runner.Config{
		Store: f, Executor: exec, Publisher: pub, Clock: newFakeClock(), Graphs: g,
		Logger: slog.New(slog.DiscardHandler), LiveRunsMax: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, release := exec.hold("a")
	s := &stage{t: t, runner: r, store: f, exec: exec, pub: pub, graphs: g}
	s.run("r1", serial("a"))
	s.run("r2", serial("a"))
	_, err = r.StartRun(t.Context(), s.request("r3", serial("a")))
	wantIs(t, err, runner.ErrBusy)
	release()
	s.untilState("r1", engine.RunSucceeded)
	s.run("r3", serial("a"))
	s.stop()
	s.checkHistories()
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	good := runner.Config{
		Store: memory.New(), Executor: newScript(), Publisher: newWatcher(), Clock: newFakeClock(), Graphs: graphs{},
		Logger: slog.New(slog.DiscardHandler),
	}
	for name, spoil := range map[string]func(c *runner.Config){
		"Store":     func(c *runner.Config) { c.Store = nil },
		"Executor":  func(c *runner.Config) { c.Executor = nil },
		"Publisher": func(c *runner.Config) { c.Publisher = nil },
		"Clock":     func(c *runner.Config) { c.Clock = nil },
		"Graphs":    func(c *runner.Config) { c.Graphs = nil },
		"Logger":    func(c *runner.Config) { c.Logger = nil },
		"Workers":   func(c *runner.Config) { c.Workers = -1 },
	} {
		c := good
		spoil(&c)
		if _, err := runner.New(c); err == nil {
			t.Errorf("a bad %s is accepted", name)
		}
	}
	r, err := runner.New(good)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.StartRun(t.Context(), runner.StartRequest{})
	wantIs(t, err, runner.ErrStopped)
	_, err = r.View(t.Context(), "r1")
	wantIs(t, err, runner.ErrStopped)
	_, err = r.Quarantined(t.Context())
	wantIs(t, err, runner.ErrStopped)
	wantIs(t, r.Stop(t.Context()), runner.ErrStopped)
}
