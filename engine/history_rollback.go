package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// rollbackHistory is what CheckHistory remembers of the rollback that is under way.
type rollbackHistory struct {
	begun RollbackChanged
	at    map[string]int // the place of a task among those to undo
}

// succeeded is an attempt that a rollback can undo.
type succeeded struct{ iteration, attempt int }

// rollbackChanged checks the record that begins a rollback, or ends it.
func (h *history) rollbackChanged(d RollbackChanged) error {
	switch d.Phase {
	case RollbackBegun:
		return h.rollbackBegun(d)
	case RollbackEnded:
		return h.rollbackEnded(d)
	}
	return fmt.Errorf("unknown phase %q", d.Phase)
}

func (h *history) rollbackBegun(d RollbackChanged) error {
	switch {
	case h.rollback != nil:
		return errors.New("another rollback is under way")
	case h.state != RunRunning && h.state != RunBlocked:
		return fmt.Errorf("the run is %s", h.state)
	case d.Mode != RollbackAny && d.Mode != RollbackCompensate:
		return fmt.Errorf("unknown mode %q", d.Mode)
	case len(d.Undone) == 0 || d.Undone[len(d.Undone)-1] != d.To:
		return fmt.Errorf("%q is not the last to be undone", d.To)
	}
	for _, id := range []string{d.From, d.To} {
		if n := h.nodes[id]; n == nil || n.state != NodeSucceeded && n.state != NodeSkipped && (id != d.From || n.state != NodeFailed) {
			return fmt.Errorf("%q has not ended", id)
		}
	}
	at, err := h.undoable(d.Undone)
	h.rollback = &rollbackHistory{begun: d, at: at}
	return err
}

// undoable checks the tasks that are to be undone, and returns their places.
func (h *history) undoable(tasks []string) (map[string]int, error) {
	at := make(map[string]int, len(tasks))
	for k, id := range tasks {
		n := h.nodes[id]
		if _, twice := at[id]; twice || n == nil || n.attempt == 0 {
			return nil, fmt.Errorf("%q cannot be undone", id)
		}
		if n.busy() && n.state != NodeReady && n.state != NodeSuspended {
			return nil, fmt.Errorf("%q is %s", id, n.state)
		}
		at[id] = k
		n.options.due = time.Time{} // no automatic retry comes any more
	}
	return at, nil
}

func (h *history) rollbackEnded(d RollbackChanged) error {
	r := h.rollback
	if r == nil || r.begun.Mode != d.Mode || r.begun.From != d.From || r.begun.To != d.To {
		return errors.New("it has not begun")
	}
	for _, id := range append([]string{d.From}, r.begun.Undone...) {
		if n := h.nodes[id]; n.state != NodeIdle {
			return fmt.Errorf("%q is still %s", id, n.state)
		}
		if err := h.blocksForgotten(id, d.To); err != nil {
			return err
		}
	}
	for _, id := range d.Edges {
		k, ok := h.g.edgeIdx[id]
		if !ok || h.stateOf(h.g.nodes[h.g.edges[k].from].id) != NodeIdle {
			return fmt.Errorf("edge %q is not one of what is forgotten", id)
		}
	}
	for _, k := range h.tokens {
		if k.node == d.To && k.children == 0 {
			h.rollback = nil
			return nil
		}
	}
	return fmt.Errorf("no token has gone back to %q", d.To)
}

func (h *history) stateOf(id string) NodeState {
	if n := h.nodes[id]; n != nil {
		return n.state
	}
	return NodeIdle
}

// blocksForgotten checks that the forks and subflows around a task that was undone,
// but not around the node that the run goes back to, are forgotten with their joins.
func (h *history) blocksForgotten(id, to string) error {
	g := h.g
	around := map[int32]bool{}
	for i, ok := g.around(g.nodeIdx[to]); ok; i, ok = g.around(i) {
		around[i] = true
	}
	for i, ok := g.around(g.nodeIdx[id]); ok && !around[i]; i, ok = g.around(i) {
		nodes := []string{g.nodes[i].id}
		if join, ok := g.Join(g.nodes[i].id); ok {
			nodes = append(nodes, join)
		}
		for _, block := range nodes {
			if state := h.stateOf(block); state != NodeIdle {
				return fmt.Errorf("%q is still %s, in which %q was undone", block, state, id)
			}
		}
	}
	return nil
}

