package runner_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/pdk/contract"
)

// BenchmarkNodes runs serial flows of 50 nodes that do nothing, so many at the same time.
// The limit is what SQLite does with the same bytes in the best possible groups: one row
// a run and commit, as many rows a commit as runs are in flight.
func BenchmarkNodes(b *testing.B) {
	for _, inFlight := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("inflight=%d", inFlight), func(b *testing.B) {
			const nodes = 50
			h := newBench(b)
			q := h.request(nodes)
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			b.ResetTimer()
			cpu := cpuTime(b)
			for w := range inFlight {
				wg.Go(func() {
					for i := 0; left.Add(-nodes) > -nodes; i++ {
						h.run(q, fmt.Sprintf("r%d-%d", w, i))
					}
				})
			}
			wg.Wait()
			elapsed := b.Elapsed()
			b.StopTimer()
			cpu = cpuTime(b) - cpu
			done := float64(h.exec.calls.Load())
			rate := done / elapsed.Seconds()
			rows := min(inFlight, int(done))
			bare := bareCommits(b, rows, h.bytesPerNode())
			b.ReportMetric(rate, "nodes/s")
			b.ReportMetric(float64(cpu.Microseconds())/done, "cpu_µs/node")
			b.ReportMetric(bare, "limit_nodes/s")
			b.ReportMetric(rate/bare, "of_limit")
			b.ReportMetric(done/float64(h.store.commits.Load()), "nodes/commit")
			h.stop()
		})
	}
}

// BenchmarkHundredFlows runs 100 flows of 17 nodes from their start to their end.
func BenchmarkHundredFlows(b *testing.B) {
	h := newBench(b)
	q := h.request(17)
	for n := 0; b.Loop(); n++ {
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() { h.run(q, fmt.Sprintf("r%d-%d", n, i)) })
		}
		wg.Wait()
	}
	b.ReportMetric(float64(h.exec.calls.Load())/b.Elapsed().Seconds(), "nodes/s")
	h.stop()
}

// BenchmarkPurity runs one flow of 1,000 nodes that do nothing: with a commit for each
// node, ahead of the commits because the nodes are pure, and the same calls alone.
func BenchmarkPurity(b *testing.B) {
	const nodes = 1000
	var each float64
	for _, pure := range []bool{false, true} {
		name := "commit_a_node"
		if pure {
			name = "run_ahead"
		}
		b.Run(name, func(b *testing.B) {
			h := newBench(b)
			h.exec.pure = pure
			q := h.request(nodes)
			for n := 0; b.Loop(); n++ {
				h.run(q, fmt.Sprintf("r%d", n))
			}
			rate := float64(h.exec.calls.Load()) / b.Elapsed().Seconds()
			b.ReportMetric(rate, "nodes/s")
			b.ReportMetric(float64(h.exec.calls.Load())/float64(h.store.commits.Load()), "nodes/commit")
			if pure {
				b.ReportMetric(rate/each, "times_a_commit_a_node")
			}
			each = rate
			h.stop()
		})
	}
	b.Run("bare_loop", func(b *testing.B) {
		x := &noop{}
		for b.Loop() {
			for range nodes {
				x.Execute(b.Context(), runner.RunInfo{}, engine.Dispatch{}, nil)
			}
		}
		b.ReportMetric(float64(x.calls.Load())/b.Elapsed().Seconds(), "nodes/s")
	})
}

// bench is a runner on SQLite with an executor that does nothing.
type bench struct {
	b      *testing.B
	runner *runner.Runner
	db     *sqlite.DB
	store  *counted
	exec   *noop
	pub    *ends
	graphs graphs
}

