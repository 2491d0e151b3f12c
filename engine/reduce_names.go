package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/culmhq/culm/engine/expr"
)

// namesOf collects the variables that some nodes and edges name, directly or through
// other variables, and reports where they read the outputs of nodes that are gone.
type namesOf struct {
	f         *Flow
	gone      map[string]*Node
	refs      *expr.References
	variables map[string]bool
	problems  []Problem
}

func (x *reduction) names() *namesOf {
	refs, err := expr.NewReferences()
	if err != nil {
		panic("engine: " + err.Error()) // it needs no names
	}
	return &namesOf{f: x.f, gone: x.gone, refs: refs, variables: map[string]bool{}}
}

// at adds what one place names.
func (c *namesOf) at(at Problem, add func(*expr.References)) {
	clear(c.refs.Nodes)
	clear(c.refs.Variables)
	add(c.refs)
	maps.Copy(c.variables, c.refs.Variables)
	for _, id := range slices.Sorted(maps.Keys(c.refs.Nodes)) {
		if c.gone[id] == nil {
			continue
		}
		at.Code, at.Level, at.Args = ProblemLeftOutRead, SeverityError, map[string]string{"node": id}
		at.Message = fmt.Sprintf("the expression reads the outputs of node %q, which is left out", id)
		c.problems = append(c.problems, at)
	}
}

// node adds what a node reads and writes.
func (c *namesOf) node(n *Node) {
	for _, name := range slices.Sorted(maps.Keys(n.Inputs)) {
		if !slices.Contains(n.Literal, name) {
			c.template(Problem{Node: n.ID, Field: "/inputs/" + escapePointer(name)}, n.Inputs[name])
		}
	}
	for name := range n.Outputs {
		c.variables[name] = true
	}
	if n.Repeat != nil && n.Repeat.Collect != "" {
		c.variables[n.Repeat.Collect] = true
	}
}

func (c *namesOf) template(at Problem, raw json.RawMessage) {
	c.at(at, func(r *expr.References) { r.Template(raw) })
}

// close adds what the variables need that are named or kept.
func (c *namesOf) close(kept func(*Variable) bool) {
	done := make([]bool, len(c.f.Variables))
	for again := true; again; {
		again = false
		for i := range c.f.Variables {
			v := &c.f.Variables[i]
			if done[i] || !c.variables[v.Name] && !kept(v) {
				continue
			}
			done[i], again = true, true
			c.variables[v.Name] = true
			c.at(Problem{Variable: v.Name, Field: "/expression"}, func(r *expr.References) { r.Expression(v.Expression) })
			c.at(Problem{Variable: v.Name, Field: "/show_if"}, func(r *expr.References) { r.Expression(v.ShowIf) })
			if v.Source == SourceConstant {
				c.template(Problem{Variable: v.Name, Field: "/value"}, v.Value)
			}
		}
	}
}
