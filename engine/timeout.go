package engine

import (
	"fmt"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// A node has one timer: that of its automatic retry, or the earlier one of the end of
// its wait and its deadline.

// timer is when the node's timer is due; zero when it has none.
func (n *nodeRun) timer() time.Time {
	switch n.state {
	case NodeRunning:
		return n.deadline
	case NodeWaiting:
		if n.due.IsZero() || !n.deadline.IsZero() && n.deadline.Before(n.due) {
			return n.deadline
		}
		return n.due
	case NodeFailed:
		return n.due
	case NodeIdle, NodeReady, NodeSuspended, NodeSucceeded, NodeSkipped, NodeCancelled, NodeUnknown,
		NodeRollingBack, NodeRolledBack, NodeRollbackFailed:
	}
	return time.Time{}
}

// reached reports whether an instant has come. Stores keep the instants of timers in
// microseconds.
func reached(now, due time.Time) bool {
	return !due.IsZero() && !now.Before(due.Truncate(time.Microsecond))
}

// setTimer asks for the node's timer, in the place of the one before.
func (t *step) setTimer(i int32) {
	n := t.s.nodes[i]
	if due := n.timer(); !due.IsZero() {
		t.command(SetTimer{Node: t.g.nodes[i].id, Epoch: n.epoch, Due: due})
	}
}

// clearTimer says that the node's timer is not needed any more.
func (t *step) clearTimer(i int32) {
	if n := t.s.nodes[i]; !n.timer().IsZero() {
		t.command(ClearTimer{Node: t.g.nodes[i].id, Epoch: n.epoch})
	}
}

// deadline is when an attempt that starts now times out, or nil.
func (t *step) deadline(i int32) *time.Time {
	o := t.g.nodes[i].opts.timeout
	if o == nil {
		return nil
	}
	return ptr(t.m.At.Add(time.Duration(o.AfterMS) * time.Millisecond))
}

// timer does what a node's timer is for. One that is not the node's current one changes
// nothing; one that comes before its time, because it was moved meanwhile, is set
// again.
func (t *step) timer(e TimerFired) error {
	if e.Node == "" {
		t.runTimer()
		return nil
	}
	i, err := t.node(e.Node)
	if err != nil {
		return err
	}
	n := t.s.nodes[i]
	switch {
	case n == nil || n.epoch != e.Epoch || n.timer().IsZero() || t.s.state.Ended():
		t.late(i, NodeLate{Epoch: e.Epoch, What: "timer"})
	case !reached(t.m.At, n.timer()):
		t.late(i, NodeLate{Epoch: e.Epoch, What: "timer"})
		t.setTimer(i)
	case n.state == NodeFailed:
		t.clearTimer(i)
		t.again(i, byAutoRetry, nil)
	case reached(t.m.At, n.deadline):
		t.timeout(i)
	default:
		t.clearTimer(i)
		why := contract.ReasonTimer
		if n.wait.Kind == contract.WaitPoll {
			why = contract.ReasonPoll
		}
		t.wake(i, why, nil)
	}
	return nil
}

// timeout fails an attempt that took too long.
func (t *step) timeout(i int32) {
	after := time.Duration(t.g.nodes[i].opts.timeout.AfterMS) * time.Millisecond
	t.stopCall(i)
	d := t.change(i, NodeFailed)
	d.By = byTimeout
	d.Failure = &contract.Failure{
		Code: FailTimeout, Message: fmt.Sprintf("the attempt took longer than %s", after), Origin: contract.OriginLimit, Retryable: true,
	}
	t.failCall(i, d)
}
