package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/pdk/contract"
)

// BenchmarkSerialFlow runs one flow of 1,000 and one of 10,000 nodes, start and end
// included: ten times the nodes should cost ten times the time. The limit is a bare
// commit for each node.
func BenchmarkSerialFlow(b *testing.B) {
	var perNode float64
	for _, nodes := range []int{998, engine.MaxNodes - 2} {
		b.Run(fmt.Sprintf("nodes=%d", nodes+2), func(b *testing.B) {
			h := newBench(b)
			q := h.request(nodes)
			for n := 0; b.Loop(); n++ {
				h.run(q, fmt.Sprintf("r%d", n))
			}
			each := b.Elapsed().Seconds() / float64(h.exec.calls.Load())
			limit := bareCommits(b, 1, h.bytesPerNode())
			b.ReportMetric(1/each, "nodes/s")
			b.ReportMetric(limit, "limit_nodes/s")
			b.ReportMetric(1/each/limit, "of_limit")
			b.ReportMetric(peakMB(b), "peak_MB")
			if perNode == 0 {
				perNode = each
			}
			b.ReportMetric(each/perNode, "times_1000_per_node")
			h.stop()
		})
	}
}

// BenchmarkWideFlow runs one flow of 1,000 tasks side by side. The limit is a bare commit
// of as many rows as the runner put into one.
func BenchmarkWideFlow(b *testing.B) {
	const width = 1000
	ids := make([]string, width)
	for i := range ids {
		ids[i] = fmt.Sprintf("n%d", i)
	}
	h := newBench(b)
	q := h.requestOf(wide(ids...))
	for n := 0; b.Loop(); n++ {
		h.run(q, fmt.Sprintf("r%d", n))
	}
	calls := float64(h.exec.calls.Load())
	rate := calls / b.Elapsed().Seconds()
	group := calls / float64(h.store.commits.Load())
	// All nodes of a commit are of one run, which makes one row of them.
	limit := bareCommits(b, 1, h.bytesPerCommit()) * group
	b.ReportMetric(rate, "nodes/s")
	b.ReportMetric(group, "nodes/commit")
	b.ReportMetric(limit, "limit_nodes/s")
	b.ReportMetric(rate/limit, "of_limit")
	h.stop()
}

// BenchmarkLargeRun runs a flow whose nodes answer with 63 MB altogether, close to the
// most that a run may hold, and reads the run back. The limit is SQLite with rows of
// that size.
func BenchmarkLargeRun(b *testing.B) {
	const nodes, each = 300, 210_000
	h := newBench(b)
	big := json.RawMessage(`{"text":"` + strings.Repeat("0123456789", each/10) + `"}`)
	h.exec.answer = func(engine.Dispatch) contract.Answer {
		return contract.Answer{Status: contract.StatusSucceeded, Outputs: big}
	}
	q := h.request(nodes)
	last := ""
	for n := 0; b.Loop(); n++ {
		last = fmt.Sprintf("r%d", n)
		h.run(q, last)
	}
	mb := float64(b.N) * nodes * each / 1e6 / b.Elapsed().Seconds()
	limit := bareCommits(b, 1, each) * each / 1e6
	begin := time.Now()
	v, err := h.runner.View(context.Background(), last)
	if err != nil || v.State != engine.RunSucceeded {
		b.Fatalf("%s, %v", v.State, err)
	}
	b.ReportMetric(float64(time.Since(begin).Milliseconds()), "read_back_ms")
	b.ReportMetric(mb, "MB/s")
	b.ReportMetric(limit, "limit_MB/s")
	b.ReportMetric(mb/limit, "of_limit")
	b.ReportMetric(peakMB(b), "peak_MB")
	h.stop()
}

// BenchmarkChildRuns runs a flow whose node starts a run below, a hundred at a time.
func BenchmarkChildRuns(b *testing.B) {
	h := newBench(b)
	f := below("top", leaf("work"))
	child, _ := engine.ChildDocument(f, "leaf")
	h.graphs.compile(b, child)
	q := h.requestOf(f)
	for n := 0; b.Loop(); n++ {
		ends := make([]<-chan struct{}, 100)
		for i := range ends {
			own := q
			own.Options.Run = fmt.Sprintf("r%d-%d", n, i)
			ends[i] = h.pub.wait(own.Options.Run)
			go func() {
				if _, err := h.runner.StartRun(context.Background(), own); err != nil {
					b.Error(err)
				}
			}()
		}
		for _, end := range ends {
			<-end
		}
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "child_runs/s")
	h.stop()
}

func (h *bench) requestOf(f *engine.Flow) runner.StartRequest {
	g := h.graphs.compile(h.b, f)
	return runner.StartRequest{
		Options:  engine.StartOptions{Name: "bench", Project: "p", Flow: f.ID, Version: 1, Digest: g.Digest()},
		Document: engine.Canonical(f), Graph: g, Meta: by("bench"),
	}
}

func benchPath(b *testing.B) string {
	b.Helper()
	return filepath.Join(b.TempDir(), "data", "culm.db")
}
