package runner_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// sleeper is a node that waits once by time.
func sleeper(w contract.Wait) func(context.Context, engine.Dispatch, func(engine.Note)) contract.Answer {
	return func(_ context.Context, d engine.Dispatch, _ func(engine.Note)) contract.Answer {
		if d.Reason == contract.ReasonExecute {
			return waiting(w)
		}
		return done()
	}
}

func TestTimerFiresWhenItIsDue(t *testing.T) {
	onStores(t, func(s *stage) {
		s.exec.on("w", sleeper(contract.Wait{Kind: contract.WaitTimer, AfterMS: 90_000}))
		s.run("r1", serial("w"))
		s.untilNode("r1", "w", engine.NodeWaiting)
		s.wantTimers(1)
		s.clock.untilWaiting(s.t)
		s.clock.advance(89 * time.Second)
		s.clock.untilWaiting(s.t) // it looked, and sleeps on
		if n := len(s.exec.of("w")); n != 1 {
			s.t.Fatalf("%d calls before the timer is due", n)
		}
		s.clock.advance(time.Second)
		s.untilState("r1", engine.RunSucceeded)
		if d := s.exec.of("w"); len(d) != 2 || d[1].Reason != contract.ReasonTimer {
			s.t.Errorf("calls = %+v", d)
		}
		s.wantTimers(0)
	})
}

func TestTimerSurvivesACrash(t *testing.T) {
	onStores(t, func(s *stage) {
		s.exec.on("w", sleeper(contract.Wait{Kind: contract.WaitTimer, AfterMS: 3_600_000}))
		s.run("r1", serial("w"))
		s.untilNode("r1", "w", engine.NodeWaiting)
		s.crash()
		s.wantTimers(1)
		s.clock.untilWaiting(s.t)
		s.clock.advance(time.Hour)
		s.untilState("r1", engine.RunSucceeded)
	})
}

func TestTimerThatFellDueWhileTheProgramWasDown(t *testing.T) {
	onStores(t, func(s *stage) {
		s.exec.on("w", sleeper(contract.Wait{Kind: contract.WaitTimer, AfterMS: 3_600_000}))
		s.run("r1", serial("w"))
		s.untilNode("r1", "w", engine.NodeWaiting)
		s.stop()
		if err := s.store.Close(); err != nil {
			s.t.Fatal(err)
		}
		s.clock.advance(24 * time.Hour)
		s.start()
		s.untilState("r1", engine.RunSucceeded)
		if n := len(s.exec.of("w")); n != 2 {
			s.t.Errorf("%d calls; the timer should fire once", n)
		}
	})
}

// However the wall clock is set, a timer fires once, and not before its time has come by
// that clock. Set back, it holds until the clock is right again.
func TestTimersAndAWallClockThatJumps(t *testing.T) {
	for name, jump := range map[string]func(now time.Time) time.Time{
		"an hour ahead":   func(now time.Time) time.Time { return now.Add(time.Hour) },
		"an hour back":    func(now time.Time) time.Time { return now.Add(-time.Hour) },
		"ten years ahead": func(now time.Time) time.Time { return now.AddDate(10, 0, 0) },
		"to 1970":         func(time.Time) time.Time { return time.Unix(0, 0).UTC() },
	} {
		t.Run(name, func(t *testing.T) {
			onStores(t, func(s *stage) {
				s.exec.on("w", sleeper(contract.Wait{Kind: contract.WaitTimer, AfterMS: 1_800_000}))
				s.exec.on("v", sleeper(contract.Wait{Kind: contract.WaitTimer, AfterMS: 1_800_000}))
				s.run("r1", serial("w"))
				s.untilNode("r1", "w", engine.NodeWaiting)
				s.clock.untilWaiting(s.t)
				began := s.clock.Now()
				s.clock.set(jump(began))
				// Nobody is woken by a clock that goes back. The sleep in progress ends by
				// itself, within a minute, and the clock is looked at again.
				s.clock.wakeAll()
				if back := jump(began).Before(began); back {
					s.clock.untilWaiting(s.t)
					if n := len(s.exec.of("w")); n != 1 {
						s.t.Fatalf("%d calls before the timer is due", n)
					}
					s.crash() // also the next start waits
					s.clock.untilWaiting(s.t)
					s.run("r2", serial("v")) // what begins by the wrong clock goes by it
					s.untilNode("r2", "v", engine.NodeWaiting)
					s.clock.advance(time.Hour)
					s.untilState("r2", engine.RunSucceeded)
					s.clock.set(began.Add(time.Hour)) // somebody puts it right
				}
				s.untilState("r1", engine.RunSucceeded)
				s.clock.advance(24 * time.Hour)
				s.crash()
				if n := len(s.exec.of("w")); n != 2 {
					s.t.Errorf("%d calls; the timer should fire once", n)
				}
				s.wantTimers(0)
			})
		})
	}
}

