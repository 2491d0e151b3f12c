package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// snapshot is an attempt of a task that has succeeded and that its plugin can undo.
// Tasks without rollback leave none.
type snapshot struct {
	iteration, attempt int
	calls              int // of the rollback that were made
	inputs, outputs    json.RawMessage
}

func (s *snapshot) size() int { return len(s.inputs) + len(s.outputs) }

// rollback begins a rollback, which goes on in undo.
func (t *step) rollback(e Rollback) error {
	u, err := t.s.planRollback(t.g, e)
	if err != nil {
		return err
	}
	begun := RollbackChanged{Phase: RollbackBegun, Mode: e.Mode, From: e.From, To: e.To}
	for _, st := range u.steps {
		begun.Undone = append(begun.Undone, t.g.nodes[st.node].id)
	}
	for _, i := range u.nodes {
		t.clearTimer(i) // of an automatic retry
	}
	t.emit(-1, begun)
	return nil
}

// undo goes on with the rollback that is under way: it undoes every task behind which
// nothing is left to undo, and goes back when nothing is left at all. While the run is
// suspended it begins nothing.
func (t *step) undo() {
	u := t.s.rollback
	if u == nil || t.s.state == RunSuspended || t.s.state.Ended() {
		return
	}
	if u.mode == RollbackAny {
		t.goBack()
		return
	}
	for at := 0; at < len(u.ready); {
		k := u.ready[at]
		if i := u.steps[k].node; !undoBegun(t.s.nodes[i].state) {
			t.undoNode(i, byRollback)
		}
		if at < len(u.ready) && u.ready[at] == k { // it is still there: it takes a call
			at++
		}
	}
	if len(u.ready) == 0 {
		t.goBack()
	}
}

// undoBegun reports whether the rollback of a node is called, or waits for an operator.
func undoBegun(state NodeState) bool { return state == NodeRollingBack || state == NodeRollbackFailed }

// undoNode calls the plugin's rollback for the newest attempt that is left. A node that
// has none is rolled back.
func (t *step) undoNode(i int32, by string) {
	d := t.undoChange(i, NodeRolledBack)
	d.By = by
	if n := t.s.nodes[i]; len(n.undo) > 0 {
		d.To, d.Reason = NodeRollingBack, contract.ReasonRollback
		d.Call = n.undo[len(n.undo)-1].calls
		d.Epoch++
	}
	t.emit(i, d)
	if d.To == NodeRollingBack {
		t.command(t.s.dispatch(i, false))
	}
}

// undoChange is change for the attempt that is being undone.
func (t *step) undoChange(i int32, to NodeState) NodeChanged {
	d := t.change(i, to)
	if n := t.s.nodes[i]; len(n.undo) > 0 {
		last := &n.undo[len(n.undo)-1]
		d.Iteration, d.Attempt = last.iteration, last.attempt
	}
	return d
}

// undoEnded ends a call of a plugin's rollback with its result. It cannot wait: what it
// has begun it must see through, or fail.
func (t *step) undoEnded(i int32, e Result) {
	answer := t.checkAnswer(e.Answer)
	failure := e.Unknown
	switch {
	case failure != nil:
		failure = cleanFailure(failure)
	case answer.Status == contract.StatusFailed:
		failure = answer.Failure
	case answer.Status == contract.StatusWaiting:
		failure = &contract.Failure{Code: FailBadAnswer, Message: "a rollback cannot wait", Origin: contract.OriginPlugin}
	}
	t.undoSettled(i, failure, e.Digest, "")
}

func (t *step) undoSettled(i int32, failure *contract.Failure, digest, by string) {
	to := NodeRolledBack
	if failure != nil {
		to = NodeRollbackFailed
	}
	d := t.undoChange(i, to)
	d.Failure, d.Digest, d.By = failure, digest, by
	t.emit(i, d)
}

