package runs_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/pdk/contract"
)

// picker is a plugin whose form has choices.
const picker = `{"format":"culm.plugin/v1","id":"picker","version":"1.0.0","title":"Picker","needs":[{"system":"calc","operation":"list"}],"actions":[
	{"id":"pick","title":"Pick","options":true,"outputs":{"type":"object"},"inputs":{"type":"object","properties":{
		"zone":{"type":"string","x-source":{"name":"zones"}},
		"script":{"type":"string"},"host":{"type":"string","x-source":{"name":"hosts","dependsOn":["zone","script"]}},
		"rows":{"type":"array","items":{"type":"object","properties":{"port":{"type":"integer","x-source":{"name":"ports"}}}}}}}},
	{"id":"soon","title":"Soon","options":true,"timeout_ms":500,"outputs":{"type":"object"},"inputs":{"type":"object","properties":{"zone":{"type":"string","x-source":{"name":"zones"}}}}},
	{"id":"late","title":"Late","options":true,"timeout_ms":60000,"outputs":{"type":"object"},"inputs":{"type":"object","properties":{"zone":{"type":"string","x-source":{"name":"zones"}}}}},
	{"id":"plain","title":"Plain","outputs":{"type":"object"},"inputs":{"type":"object","properties":{"zone":{"type":"string"}}}}]}`

// chooser is a Chooser over a plugin that answers as it is told.
type chooser struct {
	*runs.Chooser
	t       *testing.T
	product *hosttest.Product
	answer  string
	err     error
	asked   contract.Request
	limits  contract.Limits
	hurried bool // the context had a deadline
	caller  gateway.Caller
}

func newChooser(t *testing.T) *chooser {
	t.Helper()
	c := &chooser{t: t, product: hosttest.Open(t)}
	if _, err := c.product.Plugins.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: []byte(picker)}); err != nil {
		t.Fatal(err)
	}
	c.Chooser = runs.NewChooser(runs.ChooserOptions{
		Catalogue: c.product.Plugins, Projects: c.product.Projects, Modules: c, Gateway: c, Clock: wall{}, Logger: slog.New(slog.DiscardHandler),
	})
	return c
}

// Call implements runs.Modules.
func (c *chooser) Call(ctx context.Context, m runs.ModuleCall) ([]byte, error) {
	c.limits = m.Limits
	_, c.hurried = ctx.Deadline()
	if m.Export != contract.ExportOptions || m.Plugin != "picker" {
		c.t.Errorf("called %+v", m)
	}
	if err := json.Unmarshal(m.Input, &c.asked); err != nil {
		c.t.Error(err)
	}
	return []byte(c.answer), c.err
}

// Open implements runs.Gateway.
func (c *chooser) Open(who gateway.Caller) gateway.Session {
	c.caller = who
	return nil
}

func (c *chooser) ask(change func(*runs.ChoicesRequest)) (runs.Choices, error) {
	r := runs.ChoicesRequest{
		Project: hosttest.Project, Plugin: "picker", Action: "pick", Source: "hosts",
		Form: json.RawMessage(`{"zone":"east","note":"a ${count} b","script":"${HOME}","list":["x","${y}"]}`), Literal: []string{"script"},
		Actor: engine.Actor{ID: "ada"},
	}
	if change != nil {
		change(&r)
	}
	return c.Choices(c.t.Context(), r)
}

// A plugin has ten seconds, or less where it says so; what makes it ready before does not count,
// so that its first user is not told that it did not answer.
func TestChoicesHaveTheirTimeOnceThePluginIsReady(t *testing.T) {
	t.Parallel()
	c := newChooser(t)
	c.answer = `{"status":"succeeded","outputs":{"choices":[]}}`
	for action, want := range map[string]int64{"pick": 10_000, "soon": 500, "late": 10_000} {
		if _, err := c.ask(func(r *runs.ChoicesRequest) { r.Action, r.Source = action, "zones" }); err != nil {
			t.Fatal(err)
		}
		if c.limits.TimeoutMS != want || c.hurried {
			t.Errorf("%s has %d ms, other deadline: %v", action, c.limits.TimeoutMS, c.hurried)
		}
	}
}

func TestChoicesComeFromThePlugin(t *testing.T) {
	t.Parallel()
	c := newChooser(t)
	c.answer = `{"status":"succeeded","outputs":{"choices":[
		{"value":"a","label":"Host A"},{"value":"b","label":""},{"value":"a","label":"again"},{"value":7,"label":"x","disabled":true},
		{"value": {"k": 1},"label":"tree","children":[{"value":"c","label":"C"}]}]}}`
	got, err := c.ask(nil)
	if err != nil || got.Failure != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	b, _ := json.Marshal(got.Choices)
	const want = `[{"value":"a","label":"Host A"},{"value":"b","label":"b"},{"value":7,"label":"x","disabled":true},` +
		`{"value":{"k":1},"label":"tree","children":[{"value":"c","label":"C"}]}]`
	if string(b) != want {
		t.Errorf("choices %s, want %s", b, want)
	}
	if c.asked.Field != "hosts" || c.asked.Reason != contract.ReasonOptions || c.asked.Action != "pick" || c.asked.Context.Operator != "ada" || c.asked.Context.Zone != "Asia/Shanghai" {
		t.Errorf("asked %+v", c.asked)
	}
	// The plugin sees what the source depends on; a literal ${ is no expression.
	if want := `{"script":"${HOME}","zone":"east"}`; string(c.asked.Form) != want {
		t.Errorf("form %s, want %s", c.asked.Form, want)
	}
	if c.caller.Reason != contract.ReasonOptions || c.caller.Project != hosttest.Project || c.caller.Plugin != "picker" || c.caller.Run != "" || c.caller.Digest == "" {
		t.Errorf("the gateway is open for %+v", c.caller)
	}
}

