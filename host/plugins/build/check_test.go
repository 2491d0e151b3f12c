package build_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/pdk/contract"
)

// fields returns the fields that an error complains about.
func fields(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("error %v (%T) is not joined", err, err)
	}
	var names []string
	for _, e := range joined.Unwrap() {
		p, ok := errors.AsType[*build.FieldError](e)
		if !ok {
			t.Fatalf("error %v is no FieldError", e)
		}
		names = append(names, p.Field)
	}
	return strings.Join(names, " ")
}

func TestCheckManifestNamesEachField(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*contract.Manifest){
		"":                           func(*contract.Manifest) {},
		"/format":                    func(m *contract.Manifest) { m.Format = "culm.plugin/v2" },
		"/id":                        func(m *contract.Manifest) { m.ID = "A_b" },
		"/version":                   func(m *contract.Manifest) { m.Version = "1.0" },
		"/title":                     func(m *contract.Manifest) { m.Title = contract.Text{} },
		"/icon":                      func(m *contract.Manifest) { m.Icon = "<svg>" },
		"/actions":                   func(m *contract.Manifest) { m.Actions = nil },
		"/actions/0/id":              func(m *contract.Manifest) { m.Actions[0].ID = "a-b" },
		"/actions/1/id":              func(m *contract.Manifest) { m.Actions = append(m.Actions, m.Actions[0]) },
		"/actions/0/title":           func(m *contract.Manifest) { m.Actions[0].Title = contract.Text{} },
		"/actions/0/waits/0":         func(m *contract.Manifest) { m.Actions[0].Waits = []contract.WaitKind{"rain"} },
		"/actions/0/waits/1":         func(m *contract.Manifest) { m.Actions[0].Waits = []contract.WaitKind{"poll", "poll"} },
		"/actions/0/timeout_ms":      func(m *contract.Manifest) { m.Actions[0].TimeoutMS = -1 },
		"/needs/0/system":            func(m *contract.Manifest) { m.Needs = []contract.Need{{System: "", Operation: "*"}} },
		"/needs/0/operation":         func(m *contract.Manifest) { m.Needs = []contract.Need{{System: "*", Operation: "GET /x"}} },
		"/limits/host_calls":         func(m *contract.Manifest) { m.Limits = &contract.Limits{HostCalls: -1} },
		"/id /version /actions/0/id": func(m *contract.Manifest) { m.ID, m.Version, m.Actions[0].ID = "", "", "" },
		"/actions/0/inputs":          func(m *contract.Manifest) { m.Actions[0].Inputs = nil },
		"/actions/0/outputs/type":    func(m *contract.Manifest) { m.Actions[0].Outputs = json.RawMessage(`{}`) },
	} {
		m := manifest()
		change(&m)
		if got := fields(t, build.CheckManifest(m)); got != want {
			t.Errorf("problems at %q, want %q", got, want)
		}
	}
	for version, ok := range map[string]bool{"0.0.1": true, "1.2.3-rc.1+b5": true, "01.0.0": false, "v1.0.0": false, "1.0.0-01": false} {
		m := manifest()
		m.Version = version
		if (build.CheckManifest(m) == nil) != ok {
			t.Errorf("version %s: want %v", version, ok)
		}
	}
}

func TestSchemaProfile(t *testing.T) {
	t.Parallel()
	const at = "/actions/0/inputs"
	deep := strings.Repeat(`{"type":"array","items":`, 7) + `{}` + strings.Repeat(`}`, 7)
	for name, c := range map[string]struct{ property, want string }{
		"plain":              {`{"type":"string","title":"A","minLength":1,"pattern":"^a+$","ui:widget":"textarea","x-secret":true}`, ""},
		"labels":             {`{"type":"string","oneOf":[{"const":"a","title":"A"}]}`, ""},
		"null too":           {`{"type":["string","null"]}`, ""},
		"condition":          {`{"type":"object","if":{"not":{"required":["b"]}},"then":{"required":["c"]}}`, ""},
		"definition":         {`{"$ref":"#/$defs/d"}`, ""},
		"anyOf":              {`{"anyOf":[{}]}`, at + "/properties/a/anyOf"},
		"two types":          {`{"type":["string","integer"]}`, at + "/properties/a/type"},
		"no type":            {`{"type":"text"}`, at + "/properties/a/type"},
		"remote":             {`{"$ref":"https://example.com/s.json"}`, at + "/properties/a/$ref"},
		"dangling":           {`{"$ref":"#/$defs/nothing"}`, at + "/properties/a/$ref"},
		"look-ahead":         {`{"type":"string","pattern":"^(?!a)"}`, at + "/properties/a/pattern"},
		"format":             {`{"type":"string","format":"color"}`, at + "/properties/a/format"},
		"widget":             {`{"type":"string","ui:widget":"script"}`, at + "/properties/a/ui:widget"},
		"unknown ui keyword": {`{"type":"string","ui:onclick":"alert(1)"}`, at + "/properties/a/ui:onclick"},
		"x-expression":       {`{"type":"string","x-expression":"maybe"}`, at + "/properties/a/x-expression"},
		"not outside if":     {`{"not":{}}`, at + "/properties/a/not"},
		"patternProperties":  {`{"type":"object","patternProperties":{}}`, at + "/properties/a/patternProperties"},
		"not a schema":       {`7`, at + "/properties/a"},
		"a broken bound":     {`{"type":"string","minLength":-1}`, at + "/properties/a/minLength"},
		"too deep":           {deep, at + "/properties/a/items/items/items/items/items/items"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := manifest()
			m.Actions[0].Inputs = json.RawMessage(`{"type":"object","$defs":{"d":{"type":"string"}},"properties":{"a":` + c.property + `}}`)
			if got := fields(t, build.CheckManifest(m)); got != c.want {
				t.Fatalf("problems at %q, want %q", got, c.want)
			}
		})
	}
}

func TestSchemaLimits(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range 201 {
		if i > 0 {
			many.WriteByte(',')
		}
		many.WriteString(`"p` + strings.Repeat("x", i) + `":{}`)
	}
	for _, schema := range []string{
		`{"type":"object","properties":{` + many.String() + `}}`,
		`{"type":"object","description":"` + strings.Repeat("x", 256<<10) + `"}`,
	} {
		m := manifest()
		m.Actions[0].Inputs = json.RawMessage(schema)
		if got := fields(t, build.CheckManifest(m)); got != "/actions/0/inputs" {
			t.Errorf("problems at %q", got)
		}
	}
}