// goBack ends the rollback: what lies behind To is forgotten, the tokens there end, and
// the one that is left enters To again.
func (t *step) goBack() {
	u := t.s.rollback
	edges := t.s.takenFrom(u.nodes)
	for _, i := range u.nodes {
		t.uncollect(i, RepeatedAll)
		d := t.change(i, NodeIdle)
		d.By = byRollback
		t.emit(i, d)
	}
	for k := len(u.tokens) - 1; k > 0; k-- { // children before their parents
		t.emit(-1, TokenMoved{Token: u.tokens[k], From: t.g.nodes[t.s.tokens[u.tokens[k]].node].id})
	}
	first, to := t.s.tokens[u.tokens[0]], t.g.nodes[u.to].id
	t.emit(-1, TokenMoved{Token: first.id, From: t.g.nodes[first.node].id, To: to})
	t.emit(-1, RollbackChanged{Phase: RollbackEnded, Mode: u.mode, From: t.g.nodes[u.from].id, To: to, Edges: edges})
	n := t.s.nodes[u.to]
	t.enter(entry{node: u.to, iteration: n.iteration, attempt: n.attempt + 1, repeat: t.g.nodes[u.to].opts.firstOf(), by: byRollback})
}

// duringRollback handles what concerns a node that is being rolled back. It returns
// false for everything else.
func (t *step) duringRollback(e Event) (handled bool, err error) {
	if t.s.rollback == nil {
		return false, nil
	}
	id, ok := nodeOf(e)
	i, known := t.g.nodeIdx[id]
	if !ok || !known || !t.s.rollback.has(i) {
		return false, nil
	}
	switch e := e.(type) {
	case Result:
		if !t.current(i, NodeRollingBack, e.Epoch) {
			return false, nil
		}
		t.noted(i, e.Log, nil)
		t.undoEnded(i, e)
	case Note:
		if t.current(i, NodeRollingBack, e.Epoch) {
			t.noted(i, e.Log, e.Progress)
		}
	case TimerFired:
		t.late(i, NodeLate{Epoch: e.Epoch, What: "timer"})
	case ChildEnded, Callback:
		return false, nil
	default:
		return true, t.undoCommand(i, e)
	}
	return true, nil
}

// undoCommand is what operators can do with a node that is being rolled back: call its
// rollback again when it failed, count it as undone then, and fail a call.
func (t *step) undoCommand(i int32, e Event) error {
	id, state := t.g.nodes[i].id, t.s.nodes[i].state
	switch e := e.(type) {
	case Retry:
		switch {
		case state != NodeRollbackFailed:
		case t.s.state == RunSuspended:
			return t.refuse(CodeWrongState, id, "the run is suspended").because("RUN_SUSPENDED")
		case len(e.Inputs) > 0 || e.Part != RepeatedAll:
			return t.refuse(CodeInvalid, id, "a rollback is called with what the attempt had").because("ROLLBACK_INPUTS")
		default:
			t.undoNode(i, byRetry)
			return nil
		}
	case Skip:
		if state == NodeRollbackFailed {
			t.undoSettled(i, nil, "", bySkip)
			return nil
		}
	case ForceFail:
		if state == NodeRollingBack {
			t.stopCall(i)
			t.undoSettled(i, forced(e.Reason), "", byForceFail)
			return nil
		}
	default:
	}
	return t.refuse(CodeWrongState, id, "the node is being rolled back").because("NODE_ROLLING_BACK")
}

// nodeOf returns the node that an event names, if its kind names one.
func nodeOf(e Event) (string, bool) {
	switch e := e.(type) {
	case Result:
		return e.Node, true
	case Note:
		return e.Node, true
	case TimerFired:
		return e.Node, true
	case Callback:
		return e.Node, true
	case ChildEnded:
		return e.Node, true
	case Pause:
		return e.Node, e.Node != ""
	case Resume:
		return e.Node, e.Node != ""
	case Reschedule:
		return e.Node, true
	case Retry:
		return e.Node, true
	case Skip:
		return e.Node, true
	case ForceFail:
		return e.Node, true
	case Resolve:
		return e.Node, true
	case Fail, SetVariables, Rollback, Revoke:
	}
	return "", false
}

// applyRollback folds the beginning and the end of a rollback.
func (s *State) applyRollback(d RollbackChanged) error {
	if d.Phase == RollbackEnded {
		s.rollback = nil
		return nil
	}
	from, ok1 := s.g.nodeIdx[d.From]
	to, ok2 := s.g.nodeIdx[d.To]
	if !ok1 || !ok2 {
		return fmt.Errorf("no node %q or %q", d.From, d.To)
	}
	s.rollback = s.undoing(d.Mode, from, to)
	for _, i := range s.rollback.nodes {
		n := s.nodes[i]
		s.count(i, n, -1)
		n.due = time.Time{}
		s.count(i, n, 1)
	}
	return nil
}

