package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// optionHistory is what the judge remembers of a node for its options.
type optionHistory struct {
	due      time.Time // of the automatic retry of a failed node
	wake     time.Time // the end of a wait, from where an operator moved it last
	deadline time.Time
	retries  int // automatic ones in a row
	by       string
	// called is set when the failure of a failed node was that of a call: the kind
	// that options look at.
	called bool
	// loops counts how often a loop entered the node again.
	loops int
	// repeat is the ordinal of the repetition.
	repeat int
}

// options judges what a change owes to the options of its node. n is the node before
// the change.
func (h *history) options(r *Record, n *nodeHistory, d *NodeChanged) error {
	drawn, o := h.drawn(r.Node), &n.options
	err := errors.Join(o.judgeBegin(drawn, n, d), o.judgeBy(r.At, drawn, d), o.judgeDeadline(r.At, drawn, d), o.judgeWake(r.At, d))
	o.called = d.To == NodeFailed && (d.From == NodeRunning || d.From == NodeWaiting) && (d.By == "" || d.By == byTimeout)
	o.due, o.wake = time.Time{}, time.Time{}
	if d.To == NodeWaiting && d.Due != nil && !h.limits.off {
		o.wake = *d.Due
	}
	if d.To == NodeFailed {
		err = errors.Join(err, o.judgeRetry(r.At, drawn, d))
	}
	o.by = d.By
	if d.To != NodeRunning && d.To != NodeWaiting {
		o.deadline = time.Time{}
	}
	return err
}

// judgeWake: a wait that ends by time does not end before it.
func (o *optionHistory) judgeWake(at time.Time, d *NodeChanged) error {
	byTime := d.Reason == contract.ReasonPoll || d.Reason == contract.ReasonTimer
	if byTime && at.Before(o.wake.Truncate(time.Microsecond)) {
		return fmt.Errorf("woken at %s, due %s", at, o.wake)
	}
	return nil
}

// judgeBegin counts when an attempt begins: a loop enters a node as often as the drawing
// says.
func (o *optionHistory) judgeBegin(drawn *Node, n *nodeHistory, d *NodeChanged) error {
	if d.Iteration == n.iteration && d.Attempt == n.attempt {
		return nil
	}
	o.deadline = time.Time{}
	if d.By != byAutoRetry {
		o.retries = 0
	}
	if d.Iteration != n.iteration && d.By != byRepeat {
		o.loops++
	}
	if err := o.judgeRepeat(drawn, d); err != nil {
		return err
	}
	if most := drawn.MaxReruns; d.To == NodeRunning && d.By == "" && most > 0 && o.loops > most {
		return fmt.Errorf("a loop enters it %d times, %d are allowed", o.loops, most)
	}
	return nil
}

// judgeBy judges a change that says that an option, or an operator, made it.
func (o *optionHistory) judgeBy(at time.Time, drawn *Node, d *NodeChanged) error {
	may := true
	switch d.By {
	case byAutoRetry:
		may = !o.due.IsZero() && !at.Before(o.due.Truncate(time.Microsecond))
		o.retries++
	case byIgnore, byTimeout, byRepeat:
		may = o.mayPass(drawn, d)
	case byRetry:
		may = !drawn.NoRetry
	case bySkip:
		may = !drawn.NoSkip
	}
	if !may {
		return fmt.Errorf("changed by %s without cause", d.By)
	}
	return nil
}

// mayPass judges an option that lets the flow go on: only over a failure of a call that
// is not tried again.
func (o *optionHistory) mayPass(drawn *Node, d *NodeChanged) bool {
	if d.To != NodeSkipped {
		return d.By == byTimeout && d.To == NodeFailed || d.By == byRepeat && drawn.Repeat != nil
	}
	if !o.called || !o.due.IsZero() {
		return false
	}
	switch d.By {
	case byIgnore:
		return drawn.IgnoreFailure
	case byTimeout:
		return drawn.skipsTimeout() && o.by == byTimeout
	}
	return drawn.Repeat != nil && drawn.Repeat.ContinueOnFailure
}

func (n *Node) skipsTimeout() bool { return n.Timeout != nil && n.Timeout.Action == TimeoutSkip }

// judgeDeadline: an attempt has the deadline of the drawing, keeps it, and nothing but
// the deadline times it out.
func (o *optionHistory) judgeDeadline(at time.Time, drawn *Node, d *NodeChanged) error {
	if d.By == byTimeout && d.To == NodeFailed && (o.deadline.IsZero() || at.Before(o.deadline.Truncate(time.Microsecond))) {
		return fmt.Errorf("timed out at %s, deadline %s", at, o.deadline)
	}
	starts := d.To == NodeRunning && d.Reason == contract.ReasonExecute
	switch {
	case starts && drawn.Timeout != nil:
		if d.Deadline == nil || !d.Deadline.Equal(at.Add(time.Duration(drawn.Timeout.AfterMS)*time.Millisecond)) {
			return errors.New("an attempt starts without its deadline")
		}
		o.deadline = *d.Deadline
	case d.Deadline != nil:
		return errors.New("a deadline that the drawing does not give")
	}
	return nil
}

