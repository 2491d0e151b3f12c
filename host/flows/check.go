package flows

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/forms"
)

// Checker finds every problem of a flow document: those of the core, which compiles
// it, and values that are not valid against their schemas. It is safe for concurrent
// use.
type Checker struct {
	catalogue engine.Catalogue
	forms     forms.Cache
}

// NewChecker makes a checker against a catalogue.
func NewChecker(c engine.Catalogue) *Checker { return &Checker{catalogue: c} }

// Problems returns every problem of a document that is complete in itself; never nil.
func (c *Checker) Problems(f *engine.Flow) []engine.Problem { return c.problems(Resolved{Flow: f}) }

// problems returns every problem of a document with its subflows, where those that were
// found first say best what is wrong at a place.
func (c *Checker) problems(r Resolved) []engine.Problem {
	_, compiled := engine.Compile(r.Flow, c.catalogue)
	known := map[place]bool{}
	for _, p := range r.Problems {
		// That the version is missing is more than that the flow was not found.
		known[place{node: p.Node, field: "/flow"}] = p.Field == "/version"
	}
	out := []engine.Problem{}
	for _, some := range [][]engine.Problem{r.Problems, compiled, c.values(r.Flow, r.operations)} {
		n := len(out)
		for _, p := range some {
			if !known[placeOf(p)] {
				out = append(out, p)
			}
		}
		for _, p := range out[n:] {
			known[placeOf(p)] = true
		}
	}
	return out
}

// place is where a problem is.
type place struct{ node, variable, field string }

func placeOf(p engine.Problem) place { return place{p.Node, p.Variable, p.Field} }

// values checks what is drawn against the schemas.
func (c *Checker) values(f *engine.Flow, ops map[called]taken) []engine.Problem {
	var out []engine.Problem
	for i := range f.Variables {
		out = append(append(out, c.variable(&f.Variables[i])...), c.choices(f, &f.Variables[i])...)
	}
	for i := range f.Nodes {
		switch n := &f.Nodes[i]; n.Type {
		case engine.TypeTask:
			out = append(out, c.inputs(n, ops)...)
		case engine.TypeSubflow:
			out = append(out, c.passed(n, f.Subflows[n.Reference()])...)
		case engine.TypeStart, engine.TypeEnd, engine.TypeExclusive, engine.TypeParallel, engine.TypeInclusive, engine.TypeJoin:
		}
	}
	return out
}

// passed checks what a subflow node gives to the inputs of its flow.
func (c *Checker) passed(n *engine.Node, f *engine.Flow) []engine.Problem {
	if f == nil {
		return nil // that it is missing is said already
	}
	var out []engine.Problem
	for i := range f.Variables {
		v := &f.Variables[i]
		value, given := n.Inputs[v.Name]
		if v.Source != engine.SourceInput || !given || slices.Contains(n.Literal, v.Name) {
			continue
		}
		form, err := c.forms.RelaxedValue(ValueSchema(v))
		if err != nil {
			continue // a fault of that flow, which was said when it was published
		}
		for _, x := range form.Check(value) {
			out = append(out, engine.Problem{
				Code: engine.ProblemInputInvalid, Message: x.Message, Level: engine.SeverityError, Node: n.ID,
				Field: "/inputs/" + v.Name + x.Field, Args: x.Args("input", v.Name),
			})
		}
	}
	return out
}

func (c *Checker) variable(v *engine.Variable) []engine.Problem {
	parse := c.forms.Form
	if v.Source == engine.SourceConstant {
		parse = c.forms.RelaxedValue // as an input of a node, it may hold expressions
	}
	form, err := parse(ValueSchema(v))
	if err != nil {
		return []engine.Problem{{
			Code: engine.ProblemVariableSchema, Message: err.Error(), Level: engine.SeverityError, Variable: v.Name,
			Field: "/schema", Args: forms.SchemaArgs(err),
		}}
	}
	if len(v.Value) == 0 {
		return nil
	}
	var out []engine.Problem
	for _, x := range form.Check(v.Value) {
		out = append(out, engine.Problem{
			Code: engine.ProblemVariableValue, Message: x.Message, Level: engine.SeverityError, Variable: v.Name,
			Field: "/value" + x.Field, Args: x.Args(),
		})
	}
	return out
}

func (c *Checker) inputs(n *engine.Node, ops map[called]taken) []engine.Problem {
	action, ok := c.catalogue.Action(n.Plugin, n.Action)
	if !ok {
		return nil // the core says that it is unknown
	}
	schema, placeholders, out := c.operation(n, action.Inputs, ops)
	form, err := c.forms.Relaxed(schema, n.Literal...)
	if err != nil {
		args := forms.SchemaArgs(err)
		args["plugin"], args["action"] = n.Plugin, n.Action
		return []engine.Problem{{
			Code: engine.ProblemActionSchema, Level: engine.SeverityError, Node: n.ID, Field: "/action",
			Message: fmt.Sprintf("the inputs of action %s/%s have no usable schema: %v", n.Plugin, n.Action, err), Args: args,
		}}
	}
	b, err := json.Marshal(filled(n.Inputs, schema, forms.OperationFields(action.Inputs)))
	if err != nil {
		return nil // the core says that it is not JSON
	}
	for _, x := range forms.Without(form.Check(b), b, placeholders) {
		out = append(out, engine.Problem{
			Code: engine.ProblemInputInvalid, Message: x.Message, Level: engine.SeverityError, Node: n.ID,
			Field: "/inputs" + x.Field, Args: x.Args("input", firstToken(x.Field)),
		})
	}
	return out
}

// firstToken returns the name of the field at the top of a JSON Pointer.
func firstToken(pointer string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
}

// ValueSchema returns the JSON Schema of a variable's value: that of a string where the
// document names none.
func ValueSchema(v *engine.Variable) json.RawMessage {
	if len(v.Schema) == 0 {
		return json.RawMessage(`{"type":"string"}`)
	}
	return v.Schema
}

// Errors reports whether one of the problems forbids a start.
func Errors(ps []engine.Problem) bool {
	return slices.ContainsFunc(ps, func(p engine.Problem) bool { return p.Level == engine.SeverityError })
}
