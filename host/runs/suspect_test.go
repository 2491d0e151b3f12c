package runs_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/pdk/contract"
)

// deadly is an executor whose node "killer" takes the program down: the call never comes
// back in that life.
type deadly struct {
	runner.Executor
	mu    sync.Mutex
	calls []string
	died  chan struct{}
}

func (d *deadly) Execute(ctx context.Context, _ runner.RunInfo, c engine.Dispatch, _ func(engine.Note)) engine.Result {
	if ctx.Err() != nil {
		panic("the program is dead")
	}
	d.mu.Lock()
	d.calls = append(d.calls, c.Node)
	d.mu.Unlock()
	if c.Node == "killer" {
		d.died <- struct{}{}
		<-ctx.Done()
		panic("the program is dead")
	}
	return engine.Result{Node: c.Node, Epoch: c.Epoch}
}

// life makes the calls that were under way at the last death, and reports which came to
// an end with what was not made again, and which reached the plugin.
func life(t *testing.T, deaths runs.Deaths, recovered bool, nodes ...string) (ended map[string]*contract.Failure, made []string) {
	t.Helper()
	ctx, die := context.WithCancel(t.Context())
	d := &deadly{died: make(chan struct{}, 1)}
	s := runs.NewSuspects(d, deadAfter{deaths, ctx}, slog.New(slog.DiscardHandler))
	ended = map[string]*contract.Failure{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(func() {
			defer func() { _ = recover() }()
			r := s.Execute(ctx, runner.RunInfo{ID: "r1"}, engine.Dispatch{Node: n, Epoch: 4, Recovered: recovered}, nil)
			mu.Lock()
			defer mu.Unlock()
			ended[n] = r.Unknown
		})
	}
	over := make(chan struct{})
	go func() { wg.Wait(); close(over) }()
	select {
	case <-d.died:
		die()
		<-over
	case <-over:
		die()
	}
	slices.Sort(d.calls)
	return ended, d.calls
}

// deadAfter is the memory of a program that writes nothing any more once it is dead.
type deadAfter struct {
	runs.Deaths
	life context.Context
}

func (d deadAfter) Begin(ctx context.Context, c runs.SuspectCall) error {
	if err := d.life.Err(); err != nil {
		return err
	}
	return d.Deaths.Begin(ctx, c)
}

func (d deadAfter) End(ctx context.Context, c runs.SuspectCall) error {
	if err := d.life.Err(); err != nil {
		return err
	}
	return d.Deaths.End(ctx, c)
}

func TestACallThatKillsTheProgramEachTimeIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	deaths := hosttest.Open(t).Store.Deaths()
	life(t, deaths, false, "killer")
	for n := 2; n <= 3; n++ {
		if ended, made := life(t, deaths, true, "killer"); len(ended) != 0 || len(made) != 1 {
			t.Fatalf("life %d: ended %v, made %v", n, ended, made)
		}
	}
	ended, made := life(t, deaths, true, "killer")
	f := ended["killer"]
	if len(made) != 0 || f == nil || f.Code != runs.CodeCrashSuspect || f.Origin != contract.OriginHost || f.Retryable {
		t.Fatalf("the fourth life: made %v, %+v", made, f)
	}
	// An operator who retries begins anew.
	if _, made := life(t, deaths, true, "killer"); len(made) != 1 {
		t.Error("what was decided once stays so")
	}
}

// Calls that only ran beside the culprit end: from the third life on they are made one at
// a time, so those that are lucky are gone from the count, and the culprit is left.
func TestCallsBesideTheCulpritEnd(t *testing.T) {
	t.Parallel()
	deaths := hosttest.Open(t).Store.Deaths()
	left := []string{"killer", "a", "b", "c", "d"}
	for n := 2; len(left) > 0; n++ {
		if n > 5 {
			t.Fatalf("after %d lives there are %v left", n-1, left)
		}
		ended, _ := life(t, deaths, true, left...)
		left = slices.DeleteFunc(left, func(node string) bool {
			f, ok := ended[node]
			if ok && f != nil && node != "killer" {
				t.Errorf("%s is held for the culprit: %v", node, f)
			}
			return ok
		})
	}
}

func TestACallThatEndsIsNotCounted(t *testing.T) {
	t.Parallel()
	deaths := hosttest.Open(t).Store.Deaths()
	for range 10 {
		if ended, _ := life(t, deaths, true, "good"); ended["good"] != nil {
			t.Fatalf("held: %v", ended["good"])
		}
	}
	if n, err := deaths.Times(t.Context(), runs.SuspectCall{Run: "r1", Node: "good", Epoch: 4}); n != 0 || err != nil {
		t.Errorf("counted %d times, %v", n, err)
	}
}
