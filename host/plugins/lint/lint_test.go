package lint_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/culmhq/culm/host/plugins/lint"
	"github.com/culmhq/culm/pdk/contract"
)

// good is a manifest that nothing is found in.
func good() contract.Manifest {
	return contract.Manifest{
		Title: contract.Text{En: "T", Zh: "题"}, Doc: contract.T("D"),
		Actions: []contract.Action{{
			Title: contract.Text{En: "A", Zh: "甲"}, Doc: contract.T("D"),
			Inputs: json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"name":{"type":"string","maxLength":9,
				"title":"N","description":"d","ui:i18n":{"zh":{"title":"名","description":"述"}}}}}`),
			Outputs: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer","title":"N","ui:i18n":{"zh":{"title":"数"}}}}}`),
		}},
		Needs: []contract.Need{{System: "cmdb", Operation: "list"}},
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	in := func(schema string) func(*contract.Manifest) {
		return func(m *contract.Manifest) { m.Actions[0].Inputs = json.RawMessage(schema) }
	}
	const told = `"title":"N","description":"d","ui:i18n":{"zh":{"title":"名","description":"述"}}`
	for name, c := range map[string]struct {
		change func(*contract.Manifest)
		want   []string
	}{
		"nothing":         {func(*contract.Manifest) {}, nil},
		"no title":        {func(m *contract.Manifest) { m.Title = contract.Text{} }, []string{"warning text/missing /title"}},
		"no Chinese":      {func(m *contract.Manifest) { m.Actions[0].Title.Zh = "" }, []string{"warning text/untranslated /actions/0/title"}},
		"no doc":          {func(m *contract.Manifest) { m.Actions[0].Doc = contract.Text{} }, []string{"info text/missing /actions/0/doc"}},
		"open":            {in(`{"type":"object","properties":{}}`), []string{"warning schema/open /actions/0/inputs/additionalProperties"}},
		"bare property":   {in(`{"additionalProperties":false,"properties":{"a/b":{"type":"boolean"}}}`), []string{"warning schema/title /actions/0/inputs/properties/a~1b", "info schema/description /actions/0/inputs/properties/a~1b"}},
		"untranslated":    {in(`{"additionalProperties":false,"properties":{"a":{"type":"boolean","title":"A","description":"d","ui:i18n":{"zh":{"title":"甲"}}}}}`), []string{"warning text/untranslated /actions/0/inputs/properties/a/description"}},
		"endless text":    {in(`{"additionalProperties":false,"properties":{"a":{"type":"string",` + told + `}}}`), []string{"warning schema/bounds /actions/0/inputs/properties/a"}},
		"endless list":    {in(`{"additionalProperties":false,"properties":{"a":{"type":"array","items":{"type":"string"},` + told + `}}}`), []string{"warning schema/bounds /actions/0/inputs/properties/a", "warning schema/bounds /actions/0/inputs/properties/a/items"}},
		"an enumeration":  {in(`{"additionalProperties":false,"properties":{"a":{"type":"string","enum":["x"],` + told + `}}}`), nil},
		"an open secret":  {in(`{"additionalProperties":false,"properties":{"api_key":{"type":"string","maxLength":9,` + told + `}}}`), []string{"warning schema/secret /actions/0/inputs/properties/api_key"}},
		"a marked secret": {in(`{"additionalProperties":false,"properties":{"api_key":{"type":"string","maxLength":9,"x-secret":true,` + told + `}}}`), nil},
		"no outputs":      {func(m *contract.Manifest) { m.Actions[0].Outputs = json.RawMessage(`{"type":"object"}`) }, []string{"info schema/outputs /actions/0/outputs"}},
		"any system":      {func(m *contract.Manifest) { m.Needs[0].System = "*" }, []string{"warning needs/any-system /needs/0/system"}},
		"any operation": {func(m *contract.Manifest) { m.Needs = append(m.Needs, contract.Need{System: "cmdb", Operation: "*"}) }, []string{
			"warning needs/twice /needs/0", "warning needs/any-operation /needs/1/operation",
		}},
		"twice": {func(m *contract.Manifest) { m.Needs = append(m.Needs, m.Needs[0]) }, []string{"warning needs/twice /needs/1"}},
		"many": {func(m *contract.Manifest) {
			for i := range 20 {
				m.Needs = append(m.Needs, contract.Need{System: "s", Operation: string(rune('a' + i))})
			}
		}, []string{"info needs/many /needs"}},
		"too much":       {func(m *contract.Manifest) { m.Limits = &contract.Limits{MemoryBytes: 11, HostCalls: 10} }, []string{"warning limits/above-host /limits/memory_bytes"}},
		"too long":       {func(m *contract.Manifest) { m.Actions[0].TimeoutMS = 11 }, []string{"warning limits/above-host /actions/0/timeout_ms"}},
		"cannot be left": {func(m *contract.Manifest) { m.Actions[0].Waits = []contract.WaitKind{contract.WaitPoll} }, []string{"info waits/no-cancel /actions/0/cancel"}},
		"a timer":        {func(m *contract.Manifest) { m.Actions[0].Waits = []contract.WaitKind{contract.WaitTimer} }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := good()
			c.change(&m)
			var got []string
			for _, f := range lint.Manifest(&m, lint.Limits{MemoryBytes: 10, HostCalls: 10, TimeoutMS: 10}) {
				got = append(got, string(f.Level)+" "+string(f.Rule)+" "+f.Field)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("findings %q, want %q", got, c.want)
			}
		})
	}
}
