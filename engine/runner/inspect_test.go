package runner_test

import (
	"context"
	"errors"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
)

func TestInspectSeesALiveRunAndAnEndedOne(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		began, release := s.exec.hold("a")
		s.run("r1", serial("a"))
		<-began
		var state engine.RunState
		look := func(g *engine.Graph, st *engine.State) error {
			if g.Flow().ID != "serial" {
				t.Errorf("graph of %s", g.Flow().ID)
			}
			state = st.RunState()
			return nil
		}
		if err := s.runner.Inspect(t.Context(), "p", "r1", look); err != nil || state != engine.RunRunning {
			t.Errorf("live: %s, %v", state, err)
		}
		wantIs(t, s.runner.Inspect(t.Context(), "q", "r1", look), runner.ErrNotFound)
		wantIs(t, s.runner.Inspect(t.Context(), "p", "none", look), runner.ErrNotFound)
		own := errors.New("own")
		wantIs(t, s.runner.Inspect(t.Context(), "p", "r1", func(*engine.Graph, *engine.State) error { return own }), own)
		if err := s.runner.Inspect(t.Context(), "p", "r1", func(*engine.Graph, *engine.State) error { panic("x") }); err == nil {
			t.Error("a question that panics has an answer")
		}
		release()
		s.untilState("r1", engine.RunSucceeded)
		if err := s.runner.Inspect(t.Context(), "p", "r1", look); err != nil || state != engine.RunSucceeded {
			t.Errorf("ended: %s, %v", state, err)
		}
		wantIs(t, s.runner.Inspect(t.Context(), "q", "r1", look), runner.ErrNotFound)
	})
}

func TestACensusTellsThoseThatWaitFromThoseThatWork(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		began, release := s.exec.hold("a")
		s.run("r1", serial("a"))
		<-began
		count := func() map[string]int {
			t.Helper()
			m, err := s.runner.Census(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		if m := count(); m[string(engine.RunRunning)] != 1 || len(m) != 1 {
			t.Errorf("a run at work: %v", m)
		}
		release()
		s.untilState("r1", engine.RunSucceeded)
		if m := count(); len(m) != 0 {
			t.Errorf("none is left: %v", m)
		}
	})
}

func TestInspectAnswersAfterTheCommit(t *testing.T) {
	t.Parallel()
	s, store := faultyStage(t)
	began, release := s.exec.hold("a")
	defer release()
	s.run("r1", serial("a"))
	<-began
	g := newGate()
	store.set(g.commit)
	paused := make(chan error, 1)
	go func() {
		_, err := s.runner.Command(context.Background(), "p", "r1", by("li"), engine.Pause{})
		paused <- err
	}()
	<-g.arrived
	asked, answered := make(chan engine.RunState, 1), make(chan error, 1)
	go func() {
		answered <- s.runner.Inspect(context.Background(), "p", "r1", func(_ *engine.Graph, st *engine.State) error {
			asked <- st.RunState()
			return nil
		})
	}()
	if state := <-asked; state != engine.RunSuspended || len(answered) != 0 {
		t.Errorf("asked about a run that is %s, answered %d times before the commit", state, len(answered))
	}
	store.set(nil)
	g.pass <- struct{}{}
	if err := errors.Join(<-paused, <-answered); err != nil {
		t.Error(err)
	}
	s.command("r1", by("li"), engine.Resume{})
}
