package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/pdk/contract"
)

// BenchmarkWasmHundredFlows runs 100 flows of 17 real wasm nodes (core/assert, a Go
// plugin) from start to end, everything else as in production.
func BenchmarkWasmHundredFlows(b *testing.B) {
	p := openProgram(b)
	flow := p.publish(b, 17)
	p.run(b, flow) // the module is compiled and its image taken outside the measurement
	for b.Loop() {
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { p.run(b, flow) })
		}
		wg.Wait()
	}
	p.report(b, 100*17)
}

// BenchmarkWasmSerialFlow runs one flow of 1,000 and one of nearly 10,000 real wasm nodes
// (the document limit includes start and end).
func BenchmarkWasmSerialFlow(b *testing.B) {
	for _, nodes := range []int{1000, 9990} {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			p := openProgram(b)
			flow := p.publish(b, nodes)
			for b.Loop() {
				p.run(b, flow)
			}
			p.report(b, nodes)
		})
	}
}

// program is the whole product without a listener.
type program struct {
	core *app.Core

	mu    sync.Mutex
	ended map[string]chan engine.RunState
}

func openProgram(b *testing.B) *program {
	b.Helper()
	p := &program{ended: map[string]chan engine.RunState{}}
	cfg := config.Default()
	cfg.Data = filepath.Join(b.TempDir(), "data")
	files, err := shippedPlugins("core")
	if err != nil {
		b.Fatal(err)
	}
	d := deps(slog.New(slog.DiscardHandler), files)
	d.Publisher = p
	core, err := app.Open(b.Context(), cfg, d)
	if err != nil {
		b.Fatal(err)
	}
	if err := core.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := core.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	p.core = core
	return p
}

// Publish hears of the ends of runs.
func (p *program) Publish(run string, rs []engine.Record) {
	for _, r := range rs {
		if c, ok := r.Data.(engine.RunChanged); ok && c.To.Ended() {
			p.end(run) <- c.To
		}
	}
}

func (p *program) end(run string) chan engine.RunState {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.ended[run]
	if !ok {
		c = make(chan engine.RunState, 1)
		p.ended[run] = c
	}
	return c
}

// publish stores a serial flow of so many nodes, each of which checks a value that
// comes from an expression.
func (p *program) publish(b *testing.B, nodes int) string {
	b.Helper()
	f := asserts(nodes)
	project := app.DefaultProject(false)
	d, err := p.core.Flows.Create(b.Context(), flows.CreateRequest{Project: project, Actor: p.core.Actor(), Document: f})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := p.core.Flows.Publish(b.Context(), flows.PublishRequest{Project: project, Actor: p.core.Actor(), Flow: f.ID, Revision: d.Revision}); err != nil {
		b.Fatal(err)
	}
	return f.ID
}

// asserts is a serial flow of nodes that check a value.
func asserts(nodes int) *engine.Flow {
	f := &engine.Flow{
		Format: engine.FlowFormat, ID: fmt.Sprintf("serial-%d", nodes), Name: contract.T("serial"),
		Nodes: []engine.Node{{ID: "start", Type: engine.TypeStart}},
	}
	last := "start"
	add := func(n engine.Node) {
		f.Nodes = append(f.Nodes, n)
		f.Edges = append(f.Edges, engine.Edge{ID: "to_" + n.ID, From: last, To: n.ID})
		last = n.ID
	}
	for i := range nodes {
		add(engine.Node{ID: fmt.Sprintf("n%d", i), Type: engine.TypeTask, Plugin: "core", Action: "assert", Inputs: map[string]json.RawMessage{
			"condition": json.RawMessage(`"${1 < 2}"`), "message": json.RawMessage(`"never"`),
		}})
	}
	add(engine.Node{ID: "end", Type: engine.TypeEnd})
	return f
}

// run starts a flow and waits for its end.
func (p *program) run(b *testing.B, flow string) {
	b.Helper()
	r, err := p.core.Runs.Start(b.Context(), runs.StartRequest{Project: app.DefaultProject(false), Actor: p.core.Actor(), Flow: flow})
	if err != nil {
		b.Error(err)
		return
	}
	if state := <-p.end(r.ID); state != engine.RunSucceeded {
		b.Errorf("run %s ended as %s", r.ID, state)
	}
}

func (p *program) report(b *testing.B, nodes int) {
	b.Helper()
	b.ReportMetric(float64(nodes)*float64(b.N)/b.Elapsed().Seconds(), "nodes/s")
	b.ReportMetric(peakMB(), "peak_MB")
}

// peakMB is the largest resident size of this process so far, in megabytes; zero
// where the system does not tell.
func peakMB() float64 {
	runtime.GC()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		var kb float64
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kb); n == 1 {
			return kb / 1024
		}
	}
	return 0
}
