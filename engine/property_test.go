package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/culmhq/culm/pdk/contract"
)

// dice turns bytes into choices; behind the end of the bytes every choice is the first.
type dice struct{ data []byte }

func (d *dice) roll(n int) int {
	if len(d.data) == 0 || n <= 1 {
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return int(b) % n
}

func (d *dice) left() bool { return len(d.data) > 0 }

// author draws random well-formed flows.
type author struct {
	d     *dice
	f     *Flow
	count int
	flows []string // that subflow nodes may name
}

func (a *author) node(t NodeType) string {
	a.count++
	n := Node{ID: fmt.Sprintf("n%d", a.count), Type: t}
	if t == TypeTask {
		n.Plugin, n.Action = "test", []string{"any", "undo"}[a.d.roll(2)]
		n.Outputs = map[string]string{"x": "x"}
		a.options(&n)
		if a.d.roll(3) == 1 {
			n.Inputs = map[string]json.RawMessage{"v": json.RawMessage(`"${x} and ${nodes.n2.outputs.x}"`)}
		}
	}
	if t == TypeSubflow {
		n.Flow = a.flows[a.d.roll(len(a.flows))]
		n.Outputs = map[string]string{"x": "x"}
		if a.d.roll(3) == 1 {
			n.Mode = SubflowIndependent
			a.options(&n)
			n.Repeat = nil
		} else if a.d.roll(4) == 1 {
			n.MaxReruns = 1 + a.d.roll(3)
		}
		if a.d.roll(2) == 1 {
			n.Inputs = map[string]json.RawMessage{"k": json.RawMessage(`"${100 / (x - 7)}"`)}
		}
	}
	if t == TypeExclusive && a.d.roll(2) == 1 {
		n.Strategy = StrategyFirst
	}
	a.f.Nodes = append(a.f.Nodes, n)
	return n.ID
}

func (a *author) edge(from, to, condition string, byDefault bool) {
	a.f.Edges = append(a.f.Edges, Edge{ID: fmt.Sprintf("e%d", len(a.f.Edges)), From: from, To: to, Condition: condition, Default: byDefault})
}

// sequence draws up to n blocks behind a node and returns the last node.
func (a *author) sequence(last string, n, depth int) string {
	for range n {
		switch kind := a.d.roll(8); {
		case kind < 3 || depth == 0 || a.count > 40:
			id := a.node(TypeTask)
			a.edge(last, id, "", false)
			last = id
		case kind == 3:
			last = a.parallel(last, depth)
		case kind == 4:
			last = a.exclusive(last, depth)
		case kind == 6:
			last = a.inclusive(last, depth)
		case kind == 7 && len(a.flows) > 0:
			id := a.node(TypeSubflow)
			a.edge(last, id, "", false)
			last = id
		default:
			last = a.loop(last, depth)
		}
	}
	return last
}

func (a *author) parallel(last string, depth int) string {
	p, j := a.node(TypeParallel), a.node(TypeJoin)
	a.edge(last, p, "", false)
	for i := range 2 + a.d.roll(3) {
		n := a.d.roll(3)
		if i == 0 {
			n++ // at most one branch leads straight to the join
		} else if n == 0 && i > 1 {
			n = 1
		}
		a.edge(a.sequence(p, n, depth-1), j, "", false)
	}
	return j
}

func (a *author) exclusive(last string, depth int) string {
	g, j := a.node(TypeExclusive), a.node(TypeJoin)
	a.edge(last, g, "", false)
	for i := range 2 + a.d.roll(2) {
		first := a.node(TypeTask)
		a.edge(g, first, fmt.Sprintf("x %% 3 == %d", i), false)
		a.edge(a.sequence(first, a.d.roll(2), depth-1), j, "", false)
	}
	if a.d.roll(2) == 1 {
		other := a.node(TypeTask)
		a.edge(g, other, "", true)
		a.edge(other, j, "", false)
	}
	return j
}

func (a *author) inclusive(last string, depth int) string {
	g, j := a.node(TypeInclusive), a.node(TypeJoin)
	a.edge(last, g, "", false)
	for i := range 2 + a.d.roll(2) {
		n := a.d.roll(3)
		if n == 0 && i > 0 {
			n = 1
		}
		from := len(a.f.Edges)
		a.edge(a.sequence(g, n, depth-1), j, "", false)
		a.f.Edges[from].Condition = fmt.Sprintf("x %% %d == 1", i+2)
	}
	if a.d.roll(2) == 1 {
		other := a.node(TypeTask)
		a.edge(g, other, "", true)
		a.edge(other, j, "", false)
	}
	return j
}

func (a *author) loop(last string, depth int) string {
	first := a.node(TypeTask)
	a.edge(last, first, "", false)
	g := a.node(TypeExclusive)
	a.edge(a.sequence(first, a.d.roll(2), depth-1), g, "", false)
	out := a.node(TypeTask)
	a.edge(g, first, "x > 200", false)
	a.edge(g, out, "", true)
	return out
}

type openCatalogue struct{}

func (openCatalogue) Action(_, action string) (contract.Action, bool) {
	return contract.Action{Rollback: action == "undo", Inputs: json.RawMessage(`{"type":"object"}`), Outputs: json.RawMessage(`{"type":"object"}`)}, true
}

func drawFlow(t testing.TB, d *dice) *Graph {
	t.Helper()
	subflows := map[string]*Flow{}
	var flows []string
	for i := d.roll(4) - 1; i >= 0; i-- { // the later ones may contain those before
		id := fmt.Sprintf("c%d", i)
		subflows[id] = drawDocument(d, flows, 1)
		flows = append(flows, id)
	}
	f := drawDocument(d, flows, 3)
	f.Subflows = subflows
	if d.roll(4) == 3 {
		f.OnFailure = FailureFail
	}
	if d.roll(8) == 7 {
		f.TimeoutMS = int64(20_000 + d.roll(100)*1000)
	}
	g, problems := Compile(f, openCatalogue{})
	if g == nil {
		t.Fatalf("a well-formed flow is refused: %v\n%s", problems, Canonical(f))
	}
	return g
}

func drawDocument(d *dice, flows []string, depth int) *Flow {
	integer := json.RawMessage(`{"type":"integer"}`)
	f := &Flow{Format: FlowFormat, Name: contract.T("random"), Variables: []Variable{
		{Name: "x", Source: SourceNode, Schema: integer, Value: json.RawMessage(`1`), Output: true},
		{Name: "k", Source: SourceInput, Schema: integer, Value: json.RawMessage(`2`)},
		{Name: "c", Source: SourceConstant, Schema: integer, Value: json.RawMessage(`"${k * 2}"`), Output: d.roll(3) == 2},
		{Name: "gathered", Source: SourceNode, Schema: json.RawMessage(`{"type":"array"}`)},
	}}
	a := &author{d: d, f: f, flows: flows}
	start := a.node(TypeStart)
	last := a.sequence(start, 1+d.roll(4), depth)
	end := a.node(TypeEnd)
	if last == start || len(f.Nodes) < 3 {
		last = a.node(TypeTask)
		a.edge(start, last, "", false)
	}
	a.edge(last, end, "", false)
	// nodes.n2 is named by inputs whatever it is: only tasks can be.
	if f.Nodes[1].Type != TypeTask {
		for i := range f.Nodes {
			if f.Nodes[i].Type == TypeTask {
				f.Nodes[i].Inputs = nil
			}
		}
	}
	return f
}

// drive runs a random flow with random events and judges every step: the history is
// sound, a refusal changes nothing, and what was recorded gives the same state.
func drive(t testing.TB, data []byte) []Record {
	t.Helper()
	return driveJudging(t, data, 1)
}

// driveJudging is drive that judges the history at every so many steps, for it takes the
// longer the longer the history is.
func driveJudging(t testing.TB, data []byte, every int) []Record {
	t.Helper()
	d := &dice{data: data}
	g := drawFlow(t, d)
	m := Meta{At: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), Actor: Actor{ID: "alice"}}
	o := StartOptions{Run: "r", Name: "n", Project: "p", Flow: "f", Version: 1}
	if at := g.nodes[d.roll(len(g.nodes))].id; d.roll(4) == 3 && CanStartAt(g, at) == nil {
		o.StartAt = at
	}
	s, rs, cmds, err := Start(g, m, o)
	if err != nil {
		t.Fatal(err)
	}
	w := newDriver()
	w.perform(cmds)
	judge(t, g, s, rs)
	w.judge(t, g, s)
	for i := 0; d.left() && i < 300; i++ {
		var e Event
		if m.At, e = w.later(m.At, d); e == nil {
			e = drawEvent(g, s, d)
		}
		m.CommandID, m.ExpectedSeq = "", 0
		if d.roll(8) == 7 {
			m.CommandID = fmt.Sprintf("c%d", d.roll(4))
		}
		if d.roll(16) == 15 {
			m.ExpectedSeq = uint64(d.roll(40))
		}
		before := compactState(s)
		more, cmds, err := Step(g, s, m, e)
		if err != nil {
			var refusal *Error
			if !errors.As(err, &refusal) || len(more) > 0 || compactState(s) != before {
				t.Fatalf("%T: refused with %v, %d records", e, err, len(more))
			}
			continue
		}
		rs = append(rs, more...)
		if i%every == 0 {
			judge(t, g, s, rs)
		}
		if r, ok := e.(Result); ok && w.calls[r.Node] == r.Epoch {
			delete(w.calls, r.Node)
		}
		if c, ok := e.(ChildEnded); ok {
			w.childGone(c)
		}
		if f, ok := e.(TimerFired); ok {
			w.fired(f)
		}
		w.perform(cmds)
		w.judge(t, g, s)
	}
	w.drain(t, g, s, m, rs)
	return rs
}

