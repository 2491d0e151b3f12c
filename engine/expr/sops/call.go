package sops

import (
	"slices"
	"strings"

	"github.com/culmhq/culm/engine/expr/python"
)

func (x *translation) call(n *node) (code, *sourceError) {
	on := n.args[0]
	switch on.op {
	case opLambda:
		return x.applied(on, n.args[1:])
	case opName:
		if _, local := x.locals[on.text]; !local {
			return x.builtin(on.text, n)
		}
	case opAttribute:
		if p, ok := path(on); ok {
			if c, done, err := x.module(p, n); done {
				return c, err
			}
		}
		return x.method(on, n.args[1:])
	default:
	}
	return code{}, errAt(n.at, "this cannot be called")
}

// applied is a lambda that is called at once: its parameters stand for the arguments.
func (x *translation) applied(lambda *node, args []*node) (code, *sourceError) {
	if len(args) != len(lambda.names) {
		return code{}, errAt(lambda.at, "the lambda wants %d arguments", len(lambda.names))
	}
	values, err := x.all(args)
	if err != nil {
		return code{}, err
	}
	outer := make(map[string]code, len(x.locals))
	for name, c := range x.locals {
		outer[name] = c
	}
	defer func() { x.locals = outer }()
	inner := make(map[string]code, len(outer)+len(values))
	for name, c := range outer {
		inner[name] = c
	}
	for i, name := range lambda.names {
		inner[name] = values[i]
	}
	x.locals = inner
	return x.node(lambda.args[0])
}

// builtinKind is the kind of what a function of Python gives that package python has.
func builtinKind(name string) (kind, bool) {
	switch name {
	case "int":
		return kindInt, true
	case "float":
		return kindFloat, true
	case "abs", "round", "min", "max", "sum":
		return kindAny, true
	case "sorted", "reversed", "list", "tuple", "range":
		return kindList, true
	case "any", "all":
		return kindBool, true
	}
	return kindAny, false
}

func (x *translation) builtin(name string, n *node) (code, *sourceError) {
	args, err := x.all(n.args[1:])
	if err != nil {
		return code{}, err
	}
	one := func() *sourceError {
		if len(args) != 1 {
			return errAt(n.at, "%s with %d arguments is not supported", name, len(args))
		}
		return nil
	}
	switch name {
	case "str", "bool", "len":
		if err := one(); err != nil {
			return code{}, err
		}
		return convert(name, n, args[0])
	case "tuple":
		name = "list"
	case "set", "dict":
		return code{}, errAt(n.at, "a %s is not supported", name)
	}
	k, ok := builtinKind(name)
	if !ok {
		if _, variable := x.t.Names[name]; variable {
			return code{}, errAt(n.at, "the variable %s cannot be called", name)
		}
		return code{}, errAt(n.at, "the function %s is not supported", name)
	}
	most := map[string]int{"range": 3, "round": 2, "min": 20, "max": 20}[name]
	if len(args) == 0 || len(args) > max(most, 1) {
		return code{}, errAt(n.at, "%s with %d arguments is not supported", name, len(args))
	}
	if name == "int" && args[0].kind == kindInt {
		return args[0], nil
	}
	return pyCall(name, args...).as(k), nil
}

func convert(name string, n *node, c code) (code, *sourceError) {
	switch name {
	case "str":
		return c.text(), nil
	case "bool":
		return c.truth(), nil
	}
	if c.kind.isNumber() || c.kind == kindNone {
		return code{}, errAt(n.at, "a %s has no length", c.kind)
	}
	return code{cel: "size(" + c.cel + ")", kind: kindInt, static: true}, nil
}

