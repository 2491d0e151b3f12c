package forms_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/culmhq/culm/host/forms"
)

// caller is the form of an action that calls an operation which is chosen in it.
const caller = `{
  "type": "object", "additionalProperties": false, "required": ["system", "operation"],
  "$defs": {"host": {"type": "boolean"}},
  "properties": {
    "system": {"type": "string", "x-operation": {"part": "system"}},
    "operation": {"type": "string", "x-operation": {"part": "operation", "system": "system"}},
    "params": {"type": "object", "additionalProperties": true, "x-operation": {"part": "params", "system": "system", "operation": "operation", "placeholders": ["{callback_url}"]}},
    "body": {"x-operation": {"part": "body", "system": "system", "operation": "operation"}},
    "own": {"$ref": "#/$defs/host"}
  }
}`

// taken is the form of an operation; its names are chosen to be mistaken for others.
const taken = `{
  "type": "object", "required": ["body"],
  "$defs": {"host": {"type": "object", "required": ["ip"], "properties": {"ip": {"type": "string", "format": "ipv4"}, "default": {"$ref": "#/$defs/port"}}}, "port": {"type": "integer"}},
  "properties": {
    "params": {"type": "object", "additionalProperties": false, "required": ["owner"], "properties": {"owner": {"type": "string"}, "url": {"type": "string", "format": "uri"}}},
    "body": {"$ref": "#/$defs/host"}
  }
}`

func TestAFormTakesTheSchemaOfTheChosenOperation(t *testing.T) {
	t.Parallel()
	schema := json.RawMessage(caller)
	fields := forms.OperationFields(schema)
	if len(fields) != 4 {
		t.Fatalf("fields %+v", fields)
	}
	for _, f := range fields {
		if f.Operation == "" {
			continue
		}
		var err error
		if schema, err = forms.WithOperation(schema, f, json.RawMessage(taken)); err != nil {
			t.Fatal(err)
		}
	}
	form, err := forms.ParseRelaxed(schema)
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string][]string{
		`{"system":"s","operation":"o","params":{"owner":"ada"},"body":{"ip":"10.0.0.1","default":80},"own":true}`: nil,
		`{"system":"s","operation":"o","params":{"owner":"${x}"},"body":"${nodes.a.outputs.body}"}`:                nil,
		`{"system":"s","operation":"o","params":{}}`:                                                               {"/body required", "/params/owner required"},
		`{"system":"s","operation":"o","params":{"owner":"a","x":1},"body":{"ip":"1","default":"p"},"own":3}`:      {"/body/default type", "/body/ip format", "/own type", "/params/x additionalProperties"},
		`{"system":"s","operation":"o","params":{"owner":"a","url":"{callback_url}"},"body":{"ip":"10.0.0.1"}}`:    nil,
		`{"system":"s","operation":"o","params":{"owner":"a","url":"not one"},"body":{"ip":"10.0.0.1"}}`:           {"/params/url format"},
	} {
		var got []string
		raw := json.RawMessage(value)
		for _, x := range forms.Without(form.Check(raw), raw, fields[2].Placeholders) {
			got = append(got, x.Field+" "+x.Keyword)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

func TestAPartThatTheOperationDoesNotTakeIsAllowedNoValue(t *testing.T) {
	t.Parallel()
	field := forms.OperationFields(json.RawMessage(caller))[0]
	if field.Name != "body" {
		t.Fatalf("the first field is %+v", field)
	}
	schema, err := forms.WithOperation(json.RawMessage(caller), field, json.RawMessage(`{"type":"object","properties":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	form, err := forms.ParseRelaxed(schema)
	if err != nil {
		t.Fatal(err)
	}
	got := form.Check(json.RawMessage(`{"system":"s","operation":"o","body":"${x}"}`))
	if len(got) != 1 || got[0].Field != "/body" {
		t.Errorf("%+v", got)
	}
	if got := form.Check(json.RawMessage(`{"system":"s","operation":"o"}`)); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestTheProfileChecksFieldsThatStandForPartsOfACall(t *testing.T) {
	t.Parallel()
	p, err := forms.NewProfile()
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Check(json.RawMessage(caller)); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	for schema, want := range map[string]string{
		`{"type":"object","properties":{"p":{"x-operation":{"part":"params","system":"s","operation":"o"}}}}`:                                                          "/properties/p/x-operation/operation",
		`{"type":"object","properties":{"p":{"x-operation":{"part":"params"}}}}`:                                                                                       "/properties/p/x-operation/operation",
		`{"type":"object","properties":{"p":{"x-operation":{"part":"header"}}}}`:                                                                                       "/properties/p/x-operation/part",
		`{"type":"object","properties":{"s":{"type":"string","x-operation":{"part":"system","operation":"s"}}}}`:                                                       "/properties/s/x-operation/operation",
		`{"type":"object","properties":{"a":{"type":"object","properties":{"s":{"type":"string","x-operation":{"part":"system"}}}}}}`:                                  "/properties/a/properties/s/x-operation",
		`{"type":"object","properties":{"s":{"type":"string","x-operation":{"part":"system"}},"o":{"type":"string","x-operation":{"part":"operation","system":"o"}}}}`: "/properties/o/x-operation/system",
	} {
		got := p.Check(json.RawMessage(schema))
		if len(got) == 0 || got[0].Field != want {
			t.Errorf("%s: %+v, want a fault at %s", schema, got, want)
		}
	}
}
