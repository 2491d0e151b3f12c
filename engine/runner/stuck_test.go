package runner_test

import (
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// A run whose timer or call is lost by a fault of the runner is named, with what is
// missing; one that waits for a person or has failed is not. A restart heals it.
func TestTheStuckAreNamed(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		s.exec.on("rest", sleeper(contract.Wait{Kind: contract.WaitTimer, AfterMS: 60_000}))
		s.exec.on("ask", askOnce)
		s.exec.on("bad", failTwice)
		began, release := s.exec.hold("call")
		s.run("timer", serial("rest"))
		s.run("call", serial("call"))
		s.run("human", serial("ask"))
		s.run("failed", serial("bad"))
		<-began
		s.untilNode("timer", "rest", engine.NodeWaiting)
		s.untilNode("human", "ask", engine.NodeWaiting)
		s.untilState("failed", engine.RunBlocked)
		s.checkStuck()
		for _, run := range []string{"timer", "call", "human", "failed"} {
			s.runner.Lose(run)
		}
		stuck, err := s.runner.Stuck(t.Context())
		if err != nil || len(stuck) != 2 || !strings.Contains(stuck["timer"], `timer of "rest"`) || !strings.Contains(stuck["call"], "call of call") {
			t.Errorf("stuck: %v, %v", stuck, err)
		}
		s.crash(release)
		s.checkStuck()
		s.untilState("call", engine.RunSucceeded)
	})
}
