package engine

import "fmt"

// reach finds the nodes that no token can reach, and those from which none can end.
func (b *builder) reach() {
	n := len(b.g.nodes)
	fromStart := make([]bool, n)
	toEnd := make([]bool, n)
	b.flood(fromStart, []int32{b.g.start}, func(i int32) []int32 { return b.g.nodes[i].out }, func(e *graphEdge) int32 { return e.to })
	b.flood(toEnd, b.ends(), func(i int32) []int32 { return b.g.nodes[i].in }, func(e *graphEdge) int32 { return e.from })
	b.dead = make([]bool, n)
	for i := range b.g.nodes {
		id := b.g.nodes[i].id
		if !fromStart[i] {
			b.report(Problem{Code: ProblemUnreachable, Node: id}, "the node cannot be reached from the start")
		} else if !toEnd[i] {
			b.report(Problem{Code: ProblemNoPathToEnd, Node: id}, "no path leads from the node to an end")
		}
		b.dead[i] = !fromStart[i] || !toEnd[i]
	}
}

func (b *builder) ends() []int32 {
	var ends []int32
	for i := range b.g.nodes {
		if b.g.nodes[i].typ == TypeEnd {
			ends = append(ends, int32(i))
		}
	}
	return ends
}

// flood marks everything that can be reached from the seeds.
func (b *builder) flood(seen []bool, seeds []int32, edges func(int32) []int32, other func(*graphEdge) int32) {
	todo := append([]int32(nil), seeds...)
	for _, i := range todo {
		seen[i] = true
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, k := range edges(i) {
			if j := other(&b.g.edges[k]); !seen[j] {
				seen[j] = true
				todo = append(todo, j)
			}
		}
	}
}

// idleCycles finds loops without a task. Nothing changes while a token turns in one, so
// it would turn for ever: a run fails the gateway at the second round.
func (b *builder) idleCycles() {
	degree := make([]int, len(b.g.nodes))
	var todo []int32
	gateway := func(i int32) bool { return b.g.nodes[i].typ != TypeTask && b.g.nodes[i].typ != TypeSubflow }
	for k := range b.g.edges {
		if e := &b.g.edges[k]; gateway(e.from) && gateway(e.to) {
			degree[e.to]++
		}
	}
	for i := range degree {
		if degree[i] == 0 {
			todo = append(todo, int32(i))
		}
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, k := range b.g.nodes[i].out {
			e := &b.g.edges[k]
			if !gateway(i) || !gateway(e.to) {
				continue
			}
			if degree[e.to]--; degree[e.to] == 0 {
				todo = append(todo, e.to)
			}
		}
	}
	b.reportIdle(degree)
}

// reportIdle names the gateways that are on such a loop; what merely lies behind one
// still has a degree too, so only nodes with a way back to themselves count.
func (b *builder) reportIdle(degree []int) {
	left := make([]int, len(degree)) // edges to other nodes that have a degree
	for k := range b.g.edges {
		if e := &b.g.edges[k]; degree[e.from] > 0 && degree[e.to] > 0 {
			left[e.from]++
		}
	}
	var todo []int32
	for i := range degree {
		if degree[i] > 0 && left[i] == 0 {
			todo = append(todo, int32(i))
		}
	}
	b.dropTails(degree, left, todo)
	for i := range degree {
		if degree[i] > 0 {
			b.report(Problem{Code: ProblemCycleNoTask, Level: SeverityWarning, Node: b.g.nodes[i].id}, "the node is on a loop without a task: a run that turns in it fails")
		}
	}
}

// dropTails takes away, from behind, what leads to no loop.
func (b *builder) dropTails(degree, left []int, todo []int32) {
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		degree[i] = 0
		for _, k := range b.g.nodes[i].in {
			from := b.g.edges[k].from
			if degree[from] == 0 {
				continue
			}
			if left[from]--; left[from] == 0 {
				todo = append(todo, from)
			}
		}
	}
}

