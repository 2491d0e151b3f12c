package forms_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/forms"
)

func TestProfileNamesWhatIsWrongAndWhere(t *testing.T) {
	t.Parallel()
	p, err := forms.NewProfile()
	if err != nil {
		t.Fatal(err)
	}
	deep := strings.Repeat(`{"type":"array","items":`, 8) + `{}` + strings.Repeat(`}`, 8)
	for name, c := range map[string]struct{ schema, field, says string }{
		"no object":                     {`[]`, "", "type object"},
		"another type":                  {`{"type":"array"}`, "/type", `must be "object"`},
		"no type":                       {`{}`, "/type", "is missing"},
		"an unknown keyword":            {`{"type":"object","patternProperties":{}}`, "/patternProperties", "not part of the profile"},
		"a misspelt keyword":            {`{"type":"object","properties":{"a":{"type":"string","ui:wigdet":"code"}}}`, "/properties/a/ui:wigdet", "not part of the profile of forms, did you mean ui:widget?"},
		"a misspelt widget":             {`{"type":"object","properties":{"a":{"ui:widget":"swich"}}}`, "/properties/a/ui:widget", ", did you mean switch?"},
		"an unknown widget":             {`{"type":"object","properties":{"a":{"ui:widget":"knob"}}}`, "/properties/a/ui:widget", "must be one of text, textarea"},
		"an unknown format":             {`{"type":"object","properties":{"a":{"format":"phone"}}}`, "/properties/a/format", "must be one of date"},
		"two types":                     {`{"type":"object","properties":{"a":{"type":["string","number"]}}}`, "/properties/a/type", `[type, "null"]`},
		"an unknown type":               {`{"type":"object","properties":{"a":{"type":"text"}}}`, "/properties/a/type", `one type`},
		"not outside if":                {`{"type":"object","not":{}}`, "/not", "inside if only"},
		"no schema":                     {`{"type":"object","properties":{"a":7}}`, "/properties/a", "is not a schema"},
		"a reference elsewhere":         {`{"type":"object","properties":{"a":{"$ref":"http://x/"}}}`, "/properties/a/$ref", "only #/$defs/"},
		"a reference into data":         {`{"type":"object","$defs":{"b":{"default":{}}},"properties":{"a":{"$ref":"#/$defs/b/default"}}}`, "/properties/a/$ref", "only #/$defs/"},
		"a reference to nothing":        {`{"type":"object","properties":{"a":{"$ref":"#/$defs/b"}}}`, "/properties/a/$ref", "is not there"},
		"look-around":                   {`{"type":"object","properties":{"a":{"pattern":"(?=x)"}}}`, "/properties/a/pattern", "share"},
		"a secret that is not yes":      {`{"type":"object","properties":{"a":{"x-secret":"yes"}}}`, "/properties/a/x-secret", "true or false"},
		"too many columns":              {`{"type":"object","properties":{"a":{"ui:cols":13}}}`, "/properties/a/ui:cols", "from 1 to 12"},
		"an unknown option":             {`{"type":"object","properties":{"a":{"ui:options":{"colour":"red"}}}}`, "/properties/a/ui:options/colour", "not known"},
		"rows of text":                  {`{"type":"object","properties":{"a":{"ui:options":{"rows":"4"}}}}`, "/properties/a/ui:options/rows", "whole number"},
		"an order of nothing":           {`{"type":"object","ui:order":["a"]}`, "/ui:order/0", `no property "a"`},
		"a language":                    {`{"type":"object","properties":{"a":{"ui:i18n":{"fr":{}}}}}`, "/properties/a/ui:i18n/fr", "not known"},
		"labels":                        {`{"type":"object","properties":{"a":{"enum":["x","y"],"ui:i18n":{"zh":{"enumNames":["甲"]}}}}}`, "/properties/a/ui:i18n/zh/enumNames", "1 labels for 2 values"},
		"a source that is a text":       {`{"type":"object","properties":{"a":{"x-source":"hosts"}}}`, "/properties/a/x-source", "object with a name"},
		"a source without a name":       {`{"type":"object","properties":{"a":{"x-source":{}}}}`, "/properties/a/x-source/name", "is missing"},
		"a source with more":            {`{"type":"object","properties":{"a":{"x-source":{"name":"n","url":"http://x"}}}}`, "/properties/a/x-source/url", "not known"},
		"a source that needs what":      {`{"type":"object","properties":{"a":{"x-source":{"name":"n","dependsOn":["b"]}}}}`, "/properties/a/x-source/dependsOn/0", `no field "b"`},
		"a source that needs itself":    {`{"type":"object","properties":{"a":{"x-source":{"name":"n","dependsOn":["a"]}}}}`, "/properties/a/x-source/dependsOn/0", "itself"},
		"an expression, perhaps":        {`{"type":"object","properties":{"a":{"x-expression":"perhaps"}}}`, "/properties/a/x-expression", "optional, required or forbidden"},
		"a negative length":             {`{"type":"object","properties":{"a":{"minLength":-1}}}`, "/properties/a/minLength", "from 0"},
		"a name with a slash":           {`{"type":"object","properties":{"a/b":{"type":"x"}}}`, "/properties/a~1b/type", "one type"},
		"inside a list":                 {`{"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":{"b":{"ui:help":1}}}}}}`, "/properties/a/items/properties/b/ui:help", "a text"},
		"under a condition":             {`{"type":"object","allOf":[{"if":{"properties":{"a":{"const":1}}},"then":{"required":"b"}}]}`, "/allOf/0/then/required", "list of names"},
		"too deep":                      {`{"type":"object","properties":{"a":` + deep + `}}`, "/properties/a/items/items/items/items/items/items", "deeper"},
		"what only the library can see": {`{"type":"object","properties":{"a":{"const":1,"$ref":"#/$defs/a"}},"$defs":{"a":{"$ref":"#/$defs/a"}}}`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := p.Check(json.RawMessage(c.schema))
			if c.says == "" {
				return
			}
			if len(got) != 1 || got[0].Field != c.field || !strings.Contains(got[0].Message, c.says) {
				t.Errorf("%s: got %+v, want %s at %q", c.schema, got, c.says, c.field)
			}
		})
	}
}

