package runs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// The program dies before and after every transaction, every call of a plugin, every
// request to a system and every result, on three flows, one point a time; and once more
// at a point of the life that follows. Every time the runs go on from what is durable:
// nothing acknowledged is lost, no effect comes twice, and the history is sound. The n-th
// point is not the same in every life, since branches run side by side; a kind of point
// that was missed by that is struck by name.
func TestCrashAtEveryPointLosesNothingAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	for name, flow := range map[string]string{"serial": serialFlow, "branches": branchesFlow, "trouble": troubleFlow} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kinds := map[string]bool{}
			n := 1
			for ; ; n++ {
				at, blown := crashAt(t, flow, point{n: n}, point{n: 1 + n%7})
				if !blown {
					break
				}
				kinds[at] = true
			}
			t.Logf("%d points", n-1)
			for _, want := range []string{
				"before a commit", "after a commit", "before a call", "before a result", "before an intent", "after an intent",
				"before the effect", "after the effect", "before an answer is kept", "after an answer is kept",
			} {
				if kinds[want] {
					continue
				}
				if _, blown := crashAt(t, flow, point{1, want}, point{2, want}); !blown {
					t.Errorf("no crash %s", want)
				}
			}
		})
	}
}

// point is where the program dies: at the n-th that is passed, of those of one kind where
// kind is set. The zero value is nowhere.
type point struct {
	n    int
	kind string
}

// crashAt runs a flow that dies at one point, and in the next life at another. It reports
// where it died first, and false when the first point was not reached.
func crashAt(t *testing.T, flow string, first, second point) (string, bool) {
	t.Helper()
	w := &mortal{t: t, path: filepath.Join(t.TempDir(), "data", "culm.db"), ledger: hosttest.NewLedger(), flow: flow}
	w.ledger.Around = func(when string) error { return w.current().pass(when) }
	up := httptest.NewServer(w.ledger)
	defer up.Close()
	w.upstream = up.URL
	var where string
	for _, at := range []point{first, second, {}} {
		died := w.life(at)
		if where == "" {
			where = died
		}
		if died == "" {
			break
		}
	}
	w.judge(where)
	return where, where != ""
}

// fuse blows at a point. From then on nothing of that life has an effect any more.
type fuse struct {
	mu     sync.Mutex
	at     point
	n      int
	where  string
	blown  chan struct{}
	isOver bool
}

var errBlown = errors.New("the program died")

func (f *fuse) pass(where string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isOver {
		return errBlown
	}
	if f.at.kind != "" && f.at.kind != where {
		return nil
	}
	if f.n++; f.n != f.at.n {
		return nil
	}
	f.isOver, f.where = true, where
	close(f.blown)
	return errBlown
}

// dyingStore is a store of a program that may die.
type dyingStore struct {
	runner.Store
	f *fuse
}

func (s dyingStore) Commit(ctx context.Context, bs []runner.Batch) error {
	if err := s.f.pass("before a commit"); err != nil {
		return errors.Join(runner.ErrStoreFailed, err)
	}
	if err := s.Store.Commit(ctx, bs); err != nil {
		return err
	}
	if err := s.f.pass("after a commit"); err != nil {
		return errors.Join(runner.ErrStoreFailed, err)
	}
	return nil
}

// dyingJournal is its journal of calls.
type dyingJournal struct {
	gateway.Journal
	f *fuse
}

func (j dyingJournal) Begin(ctx context.Context, k gateway.Key, in gateway.Intent) (gateway.Entry, error) {
	if err := j.f.pass("before an intent"); err != nil {
		return gateway.Entry{}, err
	}
	e, err := j.Journal.Begin(ctx, k, in)
	return e, errors.Join(err, j.f.pass("after an intent"))
}

func (j dyingJournal) Finish(ctx context.Context, k gateway.Key, a gateway.Answer) error {
	if err := j.f.pass("before an answer is kept"); err != nil {
		return err
	}
	return errors.Join(j.Journal.Finish(ctx, k, a), j.f.pass("after an answer is kept"))
}

// mortal is a program with its lives, and the system outside it.
type mortal struct {
	t              *testing.T
	path, upstream string
	ledger         *hosttest.Ledger
	flow           string

	mu   sync.Mutex
	fuse *fuse
	run  string // its id, once it was acknowledged
	seq  uint64 // the last record that was
}

func (w *mortal) current() *fuse {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fuse
}

