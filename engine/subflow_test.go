package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// subflows is start, n subflow nodes in a row that run the flow of this id, end.
func subflows(n int, of string, mode engine.SubflowMode) *engine.Flow {
	f := serialFlow(n)
	for i := range f.Nodes {
		if nd := &f.Nodes[i]; nd.Type == engine.TypeTask {
			*nd = engine.Node{ID: nd.ID, Type: engine.TypeSubflow, Flow: of, Mode: mode}
		}
	}
	return f
}

// TestLargeSubflows: a flow is compiled once however many nodes name it, and a tree that
// would grow beyond the limits is refused before it does.
func TestLargeSubflows(t *testing.T) {
	t.Parallel()
	f := subflows(108, "child", engine.SubflowInline)
	f.Subflows = map[string]*engine.Flow{"child": serialFlow(89)}
	g := mustCompile(t, f)
	if tasks, _ := runToEnd(t, g); tasks != 108*89 {
		t.Errorf("%d tasks ran", tasks)
	}

	f = subflows(12, "d1", engine.SubflowInline)
	f.Subflows = map[string]*engine.Flow{"d9": serialFlow(12)}
	for i := 1; i < 9; i++ { // 12^10 tasks
		f.Subflows[fmt.Sprintf("d%d", i)] = subflows(12, fmt.Sprintf("d%d", i+1), engine.SubflowInline)
	}
	g, problems := engine.Compile(f, catalogue{})
	if g != nil || !slices.ContainsFunc(problems, func(p engine.Problem) bool { return strings.Contains(p.Message, "at most 10000") }) {
		t.Errorf("a flow of 12^10 tasks: %v", problems)
	}
	f.Subflows = map[string]*engine.Flow{}
	for i := range engine.MaxSubflows + 1 {
		f.Subflows[fmt.Sprintf("d%d", i)] = serialFlow(1)
	}
	if _, problems := engine.Compile(f, catalogue{}); len(problems) != 1 || problems[0].Code != engine.ProblemFlowTooLarge || problems[0].Args["what"] != "subflows" {
		t.Errorf("too many subflows: %v", problems)
	}
}

// TestChildDocument: the flow of a subflow node with the flows that it needs, and no
// others, is a document of its own.
func TestChildDocument(t *testing.T) {
	t.Parallel()
	f := subflows(1, "a", engine.SubflowIndependent)
	f.Subflows = map[string]*engine.Flow{
		"a": subflows(2, "b", engine.SubflowInline), "b": subflows(1, "c", engine.SubflowIndependent), "c": serialFlow(1), "other": serialFlow(1),
	}
	child, ok := engine.ChildDocument(f, "a")
	if !ok || len(child.Subflows) != 2 || child.Subflows["b"] == nil || child.Subflows["c"] == nil {
		t.Fatalf("the child has %v", child)
	}
	mustCompile(t, child)
	if leaf, ok := engine.ChildDocument(f, "c"); !ok || leaf.Subflows != nil {
		t.Errorf("c needs %v", leaf)
	}
	if _, ok := engine.ChildDocument(f, "nosuch"); ok {
		t.Error("a flow that is not there")
	}
	if len(f.Subflows) != 4 || f.Subflows["a"].Subflows != nil {
		t.Error("the parent was changed")
	}
}

// TestRunsNestToALimit: a run that has MaxDepth runs above starts none itself.
func TestRunsNestToALimit(t *testing.T) {
	t.Parallel()
	f := subflows(1, "a", engine.SubflowIndependent)
	f.Subflows = map[string]*engine.Flow{"a": serialFlow(1)}
	g := mustCompile(t, f)
	m := engine.Meta{At: time.Unix(1, 0), Actor: engine.Actor{ID: "local"}}
	for depth, want := range map[int]engine.NodeState{engine.MaxDepth - 1: engine.NodeWaiting, engine.MaxDepth: engine.NodeFailed} {
		s, _, cmds, err := engine.Start(g, m, engine.StartOptions{Run: "r", Parent: &engine.Parent{Run: "p", Node: "n", Depth: depth}})
		if err != nil {
			t.Fatal(err)
		}
		if n := s.View().Nodes["t0"]; n.State != want || want == engine.NodeFailed && n.Failure.Code != engine.FailDepth {
			t.Errorf("at depth %d the node is %s", depth, n.State)
		}
		for _, c := range cmds {
			if c, ok := c.(engine.StartChild); ok && (want != engine.NodeWaiting || c.Parent.Depth != engine.MaxDepth) {
				t.Errorf("at depth %d: %+v", depth, c)
			}
		}
		run, _, waits := s.Child("t0")
		if waits != (want == engine.NodeWaiting) || waits && run == "" {
			t.Errorf("at depth %d the node waits for %q", depth, run)
		}
	}
}

// scopeHistory is a history in which a subflow is entered twice, paused, and held, and a
// gateway forks some of its edges.
func scopeHistory(t *testing.T) (*engine.Graph, []engine.Record) {
	t.Helper()
	sc := newScenario(t)
	sc.play(`var n node {"schema":{"type":"integer"},"value":0}
node start start
node s subflow {"flow":"child","inputs":{"n":"${n}"},"outputs":{"n":"next"}}
node g exclusive
node c subflow {"flow":"other","mode":"independent"}
node d subflow {"flow":"other","mode":"independent"}
node end end
chain start s g
edge g s if n < 2
edge g c default
chain c d end
flow child
var n input {"schema":{"type":"integer"}}
var x node {}
var next computed {"schema":{"type":"integer"},"expression":"n + 1","output":true}
node start start
node i inclusive
node a task {"outputs":{"x":"x"}}
node b task
node e task
node j join
node end end
chain start i
edge i a if true
edge i b if n == 0
edge i e if n == 7
edge a j
edge b j
edge e j
chain j end
flow other
node start start
node a task
node end end
chain start a end
start
----

pause s.a
----

`)
	for _, line := range []string{
		`ok s.a {"x":"1"}`, "pause s", `ok s.b`, "resume s", "resume s.a", "pause g", "ok s.a", "resume g", "child c succeeded", "child d succeeded",
	} {
		sc.step(line)
	}
	sc.check()
	if v := sc.state.View(); v.State != engine.RunSucceeded {
		t.Fatalf("the run is %s: %+v", v.State, v.Nodes)
	}
	return sc.graph, sc.records
}

