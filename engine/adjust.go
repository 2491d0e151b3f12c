package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/pdk/contract"
)

// fail ends the run as failed: an operator's decision.
func (t *step) fail(e Fail) error {
	if _, ok := runTarget(onRunFail, t.s.state); !ok {
		return t.refuse(CodeWrongState, "", "the run is %s", t.s.state).because("RUN_IS")
	}
	t.endRun(RunFailed, cleanText(e.Reason), nil)
	return nil
}

// setVariables changes variables of a scope: all that are named, or none.
func (t *step) setVariables(e SetVariables) error {
	k, ok := t.g.scopeIdx[e.Scope]
	if !ok {
		return t.refuse(CodeUnknownNode, e.Scope, "no inline subflow %q", e.Scope).because("NO_SCOPE")
	}
	if !t.s.goesOn(k) {
		return t.refuse(CodeWrongState, e.Scope, "the subflow does not run").because("SCOPE_IDLE")
	}
	names := slices.Sorted(maps.Keys(e.Values))
	if len(names) == 0 {
		return t.refuseValue("", "no values").because("VALUES_NONE")
	}
	sets := make([]VariableSet, len(names))
	more := 0
	for i, name := range names {
		v, ok := t.g.scopes[k].variable(name)
		if !ok {
			return t.refuseValue(name, "no variable %q", name).because("NO_VARIABLE")
		}
		value, err := t.newValue(&t.g.vars[v], e.Values[name])
		if err != nil {
			return err
		}
		more += len(value) - len(t.s.vars[v])
		sets[i] = VariableSet{Scope: e.Scope, Name: name, Value: value}
	}
	if f := t.room(more); f != nil {
		return t.refuseSize(f, "/values")
	}
	for _, set := range sets {
		t.emit(-1, set)
	}
	return nil
}

// goesOn reports whether the nodes of a scope are being run.
func (s *State) goesOn(k int32) bool {
	sc := &s.g.scopes[k]
	return sc.node < 0 || s.runsInside(sc.node)
}

// newValue checks the value that an operator gives to a variable.
func (t *step) newValue(v *graphVar, value json.RawMessage) (json.RawMessage, error) {
	if v.Source == SourceComputed || v.template != nil {
		return nil, t.refuseValue(v.Name, "variable %q is made by an expression", v.Name).because("VARIABLE_COMPUTED")
	}
	value, ok := cleanJSON(value)
	if !ok {
		return nil, t.refuseValue(v.Name, "the value of %q is not JSON", v.Name).because("NOT_JSON")
	}
	if v.Secret && !expr.IsSecretRefJSON(value) {
		return nil, t.refuseValue(v.Name, "variable %q is a secret, and is given as a reference only", v.Name).because("INPUT_SECRET")
	}
	if vs := v.valueSchema().Validate(value); len(vs) > 0 {
		err := t.refuseValue(v.Name, "variable %q: %s", v.Name, strings.TrimSpace(strings.TrimPrefix(vs[0].Pointer, "/")+" "+vs[0].Message))
		err.Field += vs[0].Pointer
		return nil, err
	}
	if f := valueLimit(v.Name, len(value)); f != nil {
		return nil, t.refuseSize(f, "/values/"+escapePointer(v.Name))
	}
	return value, nil
}

func (t *step) refuseValue(name, format string, args ...any) *Error {
	err := t.refuse(CodeInvalid, "", format, args...)
	if err.Field = "/values"; name != "" {
		err.Field += "/" + escapePointer(name)
	}
	return err
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
		return t.refuse(CodeWrongState, e.Node, "the node waits for no time").because("NODE_NO_TIME")
	}
	at := cleanTime(e.At)
	if e.At.IsZero() || at.After(t.m.At.Add(maxWait)) || at.Before(t.m.At.Add(-maxWait)) {
		refusal := t.refuse(CodeInvalid, e.Node, "the time is missing or too far away").because("TIME")
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
