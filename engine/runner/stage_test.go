package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/memory"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/pdk/contract"
)

// waitMax is how long a test waits for what must happen.
const waitMax = time.Minute

// stage is a runner with everything around it, whose store survives restarts.
type stage struct {
	t        *testing.T
	open     func() runner.Store
	store    runner.Store
	runner   *runner.Runner
	exec     *script
	executor runner.Executor // exec, unless a test puts something around it
	clock    *fakeClock
	pub      *watcher
	graphs   graphs
	workers  int
}

// stores are the stores that every test runs on.
func stores() map[string]func(t *testing.T) func() runner.Store {
	return map[string]func(t *testing.T) func() runner.Store{
		"memory": func(*testing.T) func() runner.Store {
			s := unclosed{memory.New()}
			return func() runner.Store { return s }
		},
		"sqlite": func(t *testing.T) func() runner.Store {
			t.Helper()
			path := filepath.Join(t.TempDir(), "data", "culm.db")
			return func() runner.Store { return openSQLite(t, path).Store() }
		},
	}
}

// unclosed is a memory store that survives a restart of what uses it.
type unclosed struct{ *memory.Store }

// Close does nothing.
func (unclosed) Close() error { return nil }

func openSQLite(t testing.TB, path string) *sqlite.DB {
	t.Helper()
	d, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// onStores runs a test on every store.
func onStores(t *testing.T, f func(s *stage)) {
	t.Helper()
	t.Parallel()
	for name, open := range stores() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(newStage(t, open(t)))
		})
	}
}

func newStage(t *testing.T, open func() runner.Store) *stage {
	t.Helper()
	s := &stage{t: t, open: open, exec: newScript(), clock: newFakeClock(), pub: newWatcher(), graphs: graphs{}, workers: 8}
	s.start()
	t.Cleanup(func() {
		s.checkStuck()
		s.stop()
		s.checkHistories()
		if err := s.store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if st, ok := s.store.(*sqlite.Store); ok {
			if err := sqlite.Verify(context.Background(), st.Path(), s.graphs); err != nil {
				t.Error(err)
			}
		}
	})
	return s
}

func (s *stage) start() {
	s.t.Helper()
	s.store = s.open()
	if s.executor == nil {
		s.executor = s.exec
	}
	r, err := runner.New(runner.Config{
		Store: s.store, Executor: s.executor, Publisher: s.pub, Clock: s.clock, Graphs: s.graphs,
		Logger: slog.New(slog.DiscardHandler), Workers: s.workers,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.runner = r
	if err := r.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) stop() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitMax)
	defer cancel()
	if err := s.runner.Stop(ctx); err != nil && !errors.Is(err, runner.ErrStopped) {
		s.t.Errorf("stop: %v", err)
	}
}

// stopAnyhow stops a runner that may have failed.
func (s *stage) stopAnyhow() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitMax)
	defer cancel()
	if err := s.runner.Stop(ctx); err != nil && !errors.Is(err, runner.ErrStoreFailed) {
		s.t.Errorf("stop: %v", err)
	}
	s.runner.Exited()
}

// crash drops the runner as it is, and starts another on what is durable. Between the
// two, meanwhile is done.
func (s *stage) crash(meanwhile ...func()) {
	s.t.Helper()
	s.runner.Kill()
	for _, f := range meanwhile {
		f()
	}
	if err := s.store.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.start()
}

// checkStuck sees to it that whatever is not over is under way.
func (s *stage) checkStuck() {
	s.t.Helper()
	stuck, err := s.runner.Stuck(context.Background())
	if err != nil && !errors.Is(err, runner.ErrStopped) {
		s.t.Errorf("stuck: %v", err)
	}
	for run, why := range stuck {
		s.t.Errorf("%s is stuck: %s", run, why)
	}
}

