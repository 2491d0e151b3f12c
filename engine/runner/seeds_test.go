package runner_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/memory"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/pdk/contract"
)

// One seed decides everything that comes to a runner from outside: how long calls and
// commits take, what plugins answer, what operators do, when the clock jumps, which commits
// fail, and when the program dies. Time is virtual. On one processor and without the race
// detector, which shuffles goroutines, a seed gives the same history again; a history that
// the system's own scheduler disturbed is taken again. On more processors goroutines of the
// runner meet in other orders each time, which finds other things. CULM_SEEDS is how many
// are tried, CULM_SEED the only one.
func TestSeedsOfTroubleLoseNothing(t *testing.T) {
	t.Parallel()
	first, n := uint64(1), uint64(1000)
	if s := os.Getenv("CULM_SEED"); s != "" {
		first, n = seedOf(t, s), 1
	} else if s := os.Getenv("CULM_SEEDS"); s != "" {
		n = seedOf(t, s)
	} else if testing.Short() || raceEnabled { // they take five times as long there
		n = 300
	}
	exact := runtime.GOMAXPROCS(0) == 1 && !raceEnabled
	lanes := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	var deaths, faults, ended, twice atomic.Int64
	for seed := first; seed < first+n; seed++ {
		lanes <- struct{}{}
		wg.Go(func() {
			defer func() { <-lanes }()
			w := trouble(t, seed)
			deaths.Add(int64(w.deaths))
			faults.Add(w.faults.Load())
			ended.Add(int64(len(w.runs)))
			if exact && (seed%20 == 0 || n == 1) {
				twice.Add(1)
				comesAgain(t, w)
			}
		})
		if t.Failed() {
			break
		}
	}
	wg.Wait()
	t.Logf("%d seeds: %d runs ended, the program died %d times, %d commits failed; %d seeds gave the same history twice",
		n, ended.Load(), deaths.Load(), faults.Load(), twice.Load())
	if n > 50 && (deaths.Load() == 0 || faults.Load() == 0) {
		t.Error("there was no trouble")
	}
}

// comesAgain fails unless two lives in a row through a seed give one history.
func comesAgain(t *testing.T, w *tangle) {
	t.Helper()
	last := w.history
	var parted string
	for range 4 {
		again := trouble(t, w.seed)
		if again.history == last {
			return
		}
		parted, last = difference(last, again.history), again.history
	}
	t.Errorf("seed %d gives another history each time; the last two differ at\n%s", w.seed, parted)
}

// difference shows where two histories part.
func difference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return as[i] + "\n" + bs[i]
		}
	}
	return "the end of one"
}

func seedOf(t *testing.T, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// tangle is the world of one seed.
type tangle struct {
	t      *testing.T
	seed   uint64
	rng    *rand.Rand // of the driver alone; everything else draws by name
	disk   *memory.Store
	clock  *bent
	graphs graphs
	calm   atomic.Bool // nothing fails any more
	faults atomic.Int64
	commit atomic.Int64

	runner *runner.Runner
	dead   *atomic.Bool // the program of now
	deaths int
	runs   []string

	mu           sync.Mutex
	acknowledged map[string]uint64
	history      string
}

// trouble lives through a seed.
func trouble(t *testing.T, seed uint64) *tangle {
	t.Helper()
	w := &tangle{
		t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 5)), disk: memory.New(), graphs: graphs{}, acknowledged: map[string]uint64{},
	}
	ok := t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w.t, w.clock = t, &bent{}
			w.start()
			for range 60 {
				w.pass(time.Duration(w.rng.IntN(4_000_000)))
				w.act()
			}
			w.calm.Store(true)
			w.untilEnded()
			if err := w.runner.Stop(t.Context()); err != nil {
				t.Errorf("stop: %v", err)
			}
			w.judge()
		})
	})
	if !ok {
		t.Logf("again: GOMAXPROCS=1 CULM_SEED=%d go test -run TestSeedsOfTrouble ./engine/runner", seed)
	}
	return w
}