// driver is what a runner without crashes would have under way: the calls that have
// not ended and the timers that are set.
type driver struct {
	calls  map[string]uint64
	timers map[string]SetTimer
	// children are the runs below that have not ended, by node.
	children map[string]childRun
}

func newDriver() *driver {
	return &driver{calls: map[string]uint64{}, timers: map[string]SetTimer{}, children: map[string]childRun{}}
}

func (w *driver) perform(cmds []Command) {
	for _, c := range cmds {
		switch c := c.(type) {
		case Dispatch:
			w.calls[c.Node] = c.Epoch
		case Cancel:
			delete(w.calls, c.Node)
		case SetTimer:
			w.timers[c.Node] = c
		case ClearTimer:
			delete(w.timers, c.Node)
		case StartChild, ControlChild:
			w.child(c)
		case Finish:
		}
	}
}

// judge compares what is under way with what a runner would take up after a crash:
// nothing is lost, nothing is left over.
func (w *driver) judge(t testing.TB, g *Graph, s *State) {
	t.Helper()
	other := newDriver()
	for _, c := range Outstanding(g, s) {
		if d, ok := c.(Dispatch); ok && !d.Recovered {
			t.Fatalf("%s is dispatched again as if for the first time", d.Node)
		}
		if c, ok := c.(StartChild); ok && !c.Recovered {
			t.Fatalf("%s is started again as if for the first time", c.Run)
		}
		other.perform([]Command{c})
	}
	if !reflect.DeepEqual(w, other) {
		t.Fatalf("under way: %v\nafter a crash: %v", w, other)
	}
}

