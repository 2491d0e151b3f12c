package engine

import (
	"fmt"

	"github.com/culmhq/culm/pdk/contract"
)

// enterInclusive forks the edges whose conditions hold, or the default one when none
// does.
func (t *step) enterInclusive(e entry) {
	if !t.decideOnce(e) {
		return
	}
	edges, failure := t.decideAll(e.node)
	if failure != nil {
		t.breakNode(e, failure)
		return
	}
	t.emit(e.node, t.begin(e, NodeSucceeded))
	t.emit(e.node, GatewayDecided{Edges: t.edgeIDs(edges)})
	t.fork(e.node, edges)
}

// decideAll returns the edges of an inclusive gateway whose conditions hold.
func (t *step) decideAll(i int32) ([]int32, *contract.Failure) {
	g := &t.g.nodes[i]
	var edges []int32
	for _, k := range g.out {
		ok, failure := t.holds(i, k)
		if failure != nil {
			return nil, failure
		}
		if ok {
			edges = append(edges, k)
		}
	}
	if len(edges) == 0 && g.byDefault >= 0 {
		edges = append(edges, g.byDefault)
	}
	if len(edges) == 0 {
		return nil, failFlow(FailNoCondition, "no condition holds and there is no default edge")
	}
	return edges, nil
}

// holds evaluates the condition of an edge; the default edge has none, which does not
// hold.
func (t *step) holds(node, k int32) (bool, *contract.Failure) {
	edge := &t.g.edges[k]
	if edge.condition == nil {
		return false, nil
	}
	ok, err := edge.condition.EvalBool(t.s.scope(node))
	if err != nil {
		f := exprFailure(err)
		f.Message = fmt.Sprintf("edge %s: %s", edge.id, f.Message)
		return false, f
	}
	return ok, nil
}

// decideOnce fails a gateway to which a loop comes back although nothing has changed
// since it decided.
func (t *step) decideOnce(e entry) bool {
	if t.decided[e.node] {
		t.breakNode(e, failFlow(FailIdleLoop, "the loop comes back to the gateway without a task in between"))
		return false
	}
	if t.decided == nil {
		t.decided = make(map[int32]bool, 1)
	}
	t.decided[e.node] = true
	return true
}

func (t *step) edgeIDs(edges []int32) []string {
	ids := make([]string, len(edges))
	for i, k := range edges {
		ids[i] = t.g.edges[k].id
	}
	return ids
}