// TestCheckHistoryFindsLiesAboutScopes: changes of single fields, and of what happens
// when, that no rule of a subflow lets pass.
func TestCheckHistoryFindsLiesAboutScopes(t *testing.T) {
	t.Parallel()
	g, rs := scopeHistory(t)
	for name, bad := range map[string]func(r *engine.Record) bool{
		"a subflow without an inside": func(r *engine.Record) bool {
			if r.Kind != engine.KindScopeEntered {
				return false
			}
			r.Kind, r.Data = engine.KindNodeNote, engine.NodeNoted{Attempt: 1}
			return true
		},
		"a variable of another scope": change(func(_ *engine.Record, d *engine.ScopeEntered) bool {
			d.Variables = map[string]jsonRaw{"next2": jsonRaw("1")}
			return true
		}),
		"a value for another scope": change(func(_ *engine.Record, d *engine.VariableSet) bool {
			d.Scope = ""
			return d.Name == "x"
		}),
		"a token in the middle of a subflow": change(func(_ *engine.Record, d *engine.TokenMoved) bool {
			was := d.To
			d.To = "s.i"
			return was == "s.start"
		}),
		"an edge for which nobody decided": change(func(_ *engine.Record, d *engine.TokenMoved) bool {
			was := d.Edge
			d.Edge, d.To = "s.i_e", "s.e"
			return was == "s.i_b"
		}),
		"fewer edges than tokens": change(func(_ *engine.Record, d *engine.GatewayDecided) bool {
			d.Edges = d.Edges[:1]
			return true
		}),
		"more edges than tokens": change(func(_ *engine.Record, d *engine.GatewayDecided) bool {
			was := len(d.Edges)
			d.Edges = append(slices.Clone(d.Edges), "s.i_e")
			return was == 2
		}),
		"held twice": change(func(_ *engine.Record, d *engine.NodeHeld) bool {
			d.Held = !d.Held
			return true
		}),
		"the same run twice": change(func(r *engine.Record, d *engine.NodeChanged) bool {
			d.Child = childOf(rs, "c")
			return r.Node == "d" && d.To == engine.NodeWaiting
		}),
		"no run": change(func(_ *engine.Record, d *engine.NodeChanged) bool {
			was := d.Child
			d.Child = ""
			return was != ""
		}),
		"another wait": change(func(_ *engine.Record, d *engine.NodeChanged) bool {
			was := d.Child
			d.Wait, d.Child = &contract.Wait{Kind: contract.WaitTimer}, ""
			return was != ""
		}),
		"paused by nobody": change(func(_ *engine.Record, d *engine.NodeChanged) bool {
			d.By = ""
			return d.From == engine.NodeRunning && d.To == engine.NodeSuspended
		}),
		"resumed as if called": change(func(_ *engine.Record, d *engine.NodeChanged) bool {
			was := d.By
			d.By, d.Reason = "", contract.ReasonExecute
			return was == "resume"
		}),
		"a beginning elsewhere": change(func(_ *engine.Record, d *engine.RunStarted) bool {
			d.StartAt = "g"
			return true
		}),
	} {
		if err := engine.CheckHistory(g, lie(t, rs, bad)); err == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
}

// TestCheckHistoryFindsLossInScopes: a record that matters is missed, and one that comes
// twice is seen.
func TestCheckHistoryFindsLossInScopes(t *testing.T) {
	t.Parallel()
	g, rs := scopeHistory(t)
	for i, r := range rs {
		if r.Kind == engine.KindVariable || r.Kind == engine.KindNodeLate {
			continue
		}
		exclusive := r.Kind == engine.KindGatewayDecided && r.Node == "g" // the token says the same
		if err := engine.CheckHistory(g, renumber(slices.Delete(slices.Clone(rs), i, i+1))); err == nil && i < len(rs)-1 && !exclusive {
			t.Errorf("record %d (%s) was lost, nobody noticed", r.Seq, describe(r))
		}
		if err := engine.CheckHistory(g, renumber(slices.Insert(slices.Clone(rs), i, r))); err == nil && r.Kind != engine.KindGatewayDecided {
			t.Errorf("record %d (%s) comes twice, nobody noticed", r.Seq, describe(r))
		}
	}
}

// change makes a lie about the first record with a payload of one type that it concerns.
func change[P engine.Payload](f func(r *engine.Record, d *P) bool) func(r *engine.Record) bool {
	return func(r *engine.Record) bool {
		d, ok := r.Data.(P)
		if !ok || !f(r, &d) {
			return false
		}
		r.Data = d
		return true
	}
}

func lie(t *testing.T, rs []engine.Record, f func(r *engine.Record) bool) []engine.Record {
	t.Helper()
	out := slices.Clone(rs)
	for i := range out {
		if f(&out[i]) {
			return out
		}
	}
	t.Fatal("no such record")
	return nil
}

func childOf(rs []engine.Record, node string) string {
	for _, r := range rs {
		if d, ok := r.Data.(engine.NodeChanged); ok && r.Node == node && d.Child != "" {
			return d.Child
		}
	}
	return ""
}
