package engine

import (
	"maps"
	"sync"
)

// graphScope is the flow itself, or the inside of one inline subflow node: the nodes and
// variables that expressions in it can name.
type graphScope struct {
	// path is the id of the subflow node, node its index, parent the scope it is in;
	// "", -1 and -1 for the flow itself.
	path   string
	node   int32
	parent int32
	// doc is the graph of the scope's flow alone. Its indexes count from the ones
	// here; scopes of the same flow share it.
	doc                *Graph
	node0, edge0, var0 int32
	// nodeEnd and varEnd are behind those of the scopes within.
	nodeEnd, varEnd int32
}

// start returns the node at which the scope begins.
func (sc *graphScope) start() int32 { return sc.node0 + sc.doc.start }

// variable finds a variable of the scope by name.
func (sc *graphScope) variable(name string) (int32, bool) {
	i, ok := sc.doc.varIdx[name]
	return sc.var0 + i, ok
}

// scopeOf returns the scope in which a node is.
func (g *Graph) scopeOf(node int32) *graphScope { return &g.scopes[g.nodes[node].scope] }

// variable finds a variable by the path of its scope and its name.
func (g *Graph) variable(scope, name string) (int32, bool) {
	k, ok := g.scopeIdx[scope]
	if !ok {
		return -1, false
	}
	return g.scopes[k].variable(name)
}

// link makes the graph of a tree: the nodes of its flow, then those of every inline
// subflow node, with what was compiled once shared by all its copies.
func (t *tree) link(d *document) *Graph {
	g := d.g
	if len(d.children) > 0 {
		g = &Graph{
			flow: d.f, env: d.g.env, varIdx: d.g.varIdx, start: d.g.start, constants: d.g.constants, outputs: d.g.outputs, secrets: d.g.secrets,
			nodes: make([]graphNode, 0, d.nodes), edges: make([]graphEdge, 0, d.edges), vars: make([]graphVar, 0, d.vars),
			nodeIdx: make(map[string]int32, d.nodes), edgeIdx: make(map[string]int32, d.edges),
		}
	}
	g.scopeIdx = map[string]int32{}
	g.digest = sync.OnceValue(func() string { return Digest(d.f) })
	g.add(d, "", -1, -1)
	return g
}

// add appends a scope and those within.
func (g *Graph) add(d *document, path string, node, parent int32) {
	k := int32(len(g.scopes))
	g.scopeIdx[path] = k
	sc := graphScope{path: path, node: node, parent: parent, doc: d.g}
	if d.g != g {
		sc.node0, sc.edge0, sc.var0 = int32(len(g.nodes)), int32(len(g.edges)), int32(len(g.vars))
	}
	g.scopes = append(g.scopes, sc)
	if d.g != g {
		g.copyNodes(d.g, k)
		g.copyEdges(d.g, k)
		for i := range d.g.vars {
			v := d.g.vars[i]
			v.scope = k
			g.vars = append(g.vars, v)
		}
	}
	for i := range d.g.nodes {
		if c := d.children[int32(i)]; c != nil {
			n := &g.nodes[sc.node0+int32(i)]
			n.inner = int32(len(g.scopes))
			g.add(c, n.id, sc.node0+int32(i), k)
		}
	}
	g.scopes[k].nodeEnd, g.scopes[k].varEnd = int32(len(g.nodes)), int32(len(g.vars))
}

// copyNodes appends the nodes of a flow to those of its scope. What a step reads only
// is shared.
func (g *Graph) copyNodes(doc *Graph, scope int32) {
	sc := g.scopes[scope]
	ends := make([]int32, 0, 2*len(doc.edges)) // of all nodes, one piece of memory
	moved := func(edges []int32) []int32 {
		from := len(ends)
		for _, e := range edges {
			ends = append(ends, sc.edge0+e)
		}
		return ends[from:len(ends):len(ends)]
	}
	for i := range doc.nodes {
		n := doc.nodes[i]
		n.scope = scope
		if scope > 0 {
			n.id = sc.path + "." + n.id
		}
		n.out, n.in = moved(n.out), moved(n.in)
		n.join, n.block, n.byDefault = shift(n.join, sc.node0), shift(n.block, sc.edge0), shift(n.byDefault, sc.edge0)
		if len(n.outputs) > 0 {
			bound := make([]graphOutput, len(n.outputs))
			for k, b := range n.outputs {
				bound[k] = graphOutput{variable: sc.var0 + b.variable, output: b.output}
			}
			n.outputs = bound
		}
		g.nodeIdx[n.id] = int32(len(g.nodes))
		g.nodes = append(g.nodes, n)
	}
}

func (g *Graph) copyEdges(doc *Graph, scope int32) {
	sc := g.scopes[scope]
	for i := range doc.edges {
		e := doc.edges[i]
		if scope > 0 {
			e.id = sc.path + "." + e.id
		}
		e.from, e.to = sc.node0+e.from, sc.node0+e.to
		g.edgeIdx[e.id] = int32(len(g.edges))
		g.edges = append(g.edges, e)
	}
}

// shift moves an index that may be -1 for none.
func shift(i, by int32) int32 {
	if i < 0 {
		return i
	}
	return i + by
}

// ChildDocument returns the flow of a subflow node as a document that is complete in
// itself: with the subflows that it needs in turn. reference is the node's, parent the
// document that holds the whole tree; what the node's schemes leave out is not in it. It
// returns false when parent has no such flow, or the schemes do not fit: Compile has
// refused both.
func ChildDocument(parent *Flow, reference string, schemes ...string) (*Flow, bool) {
	f := parent.Subflows[reference]
	if f == nil {
		return nil, false
	}
	without, err := SchemeWithout(f, schemes)
	if err != nil {
		return nil, false
	}
	if f, _ = Reduce(f, without); f == nil {
		return nil, false
	}
	child := *f
	child.Subflows = nil
	needed := map[string]*Flow{}
	parent.need(f, needed)
	if len(needed) > 0 {
		child.Subflows = maps.Clone(needed)
	}
	return &child, true
}

// need collects the flows that another one names, and those that they name.
func (f *Flow) need(by *Flow, needed map[string]*Flow) {
	for i := range by.Nodes {
		n := &by.Nodes[i]
		if n.Type != TypeSubflow {
			continue
		}
		key := n.Reference()
		if c := f.Subflows[key]; c != nil && needed[key] == nil {
			needed[key] = c
			f.need(c, needed)
		}
	}
}
