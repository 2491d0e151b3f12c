package expr_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine/expr"
)

// values is a Scope from maps.
type values struct {
	vars, outputs, env map[string]string
}

func raw(m map[string]string, name string) json.RawMessage {
	if v, ok := m[name]; ok {
		return json.RawMessage(v)
	}
	return nil
}

func (v values) Variable(name string) json.RawMessage { return raw(v.vars, name) }
func (v values) Outputs(node string) json.RawMessage  { return raw(v.outputs, node) }
func (v values) Iterations(node string) int           { return len(node) }

func (v values) Environment() map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	for name := range v.env {
		m[name] = raw(v.env, name)
	}
	return m
}

func (v values) Run() expr.Run {
	return expr.Run{ID: "r1", Name: "nightly", Project: "demo", Operator: "alice", StartedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func schema(t testing.TB, s string) *expr.Schema {
	t.Helper()
	p, err := expr.ParseSchema(json.RawMessage(s))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newEnv declares what the tests name.
func newEnv(t testing.TB) *expr.Env {
	t.Helper()
	d := func(name, s string) expr.Decl { return expr.Decl{Name: name, Schema: schema(t, s)} }
	e, err := expr.NewEnv(expr.Config{
		Variables: []expr.Decl{
			d("s", `{"type":"string"}`), d("i", `{"type":"integer"}`), d("f", `{"type":"number"}`), d("b", `{"type":"boolean"}`),
			d("list", `{"type":"array","items":{"type":"string"}}`), d("anything", `{}`), d("unset", `{"type":"string"}`),
			d("host", `{"type":"object","properties":{"ip":{"type":"string"},"port":{"type":"integer"},"tags":{"type":"array","items":{"type":"object","properties":{"k":{"type":"string"}}}}}}`),
			d("tree", `{"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"name":{"type":"string"},"kids":{"type":"array","items":{"$ref":"#/$defs/node"}}}}}}`),
			d("map", `{"type":"object","additionalProperties":{"type":"integer"}}`), d("double", `{"type":"string"}`),
		},
		Nodes: []expr.Decl{
			d("a", `{"type":"object","properties":{"count":{"type":"integer"},"items":{"type":"array","items":{"type":"integer"}}}}`),
			d("later", `{"type":"object"}`),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Compile(`s + s`)
	if err != nil {
		t.Fatal(err)
	}
	e.Compute("double", p)
	e.Seal()
	return e
}

func scope() values {
	return values{
		vars: map[string]string{
			"s": `"abc"`, "i": `42`, "f": `2`, "b": `true`, "list": `["x","y"]`, "anything": `{"n":3,"f":1.5,"l":[1,"2",null]}`,
			"host": `{"ip":"10.0.0.1","tags":[{"k":"v"}]}`, "tree": `{"name":"root","kids":[{"name":"kid","kids":[]}]}`, "map": `{"one":1}`,
		},
		outputs: map[string]string{"a": `{"count":7,"items":[1,2,3]}`},
		env:     map[string]string{"region": `"eu"`, "replicas": `3`},
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	for _, c := range []struct{ in, want string }{
		{`"plain"`, `"plain"`},
		{`"${i}"`, `42`},
		{`"${ i } "`, `"42 "`},
		{`"${f}"`, `2`},
		{`"${b}"`, `true`},
		{`"n=${i} f=${f} l=${list} h=${host} null=${anything.l[2]}."`, `"n=42 f=2 l=[\"x\",\"y\"] h={\"ip\":\"10.0.0.1\",\"tags\":[{\"k\":\"v\"}]} null=."`},
		{`"$${i}"`, `"${i}"`},
		{`"cost: $5 $${x} ${i}"`, `"cost: $5 ${x} 42"`},
		{`{"k${i}":1,"v":["${list}",{"deep":"${host.ip}"}]}`, `{"k${i}":1,"v":[["x","y"],{"deep":"10.0.0.1"}]}`},
		{`"${ {'a': {'b': 1}}.a.b }"`, `1`},
		{`"${'}' + \"}\" + r'\\}' + '''}'''}"`, `"}}\\}}"`},
		{`"${i // comment }\n}"`, `42`},
		{`"\u0024{i}"`, `42`},
		{`"${list[0]}${list[1]}"`, `"xy"`},
		{`"${anything}"`, `{"f":1.5,"l":[1,"2",null],"n":3}`},
		{`"${anything.n + 1}"`, `4`},
		{`"${nodes.a.outputs.count}"`, `7`},
		{`"${nodes.a.outputs}"`, `{"count":7,"items":[1,2,3]}`},
		{`"${nodes.a.outputs.items.map(x, x * 2)}"`, `[2,4,6]`},
		{`"${has(nodes.later.outputs.x)}"`, `false`},
		{`"${has(host.port) ? host.port : 80}"`, `80`},
		{`"${tree.kids[0].name}"`, `"kid"`},
		{`"${map['one'] + 1}"`, `2`},
		{`"${env.region}-${env.replicas}"`, `"eu-3"`},
		{`"${run.id} ${run.name} ${run.project} ${run.operator}"`, `"r1 nightly demo alice"`},
		{`"${run.started_at}"`, `"2026-01-02T03:04:05Z"`},
		{`"${run.started_at + duration('1h')}"`, `"2026-01-02T04:04:05Z"`},
		{`"${double}"`, `"abcabc"`},
		{`"${s.upper().replace('B', '-').split('-').join('+')}"`, `"A+C"`},
		{`"${'  héllo '.trim().substring(1, 3) + string('héllo'.indexOf('l'))}"`, `"él2"`},
		{`"${f / 4.0}"`, `0.5`},
		{`"${i > f}"`, `true`},
		{`"${'<&>'}"`, `"<&>"`},
		{`"${host == host}"`, `true`},
		{`9007199254740993`, `9007199254740993`},
	} {
		tmpl, errs := e.Template(json.RawMessage(c.in))
		if len(errs) > 0 {
			t.Errorf("%s: %v", c.in, errs)
			continue
		}
		got, err := tmpl.Append(nil, scope())
		if err != nil || string(got) != c.want {
			t.Errorf("%s = %s, %v; want %s", c.in, got, err, c.want)
		}
	}
}

func code(err error) expr.Code {
	var e *expr.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// TestCompileErrors: what is wrong when a flow is saved, with its place.
func TestCompileErrors(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	for _, c := range []struct {
		in      string
		code    expr.Code
		pointer string
		offset  int
		name    string
	}{
		{`"${i +}"`, expr.CodeSyntax, "", 5, ""},
		{`"${"`, expr.CodeSyntax, "", 0, ""},
		{`"${}"`, expr.CodeSyntax, "", 0, ""},
		{`"text ${'}"`, expr.CodeSyntax, "", 5, ""},
		{`{"a":["${nosuch}"]}`, expr.CodeUnknownName, "/a/0", 2, "nosuch"},
		{`"${host.nosuch}"`, expr.CodeUnknownName, "", 6, "nosuch"},
		{`"${host.tags[0].nosuch}"`, expr.CodeUnknownName, "", 14, "nosuch"},
		{`"${nodes.nosuch.outputs.x}"`, expr.CodeUnknownName, "", 7, "nosuch"},
		{`"${nodes.a.outputs.nosuch}"`, expr.CodeUnknownName, "", 17, "nosuch"},
		{`"${run.password}"`, expr.CodeUnknownName, "", 5, "password"},
		{`"${secrets.db}"`, expr.CodeSecret, "", 2, "secrets"},
		{`"${nosuch(1)}"`, expr.CodeUnknownName, "", 8, "nosuch"},
		{`"${i + s}"`, expr.CodeType, "", 4, ""},
		{`"é ${i + s}"`, expr.CodeType, "", 7, ""},
		{`"${` + strings.Repeat("(", 200) + "i" + strings.Repeat(")", 200) + `}"`, expr.CodeSyntax, "", -1, ""},
		{`"${` + strings.Repeat("i + ", 3000) + `i}"`, expr.CodeSyntax, "", -1, ""},
	} {
		_, errs := e.Template(json.RawMessage(c.in))
		var got *expr.Error
		if len(errs) != 1 || !errors.As(errs[0], &got) {
			t.Errorf("%.60s: %v", c.in, errs)
			continue
		}
		if got.Code != c.code || got.Pointer != c.pointer || got.Name != c.name || c.offset >= 0 && got.Offset != c.offset {
			t.Errorf("%.60s: %+v, want %+v", c.in, *got, c)
		}
	}
	if _, err := e.CompileBool("i + 1"); code(err) != expr.CodeType {
		t.Errorf("a condition that is an int: %v", err)
	}
	if _, errs := e.Template(json.RawMessage(`["${x1}","${x2}","${i +}"]`)); len(errs) != 3 {
		t.Errorf("all errors at once: %v", errs)
	}
}

// TestEvalErrors: what goes wrong when a node starts, without a panic.
func TestEvalErrors(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	sc := scope()
	sc.vars["list"] = `["` + strings.Repeat("x", expr.StringMaxBytes+1) + `"]`
	sc.vars["anything"] = `[` + strings.Repeat(`"0123456789",`, expr.InputMaxBytes/13) + `1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]`
	for _, c := range []struct {
		in   string
		code expr.Code
	}{
		{"unset", expr.CodeUnset},
		{"nodes.later.outputs.x", expr.CodeUnset},
		{"host.port", expr.CodeUnset},
		{"env.nosuch", expr.CodeEval},
		{"i / 0", expr.CodeEval},
		{"nodes.a.outputs.items[9]", expr.CodeEval},
		{"list[0]", expr.CodeInputLimit},
		{"anything[0]", expr.CodeInputLimit},
		{"0.0 / 0.0", expr.CodeType},
		{"{1: 1, '1': 2}", expr.CodeType},
		{"int", expr.CodeType},
	} {
		p, err := e.Compile(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got, err := p.Eval(sc); code(err) != c.code {
			t.Errorf("%s = %.60s, %v; want %s", c.in, got, err, c.code)
		}
	}
}

// TestBombs: expressions that want the machine are stopped by counting, not by time.
func TestBombs(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	sc := scope()
	big := strings.Repeat("a", expr.StringMaxBytes)
	sc.vars["s"] = `"` + big + `"`
	ten := "[0,1,2,3,4,5,6,7,8,9]"
	nested := "true"
	for _, v := range []string{"a", "b1", "c", "d", "e", "g", "h"} {
		nested = ten + ".all(" + v + ", " + nested + ")"
	}
	for name, src := range map[string]string{
		"loops":       nested,
		"replace":     "s.replace('a', s)",
		"join":        "[" + strings.Repeat("s,", 1000) + "s].join(s)",
		"concat":      strings.Repeat("s+", 400) + "s",
		"concat all":  ten + ".map(a, " + ten + ".map(c, " + ten + ".map(d, s + s)))",
		"split":       ten + ".map(a, " + ten + ".map(c, s.split('')))",
		"upper":       ten + ".map(a, " + ten + ".map(c, " + ten + ".map(d, s.upper())))",
		"regex":       ten + ".all(a, " + ten + ".all(c, " + ten + ".all(d, s.substring(0, 3000).matches('(a*)*b') == false)))",
		"list concat": ten + ".map(a, " + ten + ".map(c, " + ten + ".map(d, " + ten + ".map(g, " + ten + ".map(h, [1]+[2])))))",
		"kept":        ten + ".map(a, " + ten + ".map(c, " + ten + ".map(d, " + ten + ".map(g, s.upper())))).size()",
	} {
		p, err := e.Compile(src)
		if err != nil {
			if code(err) != expr.CodeSyntax {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		before := time.Now()
		out, err := p.Eval(sc)
		if c := code(err); c != expr.CodeCost && c != expr.CodeInputLimit {
			t.Errorf("%s: %d bytes, %v after %v", name, len(out), err, time.Since(before))
		}
	}
}

func TestSchemaValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		schema, value string
		pointers      string // where it is wrong, "ok" when it is not
	}{
		{`{"type":"string","minLength":2,"maxLength":3,"pattern":"^a"}`, `"ab"`, "ok"},
		{`{"type":"string","minLength":2}`, `"é"`, ""},
		{`{"type":"integer"}`, `1.0`, "ok"},
		{`{"type":"integer"}`, `1.5`, ""},
		{`{"type":["string","null"]}`, `null`, "ok"},
		{`{"type":"number","minimum":1,"exclusiveMaximum":2,"multipleOf":0.1}`, `1.3`, "ok"},
		{`{"type":"number","exclusiveMaximum":2}`, `2`, ""},
		{`{"enum":[1,"a",{"b":2.0}]}`, `{"b":2}`, "ok"},
		{`{"const":1}`, `2`, ""},
		{`{"type":"object","required":["a/b"],"properties":{"a/b":{"type":"string"}},"additionalProperties":false}`, `{"c":1}`, "/a~1b /c"},
		{`{"type":"array","prefixItems":[{"type":"string"}],"items":{"type":"integer"},"maxItems":3,"uniqueItems":true}`, `["a",1,"b",1]`, " /2 /3"},
		{`{"anyOf":[{"type":"string"},{"minimum":5}]}`, `3`, ""},
		{`{"oneOf":[{"type":"integer"},{"minimum":5}]}`, `7`, ""},
		{`{"not":{"type":"string"}}`, `"x"`, ""},
		{`{"allOf":[{"minimum":1},{"maximum":2}]}`, `3`, ""},
		{`{"$defs":{"x":{"type":"object","properties":{"next":{"$ref":"#/$defs/x"}},"required":["v"]}},"$ref":"#/$defs/x"}`, `{"v":1,"next":{"next":{}}}`, "/next/v /next/next/v"},
		{`{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}`, `1`, ""},
		{`false`, `1`, ""},
		{`true`, `1`, "ok"},
	} {
		var at []string
		for _, v := range schema(t, c.schema).Validate(json.RawMessage(c.value)) {
			at = append(at, v.Pointer)
		}
		got := strings.Join(at, " ")
		if at == nil {
			got = "ok"
		}
		if got != c.pointers {
			t.Errorf("%s with %s: wrong at %q, want %q", c.schema, c.value, got, c.pointers)
		}
	}
	for _, bad := range []string{`[]`, `{"type":"text"}`, `{"$ref":"http://x"}`, `{"pattern":"("}`, `{"properties":{"a":3}}`, `{`} {
		if _, err := expr.ParseSchema(json.RawMessage(bad)); err == nil {
			t.Errorf("%s: accepted", bad)
		}
	}
}

// FuzzExpression: whatever is written, compiling and evaluating it ends, without a
// panic, the same way twice.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{"i + 1", "${i}", `"${s}"`, "nodes.a.outputs.items.map(x, x)", "has(host.port)", "'}' // }", "s.replace(s, s)", "$${", "1/0", "[1,2][3]"} {
		f.Add(s)
	}
	e := newEnv(f)
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 2000 {
			return
		}
		in, err := json.Marshal(src)
		if err != nil {
			t.Fatal(err)
		}
		tmpl, errs := e.Template(in)
		if len(errs) > 0 {
			for _, err := range errs {
				if code(err) == "" {
					t.Fatalf("%q: %v has no code", src, err)
				}
			}
			return
		}
		one, err1 := tmpl.Append(nil, scope())
		two, err2 := tmpl.Append(nil, scope())
		if string(one) != string(two) || (err1 == nil) != (err2 == nil) {
			t.Fatalf("%q: %s, %v then %s, %v", src, one, err1, two, err2)
		}
		if err1 == nil && !json.Valid(one) {
			t.Fatalf("%q gives %q, which is not JSON", src, one)
		}
		if err1 != nil && code(err1) == "" {
			t.Fatalf("%q: %v has no code", src, err1)
		}
	})
}
