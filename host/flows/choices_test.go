package flows_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/pdk/contract"
)

// picker is a catalogue with one action, whose fields have choices.
type picker struct{}

func (picker) Action(plugin, action string) (contract.Action, bool) {
	return contract.Action{ID: "pick", Options: true, Inputs: json.RawMessage(`{"type":"object","properties":{
		"zone":{"type":"string","x-source":{"name":"zones"}},
		"host":{"type":"string","x-source":{"name":"hosts","dependsOn":["zone"]}}}}`)}, plugin == "picker" && action == "pick"
}

func TestAnInputMayHaveTheChoicesOfAnAction(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`{plugin: picker, action: pick, name: zones}`:                          "",
		`{plugin: picker, action: pick, name: hosts, fields: {zone: place}}`:   "",
		`{plugin: picker, action: throw, name: hosts}`:                         "no action",
		`{plugin: picker, action: pick, name: ports}`:                          "no field with choices",
		`{plugin: picker, action: pick, name: hosts, fields: {place: place}}`:  "do not depend on",
		`{plugin: picker, action: pick, name: hosts, fields: {zone: host}}`:    "depend on itself",
		`{plugin: picker, action: pick, name: hosts, fields: {zone: token}}`:   "may be shown",
		`{plugin: picker, action: pick, name: hosts, fields: {zone: nowhere}}`: "may be shown",
		`{plugin: picker, action: pick, name: hosts, fields: [zone]}`:          "must be an object",
	} {
		f := hosttest.Flow(t, `
format: culm.flow/v1
name: Pick
variables:
  - {name: place, source: input}
  - {name: token, source: input, secret: true, uses: [{system: s, operation: o}]}
  - {name: host, source: input, schema: {type: string, x-source: `+source+`}}
nodes: []
edges: []
`)
		var got []string
		for _, p := range flows.NewChecker(picker{}).Problems(f) {
			if p.Code == engine.ProblemVariableSchema {
				got = append(got, p.Field+" "+p.Message)
			}
		}
		text := strings.Join(got, "; ")
		if want == "" && text != "" || !strings.Contains(text, want) || want != "" && !strings.HasPrefix(text, "/schema/x-source ") {
			t.Errorf("%s: %q, want %q", source, text, want)
		}
	}
}
