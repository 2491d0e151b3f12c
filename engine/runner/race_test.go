package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/pdk/contract"
)

// A hundred people answer the same question at the same moment, again and again, and in
// between the runner crashes: one answer has an effect, whatever the others are told.
func TestManyAnswersAtOnceHaveOneEffect(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		const rounds, people = 30, 100
		s.exec.on("ask", askOnce)
		q := s.request("", serial("ask", "after"))
		for i := range rounds {
			run := fmt.Sprintf("r%d", i)
			q.Options.Run = run
			if _, err := s.runner.StartRun(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			s.untilNode(run, "ask", engine.NodeWaiting)
			crashes, r := i%3 == 0, s.runner
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			for p := range people {
				wg.Go(func() {
					data := json.RawMessage(fmt.Sprintf(`{"person":%d}`, p))
					_, _ = r.Command(ctx, "p", run, by("li"), engine.Callback{Node: "ask", Data: data})
				})
			}
			if crashes {
				s.crash(cancel)                                           // nobody answers those who wait for a program that died
				if s.view(run).Nodes["ask"].State == engine.NodeWaiting { // the crash was quicker than all of them
					s.command(run, by("wang"), engine.Callback{Node: "ask", Data: json.RawMessage(`{}`)})
				}
			}
			wg.Wait()
			cancel()
			s.untilEnded(run)
			if n := s.answers(run); n != 1 {
				t.Errorf("%s: %d answers had an effect", run, n)
			}
		}
	})
}

// answers counts the answers that ended a wait.
func (s *stage) answers(run string) (n int) {
	s.t.Helper()
	rs, err := s.store.Records(s.t.Context(), run, 0, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range rs {
		if c, ok := r.Data.(engine.NodeChanged); ok && c.From == engine.NodeWaiting && len(c.Callback) > 0 {
			n++
		}
	}
	return n
}

// A callback before the call has answered that it waits, together with that answer, and
// after it: it is never lost.
func TestACallbackComesBeforeWithAndAfterItsWait(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"before the call answers", "in the same commit", "when the wait is durable"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			s, f := faultyStage(t)
			began, answer := make(chan struct{}), make(chan struct{})
			s.exec.on("ask", func(ctx context.Context, d engine.Dispatch, emit func(engine.Note)) contract.Answer {
				if d.Reason == contract.ReasonExecute {
					close(began)
					<-answer
				}
				return askOnce(ctx, d, emit)
			})
			s.run("r1", serial("ask"))
			<-began
			callback := func() { s.command("r1", by("li"), engine.Callback{Node: "ask", Data: json.RawMessage(`{}`)}) }
			switch when {
			case "before the call answers":
				callback()
				close(answer)
			case "in the same commit":
				// While another run's commit is held, both come into the next group.
				g := newGate()
				f.set(g.commit)
				q := s.request("r2", serial("a"))
				started := make(chan error, 1)
				go func() {
					_, err := s.runner.StartRun(context.Background(), q)
					started <- err
				}()
				<-g.arrived
				close(answer)
				called := make(chan struct{})
				go func() { callback(); close(called) }()
				f.set(nil)
				g.pass <- struct{}{}
				<-called
				if err := <-started; err != nil {
					t.Error(err)
				}
			default:
				close(answer)
				s.untilNode("r1", "ask", engine.NodeWaiting)
				callback()
			}
			s.untilState("r1", engine.RunSucceeded)
			if n := len(s.exec.of("ask")); n != 2 {
				t.Errorf("%d calls; want 2", n)
			}
		})
	}
}

// The same at ten thousand moments that nobody chose.
func TestACallbackAtAnyMomentEndsItsWait(t *testing.T) {
	t.Parallel()
	runs := 10_000
	if testing.Short() {
		runs = 1000
	}
	s := newStage(t, stores()["memory"](t))
	s.exec.on("ask", func(ctx context.Context, d engine.Dispatch, emit func(engine.Note)) contract.Answer {
		yieldFor(d.Epoch * 7 % 5)
		return askOnce(ctx, d, emit)
	})
	q := s.request("", serial("ask"))
	var wg sync.WaitGroup
	const clients = 8
	for c := range clients {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(c), 3))
			for i := c; i < runs; i += clients {
				q := q
				q.Options.Run = fmt.Sprintf("r%d", i)
				if _, err := s.runner.StartRun(t.Context(), q); err != nil {
					t.Errorf("start: %v", err)
					return
				}
				yieldFor(rng.Uint64N(40))
				s.attempt(q.Options.Run, engine.Callback{Node: "ask", Data: json.RawMessage(`{}`)})
			}
		})
	}
	wg.Wait()
	for i := range runs {
		s.untilEnded(fmt.Sprintf("r%d", i))
	}
}

// yieldFor lets others go first, n times.
func yieldFor(n uint64) {
	for range n {
		runtime.Gosched()
	}
}

// Once a revoke is acknowledged no node of the run starts any more. A call that was taken
// from the queue at that moment finds its context done.
func TestNothingStartsAfterAnAcknowledgedRevoke(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		const runs = 200
		x := &watchful{script: s.exec, revoked: map[string]bool{}}
		s.stop()
		if err := s.store.Close(); err != nil {
			t.Fatal(err)
		}
		s.executor = x
		s.start()
		flows := []runner.StartRequest{s.request("", steps(100)), s.request("", wide("a", "b", "c", "d", "e", "f"))}
		var wg sync.WaitGroup
		for c := range 4 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(c), 5))
				for i := range runs / 4 {
					q := flows[i%2]
					q.Options.Run = fmt.Sprintf("r%d-%d", c, i)
					if _, err := s.runner.StartRun(t.Context(), q); err != nil {
						t.Errorf("start: %v", err)
						return
					}
					yieldFor(rng.Uint64N(300))
					if _, err := s.runner.Command(t.Context(), "p", q.Options.Run, by("li"), engine.Revoke{}); err == nil {
						x.revoke(q.Options.Run)
					}
				}
			})
		}
		wg.Wait()
		s.stop()
		x.mu.Lock()
		t.Logf("%d of %d runs were revoked before their end", len(x.revoked), runs)
		defer x.mu.Unlock()
		if len(x.late) > 0 {
			t.Errorf("started after the revoke was acknowledged: %v", x.late)
		}
		if len(x.revoked) == 0 {
			t.Error("no run was revoked before its end")
		}
	})
}

// watchful is an executor that knows which runs were revoked.
type watchful struct {
	*script
	mu      sync.Mutex
	revoked map[string]bool
	late    []string
}

func (x *watchful) revoke(run string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.revoked[run] = true
}

// Execute implements runner.Executor.
func (x *watchful) Execute(ctx context.Context, run runner.RunInfo, d engine.Dispatch, emit func(engine.Note)) engine.Result {
	x.mu.Lock()
	if x.revoked[run.ID] && ctx.Err() == nil {
		x.late = append(x.late, run.ID+" "+d.Node)
	}
	x.mu.Unlock()
	yieldFor(20)
	return x.script.Execute(ctx, run, d, emit)
}
