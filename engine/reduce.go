package engine

import (
	"fmt"
	"slices"

	"github.com/culmhq/culm/engine/expr"
)

// Reduce returns a flow without the optional nodes that a start leaves out, as BK-SOPS
// previews it. The flow itself is not changed. It is nil when a Problem is an error:
//
//   - The edges that came to a node that goes lead to where its own edge led; they keep
//     their ids and conditions.
//   - Branches of a parallel gateway that have become empty are one empty branch; when
//     all are, the gateway goes with its join. Inclusive and exclusive gateways stay,
//     because their conditions can fail.
//   - A variable that only such nodes named goes, too, with those that only it needs,
//     unless it is an output. One that only such nodes write, and others read, stays and
//     has its initial value or none.
//   - An expression that stays must not read the outputs of a node that goes: that is a
//     problem at the place of the expression, rather than a failure in the middle of the
//     run.
//   - A flow of which nothing is left is a problem, as is a node that is unknown or not
//     optional.
//
// A flow that compiled compiles again without these nodes.
func Reduce(f *Flow, without []string) (*Flow, []Problem) {
	if len(without) == 0 {
		return f, nil
	}
	x := newReduction(f)
	for i, p := range leaveOut(f, without, func(id string) *Node { return x.nodes[id] }) {
		if p != nil {
			p.Field = fmt.Sprintf("/without/%d", i)
			x.report(*p, "node", without[i])
		}
	}
	if len(x.problems) > 0 {
		return nil, x.problems
	}
	joins := shapeOfJoins(f)
	for _, id := range without {
		x.remove(id)
	}
	for x.trim(joins) {
	}
	x.checkStart()
	dropped := x.unread()
	if len(x.problems) > 0 {
		return nil, x.problems
	}
	return x.flow(dropped), nil
}

// reduction is one run of Reduce.
type reduction struct {
	f     *Flow
	nodes map[string]*Node // those that stay
	gone  map[string]*Node
	// edges are those of the document, with their present ends; dead ones are marked.
	edges    []Edge
	dead     []bool
	in, out  map[string][]int // by node; in the order of the document
	problems []Problem
}

func newReduction(f *Flow) *reduction {
	x := &reduction{
		f: f, nodes: make(map[string]*Node, len(f.Nodes)), gone: map[string]*Node{},
		edges: slices.Clone(f.Edges), dead: make([]bool, len(f.Edges)), in: map[string][]int{}, out: map[string][]int{},
	}
	for i := range f.Nodes {
		x.nodes[f.Nodes[i].ID] = &f.Nodes[i]
	}
	for k := range x.edges {
		e := &x.edges[k]
		x.in[e.To], x.out[e.From] = append(x.in[e.To], k), append(x.out[e.From], k)
	}
	return x
}

func (x *reduction) report(p Problem, args ...string) {
	p.Level = SeverityError
	for i := 0; i+1 < len(args); i += 2 {
		if p.Args == nil {
			p.Args = map[string]string{}
		}
		p.Args[args[i]] = args[i+1]
	}
	x.problems = append(x.problems, p)
}

// remove takes a node away and joins its edges.
func (x *reduction) remove(id string) {
	n := x.nodes[id]
	if n == nil {
		return // named twice
	}
	x.delete(id)
	if len(x.out[id]) != 1 {
		return // not a node of a flow that can run
	}
	own := x.out[id][0]
	x.kill(own)
	x.redirect(id, x.edges[own].To)
}

func (x *reduction) delete(id string) {
	x.gone[id] = x.nodes[id]
	delete(x.nodes, id)
}

// redirect lets the edges that come to one node come to another.
func (x *reduction) redirect(from, to string) {
	for _, k := range x.in[from] {
		x.edges[k].To = to
		x.in[to] = append(x.in[to], k)
	}
	delete(x.in, from)
}

// kill takes an edge away.
func (x *reduction) kill(k int) {
	e := &x.edges[k]
	x.dead[k] = true
	is := func(i int) bool { return i == k }
	x.in[e.To] = slices.DeleteFunc(x.in[e.To], is)
	x.out[e.From] = slices.DeleteFunc(slices.Clone(x.out[e.From]), is)
}

