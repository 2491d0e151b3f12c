package systems_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/systems"
)

func TestShippedSystemsAreValidAndCompile(t *testing.T) {
	t.Parallel()
	all, err := systems.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"alertmanager": {"create_silence", "list_silences", "get_silence", "expire_silence", "list_alerts"},
		"demo":         {"list_hosts", "start_deployment", "get_deployment", "cancel_deployment", "health", "open_ticket", "set_host_state"},
		"etcd":         {"range", "put", "txn"},
		"prometheus":   {"query"},
	}
	if len(all) != len(want) {
		t.Fatalf("%d systems are shipped, want %d", len(all), len(want))
	}
	for _, s := range all {
		if _, err := systems.Compile(s); err != nil {
			t.Errorf("%s: %v", s.ID, err)
		}
		for _, id := range want[s.ID] {
			if _, ok := s.Operation(id); !ok {
				t.Errorf("%s lacks %s", s.ID, id)
			}
		}
		if len(s.Operations) != len(want[s.ID]) {
			t.Errorf("%s has %d operations, want %d", s.ID, len(s.Operations), len(want[s.ID]))
		}
		// What is stored and shown is JSON: it reads back as the same document.
		js, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := systems.Parse(js)
		if err != nil {
			t.Fatalf("%s as JSON: %v", s.ID, err)
		}
		back, _ := json.Marshal(again)
		if string(back) != string(js) {
			t.Errorf("%s changes when it is read back", s.ID)
		}
	}
}

const good = `format: culm.system/v1
id: cmdb
title: CMDB
base_url: https://cmdb.example/api
operations:
  - id: host
    title: {en: Host, zh: 主机}
    method: GET
    path: /hosts/{name}
    retry: safe
    risk: read
    parameters:
      - {name: name, in: path, required: true}
`

func TestParseReportsEveryProblemWithLineAndField(t *testing.T) {
	t.Parallel()
	if _, err := systems.Parse([]byte(good)); err != nil {
		t.Fatalf("the good document: %v", err)
	}
	for name, c := range map[string]struct {
		from, to string
		want     []string
	}{
		"unknown field":   {"retry: safe", "retry: safe\n    retries: 3", []string{"line 11: /operations/0/retries: unknown field"}},
		"format":          {"culm.system/v1", "culm.system/v9", []string{"line 1: /format: must be culm.system/v1"}},
		"id":              {"id: cmdb", "id: CMDB", []string{"line 2: /id:"}},
		"scheme":          {"https://cmdb", "ftp://cmdb", []string{"line 4: /base_url: must start with http"}},
		"user":            {"https://cmdb", "https://a:b@cmdb", []string{"/base_url: must not hold a user"}},
		"query":           {"/api", "/api?x=1", []string{"/base_url: must not hold a query"}},
		"dots":            {"/api", "/api/../x", []string{"/base_url: the path may hold"}},
		"two at once":     {"risk: read\n", "risk: bad\n    body_required: true\n", []string{"/operations/0/risk:", "/operations/0/body_required:"}},
		"method":          {"GET", "TRACE", []string{"line 8: /operations/0/method:"}},
		"undeclared":      {"{name}", "{other}", []string{"{other} is not declared", `"name" is not in the path`}},
		"half a segment":  {"{name}", "x{name}", []string{"/operations/0/path: the segment"}},
		"optional path":   {", required: true}", "}", []string{"/operations/0/parameters/0/required:"}},
		"wrong type":      {"method: GET", "method: [GET]", []string{"line 8: /operations/0/method: must be a text, not a list"}},
		"language":        {"zh: 主机", "fr: hôte", []string{"line 7: /operations/0/title/fr: unknown field; known are en, zh"}},
		"repeated key":    {"risk: read", "risk: read\n    risk: write", []string{"/operations/0/risk: given twice"}},
		"anchor":          {"id: host", "id: &x host", []string{"anchors and aliases are not allowed"}},
		"second document": {"format:", "format: a\n---\nformat:", []string{"only one document"}},
		"outside schema":  {"required: true}", `required: true, schema: {$ref: "file:///etc/passwd"}}`, []string{"/operations/0/parameters/0/schema: a schema may not refer"}},
		"bad schema":      {"required: true}", `required: true, schema: {type: 5}}`, []string{"/operations/0/parameters/0/schema: is not a valid JSON Schema"}},
		"bad key header":  {"retry: safe", "retry: keyed\n    key_header: Authorization", []string{"/operations/0/key_header:"}},
		"cookie shown":    {"retry: safe", "retry: safe\n    response_headers: [Set-Cookie]", []string{"/operations/0/response_headers/0:"}},
		"header taken":    {"in: path, required: true}", "in: path, required: true}\n      - {name: Authorization, in: header}", []string{"Authorization is a header that the gateway keeps"}},
		"api key header":  {"operations:", "auth: {type: api_key, header: Host}\noperations:", []string{"/auth/header: Host belongs"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := strings.Replace(good, c.from, c.to, 1)
			_, err := systems.Parse([]byte(doc))
			var ps document.Problems
			if !errors.As(err, &ps) {
				t.Fatalf("error %v, want problems", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to hold %q", err, want)
				}
			}
		})
	}
}

func TestParseBaseURLRefusesDisguisedAddresses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"http://2130706433", "http://0x7f.1", "http://0x7f000001", "http://127.1", "http://017700000001", "http://localhost.",
		"http://[fe80::1%25eth0]", "http://", "http://a b", "http://a:0", "http://a:99999", "http://a:", "http://user@a",
		"http://a/%2e%2e/", "http://a//b", "http://a/b/../c", "javascript:alert(1)", "//a", "http://a/#x", "http://[::1", "http://a\r\nb",
	} {
		if u, err := systems.ParseBaseURL(bad); err == nil {
			t.Errorf("%q is accepted as %v", bad, u)
		}
	}
	for _, ok := range []string{"http://127.0.0.1:9090", "https://cmdb.example", "https://cmdb.example/api/v2/", "http://[::1]:80/x", "http://host_1:1"} {
		if _, err := systems.ParseBaseURL(ok); err != nil {
			t.Errorf("%q is refused: %v", ok, err)
		}
	}
}

func TestSchemaErrorsHoldNoValues(t *testing.T) {
	t.Parallel()
	s, err := systems.Parse([]byte(strings.Replace(good, "required: true}",
		"required: true, schema: {type: object, properties: {a: {enum: [x]}, b: {pattern: '^z'}}, required: [c]}}", 1)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := systems.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	op, _ := c.Operation("host")
	schema, _ := op.Parameter("name")
	err = schema.Check(json.RawMessage(`{"a":"hunter2","b":"hunter2"}`))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"lacks c", "/a", "/b", "pattern"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to hold %q", err, want)
		}
	}
}
