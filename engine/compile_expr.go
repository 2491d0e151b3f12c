package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine/expr"
)

// environment makes the names that expressions may use.
func (b *builder) environment() {
	c := expr.Config{Nodes: b.outputDecls}
	for i := range b.g.vars {
		c.Variables = append(c.Variables, expr.Decl{Name: b.g.vars[i].Name, Schema: b.g.vars[i].schema, Secret: b.g.vars[i].Secret})
	}
	env, err := expr.NewEnv(c)
	if err != nil {
		panic("engine: " + err.Error()) // names were checked
	}
	b.g.env = env
}

// expressions compiles everything that is evaluated at run time.
func (b *builder) expressions() {
	for i := range b.g.vars {
		b.variableExpressions(int32(i))
	}
	b.order()
	b.showConditions()
	for k := range b.g.edges {
		e := &b.f.Edges[b.edgeOf[k]]
		if e.Condition == "" {
			continue
		}
		p, err := b.g.env.CompileBool(e.Condition)
		if err != nil {
			b.exprError(Problem{Edge: e.ID, Field: "/condition"}, err)
			continue
		}
		b.g.edges[k].condition = p
	}
	for i := range b.g.nodes {
		if g := &b.g.nodes[i]; g.typ == TypeTask || g.typ == TypeSubflow {
			b.taskInputs(g, &b.f.Nodes[b.nodeOf[i]])
			b.passedSecrets(int32(i), &b.f.Nodes[b.nodeOf[i]])
		}
	}
}

func (b *builder) exprError(at Problem, err error) {
	p, message, args := exprProblem(at, err)
	b.report(p, message, args...)
}

func (b *builder) variableExpressions(i int32) {
	v := &b.g.vars[i]
	if v.ShowIf != "" {
		show, err := b.g.env.CompileBool(v.ShowIf)
		if v.show = show; err != nil {
			b.exprError(Problem{Variable: v.Name, Field: "/show_if"}, err)
		}
	}
	if v.Secret {
		b.bindSecret(v)
		return
	}
	if v.Source == SourceComputed {
		if v.Expression == "" {
			return
		}
		p, err := b.g.env.Compile(v.Expression)
		if err != nil {
			b.exprError(Problem{Variable: v.Name, Field: "/expression"}, err)
			return
		}
		v.computed = p
		b.g.env.Compute(v.Name, p)
		return
	}
	if v.Value == nil {
		return
	}
	value, ok := cleanJSON(v.Value)
	if !ok {
		b.report(Problem{Code: ProblemVariableValue, Variable: v.Name, Field: "/value"}, "not JSON", "detail", "not JSON", "why", "NOT_JSON")
		return
	}
	if f := valueLimit(v.Name, len(value)); f != nil {
		b.report(Problem{Code: ProblemVariableValue, Variable: v.Name, Field: "/value"}, f.Message, "detail", f.Message, "why", f.Code)
		return
	}
	v.Variable = withValue(v.Variable, value)
	if v.Source == SourceConstant {
		t, errs := b.g.env.Template(v.Value)
		for _, err := range errs {
			b.exprError(Problem{Variable: v.Name, Field: "/value"}, err)
		}
		if t == nil {
			return
		}
		if !t.Static() {
			v.template = t
			return
		}
		v.Variable = withValue(v.Variable, t.Value())
	}
	for _, bad := range v.schema.Validate(v.Value) {
		b.report(Problem{Code: ProblemVariableValue, Variable: v.Name, Field: "/value" + bad.Pointer}, bad.Message, bad.Args()...)
	}
}

// withValue is a copy of a variable with its value as a record holds it.
func withValue(v *Variable, value json.RawMessage) *Variable {
	w := *v
	w.Value = value
	return &w
}

// needs lists the variables that a variable's own expression names, and tells whether
// it reads the outputs of nodes.
func (v *graphVar) needs() (variables []string, nodes bool) {
	switch {
	case v.computed != nil:
		return v.computed.Variables(), v.computed.ReadsNodes()
	case v.template != nil:
		return v.template.Variables(), v.template.ReadsNodes()
	}
	return nil, false
}

// order puts the constants in the order in which they need each other, finds
// variables that need themselves, and constants that need what is there only later.
func (b *builder) order() {
	o := &varOrder{b: b, mark: make([]visit, len(b.g.vars)), later: make([]string, len(b.g.vars))}
	for i := range b.g.vars {
		o.visit(int32(i))
	}
}

