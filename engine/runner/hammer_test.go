package runner_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/pdk/contract"
)

// Many operators start runs and do whatever comes to their minds; every run comes to an
// end, and every history is sound (checked by the stage).
func TestHammer(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		const operators, each = 6, 12
		var mu sync.Mutex
		rng := rand.New(rand.NewPCG(1, 2))
		chance := func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			return rng.IntN(n)
		}
		s.exec.on("b", func(_ context.Context, _ engine.Dispatch, emit func(engine.Note)) contract.Answer {
			emit(engine.Note{Log: []contract.LogLine{{Level: contract.LevelInfo, Text: "line"}}})
			if chance(3) == 0 {
				return failed("UNLUCKY")
			}
			return done()
		})
		s.exec.pure = func(node string) bool { return node != "c" }
		flows := []runner.StartRequest{s.request("x", serial("a", "b", "c")), s.request("x", wide("a", "b", "c"))}
		var wg sync.WaitGroup
		for o := range operators {
			wg.Go(func() {
				for i := range each {
					q := flows[chance(2)]
					q.Options.Run = fmt.Sprintf("r%d-%d", o, i)
					if _, err := s.runner.StartRun(t.Context(), q); err != nil {
						t.Errorf("start: %v", err)
						return
					}
					s.operate(q.Options.Run, chance)
				}
			})
		}
		wg.Wait()
		for o := range operators {
			for i := range each {
				s.untilEnded(fmt.Sprintf("r%d-%d", o, i))
			}
		}
	})
}

// operate gives random commands and then sees to it that the run ends.
func (s *stage) operate(run string, chance func(int) int) {
	s.t.Helper()
	for range 4 {
		e := []engine.Event{
			engine.Pause{},
			engine.Resume{},
			engine.Retry{Node: "b"},
			engine.Skip{Node: "b"},
			engine.ForceFail{Node: "a"},
			engine.Callback{Node: "c"},
		}[chance(6)]
		s.attempt(run, e)
		if _, err := s.runner.View(s.t.Context(), run); err != nil {
			s.t.Errorf("view: %v", err)
		}
	}
	s.attempt(run, engine.Revoke{Reason: "enough"})
}

// attempt gives a command that may be refused, but not fail otherwise.
func (s *stage) attempt(run string, e engine.Event) {
	s.t.Helper()
	var refusal *engine.Error
	if _, err := s.runner.Command(s.t.Context(), "p", run, by("li"), e); err != nil && !errors.As(err, &refusal) {
		s.t.Errorf("%T on %s: %v", e, run, err)
	}
}
