package runs_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/pdk/contract"
)

var actor = engine.Actor{ID: hosttest.Actor}

// world is the product with a real runner over a real file.
type world struct {
	*hosttest.Product
	t       *testing.T
	runner  *runner.Runner
	flows   *flows.Service
	runs    *runs.Service
	changes *changes
}

// wall is the real clock.
type wall struct{}

func (wall) Now() time.Time { return time.Now() }

func (wall) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// changes lets tests wait for the next commit.
type changes struct {
	mu     sync.Mutex
	next   chan struct{}
	others []runner.Publisher
}

func (c *changes) Publish(run string, rs []engine.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.others {
		o.Publish(run, rs)
	}
	close(c.next)
	c.next = make(chan struct{})
}

// also tells another of every commit from now on.
func (c *changes) also(p runner.Publisher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.others = append(c.others, p)
}

func (c *changes) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}

func newWorld(t *testing.T, m modules) *world {
	t.Helper()
	return worldAt(t, filepath.Join(t.TempDir(), "data", "culm.db"), m)
}

func worldAt(t *testing.T, path string, m modules) *world {
	t.Helper()
	w := &world{Product: hosttest.OpenAt(t, path), t: t, changes: &changes{next: make(chan struct{})}}
	graphs := runs.NewGraphs(w.Plugins)
	log := slog.New(slog.DiscardHandler)
	var err error
	w.runner, err = runner.New(runner.Config{
		Store: w.DB.Store(), Publisher: w.changes, Clock: wall{}, Graphs: graphs, Logger: log,
		Executor: runs.NewExecutor(runs.ExecutorOptions{Catalogue: w.Plugins, Modules: m, Gateway: &gate{}, Handles: w.Vault, Clock: wall{}, Logger: log}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.runner.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		if err := w.runner.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	w.flows = w.Flows(runs.NewHistory(w.runner))
	w.runs = runs.New(runs.Options{
		Runner: w.runner, Flows: w.flows, Projects: w.Projects, Catalogue: w.Plugins, Graphs: graphs,
		Audit: w.Store.Audit(), Vault: w.Vault, Clock: w.Clock,
	})
	return w
}

// publish stores a flow and publishes it.
func (w *world) publish(text string) string {
	w.t.Helper()
	d, err := w.flows.Create(w.t.Context(), flows.CreateRequest{Project: hosttest.Project, Actor: actor, Document: hosttest.Flow(w.t, text)})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.flows.Publish(w.t.Context(), flows.PublishRequest{Project: hosttest.Project, Actor: actor, Flow: d.ID, Revision: 1}); err != nil {
		w.t.Fatal(err)
	}
	return d.ID
}

func (w *world) start(flow, inputs string) runs.Summary {
	w.t.Helper()
	r, err := w.runs.Start(w.t.Context(), runs.StartRequest{Project: hosttest.Project, Actor: actor, Flow: flow, Inputs: object(w.t, inputs)})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// until waits for a run to be as wanted, and returns it.
func (w *world) until(run string, wanted func(engine.RunView) bool) engine.RunView {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.t.Context(), time.Minute)
	defer stop()
	for {
		next := w.changes.wait()
		v, err := w.runs.View(ctx, hosttest.Project, run)
		if err != nil {
			w.t.Fatal(err)
		}
		if wanted(v) {
			return v
		}
		select {
		case <-next:
		case <-ctx.Done():
			w.t.Fatalf("the run stays %s: %+v", v.State, v.Nodes)
		}
	}
}

// exists waits for a run to be there: a child begins after the record that names it.
func (w *world) exists(run string) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.t.Context(), time.Minute)
	defer stop()
	for {
		next := w.changes.wait()
		_, err := w.runs.View(ctx, hosttest.Project, run)
		if err == nil {
			return
		}
		if !fault.Is(err, fault.NotFound) {
			w.t.Fatal(err)
		}
		select {
		case <-next:
		case <-ctx.Done():
			w.t.Fatalf("run %s has not begun", run)
		}
	}
}

func (w *world) untilState(run string, s engine.RunState) engine.RunView {
	w.t.Helper()
	return w.until(run, func(v engine.RunView) bool { return v.State == s })
}

func (w *world) node(run, node string) runs.NodeDetail {
	w.t.Helper()
	d, err := w.runs.Node(w.t.Context(), hosttest.Project, run, node)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) command(r runs.NodeCommandRequest) error {
	r.Project, r.Actor = hosttest.Project, actor
	_, err := w.runs.NodeCommand(w.t.Context(), r)
	return err
}

func object(t *testing.T, text string) map[string]json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func wantFault(t *testing.T, err error, code fault.Code, field string) *fault.Error {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != code || e.Field != field {
		t.Fatalf("error %v, want a fault %s at %q", err, code, field)
	}
	return e
}

// adder does what the toy's actions say; a sum above the limit fails.
func adder(limit int) modules {
	return func(_ context.Context, c runs.ModuleCall, r contract.Request) (string, error) {
		if r.Action == "ask" {
			if r.Reason == contract.ReasonCallback {
				return `{"status":"succeeded","outputs":{"answer":` + string(r.Callback) + `}}`, nil
			}
			return `{"status":"waiting","wait":{"kind":"human","prompt":"Go on?","schema":{"enum":["yes","no"]}}}`, nil
		}
		var in struct{ A, B int }
		if err := json.Unmarshal(r.Inputs, &in); err != nil {
			return "", err
		}
		c.Services.Log(contract.LogLine{At: time.Now().UTC(), Level: contract.LevelInfo, Text: "adding"})
		if in.A+in.B > limit {
			return `{"status":"failed","failure":{"code":"TOO_MUCH","message":"above the limit"}}`, nil
		}
		b, err := json.Marshal(map[string]any{"status": "succeeded", "outputs": map[string]int{"sum": in.A + in.B}})
		return string(b), err
	}
}

const askFlow = `
format: culm.flow/v1
name: Ask first
variables:
  - {name: answer, source: node, output: true}
  - {name: total, source: node, schema: {type: integer}, output: true}
nodes:
  - {id: start, type: start}
  - {id: ask, type: task, plugin: toy, action: ask, inputs: {question: "Go on?"}, outputs: {answer: answer}}
  - {id: add, type: task, plugin: toy, action: add, inputs: {a: 1}, outputs: {total: sum}}
  - {id: end, type: end}
edges:
  - {id: e1, from: start, to: ask}
  - {id: e2, from: ask, to: add}
  - {id: e3, from: add, to: end}
`
