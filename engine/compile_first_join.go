package engine

import (
	"fmt"
	"slices"
)

// firstJoins makes sure that the branches of a gateway that meet a join meet the same one
// first; those of a parallel or inclusive one its own. A drawing in which they do not has
// branches that run into each other in the middle, which nobody can read; the run itself
// would not mind.
//
// The first join behind a node is found once for all nodes, along the edges that do not
// lead back. A block inside is passed as a whole: its own join does not count.
func (b *builder) firstJoins() {
	if !slices.ContainsFunc(b.g.nodes, func(n graphNode) bool { return n.typ == TypeExclusive || isFork(n.typ) }) {
		return
	}
	w := &joinWalk{b: b, first: make([]int32, len(b.g.nodes)), dom: b.dominatorTree()}
	for i := range w.first {
		w.first[i] = joinNone
	}
	b.postOrder(func(i int32, back map[int32]bool) { w.first[i] = w.behind(i, back) })
}

// joinNone is the first join where there is none: the way leads back, or to an end.
const joinNone = -1

// joinWalk is one walk over the flow from behind.
type joinWalk struct {
	b     *builder
	first []int32
	dom   *domTree
}

// behind returns the first join at or behind a node, when those of the nodes behind are
// known.
func (w *joinWalk) behind(i int32, back map[int32]bool) int32 {
	n := &w.b.g.nodes[i]
	switch n.typ {
	case TypeJoin:
		return i
	case TypeEnd:
		return joinNone
	case TypeExclusive:
		return w.past(i, w.meet(i, back))
	case TypeParallel, TypeInclusive:
		if n.join >= 0 {
			w.meet(i, back)
		}
		return w.past(i, n.join)
	case TypeStart, TypeTask, TypeSubflow:
	}
	for _, k := range n.out {
		if !back[k] {
			return w.first[w.b.g.edges[k].to]
		}
	}
	return joinNone
}

// meet returns the join that the branches of a gateway meet first.
func (w *joinWalk) meet(i int32, back map[int32]bool) int32 {
	n := &w.b.g.nodes[i]
	met := n.join // joinNone when it is exclusive
	for _, k := range n.out {
		if back[k] {
			continue
		}
		j := w.first[w.b.g.edges[k].to]
		switch {
		case j == joinNone || j == met:
		case met == joinNone:
			met = j
		default:
			first, second := w.b.g.nodes[met].id, w.b.g.nodes[j].id
			w.b.report(Problem{Code: ProblemJoinsDiffer, Node: n.id},
				fmt.Sprintf("the branches first meet different joins: %s and %s", first, second), "first", first, "second", second)
			return joinNone
		}
	}
	return met
}

// past returns the first join behind a block that ends at a join; that join itself when
// others lead to it as well.
func (w *joinWalk) past(gateway, join int32) int32 {
	if join == joinNone || !w.dom.covers(gateway, join) {
		return join
	}
	if out := w.b.g.nodes[join].out; len(out) > 0 {
		return w.first[w.b.g.edges[out[0]].to]
	}
	return joinNone
}

// postOrder visits the living nodes from the start so that a node comes behind those to
// which it leads, with the edges that lead back to a node on the way.
func (b *builder) postOrder(visit func(i int32, back map[int32]bool)) {
	const (
		open = iota + 1
		done
	)
	mark := make([]uint8, len(b.g.nodes))
	back := map[int32]bool{}
	type place struct {
		node int32
		next int // the edge to look at
	}
	way := []place{{node: b.g.start}}
	mark[b.g.start] = open
	for len(way) > 0 {
		at := &way[len(way)-1]
		out := b.g.nodes[at.node].out
		if at.next == len(out) {
			visit(at.node, back)
			mark[at.node] = done
			way = way[:len(way)-1]
			continue
		}
		k := out[at.next]
		at.next++
		switch to := b.g.edges[k].to; {
		case b.dead[to]:
			back[k] = true
		case mark[to] == open:
			back[k] = true
		case mark[to] == 0:
			mark[to] = open
			way = append(way, place{node: to})
		}
	}
}