// draw gives a number below n that depends on the seed and the name alone.
func (w *tangle) draw(n uint64, name ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, w.seed, name)
	return rand.New(rand.NewPCG(h.Sum64(), w.seed)).Uint64N(n)
}

// pass lets virtual time go by.
func (w *tangle) pass(d time.Duration) { <-time.After(d + 1) }

func (w *tangle) start() {
	dead := &atomic.Bool{}
	r, err := runner.New(runner.Config{
		Store: shaky{unclosed{w.disk}, w, dead}, Executor: player{w}, Publisher: w, Clock: w.clock, Graphs: w.graphs,
		Logger: slog.New(slog.DiscardHandler), Workers: 6,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := r.Start(context.Background()); err != nil {
		w.t.Fatalf("seed %d: start: %v", w.seed, err)
	}
	w.runner, w.dead = r, dead
}

// die kills the program and starts another on what is durable.
func (w *tangle) die() {
	w.dead.Store(true)
	w.deaths++
	w.runner.Kill()
	w.mu.Lock()
	for run, seq := range w.acknowledged {
		h, err := w.disk.Run(context.Background(), run)
		if err != nil || h.Seq < seq {
			w.t.Errorf("seed %d: record %d of %s was acknowledged or shown; there are %d (%v)", w.seed, seq, run, h.Seq, err)
		}
	}
	w.mu.Unlock()
	w.start()
}

// Publish implements runner.Publisher: what is shown must be durable.
func (w *tangle) Publish(run string, rs []engine.Record) { w.acknowledge(run, lastSeq(rs)) }

func (w *tangle) acknowledge(run string, seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acknowledged[run] = max(w.acknowledged[run], seq)
}

// act does one thing that operators, clocks and machines do.
func (w *tangle) act() {
	select {
	case <-w.runner.Failed():
		w.die()
	default:
	}
	switch n := w.rng.IntN(100); {
	case n < 12 || len(w.runs) == 0:
		w.begin()
	case n < 19:
		w.die()
	case n < 24:
		w.clock.bend.Add(int64(w.rng.IntN(7200)-3600) * int64(time.Second))
	case n < 34:
		w.order(w.someRun(), engine.Pause{})
	case n < 46:
		w.order(w.someRun(), engine.Resume{})
	case n < 49:
		w.order(w.someRun(), engine.Revoke{Reason: "enough"})
	default:
		w.help(w.someRun())
	}
}

func (w *tangle) someRun() string { return w.runs[w.rng.IntN(len(w.runs))] }

func (w *tangle) begin() {
	id := fmt.Sprintf("r%d", len(w.runs))
	f := knot()
	g := w.graphs.compile(w.t, f)
	v, err := w.runner.StartRun(context.Background(), runner.StartRequest{
		Options: engine.StartOptions{
			Run: id, Name: id, Project: "p", Flow: f.ID, Version: 1, Digest: g.Digest(), Plugins: map[string]string{"test": "sha256:1"}, Zone: "Asia/Shanghai",
		},
		Document: engine.Canonical(f), Graph: g, Meta: by("li"),
	})
	if err == nil {
		w.acknowledge(id, v.Seq)
	}
	// Without an answer the run may be there all the same.
	if _, missing := w.disk.Run(context.Background(), id); err == nil || missing == nil {
		w.runs = append(w.runs, id)
	}
}

// order gives a command, which may be refused.
func (w *tangle) order(run string, e engine.Event) {
	seq, err := w.runner.Command(context.Background(), "p", run, by("wang"), e)
	if err == nil {
		w.acknowledge(run, seq)
	}
}

// help does what a run needs from people; false when it has ended.
func (w *tangle) help(run string) bool {
	v, err := w.runner.View(context.Background(), run)
	if err != nil {
		return true
	}
	if v.State == engine.RunSuspended && w.calm.Load() {
		w.order(run, engine.Resume{})
	}
	for _, id := range slices.Sorted(maps.Keys(v.Nodes)) {
		switch n := v.Nodes[id]; {
		case n.State == engine.NodeWaiting && n.Wait != nil && n.Wait.Kind == contract.WaitHuman:
			w.order(run, engine.Callback{Node: id, Data: []byte(`{"ok":true}`)})
		case n.State == engine.NodeUnknown:
			w.order(run, engine.Resolve{Node: id, As: engine.ResolveRetry})
		case n.State == engine.NodeFailed && w.rng.IntN(2) == 0:
			w.order(run, engine.Retry{Node: id})
		case n.State == engine.NodeFailed:
			w.order(run, engine.Skip{Node: id})
		}
	}
	return !v.State.Ended()
}

// untilEnded sees every run to its end.
func (w *tangle) untilEnded() {
	for range 5000 {
		select {
		case <-w.runner.Failed():
			w.die()
		default:
		}
		left := 0
		for _, run := range w.runs {
			if w.help(run) {
				left++
			}
		}
		if left == 0 {
			return
		}
		w.pass(20 * time.Millisecond)
		if left > 0 && w.rng.IntN(10) == 0 {
			w.pass(time.Hour) // the clock may have been set back
		}
	}
	w.t.Errorf("seed %d: not every run ends", w.seed)
}

// judge checks every history, and keeps them all.
func (w *tangle) judge() {
	ctx := context.Background()
	var all strings.Builder
	for _, run := range w.runs {
		rs, err := w.disk.Records(ctx, run, 0, 0)
		if err != nil {
			w.t.Fatal(err)
		}
		h, err := w.disk.Run(ctx, run)
		if err != nil {
			w.t.Fatal(err)
		}
		if err := engine.CheckHistory(w.graphs[h.Digest], rs); err != nil {
			w.t.Errorf("seed %d: %s: %v", w.seed, run, err)
		}
		if seq := w.acknowledged[run]; lastSeq(rs) < seq {
			w.t.Errorf("seed %d: record %d of %s was acknowledged; there are %d", w.seed, seq, run, lastSeq(rs))
		}
		all.WriteString(lines(rs))
	}
	w.history = all.String()
}

// knot is a flow with everything that takes time.
func knot() *engine.Flow {
	f := &engine.Flow{Format: engine.FlowFormat, ID: "knot", Name: contract.Text{En: "knot"}}
	node := func(id string, typ engine.NodeType) { f.Nodes = append(f.Nodes, engine.Node{ID: id, Type: typ}) }
	node("start", engine.TypeStart)
	f.Nodes = append(f.Nodes, task("a"), task("b"))
	node("fork", engine.TypeParallel)
	f.Nodes = append(f.Nodes, task("timer"), task("poll"), task("c"))
	node("join", engine.TypeJoin)
	f.Nodes = append(f.Nodes, task("human"), task("again"))
	f.Nodes[len(f.Nodes)-1].Retry = &engine.RetryPolicy{Max: 2, DelayMS: 3}
	node("end", engine.TypeEnd)
	for _, e := range [][2]string{
		{"start", "a"},
		{"a", "b"},
		{"b", "fork"},
		{"fork", "timer"},
		{"fork", "poll"},
		{"fork", "c"},
		{"timer", "join"},
		{"poll", "join"},
		{"c", "join"},
		{"join", "human"},
		{"human", "again"},
		{"again", "end"},
	} {
		f.Edges = append(f.Edges, edge(e[0], e[1]))
	}
	return f
}

// player is the executor of a seed: what a call answers, and when, depends on what it is.
type player struct{ w *tangle }

// Execute implements runner.Executor.
func (p player) Execute(ctx context.Context, run runner.RunInfo, d engine.Dispatch, _ func(engine.Note)) engine.Result {
	w := p.w
	rs, err := w.disk.Records(context.Background(), run.ID, 0, 0)
	if err != nil && !run.Ahead {
		w.t.Errorf("seed %d: %s of %s is called before anything of the run is durable", w.seed, d.Node, run.ID)
	}
	for _, r := range rs {
		c, ok := r.Data.(engine.NodeChanged)
		if ok && r.Node == d.Node && c.To == engine.NodeSucceeded && c.Epoch >= d.Epoch {
			w.t.Errorf("seed %d: %s of %s is called again after its end was durable", w.seed, d.Node, run.ID)
		}
	}
	name := []any{run.ID, d.Node, d.Iteration, d.Attempt, d.Call, d.Epoch, d.Recovered}
	select {
	case <-time.After(time.Duration(1 + w.draw(3_000_000, name, "takes"))):
	case <-ctx.Done(): // several calls may be cut off at once, and each takes its time to end
		<-time.After(time.Duration(1 + w.draw(50_000, name, "ends")))
	}
	r := engine.Result{Node: d.Node, Epoch: d.Epoch, Digest: "sha256:1", Answer: done()}
	switch luck := w.draw(100, name, "answers"); {
	case d.Node == "timer" && d.Reason == contract.ReasonExecute:
		r.Answer = waiting(contract.Wait{Kind: contract.WaitTimer, AfterMS: 1 + int64(luck)})
	case d.Node == "poll" && luck < 70:
		r.Answer = waiting(contract.Wait{Kind: contract.WaitPoll, AfterMS: 1 + int64(luck)})
	case d.Node == "human" && d.Reason == contract.ReasonExecute:
		r.Answer = waiting(contract.Wait{Kind: contract.WaitHuman})
	case luck < 15:
		r.Answer = failed("LUCK")
	case luck < 20 && !p.Pure(run, d):
		r.Answer, r.Unknown = contract.Answer{}, &contract.Failure{Code: "DOUBT", Message: "doubt", Origin: contract.OriginGateway}
	}
	return r
}

// Pure implements runner.Executor.
func (player) Pure(_ runner.RunInfo, d engine.Dispatch) bool { return d.Node == "a" || d.Node == "c" }

// Cancel implements runner.Executor.
func (player) Cancel(context.Context, runner.RunInfo, engine.Dispatch) {}

// shaky is a disk that is slow, full at times, and breaks at times: then a commit is there
// or not, and nobody is told.
type shaky struct {
	unclosed
	w    *tangle
	dead *atomic.Bool
}

// Commit implements runner.Store.
func (s shaky) Commit(ctx context.Context, bs []runner.Batch) error {
	if s.dead.Load() {
		return runner.ErrStoreFailed
	}
	n := s.w.commit.Add(1)
	<-time.After(time.Duration(1 + s.w.draw(400_000, n, "takes")))
	luck := s.w.draw(1000, n, "commits")
	if s.w.calm.Load() {
		luck = 999
	}
	switch {
	case s.dead.Load() && luck%2 == 0: // it died meanwhile
		return runner.ErrStoreFailed
	case luck < 10:
		s.w.faults.Add(1)
		return runner.ErrStoreFull
	case luck < 20:
		s.w.faults.Add(1)
		return runner.ErrStoreBusy
	case luck < 30:
		s.w.faults.Add(1)
		return errors.Join(runner.ErrStoreFailed, s.unclosed.Commit(ctx, bs))
	case luck < 40:
		s.w.faults.Add(1)
		return runner.ErrStoreFailed
	}
	return s.unclosed.Commit(ctx, bs)
}

// bent is virtual time, set forward and back at will.
type bent struct{ bend atomic.Int64 }

// Now implements runner.Clock.
func (b *bent) Now() time.Time { return time.Now().Add(time.Duration(b.bend.Load())) }

// After implements runner.Clock.
func (*bent) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}
