package sops

import (
	"fmt"
	"strings"

	"github.com/culmhq/culm/engine/expr"
)

// translation is the translation of one expression.
type translation struct {
	t      *Translator
	locals map[string]code
	// warnings are what the translation does not give exactly.
	warnings []sourceError
	size     int
}

// celMax bounds the length of one translated expression, well below CEL's own bound.
const celMax = 6000

// expression translates the source of an expression to code.
func (t *Translator) expression(src string) (code, []sourceError, *sourceError) {
	n, filters, err := parse(src)
	if err != nil {
		return code{}, nil, err
	}
	x := &translation{t: t, locals: map[string]code{}}
	c, err := x.node(n)
	if err != nil {
		return code{}, nil, err
	}
	for _, f := range filters {
		switch f {
		case "n", "str", "unicode":
		case "trim":
			c = code{cel: c.text().atom() + ".trim()", kind: kindText, static: true}
		default:
			return code{}, nil, errAt(0, "the filter %s is not supported", f)
		}
	}
	if len(c.cel) > celMax {
		return code{}, nil, errAt(0, "the translation is longer than %d characters", celMax)
	}
	return c, x.warnings, nil
}

func (x *translation) node(n *node) (code, *sourceError) {
	c, err := x.translate(n)
	if err != nil {
		return code{}, err
	}
	if x.size += len(c.cel); x.size > 20*celMax { // what is written twice grows fast
		return code{}, errAt(n.at, "the translation is too long")
	}
	return c, nil
}

func (x *translation) translate(n *node) (code, *sourceError) {
	switch n.op {
	case opLiteral:
		c, ok := literal(n.value)
		if !ok {
			return c, errAt(n.at, "the value has no translation")
		}
		return c, nil
	case opName:
		return x.name(n)
	case opList:
		return x.list(n)
	case opAttribute, opCall, opIndex, opSlice:
		return x.postfix(n)
	case opUnary:
		return x.unary(n)
	case opBinary:
		return x.binary(n)
	case opCompare:
		return x.compare(n)
	case opAnd, opOr:
		return x.logic(n)
	case opIf:
		return x.conditional(n)
	case opComprehend:
		return x.comprehend(n)
	case opLambda:
		return code{}, errAt(n.at, "a lambda can only be called at once")
	}
	return code{}, errAt(n.at, "not supported")
}

func (x *translation) postfix(n *node) (code, *sourceError) {
	switch n.op { //nolint:exhaustive // the others do not come here
	case opAttribute:
		return x.attribute(n)
	case opCall:
		return x.call(n)
	case opIndex:
		return x.index(n)
	}
	return x.slice(n)
}

