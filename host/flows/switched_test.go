package flows_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/plugins"
)

// off switches the toy off or on.
func off(t *testing.T, p *hosttest.Product, enabled bool) {
	t.Helper()
	got, err := p.Plugins.SetEnabled(t.Context(), plugins.EnabledRequest{
		Project: hosttest.Project, Actor: actor, Plugin: "toy", Enabled: enabled,
	})
	if err != nil || got.Enabled != enabled {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestASwitchedOffPluginIsAProblemAtItsField(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	s := p.Flows(nil)
	d := create(t, s, hosttest.Flow(t, hosttest.AddFlow))
	if len(d.Problems) != 0 {
		t.Fatalf("problems %+v", d.Problems)
	}
	publish := func(f flows.Detail) error {
		_, err := s.Publish(t.Context(), flows.PublishRequest{Project: hosttest.Project, Actor: actor, Flow: f.ID, Revision: 1})
		return err
	}
	if err := publish(d); err != nil {
		t.Fatal(err)
	}
	outer := create(t, s, hosttest.Flow(t, `
format: culm.flow/v1
name: Outer
nodes:
  - {id: start, type: start}
  - {id: inner, type: subflow, flow: add-up, inputs: {count: 1}}
  - {id: end, type: end}
edges:
  - {id: e1, from: start, to: inner}
  - {id: e2, from: inner, to: end}
`))
	off(t, p, false)
	for _, want := range []struct{ flow, node, field string }{{d.ID, "add", "/plugin"}, {outer.ID, "inner", "/flow"}} {
		got, err := s.Get(t.Context(), hosttest.Project, want.flow)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Problems) != 1 {
			t.Fatalf("%s: problems %+v", want.flow, got.Problems)
		}
		x := got.Problems[0]
		if x.Code != flows.CodePluginDisabled || x.Node != want.node || x.Field != want.field ||
			x.Level != engine.SeverityError || x.Args["plugin"] != "toy" {
			t.Errorf("problem %+v", x)
		}
		if e := wantFault(t, publish(got), fault.Invalid, ""); len(e.Problems) != 1 {
			t.Errorf("problems %+v", e.Problems)
		}
	}
	off(t, p, true)
	if err := publish(outer); err != nil {
		t.Error(err)
	}
}

func TestUsersOfAPlugin(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	s := p.Flows(nil)
	d := create(t, s, hosttest.Flow(t, hosttest.AddFlow))
	for _, name := range []string{"Other", "Third"} {
		f := hosttest.Flow(t, hosttest.AddFlow)
		f.ID, f.Name.En = "", name
		if name == "Third" {
			f.Nodes[1].Plugin = "else"
		}
		create(t, s, f)
	}
	if _, err := s.Publish(t.Context(), flows.PublishRequest{Project: hosttest.Project, Actor: actor, Flow: d.ID, Revision: 1}); err != nil {
		t.Fatal(err)
	}
	f := hosttest.Flow(t, hosttest.AddFlow)
	f.Nodes[1].Action = "rest"
	if _, err := s.Save(t.Context(), flows.SaveRequest{Project: hosttest.Project, Actor: actor, Flow: d.ID, Revision: 1, Document: f}); err != nil {
		t.Fatal(err)
	}
	got, more, err := s.Users(t.Context(), hosttest.Project, "toy")
	if err != nil || more || len(got) != 2 {
		t.Fatalf("users %+v, %v, %v", got, more, err)
	}
	u := got[0]
	if u.Flow != d.ID || u.Name.Zh != "相加" || !u.Draft || !slices.Equal(u.Versions, []int{1}) || u.Latest != 1 ||
		!slices.Equal(u.Actions, []string{"add", "rest"}) {
		t.Errorf("user %+v", u)
	}
	if v := got[1]; v.Flow != "other" || !v.Draft || len(v.Versions) != 0 || v.Latest != 0 {
		t.Errorf("user %+v", v)
	}
	if got, _, err := s.Users(t.Context(), hosttest.Project, "nobody"); err != nil || len(got) != 0 {
		t.Errorf("users of what nobody uses: %+v, %v", got, err)
	}
}

func TestUsersOfAnOperation(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	s := p.Flows(nil)
	named := func(id, system, operation string) *engine.Flow {
		f := hosttest.Flow(t, hosttest.AddFlow)
		f.ID, f.Name.En = id, id
		f.Nodes[1].Inputs = map[string]json.RawMessage{
			"where": json.RawMessage(`"` + system + `"`), "what": json.RawMessage(`"` + operation + `"`),
		}
		return f
	}
	create(t, s, named("other", "shop", "list"))
	create(t, s, named("elsewhere", "store", "create"))
	create(t, s, named("calls", "shop", "create"))
	f := hosttest.Flow(t, hosttest.AddFlow)
	f.ID, f.Variables = "sends", append(f.Variables, engine.Variable{
		Name: "password", Source: engine.SourceInput, Secret: true, Uses: []engine.SecretUse{{System: "shop", Operation: "create"}},
	})
	create(t, s, f)
	got, err := s.OperationUsers(t.Context(), hosttest.Project, "shop", "create")
	if err != nil || got.More || len(got.Flows) != 2 {
		t.Fatalf("users %+v, %v", got, err)
	}
	if u := got.Flows[0]; u.Flow != "calls" || !u.Draft || u.Published || !slices.Equal(u.Nodes, []string{"add"}) {
		t.Errorf("a flow with a task that calls it: %+v", u)
	}
	if u := got.Flows[1]; u.Flow != "sends" || len(u.Nodes) != 0 {
		t.Errorf("a flow that may send a secret to it: %+v", u)
	}
	if got, err := s.OperationUsers(t.Context(), hosttest.Project, "shop", "gone"); err != nil || len(got.Flows) != 0 {
		t.Errorf("users of what nobody names: %+v, %v", got, err)
	}
	_, err = s.OperationUsers(t.Context(), "nowhere", "shop", "create")
	wantFault(t, err, fault.NotFound, "")
}
