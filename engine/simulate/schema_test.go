package simulate_test

import (
	"strings"
	"testing"

	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/engine/simulate"
)

func TestExamplesFitTheirSchema(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]string{
		`{"type":"string"}`: `"example"`,
		`{"type":"string","minLength":9,"maxLength":10}`:                `"examplexx"`,
		`{"type":"string","maxLength":3}`:                               `"exa"`,
		`{"type":"string","format":"date-time"}`:                        `"2026-01-01T00:00:00Z"`,
		`{"type":"string","pattern":"^[a-z]{2}-[0-9]+(x|y)$"}`:          `"aa-0x"`,
		`{"type":"string","enum":["b","a"]}`:                            `"b"`,
		`{"type":"integer","minimum":3}`:                                `3`,
		`{"type":"number","exclusiveMinimum":3}`:                        `4`,
		`{"type":"number","maximum":-2}`:                                `-2`,
		`{"type":["null","boolean"]}`:                                   `true`,
		`{"type":"null"}`:                                               `null`,
		`{"const":{"a":[1]}}`:                                           `{"a":[1]}`,
		`{"type":"integer","default":12}`:                               `12`,
		`{"type":"string","examples":["first","second"],"default":"d"}`: `"first"`,
		`{"type":"array","items":{"type":"integer"},"minItems":2}`:      `[1,1]`,
		`{"type":"array"}`:                                              `[]`,
		`{"type":"array","prefixItems":[{"type":"boolean"}],"items":{"type":"string"},"minItems":2}`:                                                `[true,"example"]`,
		`{"type":"object","properties":{"url":{"type":"string"},"n":{"type":"integer"}},"required":["url"]}`:                                        `{"n":1,"url":"url"}`,
		`{"anyOf":[{"type":"boolean"},{"type":"string"}]}`:                                                                                          `true`,
		`{"oneOf":[{"type":"integer"},{"type":"string"}]}`:                                                                                          `1`,
		`{"allOf":[{"type":"object","properties":{"a":{"type":"integer"}}},{"properties":{"b":{"type":"string"}}}]}`:                                `{"a":1,"b":"b"}`,
		`{"$defs":{"host":{"type":"object","properties":{"ip":{"type":"string","format":"ipv4"}}}},"type":"array","items":{"$ref":"#/$defs/host"}}`: `[{"ip":"192.0.2.1"}]`,
		`true`: `null`,
	} {
		got := simulate.Example([]byte(schema))
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", schema, got, want)
		}
		parsed, err := expr.ParseSchema([]byte(schema))
		if err != nil {
			t.Fatal(err)
		}
		if vs := parsed.Validate(got); len(vs) > 0 {
			t.Errorf("%s: %s: %s", schema, got, vs[0].Message)
		}
	}
}

func TestExamplesOfSchemasThatContainThemselvesEnd(t *testing.T) {
	t.Parallel()
	got := simulate.Example([]byte(`{"$defs":{"tree":{"type":"object","properties":{"left":{"$ref":"#/$defs/tree"},"right":{"$ref":"#/$defs/tree"}}}},"$ref":"#/$defs/tree"}`))
	if len(got) == 0 || len(got) > 1<<16 || !strings.HasPrefix(string(got), `{"left":{`) {
		t.Errorf("%d bytes: %.80s", len(got), got)
	}
}
