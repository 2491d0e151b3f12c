package systems_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/systems"
)

const withBody = `{format: culm.system/v1, id: s, title: S, base_url: "https://s.example",
operations: [{id: o, title: O, method: POST, path: /o, retry: never, risk: write, body: BODY}]}`

func TestABodyHasDeclaredFieldsOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		schema, body string
		ok           bool
	}{
		{`{"type":"object","properties":{"name":{}}}`, `{"name":"a"}`, true},
		{`{"type":"object","properties":{"name":{}}}`, `{"name":"a","is_admin":true}`, false},
		{`{"type":"object","properties":{"who":{"type":"object","properties":{"name":{}}}}}`, `{"who":{"name":"a","is_admin":true}}`, false},
		{`{"type":"array","items":{"type":"object","properties":{"name":{}}}}`, `[{"name":"a"},{"is_admin":true}]`, false},
		{`{"allOf":[{"properties":{"a":{}}}],"properties":{"b":{}}}`, `{"a":1,"b":2}`, true},
		{`{"allOf":[{"properties":{"a":{}}}],"properties":{"b":{}}}`, `{"a":1,"c":2}`, false},
		{`{"$defs":{"x":{"properties":{"a":{}}}},"$ref":"#/$defs/x","properties":{"b":{}}}`, `{"a":1,"b":2}`, true},
		// A system says itself that it takes anything.
		{`{"type":"object"}`, `{"any":1}`, true},
		{`{"type":"object","properties":{"name":{}},"additionalProperties":true}`, `{"any":1}`, true},
		{`{"type":"object","properties":{"name":{}},"additionalProperties":{"type":"number"}}`, `{"any":1}`, true},
		{`{"type":"object","properties":{"name":{}},"unevaluatedProperties":{"type":"number"}}`, `{"any":1}`, true},
	} {
		s, err := systems.Parse([]byte(strings.Replace(withBody, "BODY", c.schema, 1)))
		if err != nil {
			t.Fatalf("%s: %v", c.schema, err)
		}
		compiled, err := systems.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		op, _ := compiled.Operation("o")
		body, _ := op.Body()
		if err := body.Check(json.RawMessage(c.body)); (err == nil) != c.ok {
			t.Errorf("%s with %s: %v", c.schema, c.body, err)
		}
	}
}

// Headers that belong to the connection, to credentials or to the way here, and those that
// turn one method into another, cannot be declared, so no plugin can fill them.
func TestHeadersOfTheGatewayAreNoParameters(t *testing.T) {
	t.Parallel()
	const plain = "X-Trace"
	for _, name := range []string{
		plain, "Host", "Authorization", "Cookie", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Transfer-Encoding", "Connection", "Content-Length", "Upgrade",
		"Te", "Trailer", "Expect", "Proxy-Authorization", "Proxy-Connection", "Keep-Alive", "Via", "X-Real-Ip", "Content-Encoding", "Content-Type",
		"X-HTTP-Method-Override", "X-Http-Method", "X-Method-Override", "X-Original-Url", "X-Rewrite-Url", "X-Bkapi-Authorization", "Origin", "Sec-Fetch-Site",
	} {
		for _, spelled := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
			doc := fmt.Sprintf(`{format: culm.system/v1, id: s, title: S, base_url: "https://s.example",
operations: [{id: o, title: O, method: GET, path: /o, retry: safe, risk: read, parameters: [{name: h, wire: %q, in: header}]}]}`, spelled)
			_, err := systems.Parse([]byte(doc))
			if name == plain {
				if err != nil { // else the others were refused for something else
					t.Errorf("%s cannot be declared: %v", spelled, err)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), "a header that the gateway keeps to itself") {
				t.Errorf("%s: %v", spelled, err)
			}
		}
	}
}
