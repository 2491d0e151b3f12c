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

// twoFlow has an optional node before the one that gives the output.
const twoFlow = `
format: culm.flow/v1
name: Two
variables:
  - {name: sum, source: node, schema: {type: integer}, output: true}
nodes:
  - {id: start, type: start}
  - {id: first, type: task, plugin: toy, action: add, inputs: {a: 1}, optional: true}
  - {id: second, type: task, plugin: toy, action: add, inputs: {a: 2}, outputs: {sum: sum}}
  - {id: third, type: task, plugin: toy, action: add, inputs: {a: 1000}, optional: true}
  - {id: end, type: end}
edges:
  - {id: e1, from: start, to: first}
  - {id: e2, from: first, to: second}
  - {id: e3, from: second, to: third}
  - {id: e4, from: third, to: end}
schemes:
  - {id: short, without: [first, third]}
`

func TestAStartLeavesOptionalNodesOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	flow := w.publish(twoFlow)
	start := func(sel runs.Selection) (runs.Summary, error) {
		return w.runs.Start(t.Context(), runs.StartRequest{Project: hosttest.Project, Actor: actor, Flow: flow, Selection: sel})
	}
	r, err := start(runs.Selection{Schemes: []string{"short"}})
	if err != nil {
		t.Fatal(err)
	}
	v := w.untilState(r.ID, engine.RunSucceeded)
	if len(v.Nodes) != 3 || string(v.Outputs["sum"]) != "2" {
		t.Errorf("nodes %v, outputs %s", v.Nodes, v.Outputs)
	}
	d, err := w.runs.Get(t.Context(), hosttest.Project, r.ID)
	if err != nil || strings.Contains(string(d.Document), `"first"`) {
		t.Errorf("the run keeps %s, %v", d.Document, err)
	}
	p, err := w.runs.Preview(t.Context(), runs.PreviewRequest{Project: hosttest.Project, Flow: flow, Selection: runs.Selection{Without: []string{"third"}}})
	if err != nil || len(p.Problems) != 0 || strings.Contains(string(p.Document), `"id":"third"`) || !strings.Contains(string(p.Document), `"id":"first"`) {
		t.Errorf("preview %s %v, %v", p.Document, p.Problems, err)
	}
	_, err = start(runs.Selection{Without: []string{"second"}})
	if e := wantFault(t, err, fault.Invalid, ""); len(e.Problems) != 1 || e.Problems[0].Field != "/without/0" {
		t.Errorf("problems %+v", e.Problems)
	}
	_, err = start(runs.Selection{Schemes: []string{"long"}})
	wantFault(t, err, fault.Invalid, "/schemes/0")
}

func TestARunBeginsAtAChosenNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	flow := w.publish(twoFlow)
	start := func(at string) (runs.Summary, error) {
		return w.runs.Start(t.Context(), runs.StartRequest{
			Project: hosttest.Project, Actor: actor, Flow: flow, StartAt: at, Selection: runs.Selection{Without: []string{"third"}},
		})
	}
	r, err := start("second")
	if err != nil {
		t.Fatal(err)
	}
	if v := w.untilState(r.ID, engine.RunSucceeded); v.Nodes["first"].State != engine.NodeIdle {
		t.Errorf("nodes %v", v.Nodes)
	}
	for _, at := range []string{"third", "nowhere", "end"} {
		_, err := start(at)
		wantFault(t, err, fault.Invalid, "/start_at")
	}
}

func TestARollbackIsShownBeforeItIsDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	r := w.start(w.publish(twoFlow), `{}`)
	w.untilState(r.ID, engine.RunBlocked)
	back := engine.Rollback{From: "third", To: "first", Mode: engine.RollbackAny}
	preview := func(b engine.Rollback) (engine.Plan, error) {
		return w.runs.PreviewRollback(t.Context(), runs.RollbackPreview{Project: hosttest.Project, Run: r.ID, Rollback: b})
	}
	p, err := preview(back)
	if err != nil || len(p.Steps) != 3 || p.Steps[2].Node != "first" {
		t.Fatalf("plan %+v, %v", p, err)
	}
	_, err = preview(engine.Rollback{From: "first", To: "third", Mode: engine.RollbackAny})
	if !fault.Is(err, fault.WrongState) && !fault.Is(err, fault.Invalid) {
		t.Errorf("back to what comes later: %v", err)
	}
	_, err = preview(engine.Rollback{From: "third", To: "first"})
	wantFault(t, err, fault.Invalid, "/mode")
	before, err := w.runs.View(t.Context(), hosttest.Project, r.ID)
	if err != nil || before.State != engine.RunBlocked {
		t.Fatalf("the preview changed the run: %+v, %v", before, err)
	}
	if _, err := w.runs.Command(t.Context(), runs.CommandRequest{
		Project: hosttest.Project, Run: r.ID, Actor: actor, Command: runs.CommandRollback, Rollback: back, ExpectedSeq: before.Seq,
	}); err != nil {
		t.Fatal(err)
	}
	w.until(r.ID, func(v engine.RunView) bool { return v.Nodes["third"].Iteration == 1 && v.State == engine.RunBlocked })
	_, err = w.runs.Command(t.Context(), runs.CommandRequest{
		Project: hosttest.Project, Run: r.ID, Actor: actor, Command: runs.CommandFail, ExpectedSeq: before.Seq,
	})
	e := wantFault(t, err, fault.Conflict, "")
	if v, ok := e.Current.(engine.RunView); !ok || v.Seq <= before.Seq {
		t.Errorf("the conflict shows %+v", e.Current)
	}
}

func TestChildRunsAreListedWithTheirParent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	w.publish(askFlow)
	apart := strings.Replace(outerFlow, "type: subflow, flow: ask-first", "type: subflow, mode: independent, flow: ask-first", 1)
	parent := w.start(w.publish(apart), `{}`)
	v := w.until(parent.ID, func(v engine.RunView) bool { return v.Nodes["inner"].Child != "" })
	child := v.Nodes["inner"].Child
	w.exists(child)
	w.until(child, func(v engine.RunView) bool { return v.Nodes["ask"].State == engine.NodeWaiting })
	list := func(q runs.ListQuery) []runs.Summary {
		t.Helper()
		q.Project = hosttest.Project
		l, err := w.runs.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return l.Items
	}
	if got := list(runs.ListQuery{}); len(got) != 1 || got[0].ID != parent.ID || got[0].Parent != nil {
		t.Errorf("runs %+v", got)
	}
	got := list(runs.ListQuery{Parent: parent.ID})
	if len(got) != 1 || got[0].ID != child || got[0].Parent == nil || got[0].Parent.Node != "inner" || got[0].FlowName.En != "Ask first" {
		t.Errorf("runs below %+v", got)
	}
	d, err := w.runs.Get(t.Context(), hosttest.Project, child)
	if err != nil || d.Parent == nil || d.Parent.Run != parent.ID || d.Version != 1 {
		t.Errorf("child %+v, %v", d.RunView, err)
	}
	if err := w.command(runs.NodeCommandRequest{Run: child, Node: "ask", Command: runs.NodeCallback, Data: json.RawMessage(`"yes"`)}); err != nil {
		t.Fatal(err)
	}
	if v := w.untilState(parent.ID, engine.RunSucceeded); string(v.Outputs["sum"]) != "2" {
		t.Errorf("outputs %s", v.Outputs)
	}
}

func TestVariablesOfARunAreChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	r := w.start(w.publish(askFlow), `{}`)
	w.until(r.ID, func(v engine.RunView) bool { return v.Nodes["ask"].State == engine.NodeWaiting })
	if _, err := w.runs.Command(t.Context(), runs.CommandRequest{
		Project: hosttest.Project, Run: r.ID, Actor: actor, Command: runs.CommandSetVariables, Values: object(t, `{"total":7}`),
	}); err != nil {
		t.Fatal(err)
	}
	v, err := w.runs.View(t.Context(), hosttest.Project, r.ID)
	if err != nil || string(v.Variables["total"]) != "7" {
		t.Errorf("variables %s, %v", v.Variables, err)
	}
}
