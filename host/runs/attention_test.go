package runs_test

import (
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/runs"
)

func (w *world) attention(a *runs.Attentions, q runs.AttentionQuery) runs.AttentionPage {
	w.t.Helper()
	q.Project = hosttest.Project
	p, err := a.List(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func TestNodesThatNeedAPersonAreListedUntilSomebodyHasActed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	a := runs.NewAttentions()
	a.Follow(w.runner, w.Projects)
	ask, add := w.publish(askFlow), w.publish(hosttest.AddFlow)
	asking := w.start(ask, `{}`).ID
	failing := w.start(add, `{"count":100}`).ID
	w.until(asking, func(v engine.RunView) bool { return v.Nodes["ask"].State == engine.NodeWaiting })
	w.untilState(failing, engine.RunBlocked)

	// The first question reads what was there before anybody asked.
	all := w.attention(a, runs.AttentionQuery{})
	if all.Answers != 1 || all.Decisions != 1 || len(all.Items) != 2 {
		t.Fatalf("page %+v", all)
	}
	answers := w.attention(a, runs.AttentionQuery{Need: runs.NeedAnswer}).Items
	if len(answers) != 1 || answers[0].Run != asking || answers[0].Node != "ask" || answers[0].Prompt.En != "Go on?" || answers[0].FlowName.En != "Ask first" {
		t.Errorf("answers %+v", answers)
	}
	decisions := w.attention(a, runs.AttentionQuery{Need: runs.NeedDecision}).Items
	if len(decisions) != 1 || decisions[0].State != engine.NodeFailed || decisions[0].Failure == nil || decisions[0].Failure.Code != "TOO_MUCH" {
		t.Errorf("decisions %+v", decisions)
	}

	// From then on it follows the commits.
	w.changes.also(a)
	next := w.start(add, `{"count":99}`).ID
	w.untilState(next, engine.RunBlocked)
	if err := w.command(runs.NodeCommandRequest{Run: asking, Node: "ask", Command: runs.NodeCallback, Data: []byte(`"yes"`)}); err != nil {
		t.Fatal(err)
	}
	w.untilState(asking, engine.RunSucceeded)
	first := w.attention(a, runs.AttentionQuery{Page: page.Query{Limit: 1}})
	if first.Answers != 0 || first.Decisions != 2 || len(first.Items) != 1 || first.Items[0].Run != next || first.Next == "" {
		t.Errorf("first page %+v", first)
	}
	second := w.attention(a, runs.AttentionQuery{Page: page.Query{Limit: 1, Cursor: first.Next}})
	if len(second.Items) != 1 || second.Items[0].Run != failing || second.Next != "" {
		t.Errorf("second page %+v", second)
	}
	for _, run := range []string{failing, next} {
		if _, err := w.runs.Command(t.Context(), runs.CommandRequest{Project: hosttest.Project, Run: run, Actor: actor, Command: runs.CommandRevoke}); err != nil {
			t.Fatal(err)
		}
		w.untilState(run, engine.RunRevoked)
	}
	if left := w.attention(a, runs.AttentionQuery{}); left.Decisions != 0 || len(left.Items) != 0 {
		t.Errorf("left %+v", left)
	}
}

// twiceFlow adds on two branches, and both may fail.
const twiceFlow = `
format: culm.flow/v1
name: Twice
variables:
  - {name: count, source: input, schema: {type: integer}, required: true}
nodes:
  - {id: start, type: start}
  - {id: fork, type: parallel}
  - {id: one, type: task, plugin: toy, action: add, inputs: {a: "${count}", b: 2}}
  - {id: two, type: task, plugin: toy, action: add, inputs: {a: "${count}", b: 2}}
  - {id: join, type: join}
  - {id: end, type: end}
edges:
  - {id: e1, from: start, to: fork}
  - {id: e2, from: fork, to: one}
  - {id: e3, from: fork, to: two}
  - {id: e4, from: one, to: join}
  - {id: e5, from: two, to: join}
  - {id: e6, from: join, to: end}
`

func TestOneRunWithManyFailuresDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	a := runs.NewAttentions()
	a.Follow(w.runner, w.Projects)
	single := w.start(w.publish(hosttest.AddFlow), `{"count":100}`).ID
	w.untilState(single, engine.RunBlocked)
	twice := w.start(w.publish(twiceFlow), `{"count":100}`).ID
	w.until(twice, func(v engine.RunView) bool {
		return v.Nodes["one"].State == engine.NodeFailed && v.Nodes["two"].State == engine.NodeFailed
	})
	first := w.attention(a, runs.AttentionQuery{PerRun: true, Page: page.Query{Limit: 1}})
	if len(first.Items) != 1 || first.Items[0].Run != twice || first.Items[0].More != 1 || first.Decisions != 3 {
		t.Fatalf("first page %+v", first)
	}
	second := w.attention(a, runs.AttentionQuery{PerRun: true, Page: page.Query{Limit: 1, Cursor: first.Next}})
	if len(second.Items) != 1 || second.Items[0].Run != single || second.Items[0].More != 0 || second.Next != "" {
		t.Errorf("second page %+v", second)
	}
}

func TestAttentionRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	a := runs.NewAttentions()
	a.Follow(w.runner, w.Projects)
	_, err := a.List(t.Context(), runs.AttentionQuery{Project: hosttest.Project, Need: "rest"})
	wantFault(t, err, fault.Invalid, "/need")
	_, err = a.List(t.Context(), runs.AttentionQuery{Project: "nowhere"})
	wantFault(t, err, fault.NotFound, "")
}

func TestAPreviewSaysWhichInputsAreAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	flow := w.publish(`
format: culm.flow/v1
name: Ask by kind
variables:
  - {name: kind, source: input, value: simple}
  - {name: count, source: input, schema: {type: integer}, show_if: 'kind == "many"'}
  - {name: why, source: input, show_if: count > 5}
  - {name: limit, source: constant, schema: {type: integer}, value: 3}
nodes:
  - {id: start, type: start}
  - {id: add, type: task, plugin: toy, action: add, inputs: {a: 1}}
  - {id: end, type: end}
edges:
  - {id: e1, from: start, to: add}
  - {id: e2, from: add, to: end}
`)
	for inputs, want := range map[string]string{
		`{}`:                              "kind",
		`{"kind":"many"}`:                 "kind count",
		`{"kind":"many","count":6}`:       "kind count why",
		`{"kind":"simple","count":6}`:     "kind",
		`{"kind":"many","count":"wrong"}`: "kind count",
	} {
		p, err := w.runs.Preview(t.Context(), runs.PreviewRequest{Project: hosttest.Project, Flow: flow, Inputs: object(t, inputs), Actor: actor})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for i, name := range p.Asked {
			if i > 0 {
				got += " "
			}
			got += name
		}
		if got != want {
			t.Errorf("%s: asked for %q, want %q", inputs, got, want)
		}
	}
}
