package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/app"
	shipped "github.com/culmhq/culm/plugins-wasm"
)

// asked is one request that changes something. The same key is sent again when nobody
// knows what became of it.
type asked struct {
	key, path string
	body      map[string]any
	run       string // empty for a start
	again     int
}

// account is what was asked for and what was acknowledged.
type account struct {
	mu       sync.Mutex
	n        int
	runs     map[string]string // by start key
	seqs     map[string]uint64 // the last sequence number acknowledged, by run
	touched  map[string]bool   // runs acknowledged since they were last looked at
	commands map[string]*asked // acknowledged, by key
	ends     map[string]bool   // runs whose revoke was acknowledged
	doubts   []*asked
	refusals map[int]int
	wrong    []string
}

func newAccount() *account {
	return &account{
		runs: map[string]string{}, seqs: map[string]uint64{}, touched: map[string]bool{}, commands: map[string]*asked{},
		ends: map[string]bool{}, refusals: map[int]int{},
	}
}

// start makes a request for a run.
func (a *account) start() *asked {
	return a.request(&asked{path: project + "/flows/kill/runs", body: map[string]any{"inputs": map[string]any{"service": "checkout"}}})
}

// command makes a command for a run.
func (a *account) command(run, path string, body map[string]any) *asked {
	return a.request(&asked{run: run, path: path, body: body})
}

func (a *account) request(q *asked) *asked {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n++
	q.key = fmt.Sprintf("k-%d", a.n)
	return q
}

// doubt takes a request whose fate is not known.
func (a *account) doubt() (*asked, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.doubts) == 0 {
		return nil, false
	}
	q := a.doubts[0]
	a.doubts = a.doubts[1:]
	return q, true
}

// lost says that a request had no answer.
func (a *account) lost(q *asked) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if q.again++; q.again < 100 {
		a.doubts = append(a.doubts, q)
	}
}

func (a *account) started(q *asked, run string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	was, known := a.runs[q.key]
	if known && was != run {
		a.wrong = append(a.wrong, fmt.Sprintf("start %s made the runs %s and %s", q.key, was, run))
	}
	a.runs[q.key] = run
	a.seqs[run] = max(a.seqs[run], 1)
	a.touched[run] = true
	if !known && a.n%10 == 0 { // asked for again, once, it must be the same run
		a.doubts = append(a.doubts, q)
	}
}

func (a *account) obeyed(q *asked, seq uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.commands[q.key] = q
	a.seqs[q.run] = max(a.seqs[q.run], seq)
	a.touched[q.run] = true
	if q.body["command"] == "revoke" {
		a.ends[q.run] = true
	}
}

// busy counts answers that say to come back later.
func (a *account) busy(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refusals[status]++
}

// refused is how often an answer had that status.
func (a *account) refused(status int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.refusals[status]
}

// String sums the account up for the log.
func (a *account) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return fmt.Sprintf("%d runs and %d commands acknowledged", len(a.runs), len(a.commands))
}

// checkAcknowledged asks for every run that was acknowledged since the last time.
func (w *world) checkAcknowledged(t *testing.T, srv *server) {
	t.Helper()
	a := w.account
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.touched {
		var page struct{ Items []struct{ Seq uint64 } }
		srv.must(http.MethodGet, fmt.Sprintf("%s/records?after=%d&limit=1", runPath(id), a.seqs[id]-1), nil, &page)
		if len(page.Items) != 1 || page.Items[0].Seq != a.seqs[id] {
			t.Fatalf("run %s: record %d was acknowledged and is gone after the restart", id, a.seqs[id])
		}
	}
	clear(a.touched)
}

// judge opens the database that the last life left, and holds it against the account and
// against what the outside systems carried out.
func (w *world) judge(t *testing.T) {
	t.Helper()
	verify(t, w.dir)
	for _, wrong := range w.account.wrong {
		t.Error(wrong)
	}
	histories := w.histories(t)
	started := map[string]bool{}
	for key, run := range w.account.runs {
		started[run] = true
		if histories[run] == nil {
			t.Errorf("start %s was acknowledged as run %s, which is not there", key, run)
		}
	}
	for run, rs := range histories {
		if parent := rs[0].Data.(engine.RunStarted).Parent; parent == nil && !started[run] {
			t.Errorf("nobody was told of run %s", run)
		}
		checkAttempts(t, run, rs)
		w.checkEnd(t, run, rs)
	}
	for key, q := range w.account.commands {
		if !slices.ContainsFunc(histories[q.run], func(r engine.Record) bool { return r.CommandID == key }) {
			t.Errorf("command %s (%v) of run %s was acknowledged and has no record", key, q.body["command"], q.run)
		}
	}
	w.checkEffects(t, histories)
}

