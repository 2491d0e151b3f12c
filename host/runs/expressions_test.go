package runs_test

import (
	"encoding/json"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/runs"
)

// expressions evaluates expressions over the last run, with the variables of the document
// as they are edited now.
func (w *world) expressions(flow, variables string, items ...runs.ExpressionItem) runs.ExpressionValues {
	w.t.Helper()
	var vs []engine.Variable
	if err := json.Unmarshal([]byte(variables), &vs); err != nil {
		w.t.Fatal(err)
	}
	got, err := w.runs.Expressions(w.t.Context(), runs.ExpressionsRequest{
		Project: hosttest.Project, Flow: flow, Variables: vs, Items: items,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

const addVariables = `[
	{"name":"count","source":"input","schema":{"type":"integer"}},
	{"name":"total","source":"node","schema":{"type":"integer"}},
	{"name":"off","source":"constant","schema":{"type":"boolean"},"value":false},
	{"name":"twice","source":"computed","expression":"count * 2"},
	{"name":"a","source":"computed","expression":"b"},
	{"name":"b","source":"computed","expression":"a"},
	{"name":"token","source":"input","secret":true,"schema":{"type":"string"}}
]`

func TestExpressionsAreWorthWhatTheLastRunHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	flow := w.publish(hosttest.AddFlow)
	run := w.start(flow, `{"count":3}`)
	w.untilState(run.ID, engine.RunSucceeded)
	tests := []struct {
		name string
		item runs.ExpressionItem
		want string
		code expr.Code
	}{
		{"a variable", runs.ExpressionItem{Expression: "count + 1"}, "4", ""},
		{"an output, also one that is no variable", runs.ExpressionItem{Expression: "nodes.add.outputs.sum"}, "5", ""},
		{"a variable that the run does not know", runs.ExpressionItem{Expression: "twice"}, "6", ""},
		{"false is shown as false", runs.ExpressionItem{Value: json.RawMessage(`"${off}"`)}, "false", ""},
		{"a text with expressions", runs.ExpressionItem{Value: json.RawMessage(`{"say":"${count} of ${total}"}`)}, `{"say":"3 of 5"}`, ""},
		{"the run itself", runs.ExpressionItem{Expression: "run.id"}, `"` + run.ID + `"`, ""},
		{"an unknown name", runs.ExpressionItem{Expression: "cuont"}, "", expr.CodeUnknownName},
		{"a node that did not run", runs.ExpressionItem{Expression: "nodes.gone.outputs.sum"}, "", expr.CodeUnset},
		{"types that do not fit", runs.ExpressionItem{Expression: `count + "x"`}, "", expr.CodeType},
		{"variables that need each other", runs.ExpressionItem{Expression: "a"}, "", expr.CodeCost},
		{"a secret is not shown", runs.ExpressionItem{Value: json.RawMessage(`"${token}"`)}, "", expr.CodeSecret},
		{"a secret is not computed with", runs.ExpressionItem{Expression: "token"}, "", expr.CodeSecret},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := w.expressions(flow, addVariables, c.item)
			if got.Run == nil || got.Run.ID != run.ID || len(got.Items) != 1 {
				t.Fatalf("answer %+v", got)
			}
			item := got.Items[0]
			if string(item.Value) != c.want || (item.Error == nil) != (c.code == "") || (item.Error != nil && item.Error.Code != c.code) {
				t.Errorf("value %s, error %+v", item.Value, item.Error)
			}
		})
	}
}

func TestExpressionsOfAFlowThatNeverRanUseItsDefaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	flow := w.publish(hosttest.AddFlow)
	got := w.expressions(flow, `[{"name":"count","source":"input","schema":{"type":"integer"},"value":7}]`,
		runs.ExpressionItem{Expression: "count"}, runs.ExpressionItem{Expression: "nodes.add.outputs.sum"})
	if got.Run != nil || string(got.Items[0].Value) != "7" || got.Items[1].Error == nil || got.Items[1].Error.Code != expr.CodeUnset {
		t.Errorf("answer %+v", got)
	}
}

func TestLargeValuesAreCountedAndNotShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	flow := w.publish(hosttest.AddFlow)
	long, err := json.Marshal(string(make([]byte, runs.ExpressionValueMax)))
	if err != nil {
		t.Fatal(err)
	}
	got := w.expressions(flow, `[{"name":"long","source":"constant","schema":{"type":"string"},"value":`+string(long)+`}]`,
		runs.ExpressionItem{Expression: `long.size() > 10 ? "long" : "short"`}, runs.ExpressionItem{Expression: "long"})
	if string(got.Items[0].Value) != `"long"` || got.Items[1].Value != nil || got.Items[1].Bytes <= runs.ExpressionValueMax {
		t.Errorf("answer %+v", got)
	}
}
