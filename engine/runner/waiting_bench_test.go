package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/pdk/contract"
)

// BenchmarkWaitingRuns has 10,000 runs in flight, most of which wait for a time far away
// after eight nodes: what one takes in memory, and how long a restart takes with them.
func BenchmarkWaitingRuns(b *testing.B) {
	const runs = 10_000
	for range b.N {
		path := filepath.Join(b.TempDir(), "data", "culm.db")
		x := &waiter10k{}
		h := graphs{}
		d := openSQLite(b, path)
		r := startBench(b, d, x, h)
		before := heapMB()
		f := waitingFlow()
		g := h.compile(b, f)
		q := runner.StartRequest{
			Options:  engine.StartOptions{Name: "bench", Project: "p", Flow: f.ID, Version: 1, Digest: g.Digest()},
			Document: engine.Canonical(f), Graph: g, Meta: by("bench"),
		}
		x.waits.Add(runs)
		var wg sync.WaitGroup
		for w := range 100 {
			wg.Go(func() {
				for i := w; i < runs; i += 100 {
					own := q
					own.Options.Run = fmt.Sprintf("r%d", i)
					if _, err := r.StartRun(context.Background(), own); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		x.waits.Wait()
		if _, err := r.Command(context.Background(), "p", "r1", by("bench"), engine.Pause{}); err != nil { // all before it is durable
			b.Fatal(err)
		}
		b.ReportMetric((heapMB()-before)*1e6/runs, "bytes/waiting_run")
		if err := r.Stop(context.Background()); err != nil {
			b.Fatal(err)
		}
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
		r = nil
		before = heapMB()
		d = openSQLite(b, path)
		begin := time.Now()
		r = startBench(b, d, x, h)
		b.ReportMetric(time.Since(begin).Seconds(), "restart_s")
		b.ReportMetric(heapMB()-before-float64(runner.ServerSlack)/1e6, "restarted_MB") // the slack is never touched
		debug.FreeOSMemory()
		b.ReportMetric(rssMB(b), "rss_MB")
		begin = time.Now()
		if _, err := r.Command(context.Background(), "p", "r2", by("bench"), engine.Revoke{}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(begin).Milliseconds()), "first_command_ms")
		if err := r.Stop(context.Background()); err != nil {
			b.Fatal(err)
		}
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func startBench(b *testing.B, d *sqlite.DB, x runner.Executor, g graphs) *runner.Runner {
	b.Helper()
	r, err := runner.New(runner.Config{
		Store: d.Store(), Executor: x, Publisher: nobody{}, Clock: wallClock{}, Graphs: g, Logger: slog.New(slog.DiscardHandler), Slack: runner.ServerSlack,
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := r.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	return r
}

// waitingFlow has eight nodes with inputs and outputs, one that waits, and two more.
func waitingFlow() *engine.Flow {
	f := serial("n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "wait", "n8", "n9")
	f.Variables = []engine.Variable{
		{Name: "host", Source: engine.SourceInput, Value: json.RawMessage(`"web-1.example.com"`)},
		{Name: "result", Source: engine.SourceNode, Value: json.RawMessage(`""`)},
	}
	for i := range f.Nodes {
		if f.Nodes[i].Type == engine.TypeTask {
			f.Nodes[i].Inputs = map[string]json.RawMessage{
				"target": json.RawMessage(`"${host}"`), "command": json.RawMessage(`"systemctl restart nginx && sleep 1"`),
			}
			f.Nodes[i].Outputs = map[string]string{"result": "stdout"}
		}
	}
	return f
}

// waiter10k is an executor whose node wait waits an hour; others end at once.
type waiter10k struct {
	noop
	waits sync.WaitGroup
}

// Execute implements runner.Executor.
func (x *waiter10k) Execute(_ context.Context, _ runner.RunInfo, d engine.Dispatch, _ func(engine.Note)) engine.Result {
	if d.Node != "wait" {
		return engine.Result{Answer: contract.Answer{Status: contract.StatusSucceeded, Outputs: json.RawMessage(
			`{"stdout":"` + strings.Repeat("restarted nginx; ", 12) + `","code":0}`)}}
	}
	x.waits.Done()
	return engine.Result{Answer: contract.Answer{Status: contract.StatusWaiting, Wait: &contract.Wait{Kind: contract.WaitTimer, AfterMS: 3_600_000}}}
}

// nobody is a publisher for whom nobody listens.
type nobody struct{}

// Publish implements runner.Publisher.
func (nobody) Publish(string, []engine.Record) {}

func heapMB() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

// rssMB is the resident size of the process now.
func rssMB(b *testing.B) float64 {
	b.Helper()
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0 // not on Linux
	}
	pages, err := strconv.ParseFloat(strings.Fields(string(raw))[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * float64(os.Getpagesize()) / 1e6
}