// shapeOfJoins returns the joins of the parallel gateways of a document, by id.
func shapeOfJoins(f *Flow) map[string]string {
	joins := map[string]string{}
	b := newBuilder(&tree{root: f}, f)
	if !b.document() {
		return joins
	}
	b.nodes()
	if b.edges(); b.broken {
		return joins
	}
	b.reach()
	b.blocks()
	for i := range b.g.nodes {
		if n := &b.g.nodes[i]; n.typ == TypeParallel && n.join >= 0 {
			joins[n.id] = b.g.nodes[n.join].id
		}
	}
	return joins
}

// trim takes away what has become of no use in parallel blocks; it returns false when
// that is nothing.
func (x *reduction) trim(joins map[string]string) bool {
	changed := false
	for i := range x.f.Nodes {
		id := x.f.Nodes[i].ID
		join, ok := joins[id]
		if !ok || x.nodes[id] == nil || x.nodes[join] == nil {
			continue
		}
		var straight []int
		for _, k := range x.out[id] {
			if x.edges[k].To == join {
				straight = append(straight, k)
			}
		}
		switch {
		case len(straight) == len(x.out[id]) && len(x.out[join]) == 1:
			x.removeBlock(id, join, straight)
			changed = true
		case len(straight) > 1:
			for _, k := range straight[1:] {
				x.kill(k)
			}
			changed = true
		}
	}
	return changed
}

// removeBlock takes a parallel gateway and its join away.
func (x *reduction) removeBlock(gateway, join string, straight []int) {
	for _, k := range straight {
		x.kill(k)
	}
	own := x.out[join][0]
	to := x.edges[own].To
	x.kill(own)
	x.redirect(gateway, to)
	x.redirect(join, to)
	x.delete(gateway)
	x.delete(join)
}

// checkStart reports a flow of which nothing is left.
func (x *reduction) checkStart() {
	for k := range x.edges {
		e := &x.edges[k]
		if x.dead[k] || x.nodes[e.From] == nil || x.nodes[e.To] == nil {
			continue
		}
		if x.nodes[e.From].Type == TypeStart && x.nodes[e.To].Type == TypeEnd {
			x.report(Problem{Code: ProblemFlowEmpty, Message: "nothing is left to run", Node: e.From})
		}
	}
}

// flow is what is left.
func (x *reduction) flow(dropped map[string]bool) *Flow {
	f := *x.f
	f.Nodes, f.Edges, f.Variables, f.Schemes = nil, nil, nil, slices.Clone(f.Schemes)
	for i := range x.f.Nodes {
		if n := &x.f.Nodes[i]; x.nodes[n.ID] != nil {
			f.Nodes = append(f.Nodes, *n)
		}
	}
	for k := range x.edges {
		if !x.dead[k] {
			f.Edges = append(f.Edges, x.edges[k])
		}
	}
	for i := range x.f.Variables {
		if v := &x.f.Variables[i]; !dropped[v.Name] {
			f.Variables = append(f.Variables, *v)
		}
	}
	for i := range f.Schemes {
		f.Schemes[i].Without = slices.DeleteFunc(slices.Clone(f.Schemes[i].Without), func(id string) bool { return x.gone[id] != nil })
	}
	if needed := map[string]*Flow{}; len(f.Subflows) > 0 {
		x.f.need(&f, needed)
		f.Subflows = needed
	}
	return &f
}

// unread finds the variables that nothing names any more, and reports expressions that
// read the outputs of nodes that are gone.
func (x *reduction) unread() map[string]bool {
	names := x.names()
	for i := range x.f.Nodes {
		n := &x.f.Nodes[i]
		if x.nodes[n.ID] != nil {
			names.node(n)
		}
	}
	for k := range x.edges {
		if !x.dead[k] {
			names.at(Problem{Edge: x.edges[k].ID, Field: "/condition"}, func(r *expr.References) { r.Expression(x.edges[k].Condition) })
		}
	}
	before := x.names()
	for _, n := range x.gone {
		before.node(n)
	}
	before.problems = nil
	before.close(func(*Variable) bool { return false })
	names.close(func(v *Variable) bool { return v.Output || !before.variables[v.Name] })
	x.problems = append(x.problems, names.problems...)
	dropped := map[string]bool{}
	for i := range x.f.Variables {
		if name := x.f.Variables[i].Name; before.variables[name] && !names.variables[name] {
			dropped[name] = true
		}
	}
	return dropped
}
