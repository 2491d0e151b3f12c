package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// anyAction is a catalogue in which every action exists and takes everything.
type anyAction struct{}

func (anyAction) Action(string, string) (contract.Action, bool) {
	return contract.Action{Inputs: json.RawMessage(`{}`), Outputs: json.RawMessage(`{}`)}, true
}

func loopGraph(t *testing.T) *engine.Graph {
	t.Helper()
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	g, problems := engine.Compile(&engine.Flow{
		Format: engine.FlowFormat,
		Variables: []engine.Variable{
			{Name: "round", Source: engine.SourceComputed, Expression: "nodes.a.iterations", Schema: raw(`{"type":"integer"}`)},
		},
		Nodes: []engine.Node{
			{ID: "start", Type: engine.TypeStart},
			{ID: "a", Type: engine.TypeTask, Plugin: "p", Action: "x", Inputs: map[string]json.RawMessage{"n": raw(`"${round}"`), "m": raw(`1`)}},
			{ID: "g", Type: engine.TypeExclusive},
			{ID: "end", Type: engine.TypeEnd},
		},
		Edges: []engine.Edge{
			{ID: "e1", From: "start", To: "a"},
			{ID: "e2", From: "a", To: "g"},
			{ID: "e3", From: "g", To: "a", Condition: "round < 2"},
			{ID: "e4", From: "g", To: "end", Default: true},
		},
	}, anyAction{})
	if g == nil {
		t.Fatal(problems)
	}
	return g
}

// drive answers the one call that is asked for and returns the next one's inputs.
func drive(t *testing.T, g *engine.Graph, s *engine.State, d engine.Dispatch, status contract.Status) (*engine.Dispatch, string) {
	t.Helper()
	a := contract.Answer{Status: status}
	if status == contract.StatusFailed {
		a.Failure = &contract.Failure{Code: "NO", Message: "no"}
	}
	_, cmds, err := engine.Step(g, s, engine.Meta{}, engine.Result{Node: d.Node, Epoch: d.Epoch, Answer: a})
	if err != nil {
		t.Fatal(err)
	}
	return dispatched(cmds)
}

func dispatched(cmds []engine.Command) (*engine.Dispatch, string) {
	for _, c := range cmds {
		if d, ok := c.(engine.Dispatch); ok {
			return &d, string(d.Inputs)
		}
	}
	return nil, ""
}

func TestANodeSeesItsOwnIteration(t *testing.T) {
	t.Parallel()
	g := loopGraph(t)
	s, _, cmds, err := engine.Start(g, engine.Meta{}, engine.StartOptions{Run: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	d, inputs := dispatched(cmds)
	if inputs != `{"m":1,"n":1}` {
		t.Errorf("first iteration has %s", inputs)
	}
	if d, inputs = drive(t, g, s, *d, contract.StatusSucceeded); inputs != `{"m":1,"n":2}` {
		t.Errorf("second iteration has %s", inputs)
	}
	if d, _ = drive(t, g, s, *d, contract.StatusSucceeded); d != nil || s.View().State != engine.RunSucceeded {
		t.Errorf("the loop did not end: %v, %s", d, s.View().State)
	}
	if !g.Cyclic() {
		t.Error("the flow has a loop")
	}
}

// Only leaves out the drawn inputs, for this attempt and all that follow.
func TestARetryMayReplaceAllInputs(t *testing.T) {
	t.Parallel()
	g := loopGraph(t)
	s, records, cmds, err := engine.Start(g, engine.Meta{}, engine.StartOptions{Run: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	d, _ := dispatched(cmds)
	drive(t, g, s, *d, contract.StatusFailed)
	rs, cmds, err := engine.Step(g, s, engine.Meta{}, engine.Retry{Node: "a", Only: true})
	if err != nil {
		t.Fatal(err)
	}
	d, inputs := dispatched(cmds)
	if inputs != `{}` {
		t.Errorf("the retry has %s", inputs)
	}
	if c, ok := rs[0].Data.(engine.NodeChanged); !ok || !c.OnlyOverrides {
		t.Errorf("the record does not say so: %+v", rs[0])
	}
	drive(t, g, s, *d, contract.StatusFailed)
	if _, cmds, err = engine.Step(g, s, engine.Meta{}, engine.Retry{Node: "a", Inputs: map[string]json.RawMessage{"q": json.RawMessage(`2`)}}); err != nil {
		t.Fatal(err)
	}
	d, inputs = dispatched(cmds)
	if inputs != `{"q":2}` {
		t.Errorf("the second retry has %s", inputs)
	}
	if _, inputs = drive(t, g, s, *d, contract.StatusSucceeded); inputs != `{"q":2}` {
		t.Errorf("the next iteration has %s", inputs)
	}
	if len(records) == 0 {
		t.Error("no records")
	}
}