// checkHistories is the judge of every test.
func (s *stage) checkHistories() {
	s.t.Helper()
	heads, err := s.store.List(context.Background(), runner.RunQuery{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range heads {
		rs, err := s.store.Records(context.Background(), h.ID, 0, 0)
		if err != nil {
			s.t.Errorf("%s: %v", h.ID, err)
			continue
		}
		g := s.graphs[h.Digest]
		if g == nil {
			continue // a test that spoils graphs looks itself
		}
		if err := engine.CheckHistory(g, rs); err != nil {
			s.t.Errorf("%s: %v", h.ID, err)
		}
	}
}

// run starts a run of a flow.
func (s *stage) run(id string, f *engine.Flow) engine.RunView {
	s.t.Helper()
	v, err := s.runner.StartRun(s.t.Context(), s.request(id, f))
	if err != nil {
		s.t.Fatalf("start %s: %v", id, err)
	}
	return v
}

func (s *stage) request(id string, f *engine.Flow) runner.StartRequest {
	s.t.Helper()
	g := s.graphs.compile(s.t, f)
	return runner.StartRequest{
		Options: engine.StartOptions{
			Run: id, Name: id, Project: "p", Flow: f.ID, Version: 1, Digest: g.Digest(),
			Plugins: map[string]string{"test": "sha256:1"}, Zone: "Asia/Shanghai",
		},
		Document: engine.Canonical(f), Graph: g, Meta: by("li"),
	}
}

func (s *stage) command(run string, m engine.Meta, e engine.Event) uint64 {
	s.t.Helper()
	seq, err := s.runner.Command(s.t.Context(), "p", run, m, e)
	if err != nil {
		s.t.Fatalf("%T on %s: %v", e, run, err)
	}
	return seq
}

// until waits until a run's published records satisfy a condition.
func (s *stage) until(run, what string, ok func(rs []engine.Record) bool) {
	s.t.Helper()
	if !s.pub.until(run, ok) {
		s.t.Fatalf("%s: no %s; records:\n%s", run, what, lines(s.pub.of(run)))
	}
}

func (s *stage) untilState(run string, want engine.RunState) {
	s.t.Helper()
	s.until(run, string(want), func(rs []engine.Record) bool {
		for i := len(rs) - 1; i >= 0; i-- {
			if c, ok := rs[i].Data.(engine.RunChanged); ok {
				return c.To == want
			}
		}
		return false
	})
}

func (s *stage) untilNode(run, node string, want engine.NodeState) {
	s.t.Helper()
	s.until(run, node+" "+string(want), func(rs []engine.Record) bool {
		for i := len(rs) - 1; i >= 0; i-- {
			if c, ok := rs[i].Data.(engine.NodeChanged); ok && rs[i].Node == node {
				return c.To == want
			}
		}
		return false
	})
}

func (s *stage) view(run string) engine.RunView {
	s.t.Helper()
	v, err := s.runner.View(s.t.Context(), run)
	if err != nil {
		s.t.Fatalf("view of %s: %v", run, err)
	}
	return v
}

func by(who string) engine.Meta { return engine.Meta{Actor: engine.Actor{ID: who}} }

func lines(rs []engine.Record) string {
	var out string
	for i := range rs {
		out += string(engine.AppendRecord(nil, rs[i])) + "\n"
	}
	return out
}

// script is an executor that does what tests say for each node; others succeed.
type script struct {
	mu     sync.Mutex
	does   map[string]func(ctx context.Context, d engine.Dispatch, emit func(engine.Note)) contract.Answer
	pure   func(node string) bool
	all    func(run runner.RunInfo, d engine.Dispatch) contract.Answer // of nodes that do nothing else
	calls  []engine.Dispatch
	runs   []runner.RunInfo
	cancel chan engine.Dispatch

	changed chan struct{}
}

func newScript() *script {
	return &script{
		does:   map[string]func(context.Context, engine.Dispatch, func(engine.Note)) contract.Answer{},
		cancel: make(chan engine.Dispatch, 1024), changed: make(chan struct{}),
	}
}

func (x *script) on(node string, f func(ctx context.Context, d engine.Dispatch, emit func(engine.Note)) contract.Answer) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.does[node] = f
}

// Execute implements runner.Executor.
func (x *script) Execute(ctx context.Context, run runner.RunInfo, d engine.Dispatch, emit func(engine.Note)) engine.Result {
	x.mu.Lock()
	x.calls = append(x.calls, d)
	x.runs = append(x.runs, run)
	f, all := x.does[d.Node], x.all
	close(x.changed)
	x.changed = make(chan struct{})
	x.mu.Unlock()
	if f == nil && all != nil {
		return engine.Result{Answer: all(run, d)}
	}
	if f == nil {
		return engine.Result{Answer: done()}
	}
	return engine.Result{Answer: f(ctx, d, emit)}
}

// Pure implements runner.Executor.
func (x *script) Pure(_ runner.RunInfo, d engine.Dispatch) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.pure != nil && x.pure(d.Node)
}

