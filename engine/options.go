package engine

import (
	"fmt"
	"strconv"
	"time"
)

// The limits of node options.
const (
	MaxRetries      = 100
	maxDelayMS      = int64(24 * time.Hour / time.Millisecond)
	maxNodeTimeout  = int64(366 * 24 * time.Hour / time.Millisecond)
	maxRunTimeoutMS = 10 * maxNodeTimeout
)

// nodeOptions are what a node's drawing says about failure, time and repetition.
type nodeOptions struct {
	ignore, noRetry, noSkip bool
	retry                   *RetryPolicy
	timeout                 *Timeout
	repeat                  *Repeat
	// maxReruns is how often a loop may enter the node again.
	maxReruns int
}

// plainNode has no options.
//
//nolint:gochecknoglobals // an immutable value
var plainNode = &nodeOptions{maxReruns: MaxReruns}

// options are those of the drawing, checked by nodeOptions.
func (n *Node) options() *nodeOptions {
	if !n.IgnoreFailure && !n.NoRetry && !n.NoSkip && n.Retry == nil && n.Timeout == nil && n.Repeat == nil && n.MaxReruns == 0 {
		return plainNode
	}
	o := &nodeOptions{
		ignore: n.IgnoreFailure, noRetry: n.NoRetry, noSkip: n.NoSkip,
		retry: n.Retry, timeout: n.Timeout, repeat: n.Repeat, maxReruns: n.MaxReruns,
	}
	if o.maxReruns == 0 {
		o.maxReruns = MaxReruns
	}
	return o
}

// optionSet says which options a node may have.
type optionSet struct{ optional, ignore, noRetry, noSkip, retry, timeout, repeat, maxReruns bool }

func optionsOf(n *Node) optionSet {
	switch n.Type {
	case TypeTask:
		return optionSet{true, true, true, true, true, true, true, true}
	case TypeSubflow:
		if n.Mode == SubflowIndependent {
			return optionSet{optional: true, ignore: true, noRetry: true, noSkip: true, retry: true, timeout: true, maxReruns: true}
		}
		return optionSet{optional: true, noRetry: true, maxReruns: true}
	case TypeExclusive, TypeParallel, TypeInclusive, TypeJoin:
		return optionSet{noRetry: true, noSkip: true}
	case TypeStart, TypeEnd:
	}
	return optionSet{}
}

// nodeOptions checks the options of a node: which it may have, and their values.
func (b *builder) nodeOptions(n *Node) {
	may := optionsOf(n)
	for _, o := range []struct {
		field    string
		set, may bool
	}{
		{"optional", n.Optional, may.optional},
		{"ignore_failure", n.IgnoreFailure, may.ignore},
		{"no_retry", n.NoRetry, may.noRetry},
		{"no_skip", n.NoSkip, may.noSkip},
		{"retry", n.Retry != nil, may.retry},
		{"timeout", n.Timeout != nil, may.timeout},
		{"repeat", n.Repeat != nil, may.repeat},
		{"max_reruns", n.MaxReruns != 0, may.maxReruns},
	} {
		if o.set && !o.may {
			b.report(Problem{Code: ProblemNodeField, Node: n.ID, Field: "/" + o.field}, fmt.Sprintf("nodes of type %s have no %s", describeType(n), o.field), "field", o.field, "type", string(n.Type))
		}
	}
	b.optionRange(n, "/max_reruns", int64(n.MaxReruns), 0, MaxReruns)
	b.retryPolicy(n)
	if t := n.Timeout; t != nil {
		b.optionRange(n, "/timeout/after_ms", t.AfterMS, 1, maxNodeTimeout)
		if t.Action != TimeoutFail && t.Action != TimeoutSkip {
			b.report(Problem{Code: ProblemTimeoutAction, Node: n.ID, Field: "/timeout/action"}, fmt.Sprintf("unknown action %q", t.Action), "action", string(t.Action))
		}
	}
	if n.Repeat != nil {
		b.optionRange(n, "/repeat/times", int64(n.Repeat.Times), 1, MaxReruns)
	}
}

func describeType(n *Node) string {
	if n.Type == TypeSubflow {
		if n.Mode == SubflowIndependent {
			return "subflow (independent)"
		}
		return "subflow (inline)"
	}
	return string(n.Type)
}

// retryPolicy checks the numbers of an automatic retry.
func (b *builder) retryPolicy(n *Node) {
	r := n.Retry
	if r == nil {
		return
	}
	b.optionRange(n, "/retry/max", int64(r.Max), 1, MaxRetries)
	b.optionRange(n, "/retry/delay_ms", r.DelayMS, 0, maxDelayMS)
	b.optionRange(n, "/retry/max_delay_ms", r.MaxDelayMS, 0, maxDelayMS)
	if !(r.Backoff == 0 || r.Backoff >= 1 && r.Backoff <= maxBackoff) {
		b.outOfRange(Problem{Node: n.ID, Field: "/retry/backoff"}, fmt.Sprint(r.Backoff), "1", strconv.Itoa(maxBackoff))
	}
	if !(r.Jitter >= 0 && r.Jitter <= 1) {
		b.outOfRange(Problem{Node: n.ID, Field: "/retry/jitter"}, fmt.Sprint(r.Jitter), "0", "1")
	}
}

func (b *builder) optionRange(n *Node, field string, have, least, most int64) {
	b.inRange(Problem{Node: n.ID, Field: field}, have, least, most)
}

// inRange reports a number that is too small or too large.
func (b *builder) inRange(at Problem, have, least, most int64) {
	if have < least || have > most {
		b.outOfRange(at, strconv.FormatInt(have, 10), strconv.FormatInt(least, 10), strconv.FormatInt(most, 10))
	}
}

func (b *builder) outOfRange(at Problem, have, least, most string) {
	at.Code = ProblemOptionRange
	b.report(at, fmt.Sprintf("%s is not in the range %s to %s", have, least, most), "have", have, "min", least, "max", most)
}

// forbidden refuses what the drawing does not let operators do with a failed node.
func (t *step) forbidden(i int32, no bool, what string) error {
	if !no {
		return nil
	}
	id := t.g.nodes[i].id
	return t.refuse(CodeWrongState, id, "the flow does not let this node be %s", what).because("FLOW_FORBIDS")
}

// beginOptions counts the attempts that begin: those that an automatic retry makes, and
// the times that a loop comes back.
func (n *nodeRun) beginOptions(d *NodeChanged) {
	if n.retries++; d.By != byAutoRetry {
		n.retries = 0
	}
	if d.Iteration != n.iteration && d.By != byRepeat {
		n.reruns++
	}
	n.repeat = d.Repeat
	n.due, n.deadline = time.Time{}, time.Time{}
}

// endOptions is what options make of the end of an attempt. The failure over which they
// let the flow go on stays.
func (n *nodeRun) endOptions(d *NodeChanged) {
	if d.To != NodeSkipped || d.By == bySkip {
		n.failure = d.Failure
	}
	n.due, n.deadline = time.Time{}, time.Time{}
	if d.Due != nil {
		n.due = *d.Due
	}
}

// retrying reports whether a failed node is tried again by itself.
func (n *nodeRun) retrying() bool { return n.state == NodeFailed && !n.due.IsZero() }