func newBench(b *testing.B) *bench {
	b.Helper()
	d, err := sqlite.Open(context.Background(), benchPath(b), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	h := &bench{b: b, db: d, store: &counted{Store: d.Store()}, exec: &noop{}, pub: &ends{waiting: map[string]chan struct{}{}}, graphs: graphs{}}
	h.runner, err = runner.New(runner.Config{
		Store: h.store, Executor: h.exec, Publisher: h.pub, Clock: wallClock{}, Graphs: h.graphs,
		Logger: slog.New(slog.DiscardHandler), Slack: runner.ServerSlack,
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := h.runner.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	return h
}

func (h *bench) request(nodes int) runner.StartRequest {
	return h.requestOf(steps(nodes))
}

// run starts a run and waits for its end.
func (h *bench) run(q runner.StartRequest, id string) {
	q.Options.Run = id
	end := h.pub.wait(id)
	if _, err := h.runner.StartRun(context.Background(), q); err != nil {
		h.b.Error(err)
		return
	}
	<-end
}

func (h *bench) stop() {
	h.b.Helper()
	if err := h.runner.Stop(context.Background()); err != nil {
		h.b.Error(err)
	}
	if err := h.store.Close(); err != nil {
		h.b.Error(err)
	}
}

// noop is an executor whose calls end at once.
type noop struct {
	calls atomic.Int64
	pure  bool
	// answer, if not nil, is what calls end with.
	answer func(engine.Dispatch) contract.Answer
}

// Pure implements runner.Executor.
func (x *noop) Pure(runner.RunInfo, engine.Dispatch) bool { return x.pure }

// Execute implements runner.Executor.
func (x *noop) Execute(_ context.Context, _ runner.RunInfo, d engine.Dispatch, _ func(engine.Note)) engine.Result {
	x.calls.Add(1)
	if x.answer != nil {
		return engine.Result{Answer: x.answer(d)}
	}
	return engine.Result{Answer: done()}
}

// Cancel implements runner.Executor.
func (*noop) Cancel(context.Context, runner.RunInfo, engine.Dispatch) {}

// ends is a publisher that tells when runs end.
type ends struct {
	mu      sync.Mutex
	waiting map[string]chan struct{}
}

func (p *ends) wait(run string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := make(chan struct{})
	p.waiting[run] = c
	return c
}

// Publish implements runner.Publisher.
func (p *ends) Publish(run string, rs []engine.Record) {
	for i := range rs {
		if c, ok := rs[i].Data.(engine.RunChanged); ok && c.To.Ended() {
			p.mu.Lock()
			if p.waiting[run] != nil { // nobody waits for a run below
				close(p.waiting[run])
				delete(p.waiting, run)
			}
			p.mu.Unlock()
		}
	}
}

// counted counts the commits of a store.
type counted struct {
	runner.Store
	commits atomic.Int64
}

// Commit implements runner.Store.
func (c *counted) Commit(ctx context.Context, bs []runner.Batch) error {
	c.commits.Add(1)
	return c.Store.Commit(ctx, bs)
}

// bytesPerNode is what a node takes in the database, bytesPerCommit what a commit wrote.
func (h *bench) bytesPerNode() int { return int(h.bytes() / max(h.exec.calls.Load(), 1)) }

func (h *bench) bytesPerCommit() int { return int(h.bytes() / max(h.store.commits.Load(), 1)) }

func (h *bench) bytes() (n int64) {
	if err := h.db.Read().QueryRow(`SELECT coalesce(sum(length(data)), 0) FROM chunks`).Scan(&n); err != nil {
		h.b.Fatal(err)
	}
	return n
}

// bareCommits measures SQLite alone: rows of size bytes, so many a transaction, with the
// settings of the store. It returns rows a second.
func bareCommits(b *testing.B, rows, size int) float64 {
	b.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(b.TempDir(), "bare.db")+
		"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_cache_size=-16384")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	const many = 24
	for _, s := range []string{
		`PRAGMA wal_autocheckpoint = 4096`,
		`CREATE TABLE chunks (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, last INTEGER NOT NULL, data BLOB NOT NULL) STRICT`,
		`CREATE UNIQUE INDEX chunks_by_run ON chunks (run, last)`,
	} {
		if _, err := db.Exec(s); err != nil {
			b.Fatal(err)
		}
	}
	one, err1 := db.Prepare(`INSERT INTO chunks (run, last, data) VALUES (?, ?, ?)`)
	multi, err2 := db.Prepare(`INSERT INTO chunks (run, last, data) VALUES (?, ?, ?)` + strings.Repeat(`, (?, ?, ?)`, many-1))
	if err1 != nil || err2 != nil {
		b.Fatal(err1, err2)
	}
	data := make([]byte, size)
	args := make([]any, 0, 3*many)
	begin := time.Now()
	n := 0
	for seq := 3; time.Since(begin) < 500*time.Millisecond; seq += 3 {
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		for run := 0; run < rows; {
			k, st := 1, one
			if rows-run >= many {
				k, st = many, multi
			}
			args = args[:0]
			for i := range k {
				args = append(args, run+i, seq, data)
			}
			//nolint:sqlclosecheck // a statement of a transaction ends with it.
			if _, err := tx.Stmt(st).Exec(args...); err != nil {
				b.Fatal(err)
			}
			run += k
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
		n += rows
	}
	return float64(n) / time.Since(begin).Seconds()
}

// wallClock is the real time.
type wallClock struct{}

// Now implements runner.Clock.
func (wallClock) Now() time.Time { return time.Now() }

// After implements runner.Clock.
func (wallClock) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// cpuTime is what the process has used of all cores: a figure that the load of the
// machine does not change much.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMB is the largest resident size that the process has had.
func peakMB(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0 // not on Linux
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}
