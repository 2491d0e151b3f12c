package engine

// comesAgain reports whether a loop leads from a node back to it, or from a subflow that it
// is in.
func (g *Graph) comesAgain(i int32) bool {
	for ; i >= 0; i = g.scopeOf(i).node {
		seen := map[int32]bool{}
		for todo := []int32{i}; len(todo) > 0; {
			at := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, k := range g.nodes[at].out {
				to := g.edges[k].to
				if to == i {
					return true
				}
				if !seen[to] {
					seen[to] = true
					todo = append(todo, to)
				}
			}
		}
	}
	return false
}

// Cyclic reports whether a token can come to a node again: whether there is a loop in the
// flow, or in one of its inline subflows. Such a flow is sound; some want to know before
// they start it.
func (g *Graph) Cyclic() bool {
	in := make([]int, len(g.nodes))
	for k := range g.edges {
		in[g.edges[k].to]++
	}
	var todo []int32
	for i := range in {
		if in[i] == 0 {
			todo = append(todo, int32(i))
		}
	}
	left := len(g.nodes)
	for ; len(todo) > 0; left-- {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, k := range g.nodes[i].out {
			to := g.edges[k].to
			if in[to]--; in[to] == 0 {
				todo = append(todo, to)
			}
		}
	}
	return left > 0
}