func compactState(s *State) string { return string(mustJSON(s.View())) }

// judge checks the history and compares the state with one made from the bytes of the
// records.
func judge(t testing.TB, g *Graph, s *State, rs []Record) {
	t.Helper()
	if err := CheckHistory(g, rs); err != nil {
		t.Fatalf("%v\n%s\n%s", err, Canonical(g.flow), dump(rs))
	}
	read := make([]Record, len(rs))
	for i := range rs {
		var err error
		if read[i], err = DecodeRecord(AppendRecord(nil, rs[i])); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Replay(g, read)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again, s) {
		t.Fatalf("replay gives another state:\n%s\n%s\n%s", compactState(s), compactState(again), dump(rs))
	}
}

func dump(rs []Record) string {
	var b []byte
	for _, r := range rs {
		b = append(AppendRecord(b, r), '\n')
	}
	return string(b)
}

func drawEvent(g *Graph, s *State, d *dice) Event {
	nodes := s.busyNodes()
	if s.rollback != nil {
		for _, st := range s.rollback.steps {
			if s.at(st.node).state == NodeRollbackFailed {
				nodes = append(nodes, st.node)
			}
		}
	}
	i := int32(d.roll(len(g.nodes)))
	if len(nodes) > 0 && d.roll(8) != 7 {
		i = nodes[d.roll(len(nodes))]
	}
	id, epoch := g.nodes[i].id, s.at(i).epoch
	if d.roll(12) == 11 {
		epoch -= uint64(d.roll(3)) // may wrap: any number can come
	}
	if d.roll(5) == 4 || s.nodes[i].waitsForRun() && d.roll(2) == 1 {
		return drawScopeEvent(g, s, i, epoch, d)
	}
	switch d.roll(18) {
	case 0, 1, 2, 3, 4:
		return drawResult(id, epoch, d)
	case 16, 17:
		if e, ok := drawRollback(g, s, d); ok {
			return e
		}
	case 5:
		return Retry{Node: id, Inputs: drawInputs(d), Part: drawPart(d)}
	case 6:
		return Skip{Node: id, Edges: drawEdges(g, i, d), Part: drawPart(d)}
	case 7:
		return ForceFail{Node: id, Reason: "because"}
	case 8:
		return TimerFired{Node: id, Epoch: epoch}
	case 9:
		return Callback{Node: id, Attempt: d.roll(3), Iteration: d.roll(2), Data: json.RawMessage(`{"yes": true}`)}
	case 10:
		return Pause{}
	case 11, 12:
		return Resume{}
	case 13:
		return Note{Node: id, Epoch: epoch, Log: []contract.LogLine{{Text: "line\xff", Level: contract.LevelInfo}}, Progress: &Progress{Percent: 400}}
	case 14:
		return Resolve{Node: id, As: []Resolution{ResolveDone, ResolveRetry, ResolveFail, "maybe"}[d.roll(4)]}
	}
	if e, ok := drawRollback(g, s, d); ok && d.roll(3) == 2 {
		return e
	}
	return drawOther(s, id, epoch, d)
}