// applyUndo folds what a rollback does to a node. The attempts that it undoes are older
// ones, so that those of the node do not change.
func (s *State) applyUndo(i int32, d *NodeChanged) {
	n := s.nodes[i]
	switch d.To {
	case NodeRollingBack:
		n.epoch, n.call, n.reason, n.failure, n.progress = d.Epoch, d.Call, d.Reason, nil, nil
		if k := len(n.undo); k > 0 {
			n.undo[k-1].calls++
		}
	case NodeRollbackFailed:
		n.failure = d.Failure
	case NodeRolledBack:
		n.failure = nil
		if k := len(n.undo); k > 0 {
			n.undoable -= n.undo[k-1].size()
			n.undo = n.undo[:k-1]
		}
		if len(n.undo) == 0 && s.rollback != nil {
			s.rollback.undone(i)
		}
	default:
	}
}

// undone takes a task off those to undo, and adds those that waited for it alone.
func (u *undoing) undone(node int32) {
	at := slices.IndexFunc(u.ready, func(k int32) bool { return u.steps[k].node == node })
	if at < 0 {
		return
	}
	k := u.ready[at]
	u.ready = slices.Delete(u.ready, at, at+1)
	for _, b := range u.steps[k].before {
		if u.steps[b].left--; u.steps[b].left == 0 {
			u.ready = append(u.ready, b)
		}
	}
}

// undoes reports whether a state is one of a rollback.
func undoes(to NodeState) bool {
	return to == NodeRollingBack || to == NodeRolledBack || to == NodeRollbackFailed
}

// forget makes a node as if it had not been reached, but for the numbers that must not
// come twice and what an operator said about it: other inputs, and that it is held.
func (s *State) forget(i int32) {
	n := s.nodes[i]
	*n = nodeRun{
		token: n.token, epoch: n.epoch, iteration: n.iteration, attempt: n.attempt, held: n.held,
		overrides: n.overrides, overridden: n.overridden, only: n.only,
	}
	if s.rollback != nil && i != s.rollback.to {
		n.reruns = -1 // the next time it is entered is not counted
	}
	for _, e := range s.g.nodes[i].out {
		s.taken[e/64] &^= 1 << (e % 64)
	}
}

// remember keeps an attempt that has ended, if it can be undone.
func (s *State) remember(i int32) {
	n := s.nodes[i]
	if n.state != NodeSucceeded || !s.g.nodes[i].rollback {
		return
	}
	n.undo = append(n.undo, snapshot{iteration: n.iteration, attempt: n.attempt, inputs: n.inputs, outputs: n.outputs})
	n.undoable += n.undo[len(n.undo)-1].size()
}

// takenFrom returns the edges that tokens have taken from these nodes.
func (s *State) takenFrom(nodes []int32) []string {
	var ids []string
	for _, i := range nodes {
		for _, e := range s.g.nodes[i].out {
			if s.taken[e/64]&(1<<(e%64)) != 0 {
				ids = append(ids, s.g.edges[e].id)
			}
		}
	}
	return ids
}

// undoDispatch describes the call of a plugin's rollback.
func (s *State) undoDispatch(i int32, recovered bool) Dispatch {
	n, g := s.nodes[i], &s.g.nodes[i]
	last := &n.undo[len(n.undo)-1]
	return Dispatch{
		Node: g.id, Epoch: n.epoch, Iteration: last.iteration, Attempt: last.attempt, Call: n.call,
		Plugin: g.plugin, Action: g.action, Reason: n.reason, Inputs: last.inputs, Outputs: last.outputs, Recovered: recovered,
		Secrets: s.secretInputs(i),
	}
}

// busyNodes returns the nodes at which tokens are, and those whose rollback is called.
func (s *State) busyNodes() []int32 {
	nodes := s.tokenNodes()
	if s.rollback == nil {
		return nodes
	}
	for _, st := range s.rollback.steps {
		if s.nodes[st.node].state == NodeRollingBack && !slices.Contains(nodes, st.node) {
			nodes = append(nodes, st.node)
		}
	}
	return nodes
}
