package api

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestRoutesAreThoseOfTheGoldenList(t *testing.T) {
	t.Parallel()
	var list strings.Builder
	for _, r := range routes() {
		fmt.Fprintf(&list, "%-6s %s\n", r.method, prefix+r.path)
	}
	golden(t, "testdata/routes.golden", list.String())
}

func TestRoutesAreComplete(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, r := range routes() {
		id := operationID(r)
		if ids[id] {
			t.Errorf("%s is the id of two operations", id)
		}
		ids[id] = true
		if (r.handle == nil) == (r.stream == nil) || !strings.HasSuffix(r.summary, ".") {
			t.Errorf("%s %s: not complete", r.method, r.path)
		}
		if r.method != "GET" && r.method != "DELETE" && r.in == nil {
			t.Errorf("%s %s: no body", r.method, r.path)
		}
	}
}

// TestDocsNameEveryRoute compares the table with docs/api.md, in both directions.
func TestDocsNameEveryRoute(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| ([A-Z]+) `([^`?]+)")
	param := regexp.MustCompile(`\{[a-z]+\}`)
	docs := map[string]bool{}
	for _, m := range row.FindAllStringSubmatch(string(b), -1) {
		docs[m[1]+" "+param.ReplaceAllString(m[2], "{}")] = true
	}
	for _, r := range routes() {
		key := r.method + " " + param.ReplaceAllString(r.path, "{}")
		if !docs[key] {
			t.Errorf("docs/api.md does not name %s", key)
		}
		delete(docs, key)
	}
	delete(docs, "GET /healthz")
	for key := range docs {
		t.Errorf("docs/api.md names %s, which is not in the table", key)
	}
}

func TestOpenAPIIsComplete(t *testing.T) {
	t.Parallel()
	b, err := openAPI(routes(), "test")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, ops := range doc.Paths {
		n += len(ops)
	}
	if doc.OpenAPI != "3.1.0" || n != len(routes()) {
		t.Fatalf("version %s, %d operations", doc.OpenAPI, n)
	}
	for _, m := range regexp.MustCompile(`"\$ref": "([^"]+)"`).FindAllStringSubmatch(string(b), -1) {
		name, ok := strings.CutPrefix(m[1], "#/components/schemas/")
		if _, there := doc.Components.Schemas[name]; !ok || !there {
			t.Errorf("%s leads nowhere", m[1])
		}
	}
	for name := range doc.Components.Schemas {
		if !regexp.MustCompile(`^[A-Za-z0-9]+$`).MatchString(name) {
			t.Errorf("schema name %q", name)
		}
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not up to date; got\n%s", path, got)
	}
}
