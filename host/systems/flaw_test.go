package systems_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/systems"
)

const flawSystem = `format: culm.system/v1
id: cmdb
title: CMDB
base_url: https://cmdb.example.com
success: {rule: %q}
operations:
  - id: host
    title: Host
    method: POST
    path: /hosts
    risk: read
    retry: safe
    body: %s
`

// The libraries that read schemas and expressions say what is wrong in sentences of English:
// clients translate by the code of each kind instead.
func TestMistakesThatALibraryFindsHaveCodesOfTheirOwn(t *testing.T) {
	t.Parallel()
	const fine = `status == 200`
	for name, c := range map[string]struct{ rule, schema, field, code, args string }{
		"a keyword's value":     {fine, `{"minLength": "x"}`, "/operations/0/body", systems.CodeSchemaRuleType, "a=/minLength b=integer"},
		"a keyword's rule":      {fine, `{"minLength": -1}`, "/operations/0/body", systems.CodeSchemaRule, "a=/minLength b=minimum"},
		"a reference":           {fine, `{"$ref": "#/$defs/gone"}`, "/operations/0/body", systems.CodeSchemaReference, "a=#/$defs/gone"},
		"an anchor":             {fine, `{"$ref": "#gone"}`, "/operations/0/body", systems.CodeSchemaReference, "a=#gone"},
		"a regular expression":  {fine, `{"properties": {"name": {"pattern": "["}}}`, "/operations/0/body", systems.CodeSchemaPattern, "a=/properties/name/pattern"},
		"another dialect":       {fine, `{"$schema": "https://json-schema.org/draft/1999/schema"}`, "/operations/0/body", systems.CodeSchemaUnsupported, "a=$schema"},
		"another document":      {fine, `{"$ref": "https://example.com/x"}`, "/operations/0/body", systems.CodeSchemaOutside, "a=a schema may not refer to another document"},
		"$defs of no object":    {fine, `{"$defs": 5}`, "/operations/0/body", systems.CodeSchemaRuleType, "a=/$defs b=object"},
		"no kind that is known": {fine, `{"$defs": {"x": {"$anchor": "a"}, "y": {"$anchor": "a"}}}`, "/operations/0/body", systems.CodeSchemaInvalid, `a=duplicate anchor "a" in ""`},
		"an unknown name":       {`bdoy.code == 0`, `{}`, "/success/rule", "EXPR_NO_NAME", "a=bdoy column=1 row=1"},
		"operands":              {`status == 200 && text + 1 == 2`, `{}`, "/success/rule", "EXPR_OVERLOAD", "a=+ b=(string, int) column=23 row=1"},
		"syntax":                {"status ==\n  )", `{}`, "/success/rule", "EXPR_UNEXPECTED", "a=) column=3 row=2"},
		"no condition":          {`status + 1`, `{}`, "/success/rule", "EXPR_CONDITION", "a=int"},
		"no kind of expression": {`google.protobuf.Duration{seconds: 'x'} == null`, `{}`, "/success/rule", systems.CodeBroken, "a=expected type of field 'seconds' is 'int' but provided type is 'string' column=33 row=1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := systems.Parse(fmt.Appendf(nil, flawSystem, c.rule, c.schema))
			var ps document.Problems
			if !errors.As(err, &ps) {
				t.Fatalf("got %v", err)
			}
			p := ps[0]
			if p.Code != c.code || p.Field != c.field || !strings.HasPrefix(argsText(p.Args), c.args) || c.args == "" {
				t.Errorf("got %s at %s with %s: %s", p.Code, p.Field, argsText(p.Args), p.Message)
			}
		})
	}
}

func argsText(args map[string]string) string {
	var out []string
	for _, name := range []string{"a", "b", "column", "row"} {
		if v, ok := args[name]; ok {
			out = append(out, name+"="+v)
		}
	}
	return strings.Join(out, " ")
}
