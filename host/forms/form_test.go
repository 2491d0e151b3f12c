package forms_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/host/hosttest"
)

// vector is an entry of the file that the browser's tests read too.
type vector struct {
	Name    string          `json:"name"`
	Literal []string        `json:"literal"`
	Schema  json.RawMessage `json:"schema"`
	Cases   []struct {
		Value json.RawMessage `json:"value"`
		Wrong []string        `json:"wrong"`
	} `json:"cases"`
}

func vectors(t *testing.T) []vector {
	t.Helper()
	b, err := os.ReadFile("../../schemas/testdata/relax.json")
	if err != nil {
		t.Fatal(err)
	}
	var vs []vector
	if err := json.Unmarshal(b, &vs); err != nil {
		t.Fatal(err)
	}
	return vs
}

func TestRelaxVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			f, err := forms.ParseRelaxed(v.Schema, v.Literal...)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range v.Cases {
				if got := fields(f.Check(c.Value)); !slices.Equal(got, c.Wrong) {
					t.Errorf("%s: wrong fields %q, want %q", c.Value, got, c.Wrong)
				}
			}
		})
	}
}

// What a literal schema accepts, the relaxed one accepts: drawing by hand what an
// expression would give is never refused.
func TestRelaxAcceptsMore(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		strict, err := forms.Parse(v.Schema)
		if err != nil {
			t.Fatal(err)
		}
		relaxed, err := forms.ParseRelaxed(v.Schema)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range v.Cases {
			forbidden := strings.Contains(string(v.Schema), "x-expression") // those say more, not less
			if !forbidden && len(strict.Check(c.Value)) == 0 && len(relaxed.Check(c.Value)) > 0 {
				t.Errorf("%s: %s is valid, but not when relaxed", v.Name, c.Value)
			}
		}
	}
}

func TestFaultsHoldNoValues(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	schema := `{"type":"object","properties":{"a":{"type":"integer"},"b":{"enum":["x"]},"c":{"const":1},
		"d":{"type":"string","format":"ipv4"},"e":{"type":"string","pattern":"^x"},"f":{"type":"string","maxLength":2},
		"g":{"anyOf":[{"type":"integer"},{"const":"y"}]},"h":{"not":{"type":"string"}},"i":false},"propertyNames":{"maxLength":9}}`
	f, err := forms.Parse(json.RawMessage(schema))
	if err != nil {
		t.Fatal(err)
	}
	value := map[string]string{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
		value[name] = secret
	}
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	faults := f.Check(b)
	if len(fields(faults)) != len(value) {
		t.Errorf("faults in %q, want one in every field", fields(faults))
	}
	for _, x := range faults {
		if strings.Contains(x.Message, secret) {
			t.Errorf("%s: the message holds the value: %s", x.Field, x.Message)
		}
		if x.Message == "" || x.Keyword == "" {
			t.Errorf("%s: no message or keyword", x.Field)
		}
	}
}

