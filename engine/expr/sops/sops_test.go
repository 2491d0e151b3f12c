package sops_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/engine/expr/sops"
)

// values are those of the flow in these tests, by their Culm names.
func values() map[string]string {
	return map[string]string{
		"a": `"1"`, "b": `"0"`, "n": `4`, "s": `"a-b-c"`, "l": `[1, 2, 3]`, "d": `{"b": 1, "list": ["x", "y"], "in": 5}`,
		"t": `true`, "f": `false`, "none": `null`, "float": `1.5`, "empty": `""`, "long_one": `"Long"`,
		"nested": `[[1, 2, 3, {"a": [1, 2]}], [5]]`, "names": `["x", "y"]`, "typed": `"text"`, "count": `7`, "parent": `"alice"`,
	}
}

type scope struct{}

func (scope) Variable(name string) json.RawMessage {
	if v, ok := values()[name]; ok {
		return json.RawMessage(v)
	}
	return nil
}
func (scope) Outputs(string) json.RawMessage          { return nil }
func (scope) Iterations(string) int                   { return 0 }
func (scope) Environment() map[string]json.RawMessage { return nil }
func (scope) Run() expr.Run                           { return expr.Run{ID: "r1", Operator: "alice"} }

func translator(lenient bool) *sops.Translator {
	t := &sops.Translator{Names: sops.System(), Lenient: lenient, Modules: []string{"json", "datetime", "os", "re"}}
	for name := range values() {
		t.Names[name] = sops.Name{Expr: name}
	}
	t.Names["typed"], t.Names["count"] = sops.Name{Expr: "typed", Type: "string"}, sops.Name{Expr: "count", Type: "integer"}
	t.Names["LongOne"] = sops.Name{Expr: "long_one"}
	t.Names["unset"] = sops.Name{Expr: "unset"}
	delete(t.Names, "long_one")
	return t
}

func environment(tb testing.TB) *expr.Env {
	tb.Helper()
	c := expr.Config{Variables: []expr.Decl{{Name: "unset", Schema: schema(tb, "")}}}
	for name := range values() {
		src := map[string]string{"typed": `{"type":"string"}`, "count": `{"type":"integer"}`}[name]
		c.Variables = append(c.Variables, expr.Decl{Name: name, Schema: schema(tb, src)})
	}
	env, err := expr.NewEnv(c)
	if err != nil {
		tb.Fatal(err)
	}
	return env
}

