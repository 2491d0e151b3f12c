package expr

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
)

// issueKind is a kind of mistake that CEL reports in a sentence of its own.
type issueKind struct {
	// pattern matches CEL's sentence; its groups are what the mistake names.
	pattern *regexp.Regexp
	reason  string
	// say is the sentence that is told instead, with those groups.
	say string
}

// issueKinds are the mistakes that people make; the first that matches counts. CEL has no
// codes for them: a test holds each against the library's sentence.
//
//nolint:gochecknoglobals // an immutable list
var issueKinds = []issueKind{
	{regexp.MustCompile(`^undeclared reference to '([^']*)'`), "EXPR_NO_NAME", "unknown name %q"},
	{regexp.MustCompile(`^undefined field '([^']*)'`), "EXPR_NO_NAME", "unknown name %q"},
	{regexp.MustCompile(`^found no matching overload for '(.*)' applied to '(.*)'$`), "EXPR_OVERLOAD", "%s cannot be applied to %s"},
	{regexp.MustCompile(`^expected type '(.*)' but found '(.*)'$`), "EXPR_MISMATCH", "%s is wanted here, this is %s"},
	{regexp.MustCompile(`^type '(.*)' does not support field selection$`), "EXPR_FIELDS", "a value of type %s has no fields"},
	{regexp.MustCompile(`^expression of type '(.*)' cannot be range of a comprehension`), "EXPR_ITEMS", "a value of type %s has no items to go through"},
	{regexp.MustCompile(`^'(.*)' is not a (?:message )?type`), "EXPR_OBJECT", "%s is no type that can be made here"},
	{regexp.MustCompile(`^Syntax error: (?:mismatched input|extraneous input|no viable alternative at input) '<EOF>'$`), "EXPR_UNFINISHED", "the expression is not finished"},
	{regexp.MustCompile(`^Syntax error: missing '?(.*?)'? at '<EOF>'$`), "EXPR_CLOSE", "%s is missing at the end"},
	{regexp.MustCompile(`^Syntax error: missing '?(.*?)'? at '(.*)'$`), "EXPR_WANTED", "%s is missing before %s"},
	{regexp.MustCompile(`^Syntax error: token recognition error at: '['"]`), "EXPR_QUOTES", "the text in quotes does not end, or holds an escape that does not exist"},
	{regexp.MustCompile(`^Syntax error: (?:mismatched input|extraneous input|no viable alternative at input|token recognition error at:) '(.*)'$`), "EXPR_UNEXPECTED", "%s is not expected here"},
	{regexp.MustCompile(`^reserved identifier: (.*)$`), "EXPR_RESERVED", "%s is a word of the language"},
	{regexp.MustCompile(`^invalid u?(?:int|double) literal$`), "EXPR_NUMBER", "the number is too large or not well formed"},
	{regexp.MustCompile(`^argument (?:must be a simple name|is not an identifier)$`), "EXPR_NAME", "a plain name is wanted here"},
	{regexp.MustCompile(`^invalid argument to has\(\) macro$`), "EXPR_HAS", "has() takes a field: has(a.b)"},
	{regexp.MustCompile(`^unsupported syntax '(.*)'$`), "EXPR_UNSUPPORTED", "%s is not supported"},
	{regexp.MustCompile(`(?:recursion limit exceeded|max recursion depth exceeded)`), "EXPR_DEEP", "the expression is nested too deep"},
}

// issueError turns the first of CEL's issues into an error.
func issueError(src string, iss *cel.Issues, syntax bool) *Error {
	first := iss.Errors()[0]
	sentence, _, _ := strings.Cut(first.Message, " expecting ") // a list of the parser's own words
	e := fail(CodeType, "%s", strings.TrimSpace(sentence))
	if syntax {
		e.Code = CodeSyntax
	}
	e.at(src, offsetOf(src, first.Location.Line(), first.Location.Column()))
	e.told()
	if e.Reason == "EXPR_NO_NAME" {
		e.Code, e.Name = CodeUnknownName, e.Args["a"]
	}
	if e.Name == "secrets" {
		e.Code, e.Message, e.Args = CodeSecret, "secrets cannot be used here: bind a secret variable to it", nil
		e.Reason = "EXPR_SECRETS"
	}
	return e
}

// told gives an error whose message is a sentence of CEL the words and the reason of its
// kind; one of no known kind keeps the sentence.
func (e *Error) told() {
	for _, k := range issueKinds {
		m := k.pattern.FindStringSubmatch(e.Message)
		if m == nil {
			continue
		}
		args := make([]any, len(m)-1)
		for i, a := range m[1:] {
			args[i] = shown(k.reason, strings.TrimSpace(a))
		}
		e.Message = fmt.Sprintf(k.say, args...)
		_ = e.because(k.reason, args...)
		return
	}
}

// shown is a name of CEL as people write it: the operator _+_ is +, and a method's operands
// stand with what it is called on.
func shown(reason, a string) string {
	if reason != "EXPR_OVERLOAD" {
		return a
	}
	switch a {
	case "_?_:_":
		return "? :"
	case "_[_]":
		return "[]"
	}
	if on, operands, method := strings.Cut(a, ".("); method {
		return strings.TrimSuffix("("+on+", "+strings.TrimSuffix(operands, ")"), ", ") + ")"
	}
	return strings.Trim(a, "_@")
}

// because gives an error its reason, and what its message names as Args.
func (e *Error) because(reason string, args ...any) *Error {
	e.Reason, e.Args = reason, NamedArgs(args)
	return e
}

// argMax bounds a value of NamedArgs, in characters.
const argMax = 200

// NamedArgs gives the values that a message is made with the names "a", "b" and so on, by
// which its translations fill them in. None gives nil.
func NamedArgs(values []any) map[string]string {
	if len(values) == 0 {
		return nil
	}
	out := make(map[string]string, len(values))
	for i, v := range values {
		text := []rune(fmt.Sprint(v))
		out[string(rune('a'+i))] = string(text[:min(len(text), argMax)])
	}
	return out
}

// at gives an error its place in a text, by the byte.
func (e *Error) at(text string, offset int) {
	offset = min(offset, len(text))
	before := text[:offset]
	e.Offset = offset
	e.Line = 1 + strings.Count(before, "\n")
	e.Column = 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}

// offsetOf turns a line (from 1) and a column in code points into a byte offset.
func offsetOf(src string, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		next := strings.IndexByte(src[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	for ; column > 0 && at < len(src); column-- {
		_, n := utf8.DecodeRuneInString(src[at:])
		at += n
	}
	return at
}