// Cancel implements runner.Executor.
func (x *script) Cancel(_ context.Context, _ runner.RunInfo, d engine.Dispatch) { x.cancel <- d }

func (x *script) of(node string) []engine.Dispatch {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []engine.Dispatch
	for _, d := range x.calls {
		if d.Node == node {
			out = append(out, d)
		}
	}
	return out
}

func (x *script) count(node string) int { return len(x.of(node)) }

// calledAs is how a node was called.
type calledAs struct {
	node string
	runner.RunInfo
}

func (x *script) infos(nodes ...string) (out []calledAs) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, d := range x.calls {
		if slices.Contains(nodes, d.Node) {
			out = append(out, calledAs{d.Node, x.runs[i]})
		}
	}
	return out
}

// untilCalled waits until a node has been called so often.
func (s *stage) untilCalled(node string, n int) {
	s.t.Helper()
	late := time.NewTimer(waitMax)
	defer late.Stop()
	for {
		s.exec.mu.Lock()
		changed := s.exec.changed
		s.exec.mu.Unlock()
		if s.exec.count(node) >= n {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			s.t.Fatalf("%s was called %d times; want %d", node, s.exec.count(node), n)
		}
	}
}

// settle waits until nothing happens any more, but for so many calls that are held.
func (s *stage) settle(busy int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), waitMax)
	defer cancel()
	if err := s.runner.Settle(ctx, busy); err != nil {
		s.t.Fatal(err)
	}
}

// hold makes a node's calls wait for their context or for release, and reports each
// that begins.
func (x *script) hold(node string) (began <-chan engine.Dispatch, release func()) {
	b, free := make(chan engine.Dispatch, 64), make(chan struct{})
	x.on(node, func(ctx context.Context, d engine.Dispatch, _ func(engine.Note)) contract.Answer {
		b <- d
		select {
		case <-ctx.Done():
			return failed("CANCELLED")
		case <-free:
			return done()
		}
	})
	return b, sync.OnceFunc(func() { close(free) })
}

func done() contract.Answer {
	return contract.Answer{Status: contract.StatusSucceeded, Outputs: json.RawMessage(`{}`)}
}

func failed(code string) contract.Answer {
	return contract.Answer{Status: contract.StatusFailed, Failure: &contract.Failure{Code: code, Message: code, Origin: contract.OriginPlugin}}
}

func waiting(w contract.Wait) contract.Answer {
	return contract.Answer{Status: contract.StatusWaiting, Wait: &w, State: json.RawMessage(`{"n":1}`)}
}

// watcher is a publisher that keeps everything and lets tests wait for it.
type watcher struct {
	mu      sync.Mutex
	records map[string][]engine.Record
	changed chan struct{}
}

func newWatcher() *watcher {
	return &watcher{records: map[string][]engine.Record{}, changed: make(chan struct{})}
}

// Publish implements runner.Publisher.
func (w *watcher) Publish(run string, rs []engine.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records[run] = append(w.records[run], rs...)
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *watcher) of(run string) []engine.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.records[run]
}

func (w *watcher) until(run string, ok func([]engine.Record) bool) bool {
	late := time.NewTimer(waitMax)
	defer late.Stop()
	for {
		w.mu.Lock()
		rs, changed := w.records[run], w.changed
		w.mu.Unlock()
		if ok(rs) {
			return true
		}
		select {
		case <-changed:
		case <-late.C:
			return false
		}
	}
}
