package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/pdk/contract"
)

// BenchmarkWasmPurity runs one flow of 1,000 nodes of a Go plugin without grants: with a
// commit for each node, ahead of the commits, and the same calls in a bare loop.
func BenchmarkWasmPurity(b *testing.B) {
	const nodes = 1000
	p := openProgram(b)
	x := p.core.Executor()
	m, ok := p.core.Plugins.Latest("core")
	if !ok {
		b.Fatal("the plugin core is not installed")
	}
	q := purityRequest(b, p, map[string]string{"core": m.Digest}, nodes)
	info := runner.RunInfo{ID: "bare", Project: q.Options.Project, Plugins: q.Options.Plugins, Operator: "bench"}
	call := engine.Dispatch{
		Node: "n0", Epoch: 1, Attempt: 1, Plugin: "core", Action: "assert", Reason: contract.ReasonExecute,
		Inputs: json.RawMessage(`{"condition":true,"message":"never"}`),
	}
	if !x.Pure(info, call) {
		b.Fatal("the plugin core has grants")
	}
	bare := func() {
		for range nodes {
			if r := x.Execute(b.Context(), info, call, func(engine.Note) {}); r.Answer.Status != contract.StatusSucceeded {
				b.Fatalf("%+v", r.Answer)
			}
		}
	}
	bare() // the module is compiled and its image taken outside the measurement
	loop := 0.0
	b.Run("bare_loop", func(b *testing.B) {
		for b.Loop() {
			bare()
		}
		loop = nodes * float64(b.N) / b.Elapsed().Seconds()
		b.ReportMetric(loop, "nodes/s")
	})
	for name, exec := range map[string]runner.Executor{"commit_a_node": impure{x}, "run_ahead": x} {
		b.Run(name, func(b *testing.B) {
			r, ends := purityRunner(b, p, exec)
			for n := 0; b.Loop(); n++ {
				q.Options.Run = fmt.Sprintf("r%d", n)
				if _, err := r.StartRun(b.Context(), q); err != nil {
					b.Fatal(err)
				}
				<-ends
			}
			rate := nodes * float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate, "nodes/s")
			b.ReportMetric(rate/loop, "of_bare_loop")
		})
	}
}

// impure is an executor that says of no call that it is pure.
type impure struct{ *runs.Executor }

// Pure implements runner.Executor.
func (impure) Pure(runner.RunInfo, engine.Dispatch) bool { return false }

func purityRequest(b *testing.B, p *program, pinned map[string]string, nodes int) runner.StartRequest {
	b.Helper()
	f := asserts(nodes)
	g, problems := engine.Compile(f, p.core.Plugins)
	if g == nil {
		b.Fatal(problems)
	}
	return runner.StartRequest{
		Options: engine.StartOptions{
			Name: "bench", Project: app.DefaultProject(false), Flow: f.ID, Version: 1, Digest: g.Digest(), Plugins: pinned,
		},
		Document: engine.Canonical(f), Graph: g, Meta: engine.Meta{Actor: p.core.Actor()},
	}
}

// purityRunner is a runner of its own on the executor of the program.
func purityRunner(b *testing.B, p *program, x runner.Executor) (*runner.Runner, endings) {
	b.Helper()
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "data", "culm.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	ends := make(endings, 1)
	r, err := runner.New(runner.Config{
		Store: db.Store(), Executor: x, Publisher: ends, Clock: realClock{}, Graphs: runs.NewGraphs(p.core.Plugins),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := r.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := r.Stop(context.Background()); err != nil {
			b.Error(err)
		}
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return r, ends
}

// endings tells when runs end.
type endings chan engine.RunState

// Publish implements runner.Publisher.
func (e endings) Publish(_ string, rs []engine.Record) {
	for i := range rs {
		if c, ok := rs[i].Data.(engine.RunChanged); ok && c.To.Ended() {
			e <- c.To
		}
	}
}

type realClock struct{}

// Now implements runner.Clock.
func (realClock) Now() time.Time { return time.Now() }

// After implements runner.Clock.
func (realClock) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}
