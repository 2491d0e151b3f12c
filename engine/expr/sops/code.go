package sops

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/culmhq/culm/engine/expr"
)

// code is a piece of CEL with what is known about its value.
type code struct {
	cel string
	// kind is what the value is; static says that CEL's checker knows it too.
	kind   kind
	static bool
	// loose marks an operator, which needs parentheses as an operand.
	loose bool
	// literal is the value of a constant; hasLiteral, because None is one.
	literal    any
	hasLiteral bool
}

// kind is what is known about a value.
type kind int

const (
	kindAny kind = iota
	kindText
	kindInt
	kindFloat
	kindBool
	kindNone
	kindList
	kindTexts // a list of texts
	kindDict
)

func (k kind) isList() bool   { return k == kindList || k == kindTexts }
func (k kind) isNumber() bool { return k == kindInt || k == kindFloat || k == kindBool }

func (k kind) String() string {
	return [...]string{"value", "string", "int", "float", "bool", "None", "list", "list", "dict"}[k]
}

// kindOfType is the kind of values of a JSON Schema type.
func kindOfType(t string) kind {
	switch t {
	case "string":
		return kindText
	case "integer":
		return kindInt
	case "boolean":
		return kindBool
	case "array":
		return kindList
	}
	return kindAny // a number may be whole, an object may be anything with fields
}

// atom is the code as an operand.
func (c code) atom() string {
	if c.loose {
		return "(" + c.cel + ")"
	}
	return c.cel
}

func textLiteral(s string) code {
	return code{cel: quote(s), kind: kindText, static: true, literal: s, hasLiteral: true}
}

// literal is the code of a constant of Python.
func literal(v any) (code, bool) {
	c := code{static: true, literal: v, hasLiteral: true}
	switch v := v.(type) {
	case nil:
		c.cel, c.kind = "null", kindNone
	case bool:
		c.cel, c.kind = strconv.FormatBool(v), kindBool
	case int64:
		c.cel, c.kind, c.loose = strconv.FormatInt(v, 10), kindInt, v < 0
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return code{}, false
		}
		c.cel, c.kind, c.loose = strconv.FormatFloat(v, 'g', -1, 64), kindFloat, v < 0
		if !strings.ContainsAny(c.cel, ".e") {
			c.cel += ".0"
		}
	case string:
		return textLiteral(v), true
	default:
		return code{}, false
	}
	return c, true
}

// quote writes a CEL string.
func quote(s string) string { return strconv.Quote(s) }

func pyCall(name string, args ...code) code {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = a.cel
	}
	return code{cel: fmt.Sprintf("py.call(%s, [%s])", quote(name), strings.Join(parts, ", "))}
}

func (c code) as(k kind) code { c.kind = k; return c }

// text is the code of str(c).
func (c code) text() code {
	switch c.kind {
	case kindText:
		return c
	case kindInt:
		return code{cel: "string(" + c.cel + ")", kind: kindText, static: true}
	default:
	}
	return code{cel: "py.text(" + c.cel + ")", kind: kindText, static: true}
}

// truth is the code of bool(c).
func (c code) truth() code {
	out := code{kind: kindBool, static: true, loose: true}
	switch {
	case c.kind == kindBool && c.static:
		return c
	case c.kind == kindText && c.static:
		out.cel = c.atom() + ` != ""`
	case c.kind == kindInt && c.static:
		out.cel = c.atom() + " != 0"
	default:
		out.cel, out.loose = "py.truth("+c.cel+")", false
	}
	return out
}

// choose is the code of yes if condition else no. CEL wants both to be of one type.
func choose(condition, yes, no code) code {
	c := code{loose: true}
	if yes.kind == no.kind && yes.kind != kindAny {
		c.kind = yes.kind
		c.static = yes.static && no.static && !yes.kind.isList()
	}
	if !c.static {
		yes.cel, no.cel, yes.loose, no.loose = "dyn("+yes.cel+")", "dyn("+no.cel+")", false, false
	}
	c.cel = condition.atom() + " ? " + yes.atom() + " : " + no.atom()
	return c
}

var fieldPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// field is the code of c.name.
func field(c code, name string) code {
	if fieldPattern.MatchString(name) && !expr.Reserved(name) {
		return code{cel: c.atom() + "." + name}
	}
	return code{cel: c.atom() + "[" + quote(name) + "]"}
}

// join is the code of texts one after another.
func join(parts []code) code {
	var all []code
	for _, p := range parts {
		if p.hasLiteral && p.literal == "" && len(parts) > 1 {
			continue
		}
		if n := len(all); n > 0 && all[n-1].hasLiteral && p.hasLiteral {
			a, _ := all[n-1].literal.(string)
			b, _ := p.literal.(string)
			all[n-1] = textLiteral(a + b)
			continue
		}
		all = append(all, p)
	}
	switch len(all) {
	case 0:
		return textLiteral("")
	case 1:
		return all[0]
	}
	words := make([]string, len(all))
	for i, p := range all {
		words[i] = p.atom()
	}
	return code{cel: strings.Join(words, " + "), kind: kindText, static: true, loose: true}
}