// drawRollback draws one that is not refused for its nodes, mostly, when there is one.
func drawRollback(g *Graph, s *State, d *dice) (Event, bool) {
	e := Rollback{Mode: []RollbackMode{RollbackCompensate, RollbackAny}[d.roll(2)]}
	if d.roll(8) == 7 {
		e.From, e.To = g.nodes[d.roll(len(g.nodes))].id, g.nodes[d.roll(len(g.nodes))].id
		return e, true
	}
	var all []Rollback
	for from := range g.nodes {
		for to := range g.nodes {
			e.From, e.To = g.nodes[from].id, g.nodes[to].id
			if _, err := RollbackPlan(g, s, e); err == nil {
				all = append(all, e)
			}
		}
	}
	if len(all) == 0 {
		return nil, false
	}
	return all[d.roll(len(all))], true
}

func drawResult(id string, epoch uint64, d *dice) Event {
	r := Result{Node: id, Epoch: epoch, Digest: "sha256:x"}
	switch d.roll(12) {
	case 0, 1, 2, 3:
		r.Answer = contract.Answer{Status: contract.StatusSucceeded, Outputs: json.RawMessage(fmt.Sprintf(`{"x": %d}`, d.roll(256)))}
	case 4:
		r.Answer = contract.Answer{Status: contract.StatusSucceeded}
	case 5:
		r.Answer = contract.Answer{Status: contract.StatusFailed, Outputs: json.RawMessage(`{"x":"not a number"}`), Failure: &contract.Failure{Code: "X", Message: "m\xff", Detail: json.RawMessage(`{ }`)}}
	case 6:
		r.Answer = contract.Answer{Status: contract.StatusFailed}
	case 7:
		at := time.Date(2026, 1, 2, 3, 5, 0, 0, time.FixedZone("x", 3600))
		r.Answer = contract.Answer{Status: contract.StatusWaiting, Wait: &contract.Wait{Kind: contract.WaitTimer, At: &at}, State: json.RawMessage(` {"k" : [1] } `)}
	case 8:
		kind := []contract.WaitKind{contract.WaitPoll, contract.WaitCallback, contract.WaitHuman, "moon"}[d.roll(4)]
		r.Answer = contract.Answer{Status: contract.StatusWaiting, Wait: &contract.Wait{Kind: kind, AfterMS: int64(d.roll(3) * 1000), Prompt: contract.Text{En: "ok?"}, Schema: json.RawMessage(`{"type": "object"}`)}}
	case 9:
		r.Unknown = &contract.Failure{Code: "OPEN_INTENT", Message: "?"}
	case 10:
		r.Answer = contract.Answer{Status: "maybe", Outputs: json.RawMessage(`[`)}
	default:
		r.Answer = contract.Answer{Status: contract.StatusSucceeded, Outputs: json.RawMessage(`{"x":[1,2`)}
		r.Log = []contract.LogLine{{At: time.Date(99999, 1, 1, 0, 0, 0, 0, time.UTC), Text: "far"}}
	}
	return r
}