func TestChoicesThatCannotBeHadSayWhy(t *testing.T) {
	t.Parallel()
	denied := &contract.Failure{Code: "DENIED", Origin: contract.OriginGateway, Message: "no grant"}
	for name, c := range map[string]struct {
		answer string
		err    error
		change func(*runs.ChoicesRequest)
		code   string
	}{
		"the plugin fails":     {answer: `{"status":"failed","failure":{"code":"DENIED","message":"no grant","origin":"gateway"}}`, code: "DENIED"},
		"the host stops it":    {err: denied, code: "DENIED"},
		"an unexpected error":  {err: errors.New("disk on fire"), code: runs.CodeHostFault},
		"no answer":            {answer: `nonsense`, code: runs.CodeOutputInvalid},
		"it waits":             {answer: `{"status":"waiting","wait":{"kind":"poll"}}`, code: runs.CodeOutputInvalid},
		"something else":       {answer: `{"status":"succeeded","outputs":{"hosts":[]}}`, code: runs.CodeOutputInvalid},
		"a choice of nothing":  {answer: `{"status":"succeeded","outputs":{"choices":[{"label":"x"}]}}`, code: runs.CodeOutputInvalid},
		"far too many choices": {answer: `{"status":"succeeded","outputs":{"choices":[` + strings.Repeat(`{"value":1,"label":"x"},`, runs.ChoicesMax) + `{"value":1,"label":"x"}]}}`, code: runs.CodeOutputInvalid},
		"it depends on what is not known yet": {
			change: func(r *runs.ChoicesRequest) { r.Form = json.RawMessage(`{"zone":"${env.region}"}`) }, code: runs.CodeNeedsRuntime,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newChooser(t)
			w.answer, w.err = c.answer, c.err
			got, err := w.ask(c.change)
			if err != nil || got.Failure == nil || got.Failure.Code != c.code || got.Choices == nil || len(got.Choices) != 0 {
				t.Errorf("%+v, %v", got, err)
			}
			if got.Failure != nil && strings.Contains(got.Failure.Message, "disk on fire") {
				t.Error("the cause is told")
			}
		})
	}
}

func TestChoicesOfWhatIsNotThereAreRefused(t *testing.T) {
	t.Parallel()
	c := newChooser(t)
	for name, step := range map[string]struct {
		change func(*runs.ChoicesRequest)
		code   fault.Code
		field  string
	}{
		"project":            {func(r *runs.ChoicesRequest) { r.Project = "other" }, fault.NotFound, ""},
		"plugin":             {func(r *runs.ChoicesRequest) { r.Plugin = "other" }, fault.NotFound, ""},
		"action":             {func(r *runs.ChoicesRequest) { r.Action = "other" }, fault.Invalid, "/action"},
		"source":             {func(r *runs.ChoicesRequest) { r.Source = "other" }, fault.Invalid, "/source"},
		"action without any": {func(r *runs.ChoicesRequest) { r.Action = "plain" }, fault.Invalid, "/source"},
		"form":               {func(r *runs.ChoicesRequest) { r.Form = json.RawMessage(`[]`) }, fault.Invalid, "/form"},
		"a huge form":        {func(r *runs.ChoicesRequest) { r.Form = json.RawMessage(`{"a":"` + strings.Repeat("x", 256<<10) + `"}`) }, fault.Invalid, "/form"},
	} {
		_, err := c.ask(step.change)
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != step.code || f.Field != step.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.answer = `{"status":"succeeded","outputs":{"choices":[]}}`
	if got, err := c.ask(func(r *runs.ChoicesRequest) { r.Source = "ports"; r.Form = nil }); err != nil || got.Failure != nil || string(c.asked.Form) != "{}" {
		t.Errorf("a source inside a list: %+v, %v", got, err)
	}
	if _, err := c.product.Plugins.SetEnabled(t.Context(), plugins.EnabledRequest{Project: hosttest.Project, Plugin: "picker", Actor: actor}); err != nil {
		t.Fatal(err)
	}
	var f *fault.Error
	if _, err := c.ask(nil); !errors.As(err, &f) || f.Code != fault.WrongState {
		t.Errorf("switched off: %v", err)
	}
}
