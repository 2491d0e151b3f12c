package runner_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

func TestPauseAndResume(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		began, release := s.exec.hold("a")
		s.run("r1", serial("a", "b"))
		<-began
		s.command("r1", by("li"), engine.Pause{})
		release()
		s.untilNode("r1", "b", engine.NodeReady)
		if v := s.view("r1"); v.State != engine.RunSuspended || v.Nodes["a"].State != engine.NodeSucceeded {
			t.Errorf("paused view = %+v", v)
		}
		if n := len(s.exec.of("b")); n != 0 {
			t.Errorf("b was called %d times during the pause", n)
		}
		_, err := s.runner.Command(t.Context(), "p", "r1", by("li"), engine.Pause{})
		wantCode(t, err, engine.CodeWrongState)
		s.command("r1", by("li"), engine.Resume{})
		s.untilState("r1", engine.RunSucceeded)
	})
}

func TestRetryWithOtherInputsAndSkip(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		s.exec.on("a", func(_ context.Context, d engine.Dispatch, _ func(engine.Note)) contract.Answer {
			if string(d.Inputs) == `{"x":2}` {
				return done()
			}
			return failed("BAD_X")
		})
		s.exec.on("b", func(context.Context, engine.Dispatch, func(engine.Note)) contract.Answer { return failed("NO") })
		f := serial("a", "b")
		f.Nodes[1].Inputs = map[string]json.RawMessage{"x": json.RawMessage(`1`)}
		s.run("r1", f)
		s.untilState("r1", engine.RunBlocked)
		if f := s.view("r1").Nodes["a"].Failure; f == nil || f.Code != "BAD_X" {
			t.Errorf("failure = %+v", f)
		}
		s.command("r1", by("li"), engine.Retry{Node: "a", Inputs: map[string]json.RawMessage{"x": json.RawMessage(`2`)}})
		s.untilNode("r1", "b", engine.NodeFailed)
		if ds := s.exec.of("a"); len(ds) != 2 || ds[1].Attempt != 2 {
			t.Errorf("calls of a = %+v", ds)
		}
		s.command("r1", by("li"), engine.Skip{Node: "b"})
		s.untilState("r1", engine.RunSucceeded)
		if st := s.view("r1").Nodes["b"].State; st != engine.NodeSkipped {
			t.Errorf("b is %s", st)
		}
	})
}

func TestRevokeStopsTheCall(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		began, _ := s.exec.hold("a")
		s.run("r1", serial("a", "b"))
		d := <-began
		s.command("r1", by("li"), engine.Revoke{Reason: "wrong cluster"})
		if c := <-s.exec.cancel; c.Node != "a" || c.Epoch != d.Epoch {
			t.Errorf("cancelled %+v", c)
		}
		s.untilState("r1", engine.RunRevoked)
		// The call answers after its end: late, and without any effect.
		s.until("r1", "late result", func(rs []engine.Record) bool { return rs[len(rs)-1].Kind == engine.KindNodeLate })
		if n := len(s.exec.of("b")); n != 0 {
			t.Errorf("b was called %d times after the revoke", n)
		}
		if v := s.view("r1"); v.State != engine.RunRevoked || v.Nodes["a"].State != engine.NodeCancelled {
			t.Errorf("view = %+v", v)
		}
	})
}

func TestACallThatWaitsForAWorkerIsNotBegunAfterItsCancellation(t *testing.T) {
	t.Parallel()
	s := newStage(t, stores()["memory"](t))
	s.stop()
	s.workers = 1
	s.start()
	began, release := s.exec.hold("a")
	s.run("r1", serial("a"))
	<-began // it has the only worker
	s.run("r2", serial("b", "c"))
	s.command("r2", by("li"), engine.ForceFail{Node: "b", Reason: "not needed"})
	release()
	s.untilState("r1", engine.RunSucceeded)
	s.command("r2", by("li"), engine.Skip{Node: "b"})
	s.untilState("r2", engine.RunSucceeded)
	if n := len(s.exec.of("b")); n != 0 {
		t.Errorf("b was called %d times", n)
	}
	if n := len(s.exec.cancel); n != 0 {
		t.Errorf("%d cancellations of a call that never was", n)
	}
}

func TestTwoOperatorsAtOnce(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		s.exec.on("a", func(context.Context, engine.Dispatch, func(engine.Note)) contract.Answer { return failed("NO") })
		_, release := s.exec.hold("b") // or the run is over before the second asks
		defer release()
		s.run("r1", serial("a", "b"))
		s.untilState("r1", engine.RunBlocked)
		seen := s.view("r1").Seq
		// Skip and retry of the same failure, both having seen the same state.
		events := []engine.Event{engine.Skip{Node: "a"}, engine.Retry{Node: "a"}}
		errs := make([]error, len(events))
		var wg sync.WaitGroup
		for i, e := range events {
			wg.Go(func() {
				m := by([]string{"li", "wang"}[i])
				m.ExpectedSeq = seen
				_, errs[i] = s.runner.Command(t.Context(), "p", "r1", m, e)
			})
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("errors %v; one should win", errs)
		}
		for _, err := range errs {
			if err != nil {
				wantCode(t, err, engine.CodeConflict)
			}
		}
	})
}

func TestACommandTwiceHasOneEffect(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		began, release := s.exec.hold("a")
		defer release()
		s.run("r1", serial("a"))
		<-began
		m := by("li")
		m.CommandID = "c-1"
		first := s.command("r1", m, engine.Pause{})
		if again := s.command("r1", m, engine.Pause{}); again != first {
			t.Errorf("the command again is at %d; first at %d", again, first)
		}
		s.command("r1", by("li"), engine.Resume{})
		m.CommandID = "c-2"
		s.command("r1", m, engine.Revoke{})
		s.untilState("r1", engine.RunRevoked)
		s.until("r1", "late result", func(rs []engine.Record) bool { return rs[len(rs)-1].Kind == engine.KindNodeLate })
		s.command("r1", m, engine.Revoke{}) // also when the run is no longer in memory
		m.CommandID = "c-3"
		_, err := s.runner.Command(t.Context(), "p", "r1", m, engine.Revoke{})
		wantCode(t, err, engine.CodeEnded)
	})
}

func TestAHumanAnswers(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		s.exec.on("ask", func(_ context.Context, d engine.Dispatch, _ func(engine.Note)) contract.Answer {
			if d.Reason == contract.ReasonExecute {
				return waiting(contract.Wait{Kind: contract.WaitHuman, Prompt: contract.T("go on?")})
			}
			if string(d.Callback) != `{"ok":true}` || string(d.PluginState) != `{"n":1}` || d.Call != 1 {
				return failed("WRONG_CALL")
			}
			return done()
		})
		s.run("r1", serial("ask"))
		s.untilNode("r1", "ask", engine.NodeWaiting)
		s.crash()
		if v := s.view("r1"); v.Nodes["ask"].State != engine.NodeWaiting || v.Nodes["ask"].Wait.Prompt.En != "go on?" {
			t.Errorf("view = %+v", v)
		}
		s.command("r1", by("li"), engine.Callback{Node: "ask", Data: json.RawMessage(`{"ok":true}`)})
		s.untilState("r1", engine.RunSucceeded)
		if n := len(s.exec.of("ask")); n != 2 {
			t.Errorf("%d calls; want 2", n)
		}
	})
}
