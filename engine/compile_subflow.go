package engine

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/culmhq/culm/engine/expr"
)

// tree is one run of Compile: what the documents of a flow and its subflows share.
type tree struct {
	root      *Flow
	catalogue Catalogue
	actions   map[[2]string]*actionSchemas
	documents map[string]*document // by reference
	open      []string             // the ids of the flows that are being compiled, the outermost first
}

// document is a flow that was compiled by itself.
type document struct {
	f        *Flow
	g        *Graph // of its own nodes; nil when it has errors
	problems []Problem
	children map[int32]*document // of inline subflow nodes
	depth    int                 // how deep subflows nest in it
	// nodes, edges and vars are how many it has with those of its children.
	nodes, edges, vars int
	// inputs and outputs are its variables as a subflow node sees them.
	inputs, outputs *expr.Schema
	// secrets are those of its inputs that are secrets.
	secrets map[string]*Variable
}

// of compiles the document that a subflow node names, once for all the nodes that do.
func (t *tree) of(n *Node, f *Flow) *document {
	key := n.Reference() + "\x00" + strings.Join(n.Schemes, "\x00")
	if d, ok := t.documents[key]; ok {
		return d
	}
	t.open = append(t.open, n.Flow)
	d := t.compile(f)
	t.open = t.open[:len(t.open)-1]
	t.documents[key] = d
	return d
}

// recursion returns the chain of flows that leads back to one, or "".
func (t *tree) recursion(id string) string {
	at := slices.Index(t.open, id)
	if at < 0 {
		return ""
	}
	return strings.Join(append(slices.Clone(t.open[at:]), id), " → ")
}

// measure counts what the document has when its subflows are in it, and describes its
// variables to nodes that run it.
func (d *document) measure() {
	d.nodes, d.edges, d.vars = len(d.g.nodes), len(d.g.edges), len(d.g.vars)
	for _, c := range d.children {
		d.nodes, d.edges, d.vars = d.nodes+c.nodes, d.edges+c.edges, d.vars+c.vars
	}
	inputs, outputs := map[string]*expr.Schema{}, map[string]*expr.Schema{}
	var required []string
	for i := range d.g.vars {
		v := &d.g.vars[i]
		if v.Source == SourceInput {
			inputs[v.Name] = v.schema
			if v.Secret {
				inputs[v.Name] = v.schema.Secret()
				if d.secrets == nil {
					d.secrets = map[string]*Variable{}
				}
				d.secrets[v.Name] = v.Variable
			}
			if v.Required && v.Value == nil && v.ShowIf == "" {
				required = append(required, v.Name)
			}
		}
		if v.Output {
			outputs[v.Name] = v.schema
		}
	}
	slices.Sort(required)
	d.inputs, d.outputs = expr.ObjectSchema(inputs, required), expr.ObjectSchema(outputs, nil)
}

// subflow checks a subflow node against the flow that it names.
func (b *builder) subflow(i int32, n *Node, written []bool) {
	g := &b.g.nodes[i]
	if n.Mode != SubflowInline && n.Mode != SubflowIndependent {
		b.report(Problem{Code: ProblemSubflowMode, Node: n.ID, Field: "/mode"}, fmt.Sprintf("unknown mode %q", n.Mode))
	}
	if n.Version < 0 {
		b.report(Problem{Code: ProblemSubflowVersion, Node: n.ID, Field: "/version"}, "a version is 1 or more, or 0 for the latest")
	}
	d := b.child(n)
	outputs := &expr.Schema{}
	if g.schema = outputs; d != nil {
		if len(d.secrets) > 0 {
			if b.secretInputs == nil {
				b.secretInputs = map[int32]map[string]*Variable{}
			}
			b.secretInputs[i] = d.secrets
		}
		g.schema, outputs = d.inputs, d.outputs
		if n.Mode == SubflowInline {
			if b.children == nil {
				b.children = map[int32]*document{}
			}
			b.children[i] = d
		}
	}
	b.outputDecls = append(b.outputDecls, expr.Decl{Name: g.id, Schema: outputs})
	b.bindOutputs(g, n, outputs, d != nil, written)
	b.literals(g, n)
	if d != nil {
		b.inputNames(g, n)
	}
}

