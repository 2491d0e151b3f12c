package expr_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine/expr"
)

// What CEL finds wrong it says in sentences: this is what holds our kinds against them.
func TestMistakeOfEachKindHasItsReason(t *testing.T) {
	t.Parallel()
	env := issueEnv(t)
	for _, c := range []struct {
		src, reason, args string
		line, column      int
		say               string
	}{
		{"cuont", "EXPR_NO_NAME", "cuont", 1, 1, `unknown name "cuont"`},
		{"run.x", "EXPR_NO_NAME", "x", 1, 4, `unknown name "x"`},
		{"count + name", "EXPR_OVERLOAD", "+ | (int, string)", 1, 7, "+ cannot be applied to (int, string)"},
		{"name in count", "EXPR_OVERLOAD", "in | (string, int)", 1, 6, "in cannot be applied to (string, int)"},
		{"count ? 1 : 2", "EXPR_OVERLOAD", "? : | (int, int, int)", 1, 7, "? : cannot be applied to (int, int, int)"},
		{"name[0]", "EXPR_OVERLOAD", "[] | (string, int)", 1, 5, "[] cannot be applied to (string, int)"},
		{"name.startsWith(1)", "EXPR_OVERLOAD", "startsWith | (string, int)", 1, 16, "startsWith cannot be applied to (string, int)"},
		{"name.startsWith()", "EXPR_OVERLOAD", "startsWith | (string)", 1, 16, "startsWith cannot be applied to (string)"},
		{"count && true", "EXPR_MISMATCH", "bool | int", 1, 1, "bool is wanted here, this is int"},
		{"count.x", "EXPR_FIELDS", "int", 1, 6, "a value of type int has no fields"},
		{"name.all(x, x)", "EXPR_ITEMS", "string", 1, 1, "a value of type string has no items to go through"},
		{"int{}", "EXPR_OBJECT", "int", 1, 4, "int is no type that can be made here"},
		{"count ==", "EXPR_UNFINISHED", "", 1, 9, "the expression is not finished"},
		{"[1,", "EXPR_CLOSE", "]", 1, 4, "] is missing at the end"},
		{"(count", "EXPR_CLOSE", ")", 1, 7, ") is missing at the end"},
		{"true ? 1 2", "EXPR_WANTED", ": | 2", 1, 10, ": is missing before 2"},
		{"'abc", "EXPR_QUOTES", "", 1, 1, "the text in quotes does not end, or holds an escape that does not exist"},
		{"count ==\n  )", "EXPR_UNEXPECTED", ")", 2, 3, ") is not expected here"},
		{"名 == 1", "EXPR_UNEXPECTED", "名", 1, 1, "名 is not expected here"},
		{"'名' = 1", "EXPR_UNEXPECTED", "=", 1, 5, "= is not expected here"},
		{"for", "EXPR_RESERVED", "for", 1, 1, "for is a word of the language"},
		{"99999999999999999999", "EXPR_NUMBER", "", 1, 1, "the number is too large or not well formed"},
		{"[1].all(1, x)", "EXPR_NAME", "", 1, 9, "a plain name is wanted here"},
		{"has(count)", "EXPR_HAS", "", 1, 5, "has() takes a field: has(a.b)"},
		{"a.?b", "EXPR_UNSUPPORTED", ".?", 1, 2, ".? is not supported"},
		{strings.Repeat("[", 200) + strings.Repeat("]", 200), "EXPR_DEEP", "", 0, 0, "the expression is nested too deep"},
		{strings.Repeat("1", expr.SourceMaxRunes+1), "EXPR_LONG", "10000", 0, 0, "the expression is longer than 10000 characters"},
		{"secrets.token", "EXPR_SECRETS", "", 1, 1, "secrets cannot be used here: bind a secret variable to it"},
	} {
		_, err := env.Compile(c.src)
		var e *expr.Error
		if !errors.As(err, &e) {
			t.Errorf("%.40s: %v", c.src, err)
			continue
		}
		if e.Reason != c.reason || joined(e.Args) != c.args || e.Message != c.say {
			t.Errorf("%.40s: %s %q %q", c.src, e.Reason, joined(e.Args), e.Message)
		}
		if c.column > 0 && (e.Line != c.line || e.Column != c.column) {
			t.Errorf("%.40s: the place is %d:%d, not %d:%d", c.src, e.Line, e.Column, c.line, c.column)
		}
	}
}

func TestMistakeOfNoKnownKindKeepsTheSentenceOfCEL(t *testing.T) {
	t.Parallel()
	_, err := issueEnv(t).Compile(`google.protobuf.Duration{seconds: 'x'}`)
	var e *expr.Error
	if !errors.As(err, &e) || e.Reason != "" || len(e.Args) != 0 || !strings.Contains(e.Message, "expected type of field 'seconds'") {
		t.Fatalf("got %+v", err)
	}
}

func TestConditionThatIsNoBoolHasItsReason(t *testing.T) {
	t.Parallel()
	_, err := issueEnv(t).CompileBool("count + 1")
	var e *expr.Error
	if !errors.As(err, &e) || e.Reason != "EXPR_CONDITION" || e.Args["a"] != "int" || e.Column != 0 {
		t.Fatalf("got %+v", err)
	}
}

func TestMistakeInATemplateHasItsPlaceInTheString(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]struct {
		reason       string
		line, column int
	}{
		`"主机 ${count +}"`:        {"EXPR_UNFINISHED", 1, 13},
		`"a\nb ${cuont}"`:        {"EXPR_NO_NAME", 2, 5},
		`"a ${count"`:            {"EXPR_OPEN", 1, 3},
		`"a\n${ }"`:              {"EXPR_EMPTY", 2, 1},
		`"${'x' + token + 'y'}"`: {"EXPR_WHOLE", 1, 9},
	} {
		_, errs := issueEnv(t).Template(json.RawMessage(value))
		var e *expr.Error
		if len(errs) != 1 || !errors.As(errs[0], &e) || e.Reason != want.reason || e.Line != want.line || e.Column != want.column {
			t.Errorf("%s: %+v", value, e)
		}
	}
}

func issueEnv(t *testing.T) *expr.Env {
	t.Helper()
	var c expr.Config
	for name, schema := range map[string]string{"count": `{"type":"integer"}`, "name": `{"type":"string"}`, "token": `{"type":"string"}`} {
		s, err := expr.ParseSchema(json.RawMessage(schema))
		if err != nil {
			t.Fatal(err)
		}
		c.Variables = append(c.Variables, expr.Decl{Name: name, Schema: s, Secret: name == "token"})
	}
	env, err := expr.NewEnv(c)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// joined are arguments in their order.
func joined(args map[string]string) string {
	var out []string
	for i := range len(args) {
		out = append(out, args[string(rune('a'+i))])
	}
	return strings.Join(out, " | ")
}