func schema(tb testing.TB, src string) *expr.Schema {
	tb.Helper()
	s, err := expr.ParseSchema(json.RawMessage(src))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// evaluate gives the JSON of a translated string.
func evaluate(env *expr.Env, culm string) (string, error) {
	raw, _ := json.Marshal(culm)
	t, errs := env.Template(raw)
	if err := errors.Join(errs...); err != nil {
		return "", fmt.Errorf("does not compile: %w", err)
	}
	out, err := t.Append(nil, scope{})
	return string(out), err
}

func TestTemplatesGiveWhatPythonGives(t *testing.T) {
	t.Parallel()
	env := environment(t)
	for _, c := range []struct{ mako, want string }{
		{"plain", `"plain"`},
		{"${a}", `"1"`},
		{"${n}", `4`},
		{"${l}", `[1,2,3]`},
		{"${LongOne}", `"Long"`},
		{"a-${n}-z", `"a-4-z"`},
		{"${n}${n}", `"44"`},
		{" ${n}", `" 4"`},
		{"${l} and ${d}", `"[1, 2, 3] and {'b': 1, 'in': 5, 'list': ['x', 'y']}"`},
		{"${t}/${none}/${float}", `"True/None/1.5"`},
		{"$${a}", `"$1"`},
		{"$$${a}", `"$$1"`},
		{"${ a}$", `"1$"`},
		{"${}", `"${}"`},
		{"${'{}'.format(a)}", `"${'{}'.format(a)}"`},
		{"cost: $5 {x}", `"cost: $5 {x}"`},
		{"${d.b}", `"1"`},
		{`${d["b"]}`, `"1"`},
		{"${d['list'][-1]}", `"y"`},
		{"${d.get('zz', 'none')}", `"none"`},
		{"${l[0]}", `"1"`},
		{"${l[-1]}", `"3"`},
		{"${l[1:]}", `"[2, 3]"`},
		{"${s[::-1]}", `"c-b-a"`},
		{"${s[0]}", `"a"`},
		{"${nested[0][3]['a']}", `"[1, 2]"`},
		{"${s.upper()}", `"A-B-C"`},
		{"${s.split('-')}", `"['a', 'b', 'c']"`},
		{`${s.split("-")[n - 3]}`, `"b"`},
		{"${','.join(s.split('-'))}", `"a,b,c"`},
		{"${','.join([x.strip() for x in s.split('-')])}", `"a,b,c"`},
		{"${[x for x in a]}", `"['1']"`},
		{"${[x * 2 for x in l]}", `"[2, 4, 6]"`},
		{"${[x for x in l if x > 1]}", `"[2, 3]"`},
		{"${(lambda y: y + 1)(n)}", `"5"`},
		{"${s.replace('-', '+')}", `"a+b+c"`},
		{"${s.startswith('a')}", `"True"`},
		{"${s.strip('ac')}", `"-b-"`},
		{"${len(s)}", `"5"`},
		{"${len(l)}", `"3"`},
		{"${int(a) + n}", `"5"`},
		{"${n+int(a)}", `"5"`},
		{"${a + b}", `"10"`},
		{"${n / 2}", `"2.0"`},
		{"${n // 3}", `"1"`},
		{"${-7 % n}", `"1"`},
		{"${2 ** 10}", `"1024"`},
		{"${'%s-%s' % (a, n)}", `"1-4"`},
		{"${'%s' % l}", `"[1, 2, 3]"`},
		{"${'%03d' % n}", `"004"`},
		{"${'a-%s-c' % 1 if t else 2}", `"a-1-c"`},
		{"a-${1 if f else 2}-${a}", `"a-2-1"`},
		{"${empty if empty else 'default'}", `"default"`},
		{"${empty or 'default'}", `"default"`},
		{"${a and b}", `"0"`},
		{"${not empty}", `"True"`},
		{"${n == 4 and a == '1'}", `"True"`},
		{"${1 < n < 3}", `"False"`},
		{"${2 in l}", `"True"`},
		{"${'b' in s}", `"True"`},
		{"${'b' not in d}", `"False"`},
		{"${none is None}", `"True"`},
		{"${str('aaa')}", `"aaa"`},
		{"${int(111)}", `"111"`},
		{"${max(l)} ${min(3, 2)} ${sum(l)} ${sorted(l)[0]}", `"3 2 6 1"`},
		{"${' x ' | trim}", `"x"`},
		{"${parent + ''}", `"alice"`},
		{"${_system.operator}", `"alice"`},
		{"${typed.upper()} ${count + 1}", `"TEXT 8"`},
		{"${json.dumps(d)}", `"{\"b\": 1, \"in\": 5, \"list\": [\"x\", \"y\"]}"`},
		{"${'it''s'}", `"its"`},
		{"${\"'\" + '\\n'}", `"'\n"`},
		{"${d['in']}", `"5"`},
		{"${a.zfill(3)}", `"001"`},
		{"${any(x > 2 for x in l)}", `"True"`},
	} {
		culm, problems := translator(false).Template(c.mako)
		if len(problems) > 0 && !strings.Contains(c.mako, "format") {
			t.Errorf("%s: %v", c.mako, problems)
			continue
		}
		if have, err := evaluate(env, culm); err != nil || have != c.want {
			t.Errorf("%s\n became %s\n gives  %s, %v\n want   %s", c.mako, culm, have, err, c.want)
		}
	}
}

// The simple things stay simple: an importer shows the translation to people.
func TestTranslationsAreReadable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ mako, want string }{
		{"${a}", "${a}"},
		{"${typed}-x", "${typed}-x"},
		{"${typed.split(',')[0]}", `${typed.split(",")[0]}`},
		{"${count}", "${count}"},
		{"n ${count}", "n ${string(count)}"},
		{"${'a' if typed == 'x' else 'b'}", `${(typed == "x") ? "a" : "b"}`},
		{"${d.b}", "${py.text(d.b)}"},
		{"${typed + 'x'}", `${typed + "x"}`},
		{"${'v%s' % typed}", `${"v" + typed}`},
	} {
		if have, problems := translator(false).Template(c.mako); have != c.want || len(problems) > 0 {
			t.Errorf("%s became %s (%v), want %s", c.mako, have, problems, c.want)
		}
	}
}

