package engine

import "fmt"

// nowhere is where a branch leads that goes back in a loop, or to an end.
const nowhere = int32(-1)

// meetings finds out at which joins the branches of gateways meet. Branches that lead
// back, and those that lead to an end, meet nobody.
type meetings struct {
	b *builder
	// back marks the edges that lead back in a loop; ahead is the first gateway, join or
	// end behind a node, over forward edges.
	back  []bool
	ahead []int32
	// direct counts the branches of gateways and joins that come to a join first.
	direct []int
	of     []*meeting
	// past is what branch found behind a gateway that it began with.
	past map[int32]meeting
}

// meeting is the join that the branches of a gateway first meet, and how many of the
// branches that come to it are within the gateway.
type meeting struct {
	join    int32
	covered int
}

// exclusives reports the exclusive gateways whose branches first meet different joins:
// such a drawing looks like two blocks and is none.
func (b *builder) exclusives() {
	if !b.hasExclusive() {
		return
	}
	m := &meetings{b: b, past: map[int32]meeting{}, of: make([]*meeting, len(b.g.nodes)), direct: make([]int, len(b.g.nodes))}
	m.findBack()
	m.findAhead()
	for i := range b.g.nodes {
		n := &b.g.nodes[i]
		if !isFork(n.typ) && n.typ != TypeExclusive && n.typ != TypeJoin {
			continue
		}
		for _, k := range n.out {
			if t := m.behind(k); t >= 0 {
				m.direct[t]++
			}
		}
	}
	for i := range b.g.nodes {
		if b.g.nodes[i].typ == TypeExclusive && !b.dead[i] {
			m.meet(int32(i))
		}
	}
}

func (b *builder) hasExclusive() bool {
	for i := range b.g.nodes {
		if n := &b.g.nodes[i]; n.typ == TypeExclusive && len(n.out) > 1 {
			return true
		}
	}
	return false
}

// findBack marks the edges that lead to a node which is on the way to them.
func (m *meetings) findBack() {
	const open, done = 1, 2
	m.back = make([]bool, len(m.b.g.edges))
	mark := make([]uint8, len(m.b.g.nodes))
	next := make([]int, len(m.b.g.nodes))
	path := []int32{m.b.g.start}
	mark[m.b.g.start] = open
	for len(path) > 0 {
		i := path[len(path)-1]
		out := m.b.g.nodes[i].out
		if next[i] == len(out) {
			mark[i] = done
			path = path[:len(path)-1]
			continue
		}
		k := out[next[i]]
		next[i]++
		switch to := m.b.g.edges[k].to; mark[to] {
		case open:
			m.back[k] = true
		case 0:
			mark[to] = open
			path = append(path, to)
		}
	}
}

// findAhead follows the tasks behind each node to what is not one.
func (m *meetings) findAhead() {
	m.ahead = make([]int32, len(m.b.g.nodes))
	const unknown = int32(-2)
	for i := range m.ahead {
		m.ahead[i] = unknown
	}
	var chain []int32
	for i := range m.b.g.nodes {
		at := int32(i)
		for chain = chain[:0]; at >= 0 && m.ahead[at] == unknown; {
			n := &m.b.g.nodes[at]
			if n.typ != TypeTask && n.typ != TypeSubflow && n.typ != TypeStart {
				m.ahead[at] = at
				break
			}
			m.ahead[at] = nowhere // until it is known; a loop of tasks stays there
			chain = append(chain, at)
			if len(n.out) == 0 || m.back[n.out[0]] {
				at = nowhere
				break
			}
			at = m.b.g.edges[n.out[0]].to
		}
		if at >= 0 {
			at = m.ahead[at]
		}
		for _, c := range chain {
			m.ahead[c] = at
		}
	}
}

// behind is the first gateway, join or end behind an edge, or nowhere.
func (m *meetings) behind(edge int32) int32 {
	if m.back[edge] {
		return nowhere
	}
	return m.ahead[m.b.g.edges[edge].to]
}

// meet finds the join of a gateway, and reports an exclusive one that has two.
func (m *meetings) meet(i int32) meeting {
	if m.of[i] != nil {
		return *m.of[i]
	}
	n := &m.b.g.nodes[i]
	found := &meeting{join: nowhere}
	m.of[i] = found // what leads back here in spite of all finds nothing
	if isFork(n.typ) {
		if found.join = n.join; n.join >= 0 {
			found.covered = len(n.out)
		}
		return *found
	}
	for _, k := range n.out {
		one := m.branch(m.behind(k))
		switch {
		case one.join < 0:
		case found.join < 0:
			*found = one
		case found.join == one.join:
			found.covered += one.covered
		default:
			first, second := m.b.g.nodes[found.join].id, m.b.g.nodes[one.join].id
			m.b.report(Problem{Code: ProblemJoinsDiffer, Node: n.id},
				fmt.Sprintf("the branches first meet different joins: %q and %q", first, second), "first", first, "second", second)
			return *found
		}
	}
	return *found
}

// branch is the join at which a branch that begins at a node meets others. It goes past
// the blocks that are within the branch.
func (m *meetings) branch(at int32) meeting {
	if at < 0 {
		return meeting{join: nowhere}
	}
	found, known := m.past[at]
	if !known {
		found = m.walk(at)
		m.past[at] = found
	}
	return found
}

func (m *meetings) walk(at int32) meeting {
	for range m.b.g.nodes {
		if at < 0 {
			break
		}
		n := &m.b.g.nodes[at]
		switch {
		case n.typ == TypeJoin:
			return meeting{join: at, covered: 1}
		case n.typ != TypeExclusive && !isFork(n.typ):
			return meeting{join: nowhere}
		}
		inner := m.meet(at)
		if inner.join < 0 || inner.covered < m.incoming(n, inner.join) {
			return inner
		}
		at = m.behind(m.b.g.nodes[inner.join].out[0])
	}
	return meeting{join: nowhere}
}

// incoming counts the branches that end at a join.
func (m *meetings) incoming(n *graphNode, join int32) int {
	if isFork(n.typ) {
		return len(m.b.g.nodes[join].in)
	}
	return m.direct[join]
}
