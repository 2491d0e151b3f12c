package forms_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/culmhq/culm/host/forms"
)

func TestSecretsAreFoundWhereverASchemaMarksThem(t *testing.T) {
	t.Parallel()
	schema := `{
		"type": "object",
		"properties": {
			"plain": {"type": "string"},
			"token": {"type": "string", "x-secret": true},
			"password": {"type": "string", "format": "password"},
			"pin": {"type": "number", "writeOnly": true},
			"typed": {"type": "string", "ui:widget": "password"},
			"list": {"type": "array", "items": {"$ref": "#/$defs/account"}},
			"pair": {"prefixItems": [{"type": "string"}, {"x-secret": true}]},
			"whole": {"x-secret": true, "type": "object"}
		},
		"additionalProperties": {"x-secret": true},
		"allOf": [{"if": {"properties": {"plain": {"const": "p"}}}, "then": {"properties": {"then": {"x-secret": true}}}}],
		"$defs": {"account": {"properties": {"name": {"type": "string"}, "key": {"x-secret": true}, "more": {"$ref": "#/$defs/account"}}}}
	}`
	value := `{"plain":"p","token":"s1","password":"s2","pin":314159265,"typed":"s3",
		"list":[{"name":"n","key":"s4","more":{"key":"s5"}}],"pair":["a","s6"],"whole":{"a":["s7"]},"other":"s8","then":"s9"}`
	got := forms.Secrets(json.RawMessage(schema), json.RawMessage(value))
	slices.Sort(got)
	got = slices.Compact(got)
	want := []string{"314159265", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for _, c := range [][2]string{{`{"$ref":"#"}`, `{"a":1}`}, {`true`, `1`}, {`{`, `1`}, {`{"$ref":"#/x/0"}`, `[]`}, {"", ""}} {
		if got := forms.Secrets(json.RawMessage(c[0]), json.RawMessage(c[1])); len(got) > 0 {
			t.Errorf("%s: %v", c[0], got)
		}
	}
}
