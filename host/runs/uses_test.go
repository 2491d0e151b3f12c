package runs_test

import (
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/runs"
)

func TestASwitchedOffPluginIsNotStartedButGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	flow := w.publish(askFlow)
	r := w.start(flow, `{}`)
	w.until(r.ID, func(v engine.RunView) bool { return v.Nodes["ask"].State == engine.NodeWaiting })
	if _, err := w.Plugins.SetEnabled(t.Context(), plugins.EnabledRequest{Project: hosttest.Project, Actor: actor, Plugin: "toy"}); err != nil {
		t.Fatal(err)
	}
	_, err := w.runs.Start(t.Context(), runs.StartRequest{Project: hosttest.Project, Actor: actor, Flow: flow})
	e := wantFault(t, err, fault.Invalid, "")
	if len(e.Problems) != 2 || e.Problems[0].Code != flows.CodePluginDisabled || e.Problems[0].Node != "ask" || e.Problems[0].Field != "/plugin" {
		t.Errorf("problems %+v", e.Problems)
	}
	if err := w.command(runs.NodeCommandRequest{Run: r.ID, Node: "ask", Command: "callback", Data: []byte(`"yes"`)}); err != nil {
		t.Fatal(err)
	}
	w.untilState(r.ID, engine.RunSucceeded)
}

func TestUsesNameTheRunsThatHaveNotEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	flow := w.publish(askFlow)
	old := w.start(flow, `{}`)
	w.until(old.ID, func(v engine.RunView) bool { return v.Nodes["ask"].State == engine.NodeWaiting })
	first, _ := w.Plugins.Latest("toy")
	next, err := w.Plugins.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: hosttest.Toy("1.1.0")})
	if err != nil {
		t.Fatal(err)
	}
	r := w.start(flow, `{}`)
	w.until(r.ID, func(v engine.RunView) bool { return v.Nodes["ask"].State == engine.NodeWaiting })
	w.untilState(w.start(w.publish(hosttest.AddFlow), `{"count":1}`).ID, engine.RunSucceeded)

	u, err := w.runs.Uses(t.Context(), hosttest.Project, "toy")
	if err != nil {
		t.Fatal(err)
	}
	if len(u.Flows) != 2 || u.Flows[1].Flow != flow || len(u.Flows[1].Versions) != 1 || u.MoreFlows || u.MoreRuns {
		t.Errorf("flows %+v", u)
	}
	if len(u.Runs) != 2 || u.Runs[0].ID != r.ID || u.Runs[0].Digest != next.Digest || u.Runs[1].Digest != first.Digest || u.Runs[0].FlowName.En != "Ask first" {
		t.Errorf("runs %+v", u.Runs)
	}
	if u.Live[first.Digest] != 1 || u.Live[next.Digest] != 1 {
		t.Errorf("live %v", u.Live)
	}
	if u, err := w.runs.Uses(t.Context(), hosttest.Project, "other"); err != nil || len(u.Flows) != 0 || len(u.Runs) != 0 {
		t.Errorf("uses of nothing: %+v, %v", u, err)
	}
	_, err = w.runs.Uses(t.Context(), "nowhere", "toy")
	wantFault(t, err, fault.NotFound, "")
}
