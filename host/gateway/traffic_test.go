package gateway_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/pdk/contract"
)

func (b *bench) state() gateway.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.config.Traffic.State(project, b.systems["things"])
}

// sharing makes the bench's gateway use a Traffic that the test can look at.
func sharing(g *gateway.Config) { g.Traffic = gateway.NewTraffic(0, g.Logger) }

// A system that fails is left alone: nothing goes out until its time is over, then one call
// finds out, and what it finds holds for the next.
func TestBreakerLeavesAFailingSystemAlone(t *testing.T) {
	t.Parallel()
	var well atomic.Bool
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
		if !well.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
		writeJSON(w, `{}`)
	}, setting{limits: "{breaker: {failures: 3, open_ms: 300}, retry: {attempts: 1}}", tweak: sharing})
	read := func() contract.GatewayResponse { return b.call("read", map[string]any{"id": "1"}, "") }
	for range 3 {
		if res := read(); res.Status != http.StatusInternalServerError {
			t.Fatalf("got %+v", res)
		}
	}
	if s := b.state(); s.Breaker.State != gateway.BreakerOpen || s.Breaker.RetryAt == nil || s.LastFailure == nil || s.LastFailure.HTTPStatus != 500 {
		t.Fatalf("the state is %+v", s)
	}
	res := read()
	fails(t, res, gateway.CodeSystemBroken, contract.OriginSystem)
	if !res.Failure.Retryable || len(b.up.all()) != 3 {
		t.Fatalf("got %+v, and the system %d requests", res.Failure, len(b.up.all()))
	}
	settled(t, b, gateway.BreakerHalfOpen)
	if res := read(); res.Status != http.StatusInternalServerError {
		t.Fatalf("the one that finds out got %+v", res)
	}
	fails(t, read(), gateway.CodeSystemBroken, contract.OriginSystem)
	well.Store(true)
	settled(t, b, gateway.BreakerHalfOpen)
	for range 2 {
		if res := read(); res.Status != http.StatusOK {
			t.Fatalf("got %+v", res)
		}
	}
	if s := b.state(); s.Breaker.State != gateway.BreakerClosed || s.Breaker.RetryAt != nil {
		t.Fatalf("the state is %+v", s)
	}
}

// settled waits until the breaker is where it is expected, for its real time.
func settled(t *testing.T, b *bench, want gateway.BreakerPosition) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for b.state().Breaker.State != want {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the breaker is %s", b.state().Breaker.State)
		}
	}
}

