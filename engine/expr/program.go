package expr

import (
	"encoding/json"
	"errors"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// Program is a compiled expression. It is immutable and safe for concurrent use.
type Program struct {
	env   *Env
	prog  cel.Program
	out   *cel.Type
	names []string
	nodes bool // it reads the outputs of nodes
	// secret is the variable that is the whole expression, when that is a secret.
	secret string
}

// Variables returns the flow's variables that the expression names, sorted.
func (p *Program) Variables() []string { return p.names }

// ReadsNodes reports whether the expression reads the outputs of nodes.
func (p *Program) ReadsNodes() bool { return p.nodes }

// Kind returns the JSON Schema type of what the expression gives, or "" when that is
// not known before it is evaluated.
func (p *Program) Kind() string {
	switch p.out.Kind() {
	case types.BoolKind:
		return "boolean"
	case types.IntKind, types.UintKind:
		return "integer"
	case types.DoubleKind:
		return "number"
	case types.StringKind, types.TimestampKind, types.DurationKind, types.BytesKind:
		return "string"
	case types.ListKind:
		return "array"
	case types.MapKind, types.StructKind:
		return "object"
	case types.NullTypeKind:
		return "null"
	default:
		return ""
	}
}

// Eval evaluates the expression to JSON. An error is an *Error.
func (p *Program) Eval(sc Scope) (json.RawMessage, error) {
	v, err := newSession(p.env, sc).eval(p)
	if err != nil {
		return nil, err
	}
	return appendJSON(nil, v)
}

// EvalBool evaluates a condition. An error is an *Error.
func (p *Program) EvalBool(sc Scope) (bool, error) {
	v, err := newSession(p.env, sc).eval(p)
	if err != nil {
		return false, err
	}
	b, ok := v.(types.Bool)
	if !ok {
		return false, fail(CodeType, "the condition is a %s, not a bool", v.Type().TypeName())
	}
	return bool(b), nil
}

// namesIn lists the variables that a checked expression refers to, and tells whether it
// refers to nodes.
func (e *Env) namesIn(a *cel.Ast) (names []string, nodes bool) {
	for _, r := range a.NativeRep().ReferenceMap() {
		nodes = nodes || r.Name == "nodes"
		if _, ok := e.variables[r.Name]; ok && !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return names, nodes
}

// session is the evaluation of the expressions of one value: they share what they
// read, and one limit on its size.
type session struct {
	env    *Env
	scope  Scope
	values map[string]ref.Val
	read   int
	failed error
	depth  int
}

func newSession(e *Env, sc Scope) *session { return &session{env: e, scope: sc} }

// note keeps the first typed error: CEL hands on its text only.
func (s *session) note(err error) {
	if s.failed == nil {
		s.failed = err
	}
}

func (s *session) eval(p *Program) (ref.Val, error) {
	s.failed = nil
	v, _, err := p.prog.Eval(s)
	if err == nil {
		return v, nil
	}
	var typed *Error
	var cancelled interpreter.EvalCancelledError
	switch {
	case errors.As(err, &cancelled):
		return nil, fail(CodeCost, "the expression takes more than %d steps", CostMax)
	case errors.As(err, &typed):
		return nil, typed
	case errors.As(s.failed, &typed):
		return nil, typed
	}
	return nil, fail(CodeEval, "%v", err)
}

// Parent implements CEL's activation.
func (s *session) Parent() interpreter.Activation { return nil }

// ResolveName implements CEL's activation.
func (s *session) ResolveName(name string) (any, bool) {
	if v, ok := s.values[name]; ok {
		return v, true
	}
	v, err := s.resolve(name)
	if err != nil {
		s.note(err)
		return types.WrapErr(err), true
	}
	if v == nil {
		return nil, false
	}
	if s.values == nil {
		s.values = map[string]ref.Val{}
	}
	s.values[name] = v
	return v, true
}

func (s *session) resolve(name string) (ref.Val, error) {
	switch name {
	case "nodes":
		return s.nodes(), nil
	case "run":
		return s.run(), nil
	case "env":
		return s.environment()
	}
	if p, ok := s.env.computed[name]; ok {
		return s.compute(name, p)
	}
	schema, ok := s.env.variables[name]
	if !ok {
		return nil, nil //nolint:nilnil // not a name of ours: CEL asks for its own too
	}
	raw := s.scope.Variable(name)
	if raw == nil {
		e := fail(CodeUnset, "variable %s has no value", name)
		e.Name = name
		return nil, e
	}
	return s.decode(raw, schema, name)
}

// compute evaluates a computed variable; Compile has refused those that need
// themselves.
func (s *session) compute(name string, p *Program) (ref.Val, error) {
	if s.depth++; s.depth > RecursionMax {
		return nil, fail(CodeCost, "variable %s: computed variables are nested more than %d deep", name, RecursionMax)
	}
	defer func() { s.depth-- }()
	v, err := s.eval(p)
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (s *session) run() ref.Val {
	r := s.scope.Run()
	fields := map[string]ref.Val{
		"id": types.String(r.ID), "name": types.String(r.Name), "project": types.String(r.Project),
		"operator": types.String(r.Operator), "started_at": types.Timestamp{Time: r.StartedAt},
	}
	return &object{typ: s.env.types.objects[typeRun], session: s, path: "run", load: func(name string) (any, bool, error) {
		v, ok := fields[name]
		return v, ok, nil
	}}
}

func (s *session) environment() (ref.Val, error) {
	values := map[string]any{}
	for name, raw := range s.scope.Environment() {
		v, err := s.decode(raw, &Schema{}, "env."+name)
		if err != nil {
			return nil, err
		}
		values[name] = v
	}
	return types.NewStringInterfaceMap(types.DefaultTypeAdapter, values), nil
}

// nodes is the object whose fields are the nodes; outputs are decoded when an
// expression asks for them.
func (s *session) nodes() ref.Val {
	return &object{typ: s.env.types.objects[typeNodes], session: s, path: "nodes", load: func(id string) (any, bool, error) {
		schema, ok := s.env.nodes[id]
		if !ok {
			return nil, false, nil
		}
		return s.node(id, schema), true, nil
	}}
}

func (s *session) node(id string, schema *Schema) ref.Val {
	path := "nodes." + id
	return &object{typ: s.env.types.objects[typeNode+id], session: s, path: path, load: func(field string) (any, bool, error) {
		switch field {
		case "iterations":
			return types.Int(s.scope.Iterations(id)), true, nil
		case "outputs":
		default:
			return nil, false, nil
		}
		if v, ok := s.values[path]; ok {
			return v, true, nil
		}
		raw := s.scope.Outputs(id)
		if raw == nil {
			return s.unset(path + ".outputs"), true, nil
		}
		v, err := s.decode(raw, schema, path+".outputs")
		if err != nil {
			return nil, false, err
		}
		if s.values == nil {
			s.values = map[string]ref.Val{}
		}
		s.values[path] = v
		return v, true, nil
	}}
}

// unset stands for outputs that are not there yet: has() finds nothing in it, and
// reading a field is CodeUnset.
func (s *session) unset(path string) ref.Val {
	return &object{typ: s.env.types.objects[typeNodes], session: s, path: path, load: func(string) (any, bool, error) {
		return nil, false, nil
	}}
}