func TestTemplatesWithoutTranslationAreReported(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mako, reason string
		offset       int
	}{
		{"x ${zzz}", "unknown name zzz", 4},
		{"${a.__class__}", "private attributes", 2},
		{"${a['__class__']}", "private keys", 2},
		{"${self.module}", "unknown name self", 2},
		{"${open('x')}", "function open is not supported", 2},
		{"${__import__('os')}", "__import__ is not supported", 2},
		{"${while True: pass}", "while does not belong here", 2},
		{"${a:b}", "not a Python expression", 3},
		{"${'%s'.format(a)}", "method format is not supported", 2},
		{"${re.sub('a', 'b', a)}", "re.sub is not supported", 2},
		{"${os.path.os.popen('x')}", "os.path.os.popen is not supported", 2},
		{"${a | h}", "filter h", 2},
		{"${1 + 'x'}", "do not fit", 4},
		{"${a.split(sep=',')}", "by name", 10},
		{"${lambda x: x}", "called at once", 2},
		{"${'a}", "not closed", 2},
		{"${a[}", "operand is missing", 4},
	} {
		culm, problems := translator(false).Template(c.mako)
		if len(problems) != 1 || !strings.Contains(problems[0].Reason, c.reason) || problems[0].Offset != c.offset {
			t.Errorf("%s became %q, %+v; want %q at %d", c.mako, culm, problems, c.reason, c.offset)
		}
	}
}

// What BK-SOPS cannot render it leaves as it stands.
func TestLenientTranslationsKeepTheText(t *testing.T) {
	t.Parallel()
	env := environment(t)
	for _, c := range []struct{ mako, want string }{
		{"${zzz}", `"${zzz}"`},
		{"x ${a.__class__} ${a}", `"x ${a.__class__} 1"`},
		{"${n[1]}", `"${n[1]}"`},
		{"${unset}", `"${unset}"`},
		{"v ${unset.x} ${n}", `"v ${unset.x} 4"`},
		{"${n}", `4`},
		{"${l[9]}", `"${l[9]}"`},
	} {
		culm, problems := translator(true).Template(c.mako)
		for _, p := range problems {
			if !p.Warning {
				t.Errorf("%s: %v", c.mako, p)
			}
		}
		if have, err := evaluate(env, culm); err != nil || have != c.want {
			t.Errorf("%s became %s, gives %s, %v; want %s", c.mako, culm, have, err, c.want)
		}
	}
}