func drawInputs(d *dice) map[string]json.RawMessage {
	switch d.roll(4) {
	case 1:
		return map[string]json.RawMessage{"v": json.RawMessage(`"${x + 1}"`)}
	case 2:
		return map[string]json.RawMessage{"v": json.RawMessage(`"${"`)}
	case 3:
		return map[string]json.RawMessage{"w": json.RawMessage(`{"deep": [1, "${1/0}"]}`)}
	}
	return nil
}

func drawEdges(g *Graph, i int32, d *dice) []string {
	out := g.nodes[i].out
	if typ := g.nodes[i].typ; typ != TypeExclusive && typ != TypeInclusive || len(out) == 0 || d.roll(5) == 4 {
		return nil
	}
	edges := []string{g.edges[out[d.roll(len(out))]].id}
	if d.roll(2) == 1 {
		edges = append(edges, g.edges[out[d.roll(len(out))]].id)
	}
	return edges
}

// TestRandomRuns is the property: whatever happens to whatever flow, the history is
// sound and replays to the same state.
func TestRandomRuns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		drive(fatal{t, rt}, rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(rt, "data"))
	})
}

// fatal reports to rapid, which shrinks what fails.
type fatal struct {
	testing.TB
	rt *rapid.T
}

func (f fatal) Fatal(args ...any)                 { f.rt.Fatal(args...) }
func (f fatal) Fatalf(format string, args ...any) { f.rt.Fatalf(format, args...) }
func (f fatal) Helper()                           {}

// FuzzStep is the property for go test -fuzz.
func FuzzStep(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 3, 3, 1, 0, 4, 1, 5, 2, 0, 0, 0, 7, 9, 200, 13, 40, 3, 8, 8, 8, 1, 0, 2})
	f.Add([]byte("a parallel block in a loop, some failures, a pause and a retry or two"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 600 {
			return
		}
		drive(t, data)
	})
}