func TestBreakerCanBeResetAndForgetsWithTheAddress(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		setting{limits: "{breaker: {failures: 2, open_ms: 60000}, retry: {attempts: 1}}", tweak: sharing})
	read := func() contract.GatewayResponse { return b.call("read", map[string]any{"id": "1"}, "") }
	read()
	read()
	fails(t, read(), gateway.CodeSystemBroken, contract.OriginSystem)
	b.config.Traffic.Reset(project, "things")
	if s := b.state(); s.Breaker.State != gateway.BreakerClosed || s.Breaker.Failures != 0 {
		t.Fatalf("the state is %+v", s)
	}
	if res := read(); res.Status != http.StatusBadGateway {
		t.Fatalf("got %+v", res)
	}
	read()
	fails(t, read(), gateway.CodeSystemBroken, contract.OriginSystem)
	other := listen(t, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{}`) })
	b.mu.Lock()
	b.systems["things"] = register(t, setting{base: other.URL, auth: "{type: none}", limits: "{breaker: {failures: 2, open_ms: 60000}}"})
	b.mu.Unlock()
	if s := b.state(); s.Breaker.State != gateway.BreakerClosed {
		t.Fatalf("at another address the state is %+v", s)
	}
}

// What is not the system's fault does not count against it, nor do a few failures among
// many calls that do well.
func TestBreakerCountsOnlyWhatTheSystemFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(w http.ResponseWriter, r *http.Request) {
		status := 200
		_, _ = fmt.Sscanf(r.URL.Path, "/things/%d", &status)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "{}")
	}, setting{limits: "{breaker: {failures: 3}, retry: {attempts: 1}}", tweak: sharing})
	for range 6 {
		for _, status := range []string{"404", "409", "429", "501", "302"} {
			b.call("read", map[string]any{"id": status}, "")
		}
		b.call("read", map[string]any{"id": "../1"}, "")
	}
	for range 5 {
		b.call("read", map[string]any{"id": "500"}, "")
	}
	if s := b.state(); s.Breaker.State != gateway.BreakerClosed || s.Breaker.Failures != 5 || s.Breaker.Calls != 35 {
		t.Fatalf("the state is %+v", s.Breaker)
	}
}

func TestStateTellsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	gate, arrived := make(chan struct{}), make(chan struct{}, 8)
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-gate
		writeJSON(w, `{}`)
	}, setting{limits: "{concurrency: 2, rate: 1000, timeout_ms: 20000}", tweak: sharing})
	done := make(chan int, 3)
	for range 3 {
		go func() { done <- b.call("read", map[string]any{"id": "1"}, "").Status }()
	}
	<-arrived
	<-arrived
	for b.state().Waiting != 1 {
		<-time.After(time.Millisecond)
	}
	if s := b.state(); s.UnderWay != 2 || s.Limits.Burst != 1000 || s.Limits.QueueMS != 20000 {
		t.Errorf("the state is %+v", s)
	}
	close(gate)
	for range 3 {
		if status := <-done; status != http.StatusOK {
			t.Errorf("got %d", status)
		}
	}
	if s := b.state(); s.UnderWay != 0 || s.Waiting != 0 {
		t.Errorf("the state is %+v", s)
	}
}

// Many runs want one system: who has much to do does not keep the others waiting.
func TestTurnsAreFairBetweenRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := gateway.NewTurns(1, 0, 0)
		if err := turns.Enter(t.Context(), "first", time.Minute); err != nil {
			t.Fatal(err)
		}
		order := make(chan string, 64)
		for range 40 {
			go func() {
				if turns.Enter(t.Context(), "many", time.Minute) == nil {
					order <- "many"
					turns.Leave()
				}
			}()
		}
		synctest.Wait()
		go func() {
			if turns.Enter(t.Context(), "one", time.Minute) == nil {
				order <- "one"
				turns.Leave()
			}
		}()
		synctest.Wait()
		turns.Leave()
		synctest.Wait()
		for i := range 2 {
			if <-order == "one" {
				return
			}
			if i == 1 {
				t.Fatal("the run with one call waited for more than one of the others'")
			}
		}
	})
}

func TestRateSpreadsCallsOverTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := gateway.NewTurns(100, 10, 2)
		start := time.Now()
		var ends []time.Duration
		for range 12 {
			if err := turns.Enter(t.Context(), "run", time.Minute); err != nil {
				t.Fatal(err)
			}
			ends = append(ends, time.Since(start).Round(time.Millisecond))
		}
		if ends[1] != 0 || ends[2] != 100*time.Millisecond || ends[11] != time.Second {
			t.Errorf("they went at %v", ends)
		}
		// A wait that is given up takes nothing of the rate.
		if err := turns.Enter(t.Context(), "run", 10*time.Millisecond); err == nil {
			t.Error("there was a turn before its time")
		}
		if err := turns.Enter(t.Context(), "run", 95*time.Millisecond); err != nil {
			t.Errorf("the next turn: %v", err)
		}
	})
}

// A hammer for the turnstile: never more inside than there are places, and nobody is
// forgotten, whoever gives up.
func TestTurnstileUnderLoad(t *testing.T) {
	t.Parallel()
	turns := gateway.NewTurns(4, 0, 0)
	var inside, most, gaveUp atomic.Int64
	done := make(chan struct{})
	const callers = 64
	for i := range callers {
		go func() {
			defer func() { done <- struct{}{} }()
			for k := range 200 {
				wait := time.Minute
				if (i+k)%7 == 0 {
					wait = time.Duration(k) * time.Microsecond
				}
				if turns.Enter(t.Context(), fmt.Sprint(i%5), wait) != nil {
					gaveUp.Add(1)
					continue
				}
				n := inside.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				inside.Add(-1)
				turns.Leave()
			}
		}()
	}
	for range callers {
		<-done
	}
	if most.Load() > 4 || inside.Load() != 0 {
		t.Fatalf("%d inside at once", most.Load())
	}
	if in, waiting := turns.Counts(); in != 0 || waiting != 0 {
		t.Fatalf("%d inside and %d waiting at the end; %d gave up", in, waiting, gaveUp.Load())
	}
}

// One project's calls do not fill the places of another, and all its systems together
// have a bound.
func TestProjectHasABoundOverAllItsSystems(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
		<-gate
		writeJSON(w, `{}`)
	}, setting{
		limits: "{concurrency: 8, queue_ms: 300, timeout_ms: 20000}",
		tweak:  func(g *gateway.Config) { g.Traffic = gateway.NewTraffic(2, slog.New(slog.DiscardHandler)) },
	})
	codes := make(chan string, 3)
	for range 3 {
		go func() {
			if f := b.call("read", map[string]any{"id": "1"}, "").Failure; f != nil {
				codes <- f.Code
				return
			}
			codes <- ""
		}()
	}
	if code := <-codes; code != gateway.CodeRateLimited {
		t.Errorf("the third call got %q", code)
	}
	close(gate)
	for range 2 {
		if code := <-codes; code != "" {
			t.Errorf("got %q", code)
		}
	}
}