func TestSchemasThatAreRefused(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		_, _ = w.Write([]byte(`{"type":"object"}`))
	}))
	t.Cleanup(elsewhere.Close)
	// Whoever opened the file, or asked the server, would find a schema and accept it.
	file := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(file, []byte(`{"type":"object"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if len(asked) > 0 {
			t.Errorf("somebody asked for %s", <-asked)
		}
	})
	for name, schema := range map[string]string{
		"another document": `{"$ref":"` + elsewhere.URL + `/schema.json"}`,
		"another dialect":  `{"$schema":"` + elsewhere.URL + `/dialect.json"}`,
		"an older dialect": `{"$schema":"http://json-schema.org/draft-07/schema#"}`,
		"another base":     `{"$id":"` + elsewhere.URL + `/","properties":{"a":{"$ref":"schema.json"}}}`,
		"a file":           `{"$ref":"file://` + file + `"}`,
		"a path":           `{"$ref":"` + file + `"}`,
		"a file, deep":     `{"properties":{"a":{"items":{"$ref":"file://` + file + `#"}}}}`,
		"an unknown type":  `{"type":"text"}`,
		"a bad pattern":    `{"type":"string","pattern":"("}`,
		"not an object":    `"string"`,
		"not JSON":         `{`,
		"too large":        `{"title":"` + strings.Repeat("x", forms.SchemaBytesMax) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := forms.Parse(json.RawMessage(schema)); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// doubling makes a chain of definitions, each of which uses the next twice.
func doubling(levels int) string {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/d0","$defs":{`)
	for i := range levels {
		fmt.Fprintf(&b, `"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	fmt.Fprintf(&b, `"d%d":{"type":"object"}}}`, levels)
	return b.String()
}

// Schemas whose check would never end in practice come with plugins of strangers.
func TestSchemasThatWouldTakeForEver(t *testing.T) {
	t.Parallel()
	for name, schema := range map[string]string{
		"doubling":              doubling(60),
		"twice the same child":  `{"properties":{"a":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}}`,
		"beside a reference":    `{"$ref":"#/$defs/a","properties":{"a":{"$ref":"#"}},"$defs":{"a":{"properties":{"a":{"$ref":"#"}}}}}`,
		"Fibonacci":             `{"properties":{"a":{"$ref":"#/$defs/a"}},"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"properties":{"a":{"$ref":"#"}}}}}`,
		"two patterns":          `{"patternProperties":{"a":{"$ref":"#"},"b":{"$ref":"#"}}}`,
		"a false mark":          `{"properties":{"a":{"x-relaxed":true,"anyOf":[{"$ref":"#"},{"allOf":[{"$ref":"#"}]}]}}}`,
		"behind another base":   `{"$ref":"#/$defs/a","$defs":{"d0":{},"a":{"$id":"x:y",` + doubling(60)[1:] + `}}`,
		"in a nameless place":   `{"$ref":"#/","":` + strings.ReplaceAll(doubling(60), "#/$defs", "#//$defs") + `}`,
		"dependencies":          `{"dependencies":{"a":{"$ref":"#/$defs/d0"}},` + doubling(60)[1+len(`"$ref":"#/$defs/d0",`):],
		"behind an anchor":      `{"$ref":"#a","$defs":{"d0":{},"a":{"$anchor":"a",` + doubling(60)[1:] + `}}`,
		"a bound without end":   `{"minimum":1e999999}`,
		"dynamic references":    `{"properties":{"a":{"$dynamicRef":"#x"}}}`,
		"a reference to naught": `{"$ref":"#/$defs/none"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := forms.Parse(json.RawMessage(schema)); err == nil || !json.Valid([]byte(schema)) {
				t.Errorf("accepted, or no JSON: %v", err)
			}
		})
	}
	for name, c := range map[string]struct{ schema, good, bad string }{
		"a tree": {
			`{"type":"object","properties":{"n":{"type":"integer"},"left":{"$ref":"#"},"right":{"$ref":"#"},"more":{"type":"array","items":{"$ref":"#"}}}}`,
			`{"n":1,"left":{"n":2,"more":[{"n":3}]}}`, `{"left":{"more":[{"n":"3"}]}}`,
		},
		"a little doubling": {doubling(8), `{}`, `[]`},
	} {
		f, err := forms.Parse(json.RawMessage(c.schema))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		relaxed, err := forms.ParseRelaxed(json.RawMessage(c.schema))
		if err != nil {
			t.Errorf("%s, relaxed: %v", name, err)
			continue
		}
		for _, f := range []*forms.Form{f, relaxed} {
			if len(f.Check(json.RawMessage(c.good))) != 0 || len(f.Check(json.RawMessage(c.bad))) == 0 {
				t.Errorf("%s: wrong verdict", name)
			}
		}
	}
}

// list writes n texts, each made from its number, as the items of a JSON array.
func list(n int, format string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(format, i)
	}
	return "[" + strings.Join(items, ",") + "]"
}

// A check takes no longer than the value is worth, whatever the schema asks of each part of
// it: such a value is refused as too complex, before anything is held against the schema.
func TestACheckTakesNoLongerThanTheValueIsWorth(t *testing.T) { //nolint:paralleltest // times the process
	long := `"` + strings.Repeat("a", 10_000) + `"`
	for name, c := range map[string]struct{ schema, value, want string }{
		"a choice of ten thousand forms":      {`{"oneOf":` + list(10_000, `{"const":%d}`) + `}`, `9999`, ""},
		"a huge pattern":                      {`{"pattern":"^` + strings.Repeat("(a|b)?", 40_000) + `$"}`, long, "long"},
		"a number without end":                {`{"items":{"type":"number","minimum":1}}`, `[` + strings.Repeat("1e999999,", 300) + `1]`, "long"},
		"a huge pattern under a false mark":   {`{"x-relaxed":true,"anyOf":[{"maxLength":1},{"pattern":"^` + strings.Repeat("(a|b)?", 40_000) + `$"}]}`, long, "long"},
		"a huge pattern of names":             {`{"patternProperties":{"^` + strings.Repeat("(a|b)?", 40_000) + `$":{}}}`, `{` + long + `:1}`, "long"},
		"a pattern that repeats itself":       {`{"pattern":"^(a+)+$"}`, long, ""},
		"a choice of many, again and again":   {`{"items":{"enum":` + list(20_000, `%d`) + `}}`, `[` + strings.Repeat("19999,", 500) + `1]`, "long"},
		"many forms, again and again":         {`{"items":{"oneOf":` + list(10_000, `{"const":%d}`) + `}}`, `[` + strings.Repeat("9999,", 500) + `1]`, "long"},
		"many references, again and again":    {`{"items":` + doubling(13)[:len(doubling(13))-1] + `},"$defs":` + doubling(13)[len(`{"$ref":"#/$defs/d0","$defs":`):], `[` + strings.Repeat("{},", 500) + `{}]`, "long"},
		"a schema that comes back to itself":  {`{"$ref":"#/$defs/a","$defs":{"a":{"type":"object","properties":{"n":{"$ref":"#/$defs/a"}}}}}`, strings.Repeat(`{"n":`, 40) + `{}` + strings.Repeat(`}`, 40), ""},
		"a list of five thousand hosts":       {`{"items":{"type":"object","properties":{"name":{"type":"string","pattern":"^[a-z0-9-]{1,63}$"},"state":{"enum":["in","out"]}}}}`, list(5_000, `{"name":"web-%d","state":"in"}`), ""},
		"hundred choices of hundred and more": {`{"items":{"oneOf":` + list(200, `{"const":"web-%d","title":"Web"}`) + `}}`, list(200, `"web-%d"`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := forms.Parse(json.RawMessage(c.schema))
			if err != nil {
				t.Fatal(err)
			}
			limit := 100*time.Millisecond + time.Duration(len(c.value))*time.Microsecond // a second for each megabyte
			if c.value == "9999" || strings.HasPrefix(name, "a huge") || strings.HasPrefix(name, "a schema") {
				limit = 50 * time.Millisecond // what the threat model allows for these
			}
			limit = hosttest.TakenAtMost(limit)
			hosttest.InTime(t, "a check", limit, func() time.Duration {
				began := time.Now()
				found := f.Check(json.RawMessage(c.value))
				took := time.Since(began)
				got := ""
				if len(found) > 0 {
					got = found[0].Keyword
				}
				if got != c.want {
					t.Fatalf("%+v, want %q", found, c.want)
				}
				return took
			})
		})
	}
}

func TestCacheAnswersLikeParse(t *testing.T) {
	t.Parallel()
	var c forms.Cache
	schema := json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer"}}}`)
	for range 2 {
		strict, err := c.Form(schema)
		if err != nil {
			t.Fatal(err)
		}
		relaxed, err := c.Relaxed(schema)
		if err != nil {
			t.Fatal(err)
		}
		literal, err := c.Relaxed(schema, "n")
		if err != nil {
			t.Fatal(err)
		}
		value := json.RawMessage(`{"n":"${x}"}`)
		if len(strict.Check(value)) == 0 || len(relaxed.Check(value)) != 0 || len(literal.Check(value)) == 0 {
			t.Error("the cache mixes up a schema and what was made of it")
		}
	}
}

func FuzzRelax(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"oneOf":[{"const":1},{"const":2}]}}}`, `{"a":"${x}"}`)
	f.Add(`{"if":{"properties":{"a":{}}},"then":{"not":{}}}`, `{}`)
	f.Fuzz(func(t *testing.T, schema, value string) {
		if _, err := forms.Parse(json.RawMessage(schema)); err != nil {
			t.Skip("not a schema")
		}
		relaxed, err := forms.ParseRelaxed(json.RawMessage(schema))
		if err != nil {
			t.Skip("too heavy when relaxed")
		}
		_ = relaxed.Check(json.RawMessage(value))
	})
}

func fields(fs []forms.Fault) []string {
	out := []string{}
	for _, f := range fs {
		out = append(out, f.Field)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