// visit is how far the walk over the variables has come with one.
type visit int

const (
	visitOpen visit = iota + 1
	visitDone
)

// varOrder walks the variables along what they need.
type varOrder struct {
	b    *builder
	mark []visit
	// later names, for each variable, what it needs that is not there at start.
	later []string
	path  []string
}

func (o *varOrder) visit(i int32) {
	v := &o.b.g.vars[i]
	switch o.mark[i] {
	case visitDone:
		return
	case visitOpen:
		at := slices.Index(o.path, v.Name)
		names := strings.Join(append(slices.Clone(o.path[at:]), v.Name), " → ")
		o.b.report(Problem{Code: ProblemVariableCycle, Variable: v.Name}, "the variable needs itself: "+names, "names", names)
		return
	}
	o.mark[i] = visitOpen
	o.path = append(o.path, v.Name)
	needs, nodes := v.needs()
	for _, name := range needs {
		k := o.b.g.varIdx[name]
		if o.visit(k); o.later[k] != "" {
			o.later[i] = o.later[k]
		}
	}
	switch {
	case nodes:
		o.later[i] = "nodes"
	case v.Source == SourceNode && v.Value == nil:
		o.later[i] = v.Name
	}
	o.path = o.path[:len(o.path)-1]
	o.mark[i] = visitDone
	if v.template == nil {
		return
	}
	o.b.g.constants = append(o.b.g.constants, i)
	if o.later[i] != "" {
		o.b.report(Problem{Code: ProblemConstantReads, Variable: v.Name, Field: "/value"},
			fmt.Sprintf("a constant is made at start, when %s has no value yet", o.later[i]), "name", o.later[i])
	}
}

// taskInputs compiles the inputs of a task; one without expressions becomes one
// object now.
func (b *builder) taskInputs(g *graphNode, n *Node) {
	static := []byte{'{'}
	isStatic := true
	for i, name := range slices.Sorted(maps.Keys(n.Inputs)) {
		t := b.taskInput(g, n, name)
		if t == nil {
			isStatic = false
			continue
		}
		g.inputs = append(g.inputs, graphInput{name: name, value: t})
		if isStatic = isStatic && t.Static(); isStatic {
			if i > 0 {
				static = append(static, ',')
			}
			static = append(append(appendString(static, name), ':'), t.Value()...)
		}
	}
	if isStatic {
		g.static = append(static, '}')
	}
}

func (b *builder) taskInput(g *graphNode, n *Node, name string) *expr.Template {
	at := Problem{Node: n.ID, Field: "/inputs/" + escapePointer(name)}
	raw, ok := cleanJSON(n.Inputs[name])
	if !ok {
		at.Code = ProblemInputInvalid
		b.report(at, "not JSON", "input", name, "detail", "not JSON", "why", "NOT_JSON")
		return nil
	}
	t := expr.Literal(raw)
	if !g.literal[name] {
		var errs []error
		if t, errs = b.g.env.Template(raw); len(errs) > 0 {
			for _, err := range errs {
				b.exprError(at, err)
			}
			return nil
		}
	}
	schema, known := g.schema.Property(name)
	if !known {
		return t // inputNames says so
	}
	if !t.Static() {
		b.inputType(at, name, t, schema)
		return t
	}
	if schema.SecretText() && g.typ == TypeTask && string(t.Value()) != `""` && string(t.Value()) != "null" {
		at.Code = ProblemSecretValue
		b.report(at, "a secret is not written into the drawing: pass a secret variable on")
		return t
	}
	for _, bad := range schema.Validate(t.Value()) {
		p := at
		p.Code, p.Field = ProblemInputInvalid, at.Field+bad.Pointer
		b.report(p, bad.Message, append(bad.Args(), "input", name)...)
	}
	return t
}

// inputType compares what an expression gives with what the node wants, where both
// are known.
func (b *builder) inputType(at Problem, name string, t *expr.Template, schema *expr.Schema) {
	p := t.Whole()
	if p == nil {
		return
	}
	want, have := schema.Type(), p.Kind()
	if want == "" || have == "" || want == have || want == "number" && have == "integer" {
		return
	}
	at.Code = ProblemInputType
	b.report(at, fmt.Sprintf("the input is a %s, the expression gives a %s", want, have), "input", name, "want", want, "have", have)
}