// undo checks a change that a rollback makes: tasks are undone newest attempt first,
// none before those that follow it in the flow; then everything is forgotten.
func (h *history) undo(id string, n *nodeHistory, d *NodeChanged) error {
	r := h.rollback
	if r == nil {
		return fmt.Errorf("node %q is undone without a rollback", id)
	}
	called := uint64(0)
	if d.To == NodeRollingBack {
		called = 1
	}
	if d.Epoch != n.epoch+called {
		return fmt.Errorf("node %q: epoch %d after %d", id, d.Epoch, n.epoch)
	}
	if err := completeUndo(d); err != nil {
		return fmt.Errorf("node %q: %w", id, err)
	}
	judge := h.undoTask
	if d.To == NodeIdle {
		judge = h.forget
	}
	if err := judge(id, n, d); err != nil {
		return err
	}
	// A rollback is about older attempts: those of the node stay.
	n.state, n.epoch, n.options, n.human = d.To, d.Epoch, optionHistory{}, false
	if d.To == NodeIdle && id != r.begun.To {
		n.options.loops = -1 // the next time it is entered is not counted
	}
	return nil
}

// undoTask checks one task that is undone.
func (h *history) undoTask(id string, n *nodeHistory, d *NodeChanged) error {
	r := h.rollback
	k, listed := r.at[id]
	if !listed || r.begun.Mode != RollbackCompensate {
		return fmt.Errorf("node %q is not one to undo", id)
	}
	want := succeeded{n.iteration, n.attempt}
	if len(n.done) > 0 {
		want = n.done[len(n.done)-1]
	} else if d.To != NodeRolledBack {
		return fmt.Errorf("node %q has nothing to undo", id)
	}
	if (succeeded{d.Iteration, d.Attempt}) != want {
		return fmt.Errorf("node %q: iteration %d attempt %d is undone, not the newest", id, d.Iteration, d.Attempt)
	}
	if d.To == NodeRollingBack && h.state == RunSuspended {
		return fmt.Errorf("node %q is called while the run is suspended", id)
	}
	if d.To == NodeRolledBack && len(n.done) > 0 {
		if !undoes(d.From) {
			return fmt.Errorf("node %q is undone without a call", id)
		}
		n.done = n.done[:len(n.done)-1]
	}
	return h.undoOrder(id, k)
}

// undoOrder checks that the tasks right behind a task have been undone, but for those
// by which a loop comes back.
func (h *history) undoOrder(id string, k int) error {
	for _, e := range h.g.nodes[h.g.nodeIdx[id]].out {
		next := h.g.nodes[h.g.edges[e].to].id
		if at, ok := h.rollback.at[next]; ok && at < k && h.nodes[next].state != NodeRolledBack {
			return fmt.Errorf("node %q is undone before %q", id, next)
		}
	}
	return nil
}

// forget checks that a node is forgotten when everything is undone, and that its
// numbers stay.
func (h *history) forget(id string, n *nodeHistory, d *NodeChanged) error {
	if d.Iteration != n.iteration || d.Attempt != n.attempt {
		return fmt.Errorf("node %q: iteration %d attempt %d after %d, %d", id, d.Iteration, d.Attempt, n.iteration, n.attempt)
	}
	if h.rollback.begun.Mode == RollbackCompensate {
		for _, undone := range h.rollback.begun.Undone {
			if s := h.nodes[undone]; s.state != NodeRolledBack && s.state != NodeIdle || len(s.done) > 0 {
				return fmt.Errorf("node %q is forgotten before %q is undone", id, undone)
			}
		}
	}
	n.done = nil
	return nil
}

// takenBack checks a token that a rollback moves back or ends.
func (h *history) takenBack(d TokenMoved) bool {
	n := h.nodes[d.From]
	return h.rollback != nil && d.Edge == "" && (d.To == "" || d.To == h.rollback.begun.To) && n != nil && n.state == NodeIdle
}

// afterNode remembers what a change leaves to a later rollback, and checks that
// nothing but the rollback touches what it undoes.
func (h *history) afterNode(id string, n *nodeHistory, d *NodeChanged) error {
	g := &h.g.nodes[h.g.nodeIdx[id]]
	if d.To == NodeSucceeded && g.rollback {
		n.done = append(n.done, succeeded{d.Iteration, d.Attempt})
	}
	if h.rollback == nil || d.To == NodeCancelled {
		return nil
	}
	if _, listed := h.rollback.at[id]; listed {
		return fmt.Errorf("node %q is %s while it is undone", id, d.To)
	}
	return nil
}

// completeUndo checks that a change of a rollback carries what its target needs.
func completeUndo(d *NodeChanged) error {
	switch {
	case d.To == NodeRollingBack && d.Reason != contract.ReasonRollback:
		return errors.New("rolling back for another reason")
	case d.To == NodeRollbackFailed && d.Failure == nil:
		return errors.New("rollback failed without failure")
	case slices.Contains([]NodeState{NodeRolledBack, NodeIdle}, d.To) && d.Failure != nil:
		return errors.New("a failure of what did not fail")
	}
	return nil
}
