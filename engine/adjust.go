package engine

import (
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// fail ends the run as failed: an operator's decision.
func (t *step) fail(e Fail) error {
	if _, ok := runTarget(onRunFail, t.s.state); !ok {
		return t.refuse(CodeWrongState, "", "the run is %s", t.s.state)
	}
	t.endRun(RunFailed, cleanText(e.Reason), nil)
	return nil
}

func (t *step) setVariables(SetVariables) error {
	return t.refuse(CodeInvalid, "", "not supported yet")
}

// reschedule moves the time at which a wait ends, or a failed node is tried again. The
// deadline of the attempt stays where it is.
func (t *step) reschedule(e Reschedule) error {
	i, err := t.node(e.Node)
	if err != nil {
		return err
	}
	n := t.s.nodes[i]
	if n == nil || !n.movable() {
		return t.refuse(CodeWrongState, e.Node, "the node waits for no time")
	}
	at := cleanTime(e.At)
	if e.At.IsZero() || at.After(t.m.At.Add(maxWait)) || at.Before(t.m.At.Add(-maxWait)) {
		refusal := t.refuse(CodeInvalid, e.Node, "the time is missing or too far away")
		refusal.Field = "/at"
		return refusal
	}
	t.emit(i, NodeTimer{Epoch: n.epoch, Due: at})
	t.setTimer(i)
	return nil
}

// movable reports whether an operator may move the node's timer.
func (n *nodeRun) movable() bool {
	if n.retrying() {
		return true
	}
	return n.state == NodeWaiting && !n.due.IsZero() && (n.wait.Kind == contract.WaitTimer || n.wait.Kind == contract.WaitPoll)
}

// setRunTimer asks for the timer of the run's own deadline, if it has one.
func (t *step) setRunTimer() {
	if due := t.s.info.Deadline; due != nil {
		t.command(SetTimer{Due: *due})
	}
}

// clearRunTimer says that the run's deadline does not matter any more.
func (t *step) clearRunTimer() {
	if t.s.info.Deadline != nil {
		t.command(ClearTimer{})
	}
}

// runDeadline is when a run that starts now fails if it has not ended, or nil.
func (t *step) runDeadline() *time.Time {
	ms := t.g.flow.TimeoutMS
	if ms == 0 {
		return nil
	}
	return ptr(t.m.At.Add(time.Duration(ms) * time.Millisecond))
}

// runTimer fails a run that took too long.
func (t *step) runTimer() {
	due := t.s.info.Deadline
	switch {
	case due == nil || t.s.state.Ended():
	case !reached(t.m.At, *due):
		t.setRunTimer()
	default:
		t.endRun(RunFailed, FailRunTimeout, nil)
	}
}
