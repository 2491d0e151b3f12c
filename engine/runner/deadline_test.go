package runner_test

import (
	"context"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

func TestARunFailsAtItsDeadline(t *testing.T) {
	onStores(t, func(s *stage) {
		f := serial("a", "b")
		f.TimeoutMS = 60_000
		began, _ := s.exec.hold("a")
		s.run("r1", f)
		<-began
		s.wantTimers(1)
		s.crash()
		<-began
		s.wantTimers(1)
		s.clock.untilWaiting(s.t)
		s.clock.advance(time.Minute)
		s.untilState("r1", engine.RunFailed)
		s.wantTimers(0)
		if d := <-s.exec.cancel; d.Node != "a" {
			s.t.Errorf("the call of %s was cancelled", d.Node)
		}
	})
}

// The deadline of a run ends those below it as well.
func TestADeadlineReachesTheRunsBelow(t *testing.T) {
	onStores(t, func(s *stage) {
		f := generations()
		f.TimeoutMS = 60_000
		began, _ := s.exec.hold("work")
		s.run("r1", s.tree(f))
		mid := s.child("r1")
		low := s.child(mid)
		<-began
		s.clock.untilWaiting(s.t)
		s.clock.advance(time.Minute)
		s.untilState("r1", engine.RunFailed)
		s.untilState(mid, engine.RunRevoked)
		s.untilState(low, engine.RunRevoked)
		s.wantTimers(0)
	})
}

func TestATimeoutEndsACallThatRuns(t *testing.T) {
	for name, pure := range map[string]bool{"after its record": false, "ahead of it": true} {
		t.Run(name, func(t *testing.T) {
			onStores(t, func(s *stage) {
				s.exec.pure = func(string) bool { return pure }
				f := serial("a", "b")
				f.Nodes[2].Timeout = &engine.Timeout{AfterMS: 30_000}
				began, _ := s.exec.hold("b")
				s.run("r1", f)
				<-began
				s.untilNode("r1", "b", engine.NodeRunning)
				s.settle(1)
				s.wantTimers(1)
				s.clock.untilWaiting(s.t)
				s.clock.advance(30 * time.Second)
				s.untilState("r1", engine.RunBlocked)
				if f := s.view("r1").Nodes["b"].Failure; f == nil || f.Code != engine.FailTimeout {
					s.t.Errorf("failure = %+v", f)
				}
				s.wantTimers(0)
				s.exec.on("b", nil)
				s.command("r1", by("li"), engine.Retry{Node: "b"})
				s.untilState("r1", engine.RunSucceeded)
				s.wantTimers(0)
			})
		})
	}
}

// A wait and a timeout share the one timer of a node; so does the delay of a retry.
func TestOneTimerANode(t *testing.T) {
	onStores(t, func(s *stage) {
		s.exec.on("w", func(_ context.Context, d engine.Dispatch, _ func(engine.Note)) contract.Answer {
			if d.Attempt == 1 {
				return waiting(contract.Wait{Kind: contract.WaitTimer, AfterMS: 3_600_000})
			}
			return done()
		})
		f := serial("w")
		f.Nodes[1].Timeout = &engine.Timeout{AfterMS: 30_000}
		f.Nodes[1].Retry = &engine.RetryPolicy{Max: 1, DelayMS: 10_000}
		s.run("r1", f)
		s.untilNode("r1", "w", engine.NodeWaiting)
		s.settle(0)
		s.wantTimers(1)
		s.clock.untilWaiting(s.t)
		s.clock.advance(30 * time.Second)
		s.untilNode("r1", "w", engine.NodeFailed)
		s.settle(0)
		s.wantTimers(1)
		s.crash()
		s.wantTimers(1)
		s.clock.untilWaiting(s.t)
		s.clock.advance(10 * time.Second)
		s.untilState("r1", engine.RunSucceeded)
		s.wantTimers(0)
	})
}
