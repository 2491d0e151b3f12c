package engine

import (
	"encoding/json"
	"fmt"

	"github.com/culmhq/culm/pdk/contract"
)

// entry is one way into a node: which try it is, and who asked for it.
type entry struct {
	node      int32
	iteration int
	attempt   int
	reruns    int
	repeat    int
	by        string
	overrides map[string]json.RawMessage
	only      bool
}

// arrive enters a node that a token has just reached: for the first time, or again by
// a loop.
func (t *step) arrive(i int32) {
	e := entry{node: i, attempt: 1, repeat: t.g.nodes[i].opts.firstOf()}
	if n := t.s.nodes[i]; n.attempt > 0 { // the token's arrival made it
		e.iteration, e.reruns = n.iteration+1, n.reruns+1
	}
	t.enter(e)
}

// again enters a node in which a token already is: its next attempt.
func (t *step) again(i int32, by string, overrides map[string]json.RawMessage) {
	n := t.s.nodes[i]
	t.enter(entry{node: i, iteration: n.iteration, attempt: n.attempt + 1, repeat: n.repeat, by: by, overrides: overrides})
}

// release enters a node that was held: by a pause, or on its own. One that a rollback
// will forget stays.
func (t *step) release(i int32) {
	if t.s.rollback.has(i) {
		return
	}
	n := t.s.nodes[i]
	t.enter(entry{node: i, iteration: n.iteration, attempt: n.attempt, reruns: n.reruns})
}

func (t *step) enter(e entry) {
	if e.by == "" && t.s.nodes[e.node].held {
		t.emit(e.node, t.begin(e, NodeSuspended))
		return
	}
	if t.s.state == RunSuspended || t.s.inSuspended(e.node) {
		t.emit(e.node, t.begin(e, NodeReady))
		return
	}
	if failure := t.mayEnter(e); failure != nil {
		t.breakNode(e, failure)
		return
	}
	g := &t.g.nodes[e.node]
	switch g.typ {
	case TypeTask:
		t.enterTask(e)
	case TypeExclusive:
		t.enterExclusive(e)
	case TypeParallel:
		t.emit(e.node, t.begin(e, NodeSucceeded))
		t.fork(e.node, g.out)
	case TypeEnd:
		t.enterEnd(e)
	case TypeStart, TypeJoin:
		t.emit(e.node, t.begin(e, NodeSucceeded))
		t.leave(e.node, g.out[0])
	case TypeSubflow:
		if g.mode == SubflowIndependent {
			t.enterIndependent(e)
			return
		}
		t.enterSubflow(e)
	case TypeInclusive:
		t.enterInclusive(e)
	}
}

// begin makes the record with which a try starts.
func (t *step) begin(e entry, to NodeState) NodeChanged {
	d := t.change(e.node, to)
	d.Iteration, d.Attempt, d.Repeat, d.By = e.iteration, e.attempt, e.repeat, e.by
	d.Overrides, d.OnlyOverrides = e.overrides, e.only
	return d
}

func (t *step) enterTask(e entry) {
	inputs, failure := t.inputs(e)
	if failure != nil {
		t.breakNode(e, failure)
		return
	}
	d := t.begin(e, NodeRunning)
	d.Epoch++
	d.Reason, d.Inputs, d.Deadline = contract.ReasonExecute, inputs, t.deadline(e.node)
	t.emit(e.node, d)
	t.command(t.s.dispatch(e.node, false))
	t.setTimer(e.node)
}

func (t *step) enterExclusive(e entry) {
	if !t.decideOnce(e) {
		return
	}
	edge, failure := t.decide(e.node)
	if failure != nil {
		t.breakNode(e, failure)
		return
	}
	t.emit(e.node, t.begin(e, NodeSucceeded))
	t.emit(e.node, GatewayDecided{Edges: []string{t.g.edges[edge].id}})
	t.leave(e.node, edge)
}

