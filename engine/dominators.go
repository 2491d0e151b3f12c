package engine

import "slices"

// postDominators returns the immediate post-dominator of every node: the first node
// that every path from it to an end passes; -1 where there is none. Dead nodes have
// none either. It is the algorithm of Lengauer and Tarjan on the graph turned round,
// from a root behind all ends, and takes O(edges × log nodes).
func (b *builder) postDominators() []int32 {
	n := len(b.g.nodes)
	d := &dominators{
		root: int32(n),
		semi: make([]int32, n+1), vertex: make([]int32, 0, n+1), parent: make([]int32, n+1),
		ancestor: make([]int32, n+1), label: make([]int32, n+1), idom: make([]int32, n+1),
		bucket: make([][]int32, n+1),
	}
	ends := slices.DeleteFunc(b.ends(), func(i int32) bool { return b.dead[i] })
	// Turned round, the successors of a node are those before it.
	d.succ = func(i int32, visit func(int32)) {
		if i == d.root {
			for _, e := range ends {
				visit(e)
			}
			return
		}
		for _, k := range b.g.nodes[i].in {
			if from := b.g.edges[k].from; !b.dead[from] {
				visit(from)
			}
		}
	}
	d.pred = func(i int32, visit func(int32)) {
		if b.g.nodes[i].typ == TypeEnd {
			visit(d.root)
		}
		for _, k := range b.g.nodes[i].out {
			if to := b.g.edges[k].to; !b.dead[to] {
				visit(to)
			}
		}
	}
	d.run()
	for i := range d.idom {
		if d.idom[i] == d.root {
			d.idom[i] = -1
		}
	}
	return d.idom[:n]
}

// dominators is one run of the algorithm. Numbers in semi are places in vertex.
type dominators struct {
	root                          int32
	succ, pred                    func(int32, func(int32))
	semi, parent, ancestor, label []int32
	vertex, idom                  []int32
	bucket                        [][]int32
}

func (d *dominators) run() {
	for i := range d.semi {
		d.semi[i], d.ancestor[i], d.label[i], d.idom[i] = -1, -1, int32(i), -1
	}
	d.number()
	for i := len(d.vertex) - 1; i > 0; i-- {
		w := d.vertex[i]
		d.pred(w, func(v int32) {
			if d.semi[v] < 0 {
				return
			}
			if u := d.eval(v); d.semi[u] < d.semi[w] {
				d.semi[w] = d.semi[u]
			}
		})
		at := d.vertex[d.semi[w]]
		d.bucket[at] = append(d.bucket[at], w)
		p := d.parent[w]
		d.ancestor[w] = p
		for _, v := range d.bucket[p] {
			if u := d.eval(v); d.semi[u] < d.semi[v] {
				d.idom[v] = u
			} else {
				d.idom[v] = p
			}
		}
		d.bucket[p] = nil
	}
	for _, w := range d.vertex[1:] {
		if d.idom[w] != d.vertex[d.semi[w]] {
			d.idom[w] = d.idom[d.idom[w]]
		}
	}
}

// number walks the graph depth first, without recursion.
func (d *dominators) number() {
	type visit struct{ node, parent int32 }
	todo := []visit{{d.root, -1}}
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if d.semi[v.node] >= 0 {
			continue
		}
		d.semi[v.node] = int32(len(d.vertex))
		d.vertex = append(d.vertex, v.node)
		d.parent[v.node] = v.parent
		d.succ(v.node, func(w int32) {
			if d.semi[w] < 0 {
				todo = append(todo, visit{w, v.node})
			}
		})
	}
}

// eval returns the node with the smallest semi-dominator on the way up the forest.
func (d *dominators) eval(v int32) int32 {
	if d.ancestor[v] < 0 {
		return d.label[v]
	}
	var path []int32
	for u := v; d.ancestor[d.ancestor[u]] >= 0; u = d.ancestor[u] {
		path = append(path, u)
	}
	for i := len(path) - 1; i >= 0; i-- {
		u := path[i]
		a := d.ancestor[u]
		if d.semi[d.label[a]] < d.semi[d.label[u]] {
			d.label[u] = d.label[a]
		}
		d.ancestor[u] = d.ancestor[a]
	}
	return d.label[v]
}

// domTree answers which nodes every path from the start to a node passes.
type domTree struct{ in, out []int32 } // when a walk over the tree comes to a node, and leaves it

// dominatorTree finds the immediate dominators of the nodes that can be reached.
func (b *builder) dominatorTree() *domTree {
	n := len(b.g.nodes)
	d := &dominators{
		root: b.g.start,
		semi: make([]int32, n), vertex: make([]int32, 0, n), parent: make([]int32, n),
		ancestor: make([]int32, n), label: make([]int32, n), idom: make([]int32, n),
		bucket: make([][]int32, n),
	}
	along := func(edges []int32, other func(*graphEdge) int32, visit func(int32)) {
		for _, k := range edges {
			if i := other(&b.g.edges[k]); !b.dead[i] {
				visit(i)
			}
		}
	}
	d.succ = func(i int32, visit func(int32)) {
		along(b.g.nodes[i].out, func(e *graphEdge) int32 { return e.to }, visit)
	}
	d.pred = func(i int32, visit func(int32)) {
		along(b.g.nodes[i].in, func(e *graphEdge) int32 { return e.from }, visit)
	}
	d.run()
	return d.tree()
}

// tree numbers the nodes by a walk over the tree of the dominators.
func (d *dominators) tree() *domTree {
	below := make([][]int32, len(d.idom))
	for _, i := range d.vertex[1:] {
		below[d.idom[i]] = append(below[d.idom[i]], i)
	}
	t := &domTree{in: make([]int32, len(d.idom)), out: make([]int32, len(d.idom))}
	clock := int32(0)
	for todo := []int32{d.root}; len(todo) > 0; {
		i := todo[len(todo)-1]
		if clock++; t.in[i] == 0 {
			t.in[i] = clock
			todo = append(todo, below[i]...)
			continue
		}
		t.out[i] = clock
		todo = todo[:len(todo)-1]
	}
	return t
}

// covers reports whether every path from the start to a node passes a gateway.
func (t *domTree) covers(gateway, node int32) bool {
	return t.in[gateway] <= t.in[node] && t.out[node] <= t.out[gateway]
}