// histories reads every run's records.
func (w *world) histories(t *testing.T) map[string][]engine.Record {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(w.dir, "culm.db"), sqlite.Options{QuickCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	heads, err := db.Store().List(t.Context(), runner.RunQuery{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]engine.Record{}
	for _, h := range heads {
		if out[h.ID], err = db.Store().Records(t.Context(), h.ID, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// checkAttempts counts the ends of every attempt and the answers that ended a wait.
func checkAttempts(t *testing.T, run string, rs []engine.Record) {
	t.Helper()
	type attempt struct {
		node               string
		iteration, attempt int
	}
	ends, answers := map[attempt]int{}, map[attempt]int{}
	at := map[string]attempt{}
	for _, r := range rs {
		c, ok := r.Data.(engine.NodeChanged)
		if !ok {
			continue
		}
		a := at[r.Node]
		if c.Attempt > 0 {
			a = attempt{r.Node, c.Iteration, c.Attempt}
			at[r.Node] = a
		}
		if c.To == engine.NodeSucceeded && a.attempt > 0 {
			ends[a]++
		}
		if c.From == engine.NodeWaiting && len(c.Callback) > 0 {
			answers[a]++
		}
	}
	for a, n := range ends {
		if n > 1 {
			t.Errorf("run %s: %+v ended %d times", run, a, n)
		}
	}
	for a, n := range answers {
		if n > 1 {
			t.Errorf("run %s: %d answers took effect on %+v", run, n, a)
		}
	}
}

// checkEnd checks how a run ended.
func (w *world) checkEnd(t *testing.T, run string, rs []engine.Record) {
	t.Helper()
	want := engine.RunSucceeded
	if w.account.ends[run] {
		want = engine.RunRevoked
	}
	if got := lastState(rs); got != want && got != engine.RunRevoked {
		t.Errorf("run %s ended as %s, want %s", run, got, want)
	}
}

func lastState(rs []engine.Record) (s engine.RunState) {
	for _, r := range rs {
		if c, ok := r.Data.(engine.RunChanged); ok {
			s = c.To
		}
	}
	return s
}

// checkEffects holds the outside systems against the histories: nothing twice, and of a
// run that succeeded nothing missing.
func (w *world) checkEffects(t *testing.T, histories map[string][]engine.Record) {
	t.Helper()
	deployments, tickets := map[string]int{}, map[string]int{}
	for _, e := range w.platform.Effects() {
		switch e.Kind {
		case "deployment":
			deployments[strings.TrimPrefix(e.Subject, "checkout ")]++
		case "ticket":
			tickets[strings.TrimPrefix(e.Subject, "deployed ")]++
		}
	}
	for _, twice := range w.ledger.Repeated() {
		t.Errorf("carried out more than once: %s", twice)
		_, entry, _ := strings.Cut(twice, " ")
		run, _, _ := strings.Cut(entry, "/")
		w.explain(t, run, histories[run])
	}
	for _, of := range []map[string]int{deployments, tickets} {
		for run, n := range of {
			if n > 1 || histories[run] == nil {
				t.Errorf("run %s: %d deployments or tickets", run, n)
			}
		}
	}
	for _, run := range slices.Sorted(maps.Keys(histories)) {
		rs := histories[run]
		if lastState(rs) != engine.RunSucceeded {
			continue
		}
		if rs[0].Data.(engine.RunStarted).Flow != "kill" {
			if !w.ledger.HasAny("outside-" + run) {
				t.Errorf("the run %s below another one succeeded without its mark", run)
			}
			continue
		}
		if deployments[run] != 1 || tickets[run] != 1 {
			t.Errorf("run %s succeeded with %d deployments and %d tickets", run, deployments[run], tickets[run])
		}
		if missing := w.ledger.Missing(run, []string{"flaky", "inside-" + run}, []string{"book"}); len(missing) > 0 {
			t.Errorf("run %s succeeded without %v", run, missing)
		}
	}
}

// explain logs what a run did at its nodes, and what the journal holds of its calls.
func (w *world) explain(t *testing.T, run string, rs []engine.Record) {
	t.Helper()
	for _, r := range rs {
		if c, ok := r.Data.(engine.NodeChanged); ok {
			t.Logf("%d %s %s: %s to %s, attempt %d by %q, %s, failure %v", r.Seq, r.At.Format(time.StampMilli), r.Node, c.From, c.To, c.Attempt, c.By, r.CommandID, c.Failure)
		}
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(w.dir, "culm.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT node, attempt, call, idx, at, sent_as, coalesce(answer, '-'), uncertain, coalesce(answered_at, 0)
		FROM gateway_journal WHERE run = ? ORDER BY at`, run)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var node, sentAs, answer string
		var attempt, call, idx int
		var at, answered int64
		var uncertain bool
		if err := rows.Scan(&node, &attempt, &call, &idx, &at, &sentAs, &answer, &uncertain, &answered); err != nil {
			t.Fatal(err)
		}
		t.Logf("journal: %s attempt %d call %d.%d at %s as %q: %s (uncertain %v) after %v", node, attempt, call, idx,
			time.UnixMicro(at).UTC().Format(time.StampMilli), sentAs, answer, uncertain, time.Duration(max(answered-at, 0))*time.Microsecond)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// verify opens the database that the program left behind and checks every invariant
// of every run in it.
func verify(t *testing.T, dir string) {
	t.Helper()
	plugins, err := app.NewShipped(shipped.Files)
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := plugins.Manifests()
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Verify(t.Context(), filepath.Join(dir, "culm.db"), shippedGraphs{manifests}); err != nil {
		t.Fatal(err)
	}
}

// shippedGraphs compiles flow versions against the plugins inside the binary.
type shippedGraphs struct{ catalogue engine.Catalogue }

func (g shippedGraphs) Graph(_ context.Context, digest string, document []byte, _ map[string]string) (*engine.Graph, error) {
	f, err := engine.ParseFlow(document)
	if err != nil {
		return nil, err
	}
	graph, problems := engine.Compile(f, g.catalogue)
	if graph == nil {
		return nil, fmt.Errorf("flow version %s: %+v", digest, problems)
	}
	return graph, nil
}