func TestValuesAreTranslatedWithTheirPlaces(t *testing.T) {
	t.Parallel()
	raw, problems := translator(false).Value(json.RawMessage(`{"x":[1.0,"${n}",{"y/z":"${zzz}"}],"k":"a<b"}`))
	if want := `{"k":"a<b","x":[1.0,"${n}",{"y/z":"$${zzz}"}]}`; string(raw) != want {
		t.Errorf("became %s, want %s", raw, want)
	}
	if len(problems) != 1 || problems[0].Pointer != "/x/2/y~1z" {
		t.Errorf("problems %+v", problems)
	}
	cel, problems := translator(false).Expression(json.RawMessage(`{"x":[1,-2.5,"${n}","a-${n}",null,true]}`))
	if want := `{"x": [1, (-2.5), n, "a-" + py.text(n), null, true]}`; cel != want || len(problems) > 0 {
		t.Errorf("became %s (%v), want %s", cel, problems, want)
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	env := environment(t)
	for _, c := range []struct {
		rule string
		want bool
	}{
		{"1 == 1", true},
		{`"1" == 1`, true},
		{"True == true", true},
		{"False == false", true},
		{"1 == True", true},
		{"0 == False", true},
		{`"1" == True`, true},
		{`"0" == False`, true},
		{`"3.14" == 3.14`, true},
		{`"abc" == "abc"`, true},
		{"1 == 2", false},
		{`123 == "123a"`, false},
		{`1 == "2"`, false},
		{`True == "true"`, false},
		{"1 != 2", true},
		{`"1" != 2`, true},
		{`True != "true"`, true},
		{"2 > 1", true},
		{`"2" > 1`, true},
		{`"1" > 2`, false},
		{"1 < 2", true},
		{"2 < 2", false},
		{"1 in (1, 2)", true},
		{`1 in ("1", "2")`, true},
		{`"1" in (1, 2)`, true},
		{`1 in ("11", 2)`, false},
		{"1 notin (0, 2)", true},
		{`"abc" notin (0, 2)`, true},
		{"1 < 2 and 2 < 3", true},
		{"1 > 2 and 2 > 1", false},
		{"1 > 2 or 2 > 1", true},
		{`"s" > "s" or "su" > "st"`, true},
		{`("s" > "s" or "su" > "st") or (1 > 3 and 2 < 3)`, true},
		{`(1 < 2 or 2 > 3) and ("s" > "s" or "su" < "st")`, false},
		{"1 == 1 or 1 == 1 and 1 == 2", true},
		{"1 == 2 and 1 == 1 or 1 == 1", false}, // to the right
		{"(1, 2) issuperset (1)", true},
		{"(1, 2) notissuperset (3)", true},
		{`"abc" issuperset "abc"`, true},
		{"abc == abc", true},
		{"a.b == 'a.b'", true},
		{`'a' <= "b"`, true},
		{`"" == ""`, true},
		{"1.5 > 1", false},
		{"1.5 > 0.5", true},
		{"-1 < 0", true},
		{"*", true},
		// with templates
		{`"${a}" == "1"`, true},
		{`${a} == 1`, true},
		{"${n} < 5", true},
		{"${n}<5 and ${n}>=4", true},
		{"${n} >= '10'", false},
		{"${t} == True", true},
		{`"${t}" == "True"`, true},
		{"${float} == 1.5", true},
		{`${LongOne} == Long`, true},
		{`"x-${n}-y" == "x-4-y"`, true},
		{`${n} in (1, ${a}, 4)`, true},
		{`"${a}" in ("1", "2")`, true},
		{`${int(a) > 0} == True`, true},
		{`"b" in "${s}"`, true},
		{`${len(l)} == 3`, true},
		{`"${empty}" == ""`, true},
		{"${typed} == text", true},
		{`"${typed}" != 'text'`, false},
		{"${count} < ${n}", false},
		{"${'1' if t else '2'} == 1", true},
		{`"${d["b"]}" == "1"`, true},
	} {
		cel, err := translator(false).Condition(c.rule)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		p, err := env.CompileBool(cel)
		if err != nil {
			t.Errorf("%s became %s: %v", c.rule, cel, err)
			continue
		}
		if have, err := p.EvalBool(scope{}); err != nil || have != c.want {
			t.Errorf("%s became %s, gives %v, %v; want %v", c.rule, cel, have, err, c.want)
		}
	}
}

func TestConditionsWithoutTranslationAreReported(t *testing.T) {
	t.Parallel()
	for rule, at := range map[string]int{
		"1 ==": 4, "": 0, "== 1": 0, "1 == 1 and": 10, "(1 == 1": 7, "a b == 1": 2, "1.2.3.4 == 1": 0, `"x == 1`: 0, "1 == 1 2 == 2": 7,
		"${zzz} == 1": 2, "1 == trueish": 5, "[1] == 1": 0, "${a}": 4,
	} {
		cel, err := translator(false).Condition(rule)
		var p sops.Problem
		if !errors.As(err, &p) || p.Offset != at {
			t.Errorf("%q became %q, %+v; want a problem at %d", rule, cel, err, at)
			continue
		}
		compiled, err := environment(t).CompileBool(sops.Failing(p))
		if err != nil {
			t.Errorf("%q: %v", rule, err)
			continue
		}
		if ok, err := compiled.EvalBool(scope{}); err == nil {
			t.Errorf("%q gives %v", rule, ok)
		}
	}
}

func TestReadableConditions(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		"True == True": "true", `"${typed}" == "x"`: `typed == "x"`, "${count} < 4": "count < 4", `"${typed}" in ("a", "b")`: `typed in ["a", "b"]`,
		`"${typed}" == "x" and ${count} > 1`: `(typed == "x") && (count > 1)`, `${a} == 1`: `sops.test("==", sops.value(py.text(a)), 1)`,
		"1 == 1 and ${count} == 1": "count == 1", "1 == 2 or ${count} == 1": "count == 1", "1 == 2 and ${count} == 1": "false",
	} {
		if have, err := translator(false).Condition(rule); err != nil || have != want {
			t.Errorf("%s became %s, %v; want %s", rule, have, err, want)
		}
	}
	if have := sops.Otherwise("x", []string{"y", "z"}); have != "(x) || !((y) || (z))" {
		t.Error(have)
	}
	if sops.Otherwise("false", []string{"y"}) != "" || sops.Otherwise("", nil) != "" {
		t.Error("a default without a condition is plain")
	}
}

