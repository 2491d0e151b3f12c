package engine

import (
	"slices"
	"strings"
)

// TokenGroups returns the nodes by token, by id and each group sorted: nodes of one
// group may be rolled back onto one another. What follows one another and the branches
// of an exclusive gateway share a token; each branch of a parallel or inclusive gateway
// has its own, and so has the inside of each inline subflow.
func TokenGroups(g *Graph) [][]string {
	groups := map[tokenGroup][]string{}
	for i := range g.nodes {
		k := g.group(int32(i))
		groups[k] = append(groups[k], g.nodes[i].id)
	}
	all := make([][]string, 0, len(groups))
	for _, ids := range groups {
		slices.Sort(ids)
		all = append(all, ids)
	}
	slices.SortFunc(all, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return all
}

// tokenGroup names the nodes through which one token goes: those of a scope that are in
// the same branch of the same fork. block is the branch's first edge, -1 outside of
// every fork.
type tokenGroup struct{ scope, block int32 }

func (g *Graph) group(i int32) tokenGroup {
	return tokenGroup{scope: g.nodes[i].scope, block: g.nodes[i].block}
}

// around returns the fork or subflow node whose branch or inside a node is in, or false.
func (g *Graph) around(i int32) (int32, bool) {
	switch n := &g.nodes[i]; {
	case n.block >= 0:
		return g.edges[n.block].from, true
	case n.scope > 0:
		return g.scopes[n.scope].node, true
	}
	return -1, false
}
