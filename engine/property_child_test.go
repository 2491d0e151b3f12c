package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/culmhq/culm/pdk/contract"
)

// childRun is a run below as a runner without crashes knows it.
type childRun struct {
	run    string
	epoch  uint64
	paused bool
}

// child performs a command about a run below. A start that is asked for again finds the
// run that is there.
func (w *driver) child(c Command) {
	switch c := c.(type) {
	case StartChild:
		if w.children[c.Node].run != c.Run {
			w.children[c.Node] = childRun{run: c.Run, epoch: c.Epoch}
		}
	case ControlChild:
		for node, k := range w.children {
			if k.run != c.Run {
				continue
			}
			switch c.Event.(type) {
			case Pause:
				k.paused = true
				w.children[node] = k
			case Resume:
				k.paused = false
				w.children[node] = k
			default:
				delete(w.children, node)
			}
		}
	case Dispatch, Cancel, SetTimer, ClearTimer, Finish:
	}
}

// childGone forgets a run that has ended.
func (w *driver) childGone(e ChildEnded) {
	if k := w.children[e.Node]; k.epoch == e.Epoch && (e.Run == "" || e.Run == k.run) {
		delete(w.children, e.Node)
	}
}

// endChild ends the first of the runs below that are under way, well.
func (w *driver) endChild() (Event, bool) {
	for _, node := range slices.Sorted(maps.Keys(w.children)) {
		k := w.children[node]
		e := ChildEnded{Node: node, Epoch: k.epoch, Run: k.run, State: RunSucceeded, Outputs: map[string]json.RawMessage{"x": json.RawMessage(`1`)}}
		w.childGone(e)
		return e, true
	}
	return nil, false
}

// drawScopeEvent draws what concerns subflows and single nodes.
func drawScopeEvent(g *Graph, s *State, i int32, epoch uint64, d *dice) Event {
	id := g.nodes[i].id
	if out := g.nodes[i].out; len(out) > 0 && d.roll(3) == 1 { // where the token goes next
		id = g.nodes[g.edges[out[d.roll(len(out))]].to].id
	}
	if d.roll(3) > 0 && g.nodes[i].scope > 0 {
		id = g.scopeOf(i).path
	}
	switch d.roll(4) {
	case 0:
		return Pause{Node: id}
	case 1:
		for _, k := range s.tokenNodes() {
			if s.at(k).state == NodeSuspended && d.roll(3) > 0 {
				return Resume{Node: g.nodes[k].id}
			}
		}
		return Resume{Node: id}
	case 2:
		return ChildEnded{Node: g.nodes[i].id, Epoch: epoch, Run: s.at(i).child, State: RunSucceeded, Outputs: map[string]json.RawMessage{
			"x": json.RawMessage([]string{"7", " 8 ", `"text"`, "{"}[d.roll(4)]),
		}}
	}
	e := ChildEnded{Node: g.nodes[i].id, Epoch: epoch, Run: s.at(i).child, State: []RunState{RunFailed, RunRevoked, "", "lost\xff"}[d.roll(4)]}
	if d.roll(2) == 1 {
		e.Run, e.Failure = "", &contract.Failure{Code: "X\xff"}
	}
	return e
}

// TestRandomScopes: uniform dice reach what happens in subflows seldom: pauses inside of
// each other, holds, runs below that end while they are stopped.
func TestRandomScopes(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(100) {
		for _, r := range driveJudging(t, uniform(seed, 11, 900), 10) {
			seen[string(r.Kind)]++
			if d, ok := r.Data.(NodeChanged); ok {
				seen[string(d.From)+">"+string(d.To)]++
			}
		}
	}
	for _, what := range []string{
		string(KindScopeEntered), string(KindNodeHeld), string(KindGatewayDecided), "running>suspended", "suspended>running",
		">suspended", "suspended>succeeded", "waiting>succeeded", "waiting>failed",
	} {
		if seen[what] == 0 {
			t.Errorf("%s never happens", what)
		}
	}
}
