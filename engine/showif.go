package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine/expr"
)

// An input with a condition is asked for at a start only when that holds. One that is
// not asked for must not be given; it has its default, or no value. A condition that
// reads a value that is not there does not hold.

// showConditions checks what the conditions of inputs read, and puts these inputs in an
// order in which they can be decided: each behind those that its condition names.
func (b *builder) showConditions() {
	o := &showOrder{b: b, mark: make([]visit, len(b.g.vars))}
	for i := range b.g.vars {
		if b.g.vars[i].show != nil {
			o.visit(int32(i))
		}
	}
}

// showOrder walks the inputs along what their conditions name.
type showOrder struct {
	b    *builder
	mark []visit
	path []string
}

func (o *showOrder) visit(i int32) {
	v := &o.b.g.vars[i]
	if v.show == nil || o.mark[i] == visitDone {
		return
	}
	if o.mark[i] == visitOpen {
		names := strings.Join(append(slices.Clone(o.path[slices.Index(o.path, v.Name):]), v.Name), " → ")
		o.b.report(Problem{Code: ProblemVariableCycle, Variable: v.Name, Field: "/show_if"}, "whether the input is shown depends on itself: "+names, "names", names)
		return
	}
	o.mark[i] = visitOpen
	o.path = append(o.path, v.Name)
	if v.show.ReadsNodes() {
		o.reads(v, "nodes")
	}
	for _, name := range v.show.Variables() {
		k := o.b.g.varIdx[name]
		switch other := &o.b.g.vars[k]; {
		case other.Source == SourceInput:
			o.visit(k)
		case other.Source != SourceConstant || other.template != nil:
			o.reads(v, name)
		}
	}
	o.path = o.path[:len(o.path)-1]
	o.mark[i] = visitDone
	o.b.g.shown = append(o.b.g.shown, i)
}

func (o *showOrder) reads(v *graphVar, name string) {
	o.b.report(Problem{Code: ProblemShowReads, Variable: v.Name, Field: "/show_if"},
		fmt.Sprintf("when the form is shown, %s has no value yet", name), "name", name)
}

// asked reports whether a start asks for an input, by the values of those before it.
func (t *step) asked(v *graphVar, d *draft) (bool, *Error) {
	if v.show == nil {
		return true, nil
	}
	ok, err := v.show.EvalBool(d)
	var e *expr.Error
	switch {
	case err == nil:
		return ok, nil
	case errors.As(err, &e) && e.Code == expr.CodeUnset:
		return false, nil
	}
	return false, t.refuseInput(v.Name, "whether input %q is shown: %v", v.Name, err)
}

// Asked returns the names of the inputs that a start asks for while its form is filled
// in, in the order of the document. Values that are missing or not JSON are taken for not
// given; a condition that cannot be decided yet does not hold.
func (g *Graph) Asked(m Meta, o StartOptions) []string {
	info := RunStarted{Run: o.Run, Name: o.Name, Project: o.Project, Operator: m.Actor.ID}
	d := &draft{variables: map[string]json.RawMessage{}, env: o.Env, run: info.facts(m.At)}
	asked := map[string]bool{}
	take := func(v *graphVar, given bool) {
		value := v.Value
		if in, ok := cleanJSON(o.Inputs[v.Name]); ok && given {
			value = in
		}
		if value != nil && v.template == nil && v.computed == nil {
			d.variables[v.Name] = value
		}
	}
	sc := &g.scopes[0]
	for i := range sc.doc.vars {
		if v := &sc.doc.vars[i]; v.show == nil {
			asked[v.Name] = v.Source == SourceInput
			take(v, asked[v.Name])
		}
	}
	for _, i := range sc.doc.shown {
		v := &sc.doc.vars[i]
		ok, err := v.show.EvalBool(d)
		asked[v.Name] = ok && err == nil
		take(v, asked[v.Name])
	}
	names := []string{}
	for i := range sc.doc.vars {
		if name := sc.doc.vars[i].Name; asked[name] {
			names = append(names, name)
		}
	}
	return names
}
