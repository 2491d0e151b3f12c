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

// Problems returns every problem of a document; never nil.
func (c *Checker) Problems(f *engine.Flow) []engine.Problem {
	_, problems := engine.Compile(f, c.catalogue)
	known := make(map[place]bool, len(problems))
	for _, p := range problems {
		known[placeOf(p)] = true
	}
	out := append([]engine.Problem{}, problems...)
	for _, p := range c.values(f) {
		if !known[placeOf(p)] { // the core said what is wrong there, and better
			out = append(out, p)
		}
	}
	return out
}

// place is where a problem is.
type place struct{ node, variable, field string }

func placeOf(p engine.Problem) place { return place{p.Node, p.Variable, p.Field} }

// values checks what is drawn against the schemas.
func (c *Checker) values(f *engine.Flow) []engine.Problem {
	var out []engine.Problem
	for i := range f.Variables {
		out = append(out, c.variable(&f.Variables[i])...)
	}
	for i := range f.Nodes {
		if f.Nodes[i].Type == engine.TypeTask {
			out = append(out, c.inputs(&f.Nodes[i])...)
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
			Field: "/schema", Args: map[string]string{"detail": err.Error()},
		}}
	}
	if len(v.Value) == 0 {
		return nil
	}
	var out []engine.Problem
	for _, x := range form.Check(v.Value) {
		out = append(out, engine.Problem{
			Code: engine.ProblemVariableValue, Message: x.Message, Level: engine.SeverityError, Variable: v.Name,
			Field: "/value" + x.Field, Args: map[string]string{"detail": x.Message},
		})
	}
	return out
}

func (c *Checker) inputs(n *engine.Node) []engine.Problem {
	action, ok := c.catalogue.Action(n.Plugin, n.Action)
	if !ok {
		return nil // the core says that it is unknown
	}
	form, err := c.forms.Relaxed(action.Inputs, n.Literal...)
	if err != nil {
		return []engine.Problem{{
			Code: engine.ProblemActionSchema, Level: engine.SeverityError, Node: n.ID, Field: "/action",
			Message: fmt.Sprintf("the inputs of action %s/%s have no usable schema: %v", n.Plugin, n.Action, err),
			Args:    map[string]string{"plugin": n.Plugin, "action": n.Action, "detail": err.Error()},
		}}
	}
	inputs := n.Inputs
	if inputs == nil {
		inputs = map[string]json.RawMessage{}
	}
	b, err := json.Marshal(inputs)
	if err != nil {
		return nil // the core says that it is not JSON
	}
	var out []engine.Problem
	for _, x := range form.Check(b) {
		out = append(out, engine.Problem{
			Code: engine.ProblemInputInvalid, Message: x.Message, Level: engine.SeverityError, Node: n.ID,
			Field: "/inputs" + x.Field, Args: map[string]string{"input": firstToken(x.Field), "detail": x.Message},
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