func TestRevokeClearsTimers(t *testing.T) {
	onStores(t, func(s *stage) {
		s.exec.on("w", sleeper(contract.Wait{Kind: contract.WaitTimer, AfterMS: 60_000}))
		s.run("r1", serial("w"))
		s.untilNode("r1", "w", engine.NodeWaiting)
		s.command("r1", by("li"), engine.Revoke{})
		s.untilState("r1", engine.RunRevoked)
		s.wantTimers(0)
		s.clock.advance(time.Hour)
		_, err := s.runner.Command(s.t.Context(), "p", "r1", by("li"), engine.Pause{})
		wantCode(s.t, err, engine.CodeEnded)
	})
}

func TestPollsGoOnUntilTheyAreDone(t *testing.T) {
	onStores(t, func(s *stage) {
		s.exec.on("p", func(_ context.Context, d engine.Dispatch, _ func(engine.Note)) contract.Answer {
			if d.Reason == contract.ReasonPoll && d.Polls == 2 {
				return done()
			}
			return waiting(contract.Wait{Kind: contract.WaitPoll, AfterMS: 5000})
		})
		s.run("r1", serial("p"))
		for i := range 3 {
			s.until("r1", fmt.Sprintf("wait %d", i+1), func(rs []engine.Record) bool {
				n := 0
				for _, r := range rs {
					if c, ok := r.Data.(engine.NodeChanged); ok && c.To == engine.NodeWaiting {
						n++
					}
				}
				return n == i+1
			})
			s.clock.advance(5 * time.Second)
		}
		s.untilState("r1", engine.RunSucceeded)
		if n := len(s.exec.of("p")); n != 4 {
			s.t.Errorf("%d calls; want 4", n)
		}
	})
}

func TestManyTimersOfOneMoment(t *testing.T) {
	onStores(t, func(s *stage) {
		s.exec.on("w", sleeper(contract.Wait{Kind: contract.WaitTimer, AfterMS: 60_000}))
		const n = 200
		for i := range n {
			s.run(fmt.Sprintf("r%d", i), serial("w"))
		}
		for i := range n {
			s.untilNode(fmt.Sprintf("r%d", i), "w", engine.NodeWaiting)
		}
		for i := 0; i < n; i += 2 {
			s.command(fmt.Sprintf("r%d", i), by("li"), engine.Revoke{})
		}
		s.clock.advance(time.Minute)
		for i := range n {
			if i%2 == 0 {
				s.untilState(fmt.Sprintf("r%d", i), engine.RunRevoked)
			} else {
				s.untilState(fmt.Sprintf("r%d", i), engine.RunSucceeded)
			}
		}
		s.wantTimers(0)
	})
}

func (s *stage) wantTimers(n int) {
	s.t.Helper()
	ts, err := s.store.Timers(s.t.Context())
	if err != nil || len(ts) != n {
		s.t.Errorf("timers = %v, %v; want %d", ts, err, n)
	}
}