func TestRenamedKeysAreNamesThatDiffer(t *testing.T) {
	t.Parallel()
	keys := []string{"${ip_list}", "${IP_LIST}", "${Ip List}", "${1st}", "${_x}", "${in}", "${变量}", "${变}", "run", "env_", "${env}", strings.Repeat("a", 80), strings.Repeat("a", 81)}
	names := sops.Rename(keys)
	if names["${ip_list}"] != "ip_list" || names["${in}"] != "in_" || names["env_"] != "env_" {
		t.Error(names)
	}
	seen := map[string]string{}
	for key, name := range names {
		if !regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`).MatchString(name) || expr.Reserved(name) {
			t.Errorf("%s became %s", key, name)
		}
		if other, twice := seen[name]; twice {
			t.Errorf("%s and %s both became %s", key, other, name)
		}
		seen[name] = key
	}
	slices.Reverse(keys)
	for key, name := range sops.Rename(keys) {
		if names[key] != name {
			t.Errorf("%s became %s and %s", key, names[key], name)
		}
	}
}

// Whatever comes in, nothing panics, and what is not reported compiles.
func FuzzTranslations(f *testing.F) {
	for _, s := range []string{
		"${a}", "${l[0]}-x", "${'%s' % a}", "${a if b else n}", "${[x for x in l if x]}", "${(lambda y: y)(a)}", "1 == 1", "(${a}) in (1, 2) and 2 > 1",
		"${d.b['x'].upper()[1:]}", "${-n ** 2}", "$${a}", "${s.split('-')[0] in names}", "${typed * 3 + str(count)}", "${count % 3}", "${not typed and count}",
	} {
		f.Add(s)
	}
	env := environment(f)
	f.Fuzz(func(t *testing.T, s string) {
		for _, lenient := range []bool{false, true} {
			tr := translator(lenient)
			culm, problems := tr.Template(s)
			if !slices.ContainsFunc(problems, func(p sops.Problem) bool { return !p.Warning }) && len(culm) < 9000 {
				if _, err := evaluate(env, culm); err != nil && strings.HasPrefix(err.Error(), "does not compile") {
					t.Fatalf("%q became %q: %v", s, culm, err)
				}
			}
			if cel, err := tr.Condition(s); err == nil {
				if _, err := env.CompileBool(cel); err != nil {
					t.Fatalf("%q became %q: %v", s, cel, err)
				}
			}
		}
	})
}
