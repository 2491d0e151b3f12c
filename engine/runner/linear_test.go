package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/pdk/contract"
)

// Eight operators give a thousand commands each, several at the same runs, with what they
// have seen last or without, and some of them twice under one id. There is an order of
// all commands and reads, which agrees with the time, in which each answer is right: of
// two who have seen the same, one wins, and the other is told where the run is now.
func TestCommandsOfManyOperatorsAreLinearizable(t *testing.T) {
	t.Parallel()
	const clients, commands = 8, 1000
	const each = 14 // a client's operations on one run
	s := newStage(t, stores()["sqlite"](t))
	s.exec.on("ask", askOnce)
	s.exec.on("bad", failTwice)
	h := &linear{s: s, began: time.Now()}
	f := contested()
	request := s.request("", f) // compiled once
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(c), 11))
			for i := 0; i < commands; {
				run := fmt.Sprintf("r%d", i/each) // everybody comes to the same runs
				h.start(request, run)
				for range min(each, commands-i) {
					h.operate(c, run, rng)
					i++
				}
			}
		})
	}
	wg.Wait()
	h.judge(t)
}

// The judge of the test above finds what must not be: two winners, a refusal that tells of
// the past, a command that has two effects, and a read of what was replaced.
func TestTheModelOfCommandsRefusesWrongAnswers(t *testing.T) {
	t.Parallel()
	type do struct {
		q asked
		a answered
	}
	pause := func(id string, expected, seq uint64) do {
		return do{asked{run: "r", what: "pause", id: id, expected: expected}, answered{seq: seq}}
	}
	view := func(seq uint64, s engine.RunState, value string) do {
		return do{asked{run: "r", what: "view"}, answered{seq: seq, state: s, value: value}}
	}
	for name, tc := range map[string]struct {
		ops  []do
		want bool
	}{
		"one wins":       {[]do{pause("a", 3, 4), {asked{run: "r", what: "pause", id: "b", expected: 3}, answered{code: engine.CodeConflict, seq: 4}}}, true},
		"two win":        {[]do{pause("a", 3, 4), pause("b", 3, 5)}, false},
		"an old state":   {[]do{pause("a", 3, 4), {asked{run: "r", what: "pause", id: "b", expected: 3}, answered{code: engine.CodeConflict, seq: 3}}}, false},
		"the same again": {[]do{pause("a", 3, 4), pause("a", 3, 4)}, true},
		"a second time":  {[]do{pause("a", 3, 4), pause("b", 0, 5)}, false},
		"a read":         {[]do{pause("a", 3, 4), view(4, engine.RunSuspended, `"0"`)}, true},
		"an old read":    {[]do{pause("a", 3, 4), view(4, engine.RunRunning, `"0"`)}, false},
		"a wrong value":  {[]do{view(4, engine.RunRunning, `"7"`)}, false},
	} {
		var ops []porcupine.Operation
		for i, o := range tc.ops {
			ops = append(ops, porcupine.Operation{ClientId: i, Input: o.q, Output: o.a, Call: int64(2 * i), Return: int64(2*i + 1)})
		}
		if got := porcupine.CheckOperations(oneRun(), ops); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// contested is a flow that fails, asks and counts side by side.
func contested() *engine.Flow {
	f := wide("ask", "bad", "more")
	f.Variables = []engine.Variable{{Name: "x", Source: engine.SourceInput, Value: json.RawMessage(`"0"`)}}
	return f
}

func askOnce(_ context.Context, d engine.Dispatch, _ func(engine.Note)) contract.Answer {
	if d.Reason == contract.ReasonExecute {
		return waiting(contract.Wait{Kind: contract.WaitHuman, Prompt: contract.T("go on?")})
	}
	return done()
}

func failTwice(_ context.Context, d engine.Dispatch, _ func(engine.Note)) contract.Answer {
	if d.Attempt < 3 {
		return failed("UNLUCKY")
	}
	return done()
}

// asked is one operation, seen its answer.
type asked struct {
	run, what, id, value string
	expected             uint64
}

type answered struct {
	code  engine.Code
	seq   uint64
	state engine.RunState
	value string
}

// linear records operations as porcupine wants them.
type linear struct {
	s     *stage
	began time.Time

	mu      sync.Mutex
	n       int
	ops     []porcupine.Operation
	seen    map[string]uint64 // the last record anybody was told of, by run
	given   map[string][]given
	started map[string]bool
}

// given is a command, so that somebody else can give it too.
type given struct {
	q asked
	e engine.Event
}

// start starts a run, once.
func (h *linear) start(q runner.StartRequest, run string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.started[run] {
		return
	}
	if h.started == nil {
		h.started, h.seen, h.given = map[string]bool{}, map[string]uint64{}, map[string][]given{}
	}
	h.started[run] = true
	q.Options.Run, q.Options.Name = run, run
	v, err := h.s.runner.StartRun(h.s.t.Context(), q)
	if err != nil {
		h.s.t.Errorf("start: %v", err)
	}
	h.seen[run] = v.Seq
}

// operate makes one operation on a run.
func (h *linear) operate(client int, run string, rng *rand.Rand) {
	q, e := h.choose(run, rng)
	call := time.Since(h.began)
	a := h.ask(q, e)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{
		ClientId: client, Input: q, Output: a, Call: int64(call), Return: int64(time.Since(h.began)),
	})
	h.seen[run] = max(h.seen[run], a.seq)
}

func (h *linear) choose(run string, rng *rand.Rand) (asked, engine.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.n++
	q := asked{run: run, id: fmt.Sprintf("c%d", h.n), value: fmt.Sprintf(`"%d"`, h.n)}
	if old := h.given[run]; len(old) > 0 && rng.IntN(10) == 0 {
		g := old[rng.IntN(len(old))]
		return g.q, g.e
	}
	if rng.IntN(2) == 0 {
		q.expected = h.seen[run]
	}
	var e engine.Event
	switch n := rng.IntN(100); {
	case n < 20:
		q.what, q.id = "view", ""
		return q, nil
	case n < 36:
		q.what, e = "pause", engine.Pause{}
	case n < 54:
		q.what, e = "resume", engine.Resume{}
	case n < 74:
		q.what, e = "set", engine.SetVariables{Values: map[string]json.RawMessage{"x": json.RawMessage(q.value)}}
	case n < 80:
		q.what, e = "retry", engine.Retry{Node: "bad"}
	case n < 85:
		q.what, e = "skip", engine.Skip{Node: "bad"}
	case n < 86:
		q.what, e = "callback", engine.Callback{Node: "ask", Data: json.RawMessage(`{}`)}
	case n < 92:
		q.what, e = "hold", engine.Pause{Node: "join"}
	case n < 99:
		q.what, e = "release", engine.Resume{Node: "join"}
	default:
		q.what, e = "revoke", engine.Revoke{}
	}
	h.given[run] = append(h.given[run], given{q, e})
	return q, e
}

func (h *linear) ask(q asked, e engine.Event) answered {
	if e == nil {
		v, err := h.s.runner.View(h.s.t.Context(), q.run)
		if err != nil {
			h.s.t.Errorf("view: %v", err)
		}
		return answered{seq: v.Seq, state: v.State, value: string(v.Variables["x"])}
	}
	m := by("li")
	m.CommandID, m.ExpectedSeq = q.id, q.expected
	seq, err := h.s.runner.Command(h.s.t.Context(), "p", q.run, m, e)
	var refusal *engine.Error
	switch {
	case err == nil:
		return answered{seq: seq}
	case errors.As(err, &refusal):
		return answered{code: refusal.Code, seq: refusal.Seq}
	default:
		h.s.t.Errorf("%s: %v", q.what, err)
		return answered{}
	}
}

// judge looks for the order.
func (h *linear) judge(t *testing.T) {
	t.Helper()
	codes := map[string]int{}
	for _, op := range h.ops {
		codes[op.Input.(asked).what+" "+string(op.Output.(answered).code)]++
	}
	t.Logf("%d operations on %d runs in %v: %v", len(h.ops), len(h.started), time.Since(h.began).Round(time.Millisecond), codes)
	began := time.Now()
	result, info := porcupine.CheckOperationsVerbose(oneRun(), h.ops, time.Minute)
	t.Logf("checked in %v: %s", time.Since(began).Round(time.Millisecond), result)
	if result == porcupine.Ok {
		return
	}
	file := t.ArtifactDir() + "/linearizability.html"
	t.Fatalf("no order explains the answers (%s): %s, %v", result, file, porcupine.VisualizePath(oneRun(), info, file))
}

// known is what the model knows of a run. The run's own work also makes records: the
// sequence number is at least seq.
type known struct {
	seq   uint64
	state string // live, suspended or ended
	value string
	ids   string // of the commands that were applied
}

// oneRun is the model: what a run's commands may answer, one after the other.
func oneRun() porcupine.Model {
	return porcupine.Model{
		Partition: func(ops []porcupine.Operation) [][]porcupine.Operation {
			byRun := map[string][]porcupine.Operation{}
			for _, op := range ops {
				run := op.Input.(asked).run
				byRun[run] = append(byRun[run], op)
			}
			var out [][]porcupine.Operation
			for _, ops := range byRun {
				out = append(out, ops)
			}
			return out
		},
		Init: func() any { return known{state: "live", value: `"0"`} },
		Step: func(state, input, output any) (bool, any) {
			return state.(known).step(input.(asked), output.(answered))
		},
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
		DescribeState:     func(s any) string { return fmt.Sprintf("%+v", s) },
	}
}

func (k known) step(q asked, a answered) (bool, known) {
	if a.seq < k.seq {
		return false, k // the past
	}
	next := k
	next.seq = a.seq
	if q.what == "view" {
		return next.sees(a), next
	}
	repeated := k.has(q.id)
	switch a.code {
	case "":
		if repeated {
			return true, next
		}
		next.ids += q.id + " "
		if q.expected != 0 && k.seq > q.expected || a.seq == k.seq {
			return false, k
		}
		return next.apply(q), next
	case engine.CodeConflict:
		return !repeated && q.expected != 0 && a.seq > q.expected, next
	case engine.CodeEnded:
		return !repeated && next.end(), next
	case engine.CodeWrongState, engine.CodeInvalid, engine.CodeUnknownNode:
		return !repeated && (q.expected == 0 || a.seq <= q.expected) && k.refuses(q), next
	}
	return false, k
}

func (k known) has(id string) bool { return slices.Contains(strings.Fields(k.ids), id) }

// sees checks a read. A run that is not suspended may have come to its end by itself.
func (k *known) sees(a answered) bool {
	switch {
	case a.value != k.value:
		return false
	case a.state.Ended():
		return k.end()
	case a.state == engine.RunSuspended:
		return k.state == "suspended"
	default:
		return k.state == "live"
	}
}

// end says whether the run can have ended, and notes that it has.
func (k *known) end() bool {
	if k.state == "suspended" {
		return false
	}
	k.state = "ended"
	return true
}

// apply is what a command does that was obeyed.
func (k *known) apply(q asked) bool {
	switch {
	case k.state == "ended":
		return false
	case q.what == "pause":
		was := k.state
		k.state = "suspended"
		return was == "live"
	case q.what == "resume":
		was := k.state
		k.state = "live"
		return was == "suspended"
	case q.what == "set":
		k.value = q.value
	case q.what == "revoke":
		k.state = "ended"
	}
	return true
}

// refuses says whether a command can be refused for the run's state. The others depend
// on nodes, which the model does not know.
func (k known) refuses(q asked) bool {
	switch q.what {
	case "pause":
		return k.state == "suspended"
	case "resume":
		return k.state == "live"
	case "set", "revoke":
		return false
	default:
		return true
	}
}