// child finds and compiles the flow of a subflow node. It returns nil when there is
// none that can be run.
func (b *builder) child(n *Node) *document {
	at := Problem{Node: n.ID, Field: "/flow"}
	if n.Flow == "" {
		at.Code = ProblemSubflowMissing
		b.report(at, "a subflow needs a flow")
		return nil
	}
	chain := b.tree.recursion(n.Flow)
	f := b.tree.root.Subflows[n.Reference()]
	if f == nil && chain == "" {
		at.Code = ProblemSubflowUnknown
		b.report(at, fmt.Sprintf("no flow %q", n.Reference()), "flow", n.Reference())
		return nil
	}
	var d *document
	if chain == "" {
		if f = b.withSchemes(n, f); f == nil {
			return nil
		}
		d = b.tree.of(n, f)
		chain = b.brokenChild(n, d)
	}
	if chain != "" {
		at.Code = ProblemSubflowRecursion
		b.report(at, "the flow contains itself: "+chain, "names", chain)
		return nil
	}
	if d.g == nil {
		return nil
	}
	if b.depth = max(b.depth, d.depth+1); d.depth+1 > MaxDepth {
		at.Code = ProblemSubflowDepth
		b.report(at, fmt.Sprintf("subflows nest more than %d deep", MaxDepth), "max", strconv.Itoa(MaxDepth))
	}
	return d
}

// withSchemes is the flow of a subflow node without what the node's schemes leave out;
// nil when they do not fit it.
func (b *builder) withSchemes(n *Node, f *Flow) *Flow {
	if len(n.Schemes) == 0 {
		return f
	}
	for i, id := range n.Schemes {
		if !slices.ContainsFunc(f.Schemes, func(s Scheme) bool { return s.ID == id }) {
			b.report(Problem{Code: ProblemSchemeUnknown, Node: n.ID, Field: fmt.Sprintf("/schemes/%d", i)}, fmt.Sprintf("the flow %q has no scheme %q", n.Reference(), id), "scheme", id)
			return nil
		}
	}
	without, err := SchemeWithout(f, n.Schemes)
	if err != nil {
		return nil // the names were looked up
	}
	reduced, problems := Reduce(f, without)
	if reduced == nil {
		b.brokenFlow(n, problems)
	}
	return reduced
}

// brokenChild reports that a flow has errors, by the first of them. When it contains
// itself, that is not its own fault alone: the chain is returned.
func (b *builder) brokenChild(n *Node, d *document) (chain string) {
	if d.g != nil {
		return ""
	}
	for i := range d.problems {
		if p := &d.problems[i]; p.Code == ProblemSubflowRecursion {
			return p.Args["names"]
		}
	}
	b.brokenFlow(n, d.problems)
	return ""
}

// brokenFlow reports the first error of the flow of a subflow node.
func (b *builder) brokenFlow(n *Node, problems []Problem) {
	var first *Problem
	for i := range problems {
		p := &problems[i]
		if first == nil && p.Level == SeverityError {
			first = p
		}
	}
	where := first.Node + first.Edge + first.Variable + first.Field
	args := []string{"flow", n.Reference(), "code", first.Code, "at", where, "detail", first.Message}
	for _, name := range slices.Sorted(maps.Keys(first.Args)) {
		args = append(args, "of_"+name, first.Args[name])
	}
	b.report(Problem{Code: ProblemSubflowInvalid, Node: n.ID, Field: "/flow"},
		fmt.Sprintf("the flow %q has errors: %s: %s", n.Reference(), where, first.Message), args...)
}

// subflowSizes bounds what the flow becomes with its inline subflows.
func (b *builder) subflowSizes() {
	nodes, edges, vars := len(b.g.nodes), len(b.g.edges), len(b.g.vars)
	for _, c := range b.children {
		nodes, edges, vars = nodes+c.nodes, edges+c.edges, vars+c.vars
	}
	for _, l := range []struct {
		what      string
		have, max int
	}{{"nodes", nodes, MaxNodes}, {"edges", edges, MaxEdges}, {"variables", vars, MaxVariables}} {
		if l.have > l.max {
			b.report(Problem{Code: ProblemFlowTooLarge, Field: "/" + l.what}, fmt.Sprintf("%d %s with those of subflows, at most %d", l.have, l.what, l.max),
				"what", l.what, "max", strconv.Itoa(l.max))
		}
	}
}