// module translates the calls of functions in Python's modules. It returns false when the
// path begins with a name of the flow, or is none of a module's.
func (x *translation) module(p string, n *node) (code, bool, *sourceError) {
	root, _, _ := strings.Cut(p, ".")
	if _, known := x.t.Names[root]; known {
		return code{}, false, nil
	}
	if _, local := x.locals[root]; local {
		return code{}, false, nil
	}
	if !slices.Contains([]string{"datetime", "time", "json", "os", "re", "random", "hashlib", "math", "base64"}, root) {
		return code{}, false, nil
	}
	if !slices.Contains(x.t.Modules, root) {
		return code{}, true, errAt(n.at, "the module %s is not available", root)
	}
	args, err := x.all(n.args[1:])
	if err != nil {
		return code{}, true, err
	}
	switch {
	case (p == "json.dumps" || p == "json.loads") && len(args) == 1:
		c := pyCall(p, args...)
		if p == "json.dumps" {
			c.kind = kindText
		}
		return c, true, nil
	case p == "datetime.datetime.now" && len(args) == 0:
		x.warnings = append(x.warnings, *errAt(n.at, "the engine has no clock: this is when the run started, in UTC"))
		return code{cel: "run.started_at"}, true, nil
	}
	return code{}, true, errAt(n.at, "the function %s is not supported", p)
}

func (x *translation) method(on *node, argNodes []*node) (code, *sourceError) {
	recv, err := x.node(on.args[0])
	if err != nil {
		return code{}, err
	}
	args, err := x.all(argNodes)
	if err != nil {
		return code{}, err
	}
	name := on.text
	switch {
	case strings.HasPrefix(name, "__"):
		return code{}, errAt(on.at, "private methods are not translated")
	case name == "strftime" && len(args) == 1:
		return pyCall("strftime", recv, args[0]).as(kindText), nil
	case !python.Known("." + name):
		return code{}, errAt(on.at, "the method %s is not supported", name)
	case recv.kind.isNumber() || recv.kind == kindNone:
		return code{}, errAt(on.at, "a %s has no method %s", recv.kind, name)
	}
	if c, ok := nativeMethod(name, recv, args); ok {
		return c, nil
	}
	return pyCall("."+name, append([]code{recv}, args...)...).as(methodKind(name, recv)), nil
}

// nativeMethod is a method for which CEL has the same.
func nativeMethod(name string, recv code, args []code) (code, bool) {
	if name == "join" && len(args) == 1 && args[0].kind == kindTexts && args[0].static && recv.kind == kindText {
		return code{cel: args[0].atom() + ".join(" + recv.cel + ")", kind: kindText, static: true}, true
	}
	if recv.kind != kindText && recv.kind != kindAny || slices.ContainsFunc(args, func(a code) bool { return a.kind != kindText }) {
		return code{}, false
	}
	type shape struct {
		cel  string
		args int
		kind kind
	}
	s, ok := map[string]shape{
		"upper": {"upper", 0, kindText}, "lower": {"lower", 0, kindText}, "strip": {"trim", 0, kindText},
		"split": {"split", 1, kindTexts}, "replace": {"replace", 2, kindText},
		"startswith": {"startsWith", 1, kindBool}, "endswith": {"endsWith", 1, kindBool},
	}[name]
	if !ok || s.args != len(args) {
		return code{}, false
	}
	if sep, isLiteral := onlyLiteral(args); name == "split" && (!isLiteral || sep == "") {
		return code{}, false // Python refuses an empty separator
	}
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = a.cel
	}
	return code{cel: recv.atom() + "." + s.cel + "(" + strings.Join(words, ", ") + ")", kind: s.kind, static: true}, true
}

func onlyLiteral(args []code) (string, bool) {
	if len(args) != 1 {
		return "", false
	}
	s, ok := args[0].literal.(string)
	return s, ok
}

func methodKind(name string, recv code) kind {
	switch name {
	case "split", "rsplit", "splitlines", "keys":
		return kindTexts
	case "values", "items":
		return kindList
	case "find", "rfind", "count":
		return kindInt
	case "get", "copy", "index":
		return kindAny
	case "startswith", "endswith":
		return kindBool
	}
	if strings.HasPrefix(name, "is") {
		return kindBool
	}
	return kindText
}
