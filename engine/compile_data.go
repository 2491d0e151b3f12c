package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/pdk/contract"
)

// variables checks the declarations. Those that are usable get into the graph even
// when something is wrong with them, so that one mistake is reported once.
func (b *builder) variables() {
	for i := range b.f.Variables {
		v := &b.f.Variables[i]
		at := Problem{Variable: v.Name, Field: "/name"}
		if v.Name == "" {
			at = Problem{Field: fmt.Sprintf("/variables/%d/name", i)}
		}
		if _, twice := b.g.varIdx[v.Name]; twice {
			at.Code = ProblemVariableDuplicate
			b.report(at, fmt.Sprintf("the name %q is taken", v.Name))
			continue
		}
		if !variablePattern.MatchString(v.Name) {
			at.Code = ProblemVariableName
			b.report(at, "a variable's name is a lower-case letter, then up to 63 of a-z, 0-9 and _")
			continue
		}
		if expr.Reserved(v.Name) {
			at.Code = ProblemVariableReserved
			b.report(at, fmt.Sprintf("%q is a word of the expression language", v.Name))
			continue
		}
		b.g.varIdx[v.Name] = int32(len(b.g.vars))
		b.g.secrets = b.g.secrets || v.Secret
		if v.Output {
			b.g.outputs = append(b.g.outputs, int32(len(b.g.vars)))
		}
		b.g.vars = append(b.g.vars, graphVar{Variable: v, schema: b.variableSchema(v)})
		b.variableFields(v)
	}
}

func (b *builder) variableSchema(v *Variable) *expr.Schema {
	raw := v.Schema
	if len(raw) == 0 {
		raw = json.RawMessage(`{"type":"string"}`)
	}
	s, err := expr.ParseSchema(raw)
	if err != nil {
		b.report(Problem{Code: ProblemVariableSchema, Variable: v.Name, Field: "/schema"}, err.Error(), append(whyArgs(err), "detail", err.Error())...)
		return &expr.Schema{}
	}
	return s
}

// variableFields checks that a variable has what its source needs, and nothing else.
func (b *builder) variableFields(v *Variable) {
	misplaced := func(field string, set bool) {
		if set {
			b.report(Problem{Code: ProblemVariableField, Variable: v.Name, Field: "/" + field},
				fmt.Sprintf("a variable of source %q has no %s", v.Source, field), "field", field, "source", string(v.Source))
		}
	}
	switch v.Source {
	case SourceInput, SourceConstant, SourceNode, SourceComputed:
	default:
		b.report(Problem{Code: ProblemVariableSource, Variable: v.Name, Field: "/source"}, fmt.Sprintf("unknown source %q", v.Source))
		return
	}
	if v.Secret {
		b.secretFields(v)
	} else {
		misplaced("uses", len(v.Uses) > 0)
	}
	if v.Source != SourceInput {
		misplaced("required", v.Required)
		misplaced("show_if", v.ShowIf != "")
	}
	if v.Source == SourceComputed {
		misplaced("value", len(v.Value) > 0)
		if strings.TrimSpace(v.Expression) == "" {
			b.report(Problem{Code: ProblemVariableExpression, Variable: v.Name, Field: "/expression"}, "a computed variable needs an expression")
		}
		return
	}
	misplaced("expression", v.Expression != "")
	if v.Source == SourceConstant && len(v.Value) == 0 {
		b.report(Problem{Code: ProblemVariableValue, Variable: v.Name, Field: "/value"}, "a constant needs a value", "detail", "missing", "why", "SCHEMA_REQUIRED")
	}
}

// tasks checks the plugins, inputs and outputs of the task nodes against the
// catalogue, and those of the subflow nodes against their flows.
func (b *builder) tasks() {
	written := make([]bool, len(b.g.vars))
	for i := range b.g.nodes {
		g := &b.g.nodes[i]
		switch g.typ {
		case TypeTask:
			b.task(g, &b.f.Nodes[b.nodeOf[i]], written)
		case TypeSubflow:
			b.subflow(int32(i), &b.f.Nodes[b.nodeOf[i]], written)
		case TypeStart, TypeEnd, TypeExclusive, TypeParallel, TypeInclusive, TypeJoin:
		}
	}
	for i := range b.g.vars {
		if v := &b.g.vars[i]; v.Source == SourceNode && !written[i] {
			b.report(Problem{Code: ProblemVariableUnwritten, Level: SeverityWarning, Variable: v.Name}, "no node writes the variable")
		}
	}
}

