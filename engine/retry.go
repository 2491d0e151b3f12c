package engine

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"time"
)

// maxBackoff is the largest factor by which the delay of automatic retries grows.
const maxBackoff = 1000

// delay is how long the n-th automatic retry waits, n from 1. dice is a number that is
// drawn for this retry alone: it decides about the jitter.
func (r *RetryPolicy) delay(n int, dice uint64) time.Duration {
	ms := float64(r.DelayMS)
	if r.Backoff > 1 {
		ms *= math.Pow(r.Backoff, float64(n-1))
	}
	most := float64(maxDelayMS)
	if r.MaxDelayMS > 0 {
		most = float64(r.MaxDelayMS)
	}
	ms = math.Min(ms, most)
	ms -= ms * r.Jitter * (float64(dice>>11) / (1 << 53))
	return time.Duration(math.Round(ms)) * time.Millisecond
}

// retryDue is when a node whose call has failed just now is tried again by itself, or
// nil when it is not.
func (t *step) retryDue(i int32) *time.Time {
	n := t.s.nodes[i]
	r := t.g.nodes[i].opts.retry
	if r == nil || n.retries >= r.Max {
		return nil
	}
	return ptr(t.m.At.Add(r.delay(n.retries+1, t.s.dice(i))))
}

// dice draws a number from what names an attempt, so that the same history draws the
// same one.
func (s *State) dice(i int32) uint64 {
	n := s.nodes[i]
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.info.Run + "\x00" + s.g.nodes[i].id))
	_, _ = h.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(n.iteration)), uint64(n.attempt)))
	// The last bytes that went in have moved the high bits little: mix once more.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}

// failCall ends a call as failed, and does what the options of its node say: try again
// later, go on with the next repetition, or go on behind the node. Without any the
// flow's policy decides. It is not for a node that broke before it made a call, which
// would break the same way again, nor for one that an operator failed: that failure is
// his to deal with.
func (t *step) failCall(i int32, d NodeChanged) {
	d.Due = t.retryDue(i)
	t.emit(i, d)
	t.extract(i, d.Outputs)
	if d.Due != nil {
		t.setTimer(i)
		return
	}
	switch by := t.pastFailure(i, &d); by {
	case "":
		t.failed(d.Failure)
	case byRepeat:
		t.pass(i, by)
		t.collect(i, d.Outputs)
		t.goOn(i)
	default:
		t.pass(i, by)
		t.leave(i, t.g.nodes[i].out[0])
	}
}

// pastFailure says which option of a node lets the flow go on although it failed for
// good.
func (t *step) pastFailure(i int32, d *NodeChanged) string {
	o := t.g.nodes[i].opts
	switch {
	case o.repeat != nil && o.repeat.ContinueOnFailure:
		return byRepeat
	case o.ignore:
		return byIgnore
	case d.By == byTimeout && o.timeout.Action == TimeoutSkip:
		return byTimeout
	}
	return ""
}

// pass makes a node that failed one that the flow does not mind.
func (t *step) pass(i int32, by string) {
	d := t.change(i, NodeSkipped)
	d.By = by
	t.emit(i, d)
}