func (x *translation) all(nodes []*node) ([]code, *sourceError) {
	out := make([]code, len(nodes))
	for i, n := range nodes {
		var err *sourceError
		if out[i], err = x.node(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (x *translation) name(n *node) (code, *sourceError) {
	if c, ok := x.locals[n.text]; ok {
		return c, nil
	}
	if name, ok := x.t.Names[n.text]; ok {
		return name.code(), nil
	}
	if strings.HasPrefix(n.text, "__") {
		return code{}, errAt(n.at, "private names are not translated")
	}
	return code{}, errAt(n.at, "unknown name %s", n.text)
}

func (n Name) code() code {
	k := kindOfType(n.Type)
	return code{cel: n.Expr, kind: k, static: k != kindAny}
}

func (x *translation) list(n *node) (code, *sourceError) {
	items, err := x.all(n.args)
	if err != nil {
		return code{}, err
	}
	k := kindTexts
	words := make([]string, len(items))
	for i, c := range items {
		if c.kind != kindText || !c.static {
			k = kindList
		}
		words[i] = c.cel
	}
	return code{cel: "[" + strings.Join(words, ", ") + "]", kind: k, static: true}, nil
}

// path is the dotted name that an expression is, if it is one.
func path(n *node) (string, bool) {
	switch n.op {
	case opName:
		return n.text, true
	case opAttribute:
		p, ok := path(n.args[0])
		return p + "." + n.text, ok
	default:
		return "", false
	}
}

func (x *translation) attribute(n *node) (code, *sourceError) {
	if p, ok := path(n); ok {
		root, _, _ := strings.Cut(p, ".")
		name, known := x.t.Names[p]
		if _, local := x.locals[root]; known && !local {
			return name.code(), nil
		}
	}
	if strings.HasPrefix(n.text, "__") {
		return code{}, errAt(n.at, "private attributes are not translated")
	}
	c, err := x.node(n.args[0])
	if err != nil {
		return code{}, err
	}
	if c.kind != kindAny && c.kind != kindDict {
		return code{}, errAt(n.at, "a %s has no attribute %s", c.kind, n.text)
	}
	if x.t.PlainValues {
		return code{}, errAt(n.at, "an object of JSON has no attribute %s", n.text)
	}
	return field(c, n.text), nil
}

func (x *translation) index(n *node) (code, *sourceError) {
	args, err := x.all(n.args)
	if err != nil {
		return code{}, err
	}
	on, i := args[0], args[1]
	key, isText := i.literal.(string)
	at, isInt := i.literal.(int64)
	switch {
	case isText && strings.HasPrefix(key, "__"):
		return code{}, errAt(n.at, "private keys are not translated")
	case isText && (on.kind == kindAny || on.kind == kindDict):
		return code{cel: on.atom() + "[" + quote(key) + "]"}, nil
	case isText:
		return code{}, errAt(n.at, "a %s has no key %s", on.kind, quote(key))
	case isInt && at >= 0 && on.kind.isList():
		return code{cel: on.atom() + "[" + i.cel + "]", kind: itemKind(on), static: on.kind == kindTexts && on.static}, nil
	case on.kind.isNumber() || on.kind == kindNone:
		return code{}, errAt(n.at, "a %s cannot be indexed", on.kind)
	}
	c := pyCall("at", on, i)
	if on.kind == kindText {
		c.kind = kindText
	}
	return c, nil
}

func itemKind(list code) kind {
	if list.kind == kindTexts {
		return kindText
	}
	return kindAny
}

func (x *translation) slice(n *node) (code, *sourceError) {
	args := make([]code, len(n.args))
	for i, a := range n.args {
		if a == nil {
			args[i], _ = literal(nil)
			continue
		}
		var err *sourceError
		if args[i], err = x.node(a); err != nil {
			return code{}, err
		}
	}
	c := pyCall("slice", args...)
	if args[0].kind == kindText || args[0].kind.isList() {
		c.kind = args[0].kind
	}
	return c, nil
}

func (x *translation) unary(n *node) (code, *sourceError) {
	c, err := x.node(n.args[0])
	if err != nil {
		return code{}, err
	}
	if n.text == "not" {
		return code{cel: "!" + c.truth().atom(), kind: kindBool, static: true, loose: true}, nil
	}
	if c.kind != kindAny && !c.kind.isNumber() {
		return code{}, errAt(n.at, "a %s has no sign", c.kind)
	}
	switch v := c.literal.(type) {
	case int64:
		if n.text == "-" {
			v = -v
		}
		out, _ := literal(v)
		return out, nil
	case float64:
		if n.text == "-" {
			v = -v
		}
		out, _ := literal(v)
		return out, nil
	}
	op := "-"
	zero, _ := literal(int64(0))
	if n.text == "+" {
		op = "+"
	}
	return pyCall(op, zero, c).as(c.kind), nil
}

func (x *translation) binary(n *node) (code, *sourceError) {
	args, err := x.all(n.args)
	if err != nil {
		return code{}, err
	}
	a, b := args[0], args[1]
	if k, ok := nativeKind(n.text, a, b); ok {
		return code{cel: a.atom() + " " + n.text + " " + b.atom(), kind: k, loose: true, static: a.static && b.static}, nil
	}
	if n.text == "%" && a.kind == kindText {
		return format(a, n.args[1], b), nil
	}
	if misfit(n.text, a.kind, b.kind) {
		return code{}, errAt(n.at, "a %s and a %s do not fit %s", a.kind, b.kind, n.text)
	}
	c := pyCall(n.text, a, b)
	if a.kind == kindInt && b.kind == kindInt && n.text != "/" && n.text != "**" {
		c.kind = kindInt
	}
	return c, nil
}

// nativeKind is the kind of what an operator gives for which CEL has the same.
func nativeKind(op string, a, b code) (kind, bool) {
	if a.kind != b.kind {
		return kindAny, false
	}
	switch op {
	case "+":
		return a.kind, a.kind == kindText || a.kind == kindInt || a.kind.isList()
	case "-", "*":
		return kindInt, a.kind == kindInt
	}
	return kindAny, false
}

// misfit reports whether an operator can never work on values of these kinds.
func misfit(op string, a, b kind) bool {
	if a == kindAny || b == kindAny || a.isNumber() && b.isNumber() {
		return false
	}
	sequence := func(k kind) bool { return k == kindText || k.isList() }
	switch op {
	case "+":
		return !a.isList() || !b.isList()
	case "*":
		return (!sequence(a) || !b.isNumber()) && (!sequence(b) || !a.isNumber())
	}
	return true
}

// format is the code of a % b for a text. Only a tuple gives several values.
func format(a code, n *node, b code) code {
	if n.op == opList && n.text == "(" {
		return pyCall("%", a, b).as(kindText)
	}
	pattern, ok := a.literal.(string)
	if ok && strings.Count(pattern, "%") == 1 && strings.Count(pattern, "%s") == 1 {
		before, after, _ := strings.Cut(pattern, "%s")
		return join([]code{textLiteral(before), b.text(), textLiteral(after)})
	}
	return pyCall("%", a, code{cel: "[" + b.cel + "]"}).as(kindText)
}

func (x *translation) compare(n *node) (code, *sourceError) {
	args, err := x.all(n.args)
	if err != nil {
		return code{}, err
	}
	a, b := args[0], args[1]
	c := code{kind: kindBool, static: true, loose: true}
	switch n.text {
	case "in":
		return contains(b, a), nil
	case "not in":
		c.cel = "!" + contains(b, a).atom()
		return c, nil
	case "is", "is not":
		if a.kind != kindNone && b.kind != kindNone {
			return code{}, errAt(n.at, "is compares with None only")
		}
		return alike(map[string]string{"is": "==", "is not": "!="}[n.text], a, b), nil
	case "==", "!=":
		return alike(n.text, a, b), nil
	}
	if !ordered(a.kind, b.kind) {
		return code{}, errAt(n.at, "a %s and a %s cannot be ordered here", a.kind, b.kind)
	}
	c.cel = a.atom() + " " + n.text + " " + b.atom()
	return c, nil
}

// ordered reports whether CEL can compare values of these kinds with < and its like.
func ordered(a, b kind) bool {
	bad := func(k kind) bool { return k == kindBool || k == kindNone || k == kindDict || k.isList() }
	if bad(a) || bad(b) {
		return false
	}
	return a == kindAny || b == kindAny || a == b || a.isNumber() && b.isNumber()
}

// alike is the code of a == b or a != b.
func alike(op string, a, b code) code {
	c := code{kind: kindBool, static: true, loose: true}
	if a.kind == b.kind && a.static && b.static && !a.kind.isList() {
		c.cel = a.atom() + " " + op + " " + b.atom()
	} else {
		c.cel = "dyn(" + a.cel + ") " + op + " dyn(" + b.cel + ")"
	}
	return c
}

// contains is the code of item in whole, as a bool.
func contains(whole, item code) code {
	c := code{kind: kindBool, static: true}
	switch {
	case whole.kind.isList() && whole.static:
		c.cel, c.loose = "dyn("+item.cel+") in "+whole.atom(), true
		if whole.kind == kindTexts && item.kind == kindText {
			c.cel = item.atom() + " in " + whole.atom()
		}
	case whole.kind == kindText && item.kind == kindText:
		c.cel = whole.atom() + ".contains(" + item.cel + ")"
	default:
		c = code{cel: "py.truth(" + pyCall("contains", whole, item).cel + ")", kind: kindBool, static: true}
	}
	return c
}

func (x *translation) logic(n *node) (code, *sourceError) {
	args, err := x.all(n.args)
	if err != nil {
		return code{}, err
	}
	a, b := args[0], args[1]
	if a.kind == kindBool && b.kind == kindBool && a.static && b.static {
		op := " && "
		if n.op == opOr {
			op = " || "
		}
		return code{cel: a.atom() + op + b.atom(), kind: kindBool, static: true, loose: true}, nil
	}
	if n.op == opOr {
		return choose(a.truth(), a, b), nil
	}
	return choose(a.truth(), b, a), nil
}

func (x *translation) conditional(n *node) (code, *sourceError) {
	args, err := x.all(n.args)
	if err != nil {
		return code{}, err
	}
	return choose(args[0].truth(), args[1], args[2]), nil
}

func (x *translation) comprehend(n *node) (code, *sourceError) {
	over, err := x.node(n.args[1])
	if err != nil {
		return code{}, err
	}
	if !over.kind.isList() || !over.static {
		over = pyCall("items", over).as(map[bool]kind{true: kindTexts, false: kindList}[over.kind == kindText])
		over.static = false
	}
	variable := localName(n.names[0])
	defer x.bind(n.names[0], code{cel: variable, kind: itemKind(over), static: over.kind == kindTexts && over.static})()
	out := over.atom()
	if n.args[2] != nil {
		condition, err := x.node(n.args[2])
		if err != nil {
			return code{}, err
		}
		out = fmt.Sprintf("%s.filter(%s, %s)", out, variable, condition.truth().cel)
	}
	body, err := x.node(n.args[0])
	if err != nil {
		return code{}, err
	}
	k := kindList
	if body.kind == kindText {
		k = kindTexts
	}
	if body.cel != variable {
		out = fmt.Sprintf("%s.map(%s, %s)", out, variable, body.cel)
	}
	return code{cel: out, kind: k, static: body.static || body.cel == variable && over.static}, nil
}

// localName is the name in CEL of a variable that a comprehension makes.
func localName(name string) string {
	name = strings.ToLower(name)
	if !fieldPattern.MatchString(name) || expr.Reserved(name) || strings.HasPrefix(name, "__") {
		return "item"
	}
	return name
}

// bind gives a local name its meaning, until what it returns is called.
func (x *translation) bind(name string, c code) func() {
	before, shadowed := x.locals[name]
	x.locals[name] = c
	return func() {
		if delete(x.locals, name); shadowed {
			x.locals[name] = before
		}
	}
}