// blocks matches every parallel gateway with its join, and makes sure that no edge
// crosses the border of a branch.
//
// The join of a gateway is the first node that every path from it passes: its
// immediate post-dominator. The blocks then nest if every node is in one branch,
// whichever way it is reached.
func (b *builder) blocks() {
	if !b.hasForks() {
		return
	}
	pdom := b.postDominators()
	matched := b.matchWide(pdom)
	b.matchNarrow(pdom, matched)
	b.regions()
}

func isFork(t NodeType) bool { return t == TypeParallel || t == TypeInclusive }

func (b *builder) hasForks() bool {
	for i := range b.g.nodes {
		if isFork(b.g.nodes[i].typ) {
			return true
		}
	}
	return false
}

// matchWide matches the gateways with several branches. It returns the joins that are
// taken, by the gateway that has them.
func (b *builder) matchWide(pdom []int32) map[int32]int32 {
	owner := map[int32]int32{}
	for i := range b.g.nodes {
		n := &b.g.nodes[i]
		if !isFork(n.typ) || b.dead[i] || len(n.out) < 2 {
			continue
		}
		b.match(int32(i), pdom[i], owner)
	}
	return owner
}

// matchNarrow matches the gateways with one branch: with the next join on their way
// that is nobody else's. Those behind come first.
func (b *builder) matchNarrow(pdom []int32, owner map[int32]int32) {
	next := make([]int32, len(b.g.nodes)) // a shortcut along pdom, past what was looked at
	copy(next, pdom)
	for i := len(b.g.nodes) - 1; i >= 0; i-- {
		n := &b.g.nodes[i]
		if !isFork(n.typ) || b.dead[i] || len(n.out) != 1 {
			continue
		}
		j := next[i]
		for j >= 0 && (b.g.nodes[j].typ != TypeJoin || taken(owner, j)) {
			j = next[j]
		}
		for k := next[i]; k >= 0 && k != j; {
			k, next[k] = next[k], j
		}
		b.match(int32(i), j, owner)
	}
}

func taken(owner map[int32]int32, join int32) bool { _, ok := owner[join]; return ok }

func (b *builder) match(i, join int32, owner map[int32]int32) {
	n := &b.g.nodes[i]
	if join < 0 || b.g.nodes[join].typ != TypeJoin {
		b.report(Problem{Code: ProblemUnmatched, Node: n.id}, "the branches do not all meet at one join")
		return
	}
	if first, ok := owner[join]; ok {
		b.report(Problem{Code: ProblemJoinShared, Node: b.g.nodes[join].id},
			fmt.Sprintf("the join ends the blocks of both %q and %q", b.g.nodes[first].id, n.id), "first", b.g.nodes[first].id, "second", n.id)
		return
	}
	owner[join], n.join = i, join
}

// regions gives every node the branch it is in, and reports edges that lead from one
// branch into another.
func (b *builder) regions() {
	const unseen = -2
	for i := range b.g.nodes {
		b.g.nodes[i].block = unseen
	}
	b.g.nodes[b.g.start].block = -1
	todo := []int32{b.g.start}
	for len(todo) > 0 {
		i := todo[0]
		todo = todo[1:]
		for _, k := range b.g.nodes[i].out {
			to := b.g.edges[k].to
			block := b.blockBehind(k)
			switch n := &b.g.nodes[to]; {
			case b.dead[to]:
			case n.block == unseen:
				n.block = block
				todo = append(todo, to)
			case n.block != block:
				b.report(Problem{Code: ProblemBlockCrossed, Edge: b.g.edges[k].id}, "the edge leads into or out of a branch of a parallel gateway")
			}
		}
	}
}

// blockBehind returns the branch in which one is behind an edge.
func (b *builder) blockBehind(k int32) int32 {
	e := &b.g.edges[k]
	from := &b.g.nodes[e.from]
	block := from.block
	if isFork(from.typ) && from.join >= 0 {
		block = k
	}
	if block >= 0 {
		if fork := &b.g.nodes[b.g.edges[block].from]; fork.join == e.to {
			return fork.block
		}
	}
	return block
}
