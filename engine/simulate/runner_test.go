package simulate_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/memory"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/simulate"
)

// TestTheRunnerDoesTheSame runs flows without operators on the real runner, with plugins
// that answer as the script says: what comes out is what the simulation said. Times are
// not compared, and calls take none.
func TestTheRunnerDoesTheSame(t *testing.T) {
	t.Parallel()
	const vars = "\n flow {\"variables\":[{\"name\":\"x\",\"source\":\"node\",\"schema\":{\"type\":\"integer\"},\"value\":0,\"output\":true}]}"
	for name, c := range map[string]feature{
		"serial, polls and timers": {
			"start -> a -> b -> end\n b: {\"outputs\":{\"x\":\"x\"}}" + vars, nil,
			`{"nodes":{"a":[{"waits":[{"kind":"poll","every":"1m","times":3},{"kind":"timer","after":"1h"}]}],"b":[{"succeed":{"x":12}}]}}`,
		},
		"a failure blocks": {"start -> a -> b -> end", nil, `{"nodes":{"a":[{"fail":{"code":"X"},"outputs":{"x":8}}]}}`},
		"branches": {
			"start -> p -> a -> j -> end\n p -> b -> c -> j\n p: parallel\n j: join", nil,
			`{"nodes":{"b":[{"waits":[{"kind":"timer","after":"2h"}]}],"c":[{"fail":{"code":"X"}}]}}`,
		},
		"a loop": {
			"start -> a -> g\n g -> a if x < 10\n g -> end else\n g: exclusive\n a: {\"outputs\":{\"x\":\"x\"}}" + vars, nil,
			`{"nodes":{"a":[{"succeed":{"x":8}},{"succeed":{"x":9}},{"succeed":{"x":11}}]}}`,
		},
		"retries, an ignored failure, repetitions": {
			"start -> a -> b -> c -> end\n a: {\"retry\":{\"max\":2,\"delay_ms\":60000}}\n b: {\"ignore_failure\":true}\n c: {\"repeat\":{\"times\":3}}", nil,
			`{"nodes":{"a":[{"fail":{"code":"X"},"times":2}],"b":[{"fail":{"code":"Y"}}],"c":[{},{"succeed":{"x":9}}]}}`,
		},
		"an inline subflow": {
			"start -> s -> b -> end\n s: " + inline,
			map[string]string{"leaf": "start -> c -> d -> end"},
			`{"nodes":{"s.c":[{"waits":[{"kind":"poll"}]}],"s.d":[{"succeed":{"x":7}}]}}`,
		},
		"an unknown outcome": {"start -> a -> end", nil, `{"nodes":{"a":[{"unknown":{"code":"OPEN_INTENT"}}]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := c.draw(t)
			want := run(t, f, script(t, c.script)).Run
			got := realRun(t, f, script(t, c.script), want.State)
			if a, b := encode(t, outcome(got)), encode(t, outcome(want)); a != b {
				t.Errorf("the runner\n%s\nthe simulation\n%s", a, b)
			}
		})
	}
}

// outcome is what does not depend on the clock.
func outcome(v engine.RunView) any {
	type node struct {
		State              engine.NodeState
		Iteration, Attempt int
		Failure            string
	}
	nodes := map[string]node{}
	for id, n := range v.Nodes {
		own := node{State: n.State, Iteration: n.Iteration, Attempt: n.Attempt}
		if n.Failure != nil {
			own.Failure = n.Failure.Code
		}
		nodes[id] = own
	}
	return []any{v.State, v.Seq, v.Variables, v.Outputs, v.Taken, nodes}
}

// realRun runs a flow on the runner until it is in a state and quiet.
func realRun(t *testing.T, f *engine.Flow, s *simulate.Script, until engine.RunState) engine.RunView {
	t.Helper()
	g, problems := engine.Compile(f, catalogue{})
	if g == nil {
		t.Fatal(problems)
	}
	there := &reached{state: until, done: make(chan struct{})}
	r, err := runner.New(runner.Config{
		Store: memory.New(), Executor: &executor{plugins: simulate.NewScripted(s, catalogue{})}, Publisher: there,
		Clock: &hurried{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, Graphs: oneGraph{g}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.Stop(ctx); err != nil && !errors.Is(err, runner.ErrStopped) {
			t.Errorf("stop: %v", err)
		}
	}()
	_, err = r.StartRun(t.Context(), runner.StartRequest{
		Options:  engine.StartOptions{Run: "01980000-0000-7000-8000-000000000000", Name: "real", Project: "p", Flow: f.ID, Digest: g.Digest()},
		Document: engine.Canonical(f), Graph: g, Meta: engine.Meta{Actor: engine.Actor{ID: "operator"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-there.done:
	case <-time.After(time.Minute):
		t.Fatalf("the run is never %s", until)
	}
	v, err := r.View(t.Context(), "01980000-0000-7000-8000-000000000000")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// executor answers at once what a script says.
type executor struct {
	mu      sync.Mutex
	plugins simulate.Plugins
}

func (e *executor) Execute(_ context.Context, _ runner.RunInfo, d engine.Dispatch, _ func(engine.Note)) engine.Result {
	e.mu.Lock()
	defer e.mu.Unlock()
	reply := e.plugins.Call(simulate.Call{Dispatch: d, Path: d.Node})
	return engine.Result{Node: d.Node, Epoch: d.Epoch, Answer: reply.Answer, Unknown: reply.Unknown}
}

func (*executor) Pure(runner.RunInfo, engine.Dispatch) bool               { return false }
func (*executor) Cancel(context.Context, runner.RunInfo, engine.Dispatch) {}

// reached waits for a state of the run.
type reached struct {
	state engine.RunState
	once  sync.Once
	done  chan struct{}
}

func (p *reached) Publish(_ string, rs []engine.Record) {
	for _, r := range rs {
		if d, ok := r.Data.(engine.RunChanged); ok && d.To == p.state && d.From != engine.RunCreated {
			p.once.Do(func() { close(p.done) })
		}
	}
}

// hurried is a clock that jumps to whatever somebody waits for.
type hurried struct {
	mu  sync.Mutex
	now time.Time
}

func (c *hurried) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *hurried) After(d time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(d, 0))
	fired := make(chan time.Time, 1)
	fired <- c.now
	return fired, func() {}
}

type oneGraph struct{ g *engine.Graph }

func (o oneGraph) Graph(context.Context, string, []byte, map[string]string) (*engine.Graph, error) {
	return o.g, nil
}
