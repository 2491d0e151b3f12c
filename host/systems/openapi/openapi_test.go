package openapi_test

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	doc "github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/host/systems/openapi"
	"github.com/culmhq/culm/pdk/contract"
)

func system(d *openapi.Document) *systems.System {
	return &systems.System{
		Format: systems.Format, ID: "x", Title: contract.T("x"), BaseURL: "https://x.example", Operations: d.Operations, Schemas: d.Schemas,
	}
}

func read(t *testing.T, text string) *openapi.Document {
	t.Helper()
	d, err := openapi.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := systems.Compile(system(d)); err != nil {
		t.Fatalf("what was read is no system: %v", err)
	}
	return d
}

func only(t *testing.T, d *openapi.Document) systems.Operation {
	t.Helper()
	if len(d.Operations) != 1 {
		t.Fatalf("%d operations, skipped %v", len(d.Operations), d.Skipped)
	}
	return d.Operations[0]
}

// document wraps one operation.
func document(version, method, path, operation string) string {
	return fmt.Sprintf(`{"openapi":%q,"info":{"title":"T","version":"1"},"servers":[{"url":"https://{h}.example/v1/","variables":{"h":{"default":"api"}}}],
		"components":{"schemas":{"Node":{"type":"object","properties":{"next":{"$ref":"#/components/schemas/Node"},"pw":{"type":"string","format":"password"}}}},
			"parameters":{"page":{"name":"page","in":"query","schema":{"type":"integer","minimum":0,"exclusiveMinimum":true}}}},
		"paths":{%q:{%q:%s}}}`, version, path, method, operation)
}

func TestGitHubIsReadWhole(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/api.github.com.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	d := read(t, string(data))
	if len(d.Operations) != 1222 || len(d.Servers) != 1 {
		t.Errorf("%d operations, servers %v", len(d.Operations), d.Servers)
	}
	whole := 0
	for _, s := range d.Skipped {
		if s.Part == "" {
			whole++
		}
	}
	if whole != 1 { // a path with two parameters in one segment; the document deprecates it
		t.Errorf("skipped %v", d.Skipped)
	}
	js, err := json.Marshal(system(d))
	if err != nil {
		t.Fatal(err)
	}
	c, err := systems.Load(js)
	if err != nil {
		t.Fatal(err)
	}
	o, ok := c.Operation("issues_create")
	if !ok || o.Group != "issues" || o.Retry != systems.RetryNever || o.Risk != systems.RiskWrite || !o.BodyRequired {
		t.Fatalf("got %+v", o)
	}
	body, _ := o.Body()
	if err := body.Check(json.RawMessage(`{"title":"it leaks","labels":["bug"]}`)); err != nil {
		t.Error(err)
	}
	if err := body.Check(json.RawMessage(`{"labels":["bug"]}`)); err == nil {
		t.Error("an issue without a title")
	}
	form, err := o.Form()
	if err != nil || !strings.Contains(string(form), `"owner"`) {
		t.Errorf("form %s, %v", form, err)
	}
}

func TestShippedContractsAreReadWhole(t *testing.T) {
	t.Parallel()
	all, err := systems.Contracts()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 17 {
		t.Errorf("%d contracts", len(all))
	}
	total := 0
	for _, head := range all {
		c, ok, err := systems.ContractOf(head.ID)
		if err != nil || !ok {
			t.Fatalf("%s: %v", head.ID, err)
		}
		d := read(t, string(c.Document))
		if len(d.Skipped) > 0 {
			t.Errorf("%s: skipped %v", c.ID, d.Skipped)
		}
		s := system(d)
		s.Auth, s.Limits, s.Success = c.Auth, c.Limits, c.Success
		if ps := s.Validate(); len(ps) > 0 {
			t.Errorf("%s: %v", c.ID, ps)
		}
		total += len(d.Operations)
	}
	if total != 380 {
		t.Errorf("%d operations", total)
	}
}

