package runs_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/runs"
)

// outerFlow runs askFlow inside, and adds to what that gives.
const outerFlow = `
format: culm.flow/v1
name: Outer
variables:
  - {name: first, source: node, schema: {type: integer}}
  - {name: sum, source: node, schema: {type: integer}, output: true}
nodes:
  - {id: start, type: start}
  - {id: inner, type: subflow, flow: ask-first, outputs: {first: total}}
  - {id: more, type: task, plugin: toy, action: add, inputs: {a: "${first}", b: 1}, outputs: {sum: sum}}
  - {id: end, type: end}
edges:
  - {id: e1, from: start, to: inner}
  - {id: e2, from: inner, to: more}
  - {id: e3, from: more, to: end}
`

func TestASubflowOfTheProjectRunsInside(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	child := w.publish(askFlow)
	run := w.start(w.publish(outerFlow), `{}`)
	w.until(run.ID, func(v engine.RunView) bool { return v.Nodes["inner.ask"].State == engine.NodeWaiting })
	if d := w.node(run.ID, "inner.ask"); len(d.Attempts) != 1 || d.Attempts[0].Wait == nil {
		t.Errorf("node detail %+v", d)
	}
	wantFault(t, w.command(runs.NodeCommandRequest{Run: run.ID, Node: "inner.ask", Command: runs.NodeCallback, Data: json.RawMessage(`"maybe"`)}), fault.Invalid, "/data")
	if err := w.command(runs.NodeCommandRequest{Run: run.ID, Node: "inner.ask", Command: runs.NodeCallback, Data: json.RawMessage(`"yes"`)}); err != nil {
		t.Fatal(err)
	}
	v := w.untilState(run.ID, engine.RunSucceeded)
	if string(v.Outputs["sum"]) != "2" {
		t.Errorf("outputs %s", v.Outputs)
	}
	for _, path := range []string{"inner.nothing", "inner.", ".ask", "more.ask", "ask"} {
		_, err := w.runs.Node(t.Context(), hosttest.Project, run.ID, path)
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("node %q: %v", path, err)
		}
	}
	d, err := w.runs.Get(t.Context(), hosttest.Project, run.ID)
	if err != nil {
		t.Fatal(err)
	}
	var f engine.Flow
	if err := json.Unmarshal(d.Document, &f); err != nil {
		t.Fatal(err)
	}
	if f.Nodes[1].Version != 1 || f.Subflows[child+"@1"] == nil || len(f.Subflows) != 1 {
		t.Errorf("the run keeps %s", d.Document)
	}
}

// A run goes on with the versions that it pinned, and with their plugins.
func TestARunKeepsTheVersionsOfItsSubflows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	child := w.publish(askFlow)
	flow := w.publish(outerFlow)
	first := w.start(flow, `{}`)
	changed := hosttest.Flow(t, strings.Replace(askFlow, "inputs: {a: 1}", "inputs: {a: 5}", 1))
	changed.ID = child
	d, err := w.flows.Save(t.Context(), flows.SaveRequest{Project: hosttest.Project, Actor: actor, Flow: child, Revision: 1, Document: changed})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.flows.Publish(t.Context(), flows.PublishRequest{Project: hosttest.Project, Actor: actor, Flow: child, Revision: d.Revision}); err != nil {
		t.Fatal(err)
	}
	second := w.start(flow, `{}`)
	for run, want := range map[string]string{first.ID: "2", second.ID: "6"} {
		w.until(run, func(v engine.RunView) bool { return v.Nodes["inner.ask"].State == engine.NodeWaiting })
		if err := w.command(runs.NodeCommandRequest{Run: run, Node: "inner.ask", Command: runs.NodeCallback, Data: json.RawMessage(`"yes"`)}); err != nil {
			t.Fatal(err)
		}
		if v := w.untilState(run, engine.RunSucceeded); string(v.Outputs["sum"]) != want {
			t.Errorf("outputs %s, want %s", v.Outputs, want)
		}
	}
}

func TestPreviewShowsWhatWouldRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	child := w.publish(askFlow)
	flow := w.publish(outerFlow)
	p, err := w.runs.Preview(t.Context(), runs.PreviewRequest{Project: hosttest.Project, Flow: flow})
	if err != nil || len(p.Problems) != 0 || p.Version != 1 || !strings.Contains(string(p.Document), child+"@1") {
		t.Fatalf("preview %s %v, %v", p.Document, p.Problems, err)
	}
	if _, err := w.runs.Preview(t.Context(), runs.PreviewRequest{Project: hosttest.Project, Flow: "nowhere"}); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

func TestFieldsOfOtherCommandsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	run := w.start(w.publish(askFlow), `{}`)
	for _, x := range []struct {
		field string
		r     runs.CommandRequest
	}{
		{"/reason", runs.CommandRequest{Command: runs.CommandPause, Reason: "why"}},
		{"/values", runs.CommandRequest{Command: runs.CommandSetVariables}},
		{"/values/nothing", runs.CommandRequest{Command: runs.CommandSetVariables, Values: object(t, `{"nothing":1}`)}},
		{"/values/total", runs.CommandRequest{Command: runs.CommandSetVariables, Values: object(t, `{"total":"text"}`)}},
		{"/scope", runs.CommandRequest{Command: runs.CommandSetVariables, Scope: "ask", Values: object(t, `{"total":1}`)}},
		{"/scope", runs.CommandRequest{Command: runs.CommandFail, Scope: "ask"}},
		{"/from", runs.CommandRequest{Command: runs.CommandRollback, Rollback: engine.Rollback{To: "ask", Mode: engine.RollbackAny}}},
		{"/mode", runs.CommandRequest{Command: runs.CommandRollback, Rollback: engine.Rollback{From: "add", To: "ask"}}},
		{"/command", runs.CommandRequest{Command: "explode"}},
	} {
		x.r.Project, x.r.Run, x.r.Actor = hosttest.Project, run.ID, actor
		_, err := w.runs.Command(t.Context(), x.r)
		wantFault(t, err, fault.Invalid, x.field)
	}
	for _, x := range []struct {
		field string
		r     runs.NodeCommandRequest
	}{
		{"/part", runs.NodeCommandRequest{Command: runs.NodeForceFail, Part: engine.RepeatedIteration}},
		{"/part", runs.NodeCommandRequest{Command: runs.NodeRetry, Part: "half"}},
		{"/at", runs.NodeCommandRequest{Command: runs.NodeReschedule}},
		{"/at", runs.NodeCommandRequest{Command: runs.NodeSkip, At: w.Clock.Now()}},
		{"/iteration", runs.NodeCommandRequest{Command: runs.NodePause, Iteration: 1}},
	} {
		x.r.Run, x.r.Node = run.ID, "ask"
		wantFault(t, w.command(x.r), fault.Invalid, x.field)
	}
}

func TestPluginsOfTheWholeTreeArePinned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	w.publish(askFlow)
	only := strings.NewReplacer("id: more, type: task, plugin: toy, action: add, inputs: {a: \"${first}\", b: 1}, outputs: {sum: sum}",
		"id: more, type: subflow, flow: ask-first").Replace(outerFlow)
	run := w.start(w.publish(only), `{}`)
	rs, err := w.runs.Records(t.Context(), runs.RecordsQuery{Project: hosttest.Project, Run: run.ID})
	if err != nil {
		t.Fatal(err)
	}
	started, _ := rs.Items[0].Data.(engine.RunStarted)
	m, _ := w.Plugins.Latest("toy")
	if started.Plugins["toy"] != m.Digest {
		t.Errorf("pinned %v", started.Plugins)
	}
}