// life is one life of the program: it starts the run if nobody knows of it, and sees to
// it until it ends. It returns where the program died, or "" if it did not.
func (w *mortal) life(at point) string {
	w.t.Helper()
	f := &fuse{at: at, blown: make(chan struct{})}
	w.mu.Lock()
	w.fuse = f
	w.mu.Unlock()
	p := hosttest.OpenAt(w.t, w.path)
	r, change := w.open(p, f)
	w.operate(p, r, f, change)
	ctx, stop := context.WithCancel(context.Background())
	stop() // a program that dies waits for nothing
	if err := r.Stop(ctx); err != nil && !errors.Is(err, runner.ErrStoreFailed) && !errors.Is(err, context.Canceled) {
		w.t.Errorf("stop: %v", err)
	}
	if err := p.DB.Close(); err != nil {
		w.t.Error(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.where
}

// open builds runner, executor and gateway over a database.
func (w *mortal) open(p *hosttest.Product, f *fuse) (*runner.Runner, *changes) {
	w.t.Helper()
	policy, err := gateway.NewAddressPolicy([]string{strings.TrimPrefix(w.upstream, "http://")})
	if err != nil {
		w.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	gw := gateway.New(gateway.Config{
		Systems: w, Grants: w, Credentials: w, Secrets: p.Vault, Journal: dyingJournal{p.Store.Journal(), f}, Audit: p.Store.Audit(),
		Addresses: policy, Clock: wall{}, Logger: log,
	})
	change := &changes{next: make(chan struct{})}
	r, err := runner.New(runner.Config{
		Store: dyingStore{p.DB.Store(), f}, Publisher: change, Clock: wall{}, Graphs: runs.NewGraphs(p.Plugins), Logger: log,
		Executor: runs.NewExecutor(runs.ExecutorOptions{Catalogue: p.Plugins, Modules: dying(f, entries), Gateway: gw, Handles: p.Vault, Clock: wall{}, Logger: log}),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := r.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return r, change
}

// dying makes a program's calls of plugins: when it has died, they never come back.
func dying(f *fuse, m modules) modules {
	return func(ctx context.Context, c runs.ModuleCall, r contract.Request) (string, error) {
		if f.pass("before a call") != nil {
			<-ctx.Done()
			return "", errBlown
		}
		out, err := m(ctx, c, r)
		if f.pass("before a result") != nil {
			<-ctx.Done()
			return "", errBlown
		}
		return out, err
	}
}

// entries is the plugin: nodes enter what their id says into the ledger, wait, or ask.
func entries(ctx context.Context, c runs.ModuleCall, r contract.Request) (string, error) {
	node := r.Context.Node
	operation, _, _ := strings.Cut(node[strings.LastIndex(node, ".")+1:], "_")
	switch operation {
	case "rest":
		if r.Reason == contract.ReasonExecute {
			return `{"status":"waiting","wait":{"kind":"timer","after_ms":5}}`, nil
		}
		return `{"status":"succeeded","outputs":{}}`, nil
	case "ask":
		if r.Reason == contract.ReasonExecute {
			return `{"status":"waiting","wait":{"kind":"human","prompt":"Go on?"}}`, nil
		}
		return `{"status":"succeeded","outputs":{}}`, nil
	case "mark", "book", "flaky":
		if operation == "flaky" {
			operation = "mark"
		}
		body, err := json.Marshal(map[string]string{"run": r.Context.Run, "entry": node})
		if err != nil {
			return "", err
		}
		res := c.Services.Gateway(ctx, contract.GatewayRequest{System: hosttest.LedgerSystem, Operation: operation, Body: body})
		if ok := res.Failure == nil && res.Status == http.StatusOK; !ok {
			return `{"status":"failed","failure":{"code":"REFUSED","message":"refused","retryable":true}}`, nil
		}
	case "look":
		c.Services.Gateway(ctx, contract.GatewayRequest{System: hosttest.LedgerSystem, Operation: "look"})
	}
	return `{"status":"succeeded","outputs":{"sum":1}}`, nil
}

// System implements gateway.Systems.
func (w *mortal) System(context.Context, string, string) (*systems.Compiled, error) {
	s, err := w.ledger.System(w.upstream)
	if err != nil {
		return nil, err
	}
	return systems.Compile(s)
}

// Granted implements gateway.Grants.
func (*mortal) Granted(context.Context, string, string, string, string) (bool, error) {
	return true, nil
}

// Credential implements gateway.Credentials.
func (*mortal) Credential(context.Context, secrets.Target) (*secrets.Credential, error) {
	return nil, secrets.ErrNoCredential
}

// operate starts the run with a key and does what operators do, until the run has ended
// or the program has died.
func (w *mortal) operate(p *hosttest.Product, r *runner.Runner, f *fuse, change *changes) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.t.Context(), time.Minute)
	defer stop()
	if err := w.begin(ctx, p, r); err != nil {
		w.wantBlown(ctx, f, err)
		return
	}
	for {
		next := change.wait()
		v, err := r.View(ctx, w.run)
		if err != nil {
			w.wantBlown(ctx, f, err)
			return
		}
		if v.Seq < w.seq {
			w.t.Fatalf("record %d was acknowledged; there are %d", w.seq, v.Seq)
		}
		if v.State.Ended() {
			return
		}
		if w.help(ctx, r, v) {
			continue
		}
		select {
		case <-next:
		case <-f.blown:
			return
		case <-ctx.Done():
			w.t.Fatalf("the run stays %s: %+v", v.State, v.Nodes)
		}
	}
}

// wantBlown waits for the death of the program, which alone explains an error.
func (w *mortal) wantBlown(ctx context.Context, f *fuse, err error) {
	w.t.Helper()
	select {
	case <-f.blown:
	case <-ctx.Done():
		w.t.Fatalf("nobody died, and yet: %v (point %v, run %s)", err, f.at, w.run)
	}
}

// begin starts the run; in a later life the same key finds it.
func (w *mortal) begin(ctx context.Context, p *hosttest.Product, r *runner.Runner) error {
	flow := hosttest.Flow(w.t, w.flow)
	document := engine.Canonical(flow)
	graph, problems := engine.Compile(flow, p.Plugins.Pinned(pins(p)))
	if graph == nil {
		w.t.Fatalf("the flow: %+v", problems)
	}
	v, err := r.StartRun(ctx, runner.StartRequest{
		Options: engine.StartOptions{
			Run: "01a213f1-2ac1-766b-939c-905c25fec5fd", Name: "run", Project: hosttest.Project, Flow: "crash", Version: 1,
			Digest: graph.Digest(), Plugins: pins(p), Zone: "Asia/Shanghai",
		},
		Document: document, Graph: graph, Key: "start", Hash: "1", Meta: engine.Meta{Actor: actor},
	})
	if err == nil {
		w.run, w.seq = v.Run, max(w.seq, 1)
	}
	return err
}

func pins(p *hosttest.Product) map[string]string {
	m, _ := p.Plugins.Latest("toy")
	return map[string]string{"toy": m.Digest}
}

// help gives one command that the run waits for; false when it needs none. Unknown nodes
// are resolved by looking into the ledger.
func (w *mortal) help(ctx context.Context, r *runner.Runner, v engine.RunView) bool {
	w.t.Helper()
	for _, id := range sorted(v.Nodes) {
		n := v.Nodes[id]
		var e engine.Event
		switch {
		case n.State == engine.NodeWaiting && n.Wait != nil && n.Wait.Kind == contract.WaitHuman:
			e = engine.Callback{Node: id, Iteration: n.Iteration, Attempt: n.Attempt, Data: json.RawMessage(`"yes"`)}
		case n.State == engine.NodeUnknown && w.ledger.Has(v.Run, id):
			e = engine.Resolve{Node: id, As: engine.ResolveDone, Outputs: json.RawMessage(`{"sum":1}`)}
		case n.State == engine.NodeUnknown:
			e = engine.Resolve{Node: id, As: engine.ResolveRetry}
		case n.State == engine.NodeFailed && n.Due == nil:
			e = engine.Retry{Node: id}
		default:
			continue
		}
		seq, err := r.Command(ctx, hosttest.Project, v.Run, engine.Meta{Actor: actor, ExpectedSeq: v.Seq}, e)
		if err == nil {
			w.seq = max(w.seq, seq)
		}
		return err == nil
	}
	return false
}

func sorted[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// judge looks at what the last life left.
func (w *mortal) judge(where string) {
	w.t.Helper()
	p := hosttest.OpenAt(w.t, w.path)
	rs, err := p.DB.Store().Records(w.t.Context(), w.run, 0, 0)
	if err != nil || len(rs) == 0 {
		w.t.Fatalf("died %s: records: %v", where, err)
	}
	v := engine.RunState("")
	entries := map[string]string{}
	for _, r := range rs {
		if c, ok := r.Data.(engine.RunChanged); ok {
			v = c.To
		}
		if _, ok := r.Data.(engine.NodeChanged); !ok {
			continue
		}
		name := r.Node[strings.LastIndex(r.Node, ".")+1:]
		if kind, _, _ := strings.Cut(name, "_"); kind == "mark" || kind == "book" || kind == "flaky" {
			entries[r.Node] = kind
		}
	}
	if v != engine.RunSucceeded {
		w.t.Errorf("died %s: the run ended as %s", where, v)
	}
	if twice := w.ledger.Repeated(); len(twice) > 0 {
		w.t.Errorf("died %s: more than once: %v", where, twice)
	}
	for entry := range entries {
		if !w.ledger.Has(w.run, entry) {
			w.t.Errorf("died %s: %s is missing", where, entry)
		}
	}
	if err := p.DB.Close(); err != nil {
		w.t.Error(err)
	}
	if err := sqlite.Verify(w.t.Context(), w.path, runs.NewGraphs(p.Plugins)); err != nil {
		w.t.Errorf("died %s: %v", where, err)
	}
	if w.t.Failed() {
		w.t.Fatalf("died %s; the history:\n%s", where, history(rs))
	}
}

func history(rs []engine.Record) string {
	var b strings.Builder
	for _, r := range rs {
		fmt.Fprintf(&b, "%s\n", engine.AppendRecord(nil, r))
	}
	return b.String()
}

const serialFlow = `
format: culm.flow/v1
id: crash
name: One after the other
nodes:
  - {id: start, type: start}
  - {id: look_1, type: task, plugin: toy, action: add, inputs: {a: 1}}
  - {id: mark_1, type: task, plugin: toy, action: add, inputs: {a: 1}}
  - {id: book_1, type: task, plugin: toy, action: add, inputs: {a: 1}}
  - {id: end, type: end}
edges:
  - {id: e1, from: start, to: look_1}
  - {id: e2, from: look_1, to: mark_1}
  - {id: e3, from: mark_1, to: book_1}
  - {id: e4, from: book_1, to: end}
`

const branchesFlow = `
format: culm.flow/v1
id: crash
name: Side by side
nodes:
  - {id: start, type: start}
  - {id: fork, type: parallel}
  - {id: mark_1, type: task, plugin: toy, action: add, inputs: {a: 1}}
  - {id: rest_1, type: task, plugin: toy, action: rest}
  - {id: ask_1, type: task, plugin: toy, action: ask}
  - {id: book_1, type: task, plugin: toy, action: add, inputs: {a: 1}}
  - {id: join, type: join}
  - {id: mark_2, type: task, plugin: toy, action: add, inputs: {a: 1}}
  - {id: end, type: end}
edges:
  - {id: e1, from: start, to: fork}
  - {id: e2, from: fork, to: mark_1}
  - {id: e3, from: fork, to: ask_1}
  - {id: e4, from: fork, to: book_1}
  - {id: e5, from: mark_1, to: join}
  - {id: e6, from: ask_1, to: rest_1}
  - {id: e7, from: rest_1, to: join}
  - {id: e8, from: book_1, to: join}
  - {id: e9, from: join, to: mark_2}
  - {id: e10, from: mark_2, to: end}
`

const troubleFlow = `
format: culm.flow/v1
id: crash
name: Failures, retries and a flow inside the flow
nodes:
  - {id: start, type: start}
  - {id: flaky_1, type: task, plugin: toy, action: add, inputs: {a: 1}, retry: {max: 2, delay_ms: 5}}
  - {id: sub, type: subflow, flow: inner}
  - {id: flaky_2, type: task, plugin: toy, action: add, inputs: {a: 1}}
  - {id: end, type: end}
edges:
  - {id: e1, from: start, to: flaky_1}
  - {id: e2, from: flaky_1, to: sub}
  - {id: e3, from: sub, to: flaky_2}
  - {id: e4, from: flaky_2, to: end}
subflows:
  inner:
    format: culm.flow/v1
    id: inner
    name: Inner
    nodes:
      - {id: start, type: start}
      - {id: book_1, type: task, plugin: toy, action: add, inputs: {a: 1}}
      - {id: end, type: end}
    edges:
      - {id: e1, from: start, to: book_1}
      - {id: e2, from: book_1, to: end}
`