func TestParametersAndBodies(t *testing.T) {
	t.Parallel()
	d := read(t, document("3.0.3", "post", "/items/{item-id}/{other}", `{"operationId":"Items.updateAll","tags":["Items"],"deprecated":true,
		"parameters":[
			{"$ref":"#/components/parameters/page"},
			{"name":"item-id","in":"path","required":true,"schema":{"type":"integer"}},
			{"name":"match[]","in":"query","schema":{"type":"array","items":{"type":"string"}},"explode":false},
			{"name":"filter","in":"query","style":"deepObject","schema":{"type":"object"}},
			{"name":"session","in":"cookie","schema":{"type":"string"}},
			{"name":"Authorization","in":"header","schema":{"type":"string"}},
			{"name":"X-Key","in":"header","schema":{"type":"string","format":"password"}}],
		"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Node"}}}},
		"responses":{"201":{"headers":{"Location":{},"Set-Cookie":{}},"content":{"application/json":{"schema":{"type":"array","items":{"type":"string","nullable":true}}}}}}}`))
	o := only(t, d)
	if o.ID != "items_update_all" || o.Group != "Items" || o.Path != "/items/{item-id}/{other}" || !strings.HasPrefix(o.Doc.En, "Deprecated.") {
		t.Errorf("got %+v", o)
	}
	want := `[{"name":"page","in":"query","schema":{"exclusiveMinimum":0,"type":"integer"}},` +
		`{"name":"item-id","in":"path","required":true,"schema":{"type":"integer"}},` +
		`{"name":"match","in":"query","wire":"match[]","schema":{"items":{"type":"string"},"type":"array"},"array_style":"comma"},` +
		`{"name":"X-Key","in":"header","schema":{"type":"string"},"secret":true},` +
		`{"name":"other","in":"path","required":true}]`
	if got, _ := json.Marshal(o.Parameters); string(got) != want {
		t.Errorf("parameters\n%s\nwant\n%s", got, want)
	}
	if len(d.Skipped) != 2 || d.Skipped[0].Part == "" || strings.Join(o.ResponseHeaders, " ") != "Location" {
		t.Errorf("skipped %v, headers %v", d.Skipped, o.ResponseHeaders)
	}
	if string(o.Response) != `{"items":{"type":["string","null"]},"type":"array"}` || d.Servers[0] != "https://api.example/v1" {
		t.Errorf("response %s, servers %v", o.Response, d.Servers)
	}
	c, err := systems.Compile(system(d))
	if err != nil {
		t.Fatal(err)
	}
	op, _ := c.Operation(o.ID)
	if !op.BodySecret("/next/next/pw") || op.BodySecret("/next") {
		t.Error("the password of the body is not marked")
	}
}

func TestOpenAPI31IsReadAsItsOwnDialect(t *testing.T) {
	t.Parallel()
	o := only(t, read(t, document("3.1.0", "put", "/a", `{"requestBody":{"required":true,"content":{"application/vnd.x+json":{"schema":{
		"type":["object","null"],"properties":{"n":{"const":3,"exclusiveMinimum":2},"p":{"pattern":"^(?!x)"}},"examples":[1]}}}},"responses":{}}`)))
	if want := `{"properties":{"n":{"const":3,"exclusiveMinimum":2},"p":{}},"type":["object","null"]}`; string(o.Body) != want || !o.BodyRequired {
		t.Errorf("body %s", o.Body)
	}
	if o.ID != "put_a" || o.Retry != systems.RetryKeyed {
		t.Errorf("got %+v", o)
	}
}

func TestRetryAndRiskAreTheCarefulGuess(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, operation string
		retry             systems.Retry
		risk              systems.Risk
	}{
		"reads":                  {"get", `{}`, systems.RetrySafe, systems.RiskRead},
		"creates":                {"post", `{}`, systems.RetryNever, systems.RiskWrite},
		"deletes":                {"delete", `{}`, systems.RetryKeyed, systems.RiskDestructive},
		"deletes by post":        {"post", `{"operationId":"batchDeleteHost"}`, systems.RetryNever, systems.RiskDestructive},
		"searches by post":       {"post", `{"operationId":"search_host","x-retry-safety":"safe"}`, systems.RetrySafe, systems.RiskRead},
		"repeatable, but writes": {"post", `{"operationId":"sync_all","x-retry-safety":"safe"}`, systems.RetrySafe, systems.RiskWrite},
		"reads unsafely":         {"get", `{"x-retry-safety":"unsafe"}`, systems.RetryNever, systems.RiskRead},
		"says so itself":         {"post", `{"x-culm-retry":"keyed","x-culm-risk":"read"}`, systems.RetryKeyed, systems.RiskRead},
	} {
		if o := only(t, read(t, document("3.0.0", c.method, "/a", c.operation))); o.Retry != c.retry || o.Risk != c.risk {
			t.Errorf("%s: %s, %s", name, o.Retry, o.Risk)
		}
	}
}

func TestWhatCannotBeCalledIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ method, path, operation, reason string }{
		"another body":        {"post", "/a", `{"requestBody":{"required":true,"content":{"multipart/form-data":{}}}}`, "only a JSON body"},
		"a body of GET":       {"get", "/a", `{"requestBody":{"required":true,"content":{"application/json":{}}}}`, "GET takes no body"},
		"half a segment":      {"get", "/a/{b}.json", `{}`, "neither plain text nor one {parameter}"},
		"an object parameter": {"get", "/a", `{"parameters":[{"name":"o","in":"query","required":true,"schema":{"type":"object"}}]}`, "is an object"},
		"a required cookie":   {"get", "/a", `{"parameters":[{"name":"o","in":"cookie","required":true}]}`, "is a cookie"},
		"another document":    {"get", "/a", `{"parameters":[{"$ref":"https://evil.example/p.json"}]}`, "refers to another document"},
		"a file":              {"post", "/a", `{"requestBody":{"content":{"application/json":{"schema":{"$ref":"file:///etc/passwd"}}}}}`, "refers to another document"},
		"nowhere":             {"get", "/a", `{"parameters":[{"$ref":"#/components/parameters/none"}]}`, "which is not there"},
		"itself":              {"get", "/a", `{"parameters":[{"$ref":"#/paths/~1a/get/parameters/0"}]}`, "refers to itself"},
	} {
		d, err := openapi.Read([]byte(document("3.0.0", c.method, c.path, c.operation)))
		if err != nil || len(d.Operations) != 0 || len(d.Skipped) != 1 || !strings.Contains(d.Skipped[0].Reason, c.reason) || d.Skipped[0].Code == "" {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

func TestDocumentsThatAreRefused(t *testing.T) {
	t.Parallel()
	many := strings.Builder{}
	many.WriteString(`{"openapi":"3.0.0","paths":{"/x":{}`)
	for i := range openapi.OperationsMax + 1 {
		fmt.Fprintf(&many, `,"/%d":{"get":{}}`, i)
	}
	many.WriteString("}}")
	for name, c := range map[string]struct{ text, want string }{
		"empty":          {" ", "is empty"},
		"Swagger 2":      {`{"swagger":"2.0"}`, "Swagger 2"},
		"a later one":    {`{"openapi":"4.0.0"}`, "3.0 and 3.1 are read"},
		"something else": {`{"a":1}`, "not an OpenAPI document"},
		"no paths":       {`{"openapi":"3.0.0"}`, "has no paths"},
		"deep":           {`{"openapi":"3.0.0","x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, "nested more than"},
		"large":          {strings.Repeat(" ", openapi.MaxBytes+1), "is larger than"},
		"many":           {many.String(), "more than 5000 operations"},
		"aliases":        {"a: &a [1]\nb: *a\n", "anchors and aliases"},
		"two documents":  {`{"openapi":"3.0.0"}{}`, "is not one object"},
	} {
		_, err := openapi.Read([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		// Each has a code, by which clients say it in their language.
		var flaw doc.Problem
		var problems doc.Problems
		if (!errors.As(err, &flaw) || flaw.Code == "") && (!errors.As(err, &problems) || problems[0].Code == "") {
			t.Errorf("%s: %v has no code", name, err)
		}
	}
}

func TestIdsAreStableAndUnique(t *testing.T) {
	t.Parallel()
	d := read(t, `{"openapi":"3.0.0","paths":{
		"/a":{"get":{"operationId":"list"},"post":{"operationId":"LIST"}},
		"/b":{"get":{"operationId":"`+strings.Repeat("long", 30)+`"}},
		"/9":{"get":{"operationId":"9lives"}}}}`)
	seen := map[string]bool{}
	for _, o := range d.Operations {
		if seen[o.ID] || len(o.ID) > 64 {
			t.Errorf("id %q", o.ID)
		}
		seen[o.ID] = true
	}
	if !seen["list"] || !seen["op_9lives"] {
		t.Errorf("ids %v", seen)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(document("3.0.3", "get", "/a/{b}", `{"parameters":[{"$ref":"#/components/parameters/page"}]}`)))
	f.Add([]byte("openapi: 3.1.0\npaths: {/a: {get: {}}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := openapi.Read(data)
		if err != nil {
			return
		}
		for _, o := range d.Operations {
			if o.ID == "" || o.Retry == "" || o.Risk == "" {
				t.Errorf("operation %+v", o)
			}
		}
	})
}