// decide evaluates the conditions of an exclusive gateway in the order of its edges.
func (t *step) decide(i int32) (int32, *contract.Failure) {
	g := &t.g.nodes[i]
	chosen := int32(-1)
	for _, k := range g.out {
		ok, failure := t.holds(i, k)
		switch {
		case failure != nil:
			return 0, failure
		case !ok:
			continue
		case chosen >= 0:
			return 0, failFlow(FailManyConditions, fmt.Sprintf("the conditions of edges %s and %s both hold", t.g.edges[chosen].id, t.g.edges[k].id))
		}
		if chosen = k; g.strategy == StrategyFirst {
			break
		}
	}
	if chosen < 0 {
		chosen = g.byDefault
	}
	if chosen < 0 {
		return 0, failFlow(FailNoCondition, "no condition holds and there is no default edge")
	}
	return chosen, nil
}

// enterEnd ends the token and with it the run, or the subflow that it is in.
func (t *step) enterEnd(e entry) {
	sc := t.g.scopeOf(e.node)
	outputs, failure := t.outputs(sc)
	if failure != nil {
		t.breakNode(e, failure)
		return
	}
	t.emit(e.node, t.begin(e, NodeSucceeded))
	t.emit(-1, TokenMoved{Token: t.s.nodes[e.node].token, From: t.g.nodes[e.node].id})
	if sc.node >= 0 {
		t.leaveSubflow(sc, outputs)
		return
	}
	t.endRun(RunSucceeded, "", outputs)
}

// breakNode fails a node before it made a call.
func (t *step) breakNode(e entry, f *contract.Failure) {
	d := t.begin(e, NodeFailed)
	d.Failure = f
	t.emit(e.node, d)
	t.failed(f)
}

// failed applies the flow's policy after a node has failed.
func (t *step) failed(f *contract.Failure) {
	if t.g.flow.OnFailure == FailureFail && !t.s.state.Ended() {
		t.endRun(RunFailed, f.Code, nil)
	}
}

// leave moves the token of a node along an edge. A token that reaches the join it is
// bound for ends there; the last of its siblings lets the parent go on.
func (t *step) leave(i, edge int32) {
	g := &t.g.edges[edge]
	k := t.s.tokens[t.s.nodes[i].token]
	moved := TokenMoved{Token: k.id, From: t.g.nodes[i].id, Edge: g.id}
	if k.dest != g.to {
		moved.To = t.g.nodes[g.to].id
		t.emit(-1, moved)
		t.moves = append(t.moves, g.to)
		return
	}
	t.emit(-1, moved)
	t.joined(k.parent)
}

// joined moves a parent to its join when all its children are there.
func (t *step) joined(parent int) {
	p := t.s.tokens[parent]
	if p.pending > 0 {
		return
	}
	join := t.g.nodes[p.node].join
	t.emit(-1, TokenMoved{Token: p.id, From: t.g.nodes[p.node].id, To: t.g.nodes[join].id})
	t.moves = append(t.moves, join)
}

// fork makes a token for each of the edges, except for those that lead straight to the
// join.
func (t *step) fork(i int32, edges []int32) {
	parent := t.s.nodes[i].token
	join := t.g.nodes[i].join
	for _, k := range edges {
		g := &t.g.edges[k]
		moved := TokenMoved{Token: t.s.lastToken + 1, Parent: parent, From: t.g.nodes[i].id, Edge: g.id}
		if g.to != join {
			moved.To = t.g.nodes[g.to].id
			t.moves = append(t.moves, g.to)
		}
		t.emit(-1, moved)
	}
	t.joined(parent)
}

// dispatch describes the node's current call.
func (s *State) dispatch(i int32, recovered bool) Dispatch {
	n, g := s.nodes[i], &s.g.nodes[i]
	if n.state == NodeRollingBack {
		return s.undoDispatch(i, recovered)
	}
	d := Dispatch{
		Node: g.id, Epoch: n.epoch, Iteration: n.iteration, Attempt: n.attempt, Call: n.call,
		Plugin: g.plugin, Action: g.action, Reason: n.reason, Inputs: n.inputs,
		PluginState: n.plugin, Callback: n.callback, Polls: n.polls, Recovered: recovered, Auto: n.retries > 0,
		Secrets: s.secretInputs(i),
	}
	if n.reason == contract.ReasonPoll {
		d.Polls-- // it counts those before
	}
	return d
}