func TestProfileLetsFormsThrough(t *testing.T) {
	t.Parallel()
	p, err := forms.NewProfile()
	if err != nil {
		t.Fatal(err)
	}
	const all = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,"required":["a"],"ui:order":["b","*"],
		"$defs":{"d":{"type":"integer"}},
		"properties":{
			"a":{"type":["string","null"],"title":"A","minLength":1,"pattern":"^a+$","ui:widget":"code","ui:options":{"rows":4,"language":"sql"},"ui:group":{"key":"g","title":"G","collapsed":true},"x-expression":"optional"},
			"b":{"oneOf":[{"const":"x","title":"X"}],"ui:i18n":{"zh":{"title":"乙","enumNames":["甲"]}},"ui:cols":6,"ui:advanced":true},
			"c":{"type":"array","items":{"$ref":"#/$defs/d"},"x-source":{"name":"cmdb.hosts","dependsOn":["a","b"]}},
			"e":{"type":"string","format":"password","writeOnly":true,"x-secret":true},"f":true},
		"if":{"not":{"properties":{"a":{"const":"x"}}}},"then":{"required":["b"]},"else":false,
		"allOf":[{"dependentRequired":{"a":["b"]}}]}`
	if got := p.Check(json.RawMessage(all)); got != nil {
		t.Errorf("got %+v", got)
	}
	var many strings.Builder
	for i := range forms.ProfilePropertiesMax + 1 {
		fmt.Fprintf(&many, `,"p%d":{}`, i)
	}
	got := p.Check(json.RawMessage(`{"type":"object","properties":{` + many.String()[1:] + `}}`))
	if len(got) != 1 || !strings.Contains(got[0].Message, "201 properties") {
		t.Errorf("too many: %+v", got)
	}
	got = p.Check(json.RawMessage(`{"type":"object","properties":{"a":{"type":"x","ui:cols":0},"b":{"ui:help":1}}}`))
	if len(got) != 3 {
		t.Errorf("every problem at once: %+v", got)
	}
}

// The fields that docs/foreign.md shows are such as it says.
func TestTheFieldsOfTheDocumentsAreOfTheProfile(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/foreign.md")
	if err != nil {
		t.Fatal(err)
	}
	p, err := forms.NewProfile()
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```json\n(\".*?)```").FindAllStringSubmatch(string(page), -1)
	for _, block := range blocks {
		schema := `{"type":"object","properties":{` + block[1] + `}}`
		if found := p.Check(json.RawMessage(schema)); len(found) > 0 {
			t.Errorf("%s: %+v", schema, found)
		}
	}
	if len(blocks) != 2 {
		t.Errorf("%d blocks of fields", len(blocks))
	}
}