func (b *builder) task(g *graphNode, n *Node, written []bool) {
	a := b.action(n)
	switch {
	case n.Plugin == "" || n.Action == "":
		b.report(Problem{Code: ProblemPluginMissing, Node: n.ID, Field: "/plugin"}, "a task needs a plugin and an action")
	case !a.found:
		b.report(Problem{Code: ProblemActionUnknown, Node: n.ID, Field: "/action"}, fmt.Sprintf("no action %q of plugin %q", n.Action, n.Plugin), "plugin", n.Plugin, "action", n.Action)
	case a.err != nil:
		b.report(Problem{Code: ProblemActionSchema, Node: n.ID, Field: "/action"}, "the action's schema cannot be read: "+a.err.Error(),
			append(whyArgs(a.err), "plugin", n.Plugin, "action", n.Action, "detail", a.err.Error())...)
	}
	g.schema, g.rollback = a.inputs, a.rollback
	b.outputDecls = append(b.outputDecls, expr.Decl{Name: g.id, Schema: a.outputs})
	known := a.found && a.err == nil
	b.bindOutputs(g, n, a.outputs, known, written)
	b.repeats(n, written)
	b.literals(g, n)
	if known {
		b.inputNames(g, n)
	}
}

// actionSchemas are the parsed schemas of an action; open ones when it is not known.
type actionSchemas struct {
	inputs, outputs *expr.Schema
	rollback        bool
	found           bool
	err             error
}

// action looks an action up, once for all the nodes that run it.
func (b *builder) action(n *Node) *actionSchemas {
	key := [2]string{n.Plugin, n.Action}
	if a, ok := b.tree.actions[key]; ok {
		return a
	}
	a := &actionSchemas{inputs: &expr.Schema{}, outputs: &expr.Schema{}}
	b.tree.actions[key] = a
	var declared contract.Action
	if b.tree.catalogue != nil {
		declared, a.found = b.tree.catalogue.Action(n.Plugin, n.Action)
	}
	if !a.found {
		return a
	}
	a.rollback = declared.Rollback
	in, err1 := expr.ParseSchema(declared.Inputs)
	out, err2 := expr.ParseSchema(declared.Outputs)
	if a.err = errors.Join(err1, err2); a.err == nil {
		a.inputs, a.outputs = in, out
	}
	return a
}

func (b *builder) bindOutputs(g *graphNode, n *Node, schema *expr.Schema, known bool, written []bool) {
	for _, name := range slices.Sorted(maps.Keys(n.Outputs)) {
		output := n.Outputs[name]
		field := "/outputs/" + escapePointer(name)
		i, ok := b.g.varIdx[name]
		switch {
		case !ok:
			b.report(Problem{Code: ProblemOutputVariable, Node: n.ID, Field: field}, fmt.Sprintf("no variable %q", name), "variable", name)
			continue
		case b.g.vars[i].Source != SourceNode:
			b.report(Problem{Code: ProblemOutputSource, Node: n.ID, Field: field}, fmt.Sprintf("variable %q is not written by nodes", name), "variable", name)
			continue
		}
		written[i] = true
		if _, ok := schema.Property(output); known && !ok {
			b.report(Problem{Code: ProblemOutputUnknown, Node: n.ID, Field: field}, fmt.Sprintf("there is no output %q", output), "output", output)
		}
		g.outputs = append(g.outputs, graphOutput{variable: i, output: output})
	}
}

func (b *builder) literals(g *graphNode, n *Node) {
	for i, name := range n.Literal {
		if _, ok := n.Inputs[name]; !ok {
			b.report(Problem{Code: ProblemLiteralUnknown, Node: n.ID, Field: fmt.Sprintf("/literal/%d", i)}, fmt.Sprintf("no input %q", name), "input", name)
		}
		if g.literal == nil {
			g.literal = map[string]bool{}
		}
		g.literal[name] = true
	}
}

func (b *builder) inputNames(g *graphNode, n *Node) {
	for _, name := range slices.Sorted(maps.Keys(n.Inputs)) {
		if _, ok := g.schema.Property(name); !ok {
			b.report(Problem{Code: ProblemInputUnknown, Node: n.ID, Field: "/inputs/" + escapePointer(name)}, fmt.Sprintf("there is no input %q", name), "input", name)
		}
	}
	for _, name := range g.schema.Required() {
		if _, ok := n.Inputs[name]; !ok {
			b.report(Problem{Code: ProblemInputMissing, Node: n.ID, Field: "/inputs/" + escapePointer(name)}, fmt.Sprintf("input %q is required", name), "input", name)
		}
	}
}