// judgeRetry: a call that failed is tried again by itself as often as the drawing says,
// within the longest delay, and no other failure is.
func (o *optionHistory) judgeRetry(at time.Time, drawn *Node, d *NodeChanged) error {
	owed := o.called && drawn.Retry != nil && o.retries < drawn.Retry.Max
	if owed != (d.Due != nil) {
		return fmt.Errorf("after %d automatic retries the next one is at %v", o.retries, d.Due)
	}
	if d.Due == nil {
		return nil
	}
	if d.Due.Before(at) || d.Due.After(at.Add(24*time.Hour)) {
		return fmt.Errorf("failed at %s, tried again at %s", at, d.Due)
	}
	o.due = *d.Due
	return nil
}

// timer judges a timer that an operator moved.
func (h *history) timer(r *Record, d NodeTimer) error {
	n := h.nodes[r.Node]
	switch {
	case n == nil || n.epoch != d.Epoch:
	case n.state == NodeFailed && !n.options.due.IsZero():
		n.options.due = d.Due
		return nil
	case n.state == NodeWaiting && !n.human:
		n.options.wake = d.Due
		return nil
	}
	return fmt.Errorf("node %q has no timer to move", r.Node)
}

// started judges the deadline of the run.
func (h *history) started(at time.Time, d *RunStarted) error {
	ms := h.g.flow.TimeoutMS
	if (ms > 0) != (d.Deadline != nil) {
		return fmt.Errorf("deadline %v, the flow says %d ms", d.Deadline, ms)
	}
	if d.Deadline == nil {
		return nil
	}
	if h.deadline = *d.Deadline; !h.deadline.Equal(at.Add(time.Duration(ms) * time.Millisecond)) {
		return fmt.Errorf("deadline %s, the flow says %d ms", d.Deadline, ms)
	}
	return nil
}

// timedOut checks that nothing but its deadline times a run out. An operator may give
// any reason.
func (h *history) timedOut(r *Record, d *RunChanged) error {
	at := r.At
	if r.CommandID == "" && d.To == RunFailed && d.Reason == FailRunTimeout && (h.deadline.IsZero() || at.Before(h.deadline.Truncate(time.Microsecond))) {
		return fmt.Errorf("timed out at %s, deadline %s", at, h.deadline)
	}
	return nil
}

// operatorSets judges a value that an operator gave: to a variable that no expression
// makes, in a scope that is being run.
func (h *history) operatorSets(i int32, d VariableSet) error {
	if v := &h.g.vars[i]; v.Source == SourceComputed || v.template != nil {
		return fmt.Errorf("variable %q is made by an expression", d.Name)
	}
	if d.Scope == "" {
		return nil
	}
	if n := h.nodes[d.Scope]; n == nil || n.state != NodeRunning && n.state != NodeSuspended {
		return fmt.Errorf("a variable of %q, which does not run", d.Scope)
	}
	return nil
}

// restingOption checks that no node rests as failed over whose failure an option lets
// the flow go on.
func (h *history) restingOption(id string, n *nodeHistory) error {
	drawn, o := h.drawn(id), &n.options
	if n.state != NodeFailed || !o.called || !o.due.IsZero() {
		return nil
	}
	if drawn.passes() || o.by == byTimeout && drawn.skipsTimeout() {
		return fmt.Errorf("node %q rests although its failure is to be passed over", id)
	}
	return nil
}

// passes reports whether any failure of a call lets the flow go on.
func (n *Node) passes() bool {
	return n.IgnoreFailure || n.Repeat != nil && n.Repeat.ContinueOnFailure
}

// judgeRepeat: a repeated node counts its repetitions from 1, one by one; an attempt that
// does not begin a new one stays where it is, or starts over when an operator says so.
func (o *optionHistory) judgeRepeat(drawn *Node, d *NodeChanged) error {
	if drawn.Repeat == nil {
		if d.Repeat != 0 {
			return errors.New("a repetition that the drawing does not give")
		}
		return nil
	}
	want := 1
	switch d.By {
	case "", byRollback:
	case byRepeat:
		want = o.repeat + 1
	case byRetry:
		if d.Repeat != 1 {
			want = o.repeat
		}
	default:
		want = o.repeat
	}
	if d.Repeat != want || want > drawn.Repeat.Times {
		return fmt.Errorf("repetition %d of %d after %d", d.Repeat, drawn.Repeat.Times, o.repeat)
	}
	o.repeat = want
	return nil
}

// leavesEarly reports whether a token leaves a node before its last repetition, though
// nothing ended them.
func (h *history) leavesEarly(id string, n *nodeHistory) bool {
	drawn := h.drawn(id)
	if drawn.Repeat == nil || n.options.repeat >= drawn.Repeat.Times {
		return false
	}
	return n.state == NodeSucceeded || n.options.by == byRepeat
}

// collects reports whether a node appends to a variable.
func (n *Node) collects(variable string) bool { return n.Repeat != nil && n.Repeat.Collect == variable }

// drawn is a node as the document has it.
func (h *history) drawn(id string) *Node {
	if h.drawings == nil {
		h.drawings = make(map[string]*Node, len(h.g.nodes))
		h.draw("", h.g.flow)
	}
	return h.drawings[id]
}

// draw finds the drawings of a flow's nodes and of those inside of its inline subflows.
func (h *history) draw(path string, f *Flow) {
	for i := range f.Nodes {
		n := &f.Nodes[i]
		h.drawings[path+n.ID] = n
		if n.Type == TypeSubflow && n.Mode == SubflowInline {
			h.draw(path+n.ID+".", h.g.flow.Subflows[n.Reference()])
		}
	}
}
