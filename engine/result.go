package engine

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/pdk/contract"
)

// keptMax is how many early callbacks a node keeps.
const keptMax = 16

// node finds a node by id.
func (t *step) node(id string) (int32, error) {
	i, ok := t.g.nodeIdx[id]
	if !ok {
		return -1, t.refuse(CodeUnknownNode, id, "no node %q", id).because("NO_NODE")
	}
	return i, nil
}

// current reports whether the node is in the state for this epoch.
func (t *step) current(i int32, state NodeState, epoch uint64) bool {
	n := t.s.nodes[i]
	return n != nil && n.state == state && n.epoch == epoch && !t.s.state.Ended()
}

func (t *step) result(e Result) error {
	i, err := t.node(e.Node)
	if err != nil {
		return err
	}
	if t.g.nodes[i].typ != TypeTask || !t.current(i, NodeRunning, e.Epoch) {
		t.late(i, NodeLate{Epoch: e.Epoch, What: "result", Data: mustJSON(t.checkAnswer(e.Answer))})
		return nil
	}
	t.noted(i, e.Log, nil)
	t.ended(i, e)
	return nil
}

// ended ends the call of a node with its result.
func (t *step) ended(i int32, e Result) {
	if e.Unknown != nil {
		t.clearTimer(i)
		d := t.change(i, NodeUnknown)
		d.Failure, d.Digest = cleanFailure(e.Unknown), e.Digest
		t.emit(i, d)
		return
	}
	answer := t.checkAnswer(e.Answer)
	switch answer.Status {
	case contract.StatusSucceeded:
		t.clearTimer(i)
		t.succeed(i, answer.Outputs, e.Digest, "")
	case contract.StatusFailed:
		t.clearTimer(i)
		d := t.change(i, NodeFailed)
		d.Failure, d.Outputs, d.Digest = answer.Failure, answer.Outputs, e.Digest
		if t.takesOutputs(i, d.Outputs) != nil {
			d.Outputs = nil // its own failure says more than that of a limit
		}
		t.failCall(i, d)
	case contract.StatusWaiting:
		if f := t.room(len(answer.State) - len(t.s.nodes[i].plugin)); f != nil {
			t.clearTimer(i)
			d := t.change(i, NodeFailed)
			d.Failure, d.Digest = f, e.Digest
			t.failCall(i, d)
			return
		}
		t.wait(i, answer, e.Digest)
	}
}

// succeed ends a task or subflow well and moves its token on.
func (t *step) succeed(i int32, outputs json.RawMessage, digest, by string) {
	if outputs == nil {
		outputs = json.RawMessage("{}")
	}
	if f := t.takesOutputs(i, outputs); f != nil {
		d := t.change(i, NodeFailed)
		d.Failure, d.Digest = f, digest
		t.failCall(i, d)
		return
	}
	d := t.change(i, NodeSucceeded)
	d.Outputs, d.Digest, d.By = outputs, digest, by
	t.emit(i, d)
	t.extract(i, outputs)
	t.collect(i, outputs)
	t.goOn(i)
}

// extract writes outputs into the variables that are bound to them; also those of a
// failed node.
func (t *step) extract(i int32, outputs json.RawMessage) {
	bound := t.g.nodes[i].outputs
	if len(bound) == 0 || len(outputs) == 0 {
		return
	}
	var values map[string]json.RawMessage
	if json.Unmarshal(outputs, &values) != nil {
		return // checkAnswer lets only objects through
	}
	for _, b := range bound {
		if v, ok := values[b.output]; ok {
			t.write(i, b.variable, v)
		}
	}
}

// write gives a variable the value that a node has for it.
func (t *step) write(node, variable int32, value json.RawMessage) {
	v := &t.g.vars[variable]
	t.emit(node, VariableSet{Scope: t.g.scopes[v.scope].path, Name: v.Name, Value: value})
}

// wait begins a wait, and ends it at once when the callback is already there.
func (t *step) wait(i int32, a contract.Answer, digest string) {
	d := t.change(i, NodeWaiting)
	d.Wait, d.PluginState, d.Digest, d.Polls = a.Wait, a.State, digest, t.s.nodes[i].polls
	if due := dueAt(a.Wait, t.m.At); !due.IsZero() {
		d.Due = &due
	}
	t.emit(i, d)
	for _, data := range t.s.nodes[i].kept {
		if badCallback(a.Wait, data) == nil && takesCallback(a.Wait.Kind) {
			t.wake(i, contract.ReasonCallback, data)
			return
		}
	}
	t.setTimer(i)
}

// dueAt returns when a wait is to be resumed by time, or zero. A wait for a callback
// or a human has a time only when the plugin gave one: its deadline.
func dueAt(w *contract.Wait, now time.Time) time.Time {
	switch {
	case w.At != nil:
		return *w.At
	case w.AfterMS > 0, !takesCallback(w.Kind):
		return now.Add(time.Duration(w.AfterMS) * time.Millisecond)
	}
	return time.Time{}
}

func takesCallback(k contract.WaitKind) bool {
	return k == contract.WaitCallback || k == contract.WaitHuman
}

// wake ends a wait with the next call.
func (t *step) wake(i int32, why contract.Reason, data json.RawMessage) {
	n := t.s.nodes[i]
	d := t.change(i, NodeRunning)
	d.Epoch++
	d.Call, d.Reason, d.Callback = n.call+1, why, data
	if why == contract.ReasonPoll {
		d.Polls = n.polls
	}
	t.emit(i, d)
	t.command(t.s.dispatch(i, false))
	t.setTimer(i)
}

func (t *step) note(e Note) error {
	i, err := t.node(e.Node)
	if err != nil {
		return err
	}
	if t.g.nodes[i].typ == TypeTask && t.current(i, NodeRunning, e.Epoch) { // what an old call says is not worth a record
		t.noted(i, e.Log, e.Progress)
	}
	return nil
}

// noted keeps what a call says, if it says anything.
func (t *step) noted(i int32, log []contract.LogLine, progress *Progress) {
	if len(log) == 0 && progress == nil {
		return
	}
	if progress != nil {
		progress = &Progress{Percent: min(max(progress.Percent, 0), 100), Message: cleanText(progress.Message)}
	}
	t.emit(i, NodeNoted{Attempt: t.s.nodes[i].attempt, Log: t.lines(log), Progress: progress})
}

func (t *step) late(i int32, d NodeLate) { t.emit(i, d) }

func (t *step) callback(e Callback) error {
	i, err := t.node(e.Node)
	if err != nil {
		return err
	}
	if t.g.nodes[i].typ == TypeSubflow {
		return t.refuse(CodeWrongState, e.Node, "a subflow takes no callback").because("SUBFLOW_CALLBACK")
	}
	n := t.s.nodes[i]
	if e.Data, err = t.callbackData(n, e); err != nil {
		return err
	}
	old := e.Attempt != 0 && (e.Attempt != n.attempt || e.Iteration != n.iteration)
	switch {
	case old:
		t.late(i, NodeLate{Attempt: e.Attempt, What: "callback", Data: e.Data})
	case n.state == NodeWaiting && takesCallback(n.wait.Kind):
		return t.answered(i, e)
	case n.underWay():
		if len(n.kept) >= keptMax {
			return t.refuse(CodeInvalid, e.Node, "%d callbacks are kept already", keptMax).because("CALLBACKS_KEPT")
		}
		t.emit(i, CallbackKept{Attempt: n.attempt, Data: e.Data})
	default:
		t.late(i, NodeLate{Attempt: n.attempt, What: "callback", Data: e.Data})
	}
	return nil
}

// answered ends a wait with the callback that it is for.
func (t *step) answered(i int32, e Callback) error {
	if bad := badCallback(t.s.nodes[i].wait, e.Data); bad != nil {
		refusal := t.refuse(CodeInvalid, e.Node, "the answer %s", bad.Message)
		refusal.Field, refusal.Reason = "/data"+bad.Pointer, bad.Reason
		if bad.Want != "" {
			refusal.Args = map[string]string{"a": bad.Want}
		}
		return refusal
	}
	t.clearTimer(i)
	t.wake(i, contract.ReasonCallback, e.Data)
	return nil
}

// underWay reports whether an attempt is, or will be as soon as nothing holds it.
func (n *nodeRun) underWay() bool {
	return n.state == NodeRunning || n.state == NodeWaiting || n.state == NodeReady || n.state == NodeSuspended
}

// callbackData checks a callback for what no state of the node could make right.
func (t *step) callbackData(n *nodeRun, e Callback) (json.RawMessage, error) {
	if n == nil {
		return nil, t.refuse(CodeWrongState, e.Node, "the node has not been reached").because("NODE_IDLE")
	}
	if e.Attempt > n.attempt || e.Attempt < 0 {
		return nil, t.refuse(CodeInvalid, e.Node, "there is no attempt %d", e.Attempt).because("NO_ATTEMPT")
	}
	if len(e.Data) == 0 {
		return nil, nil
	}
	data, ok := cleanJSON(e.Data)
	if !ok {
		return nil, t.refuse(CodeInvalid, e.Node, "the data is not JSON").because("NOT_JSON")
	}
	if f := t.room(len(data)); f != nil {
		return nil, t.refuseSize(f, "/data")
	}
	return data, nil
}

// badCallback says what is wrong with the data of a callback, or nothing.
func badCallback(w *contract.Wait, data json.RawMessage) *expr.Violation {
	if len(w.Schema) == 0 {
		return nil
	}
	schema, err := expr.ParseSchema(w.Schema)
	if err != nil {
		return nil // badWait lets none in
	}
	if len(data) == 0 {
		data = json.RawMessage("null")
	}
	if vs := schema.Validate(data); len(vs) > 0 {
		return &vs[0]
	}
	return nil
}

// checkAnswer turns what a plugin must not answer into a failure of the plugin.
func (t *step) checkAnswer(a contract.Answer) contract.Answer {
	bad := func(message string) contract.Answer {
		return contract.Answer{Status: contract.StatusFailed, Failure: &contract.Failure{
			Code: FailBadAnswer, Message: message, Origin: contract.OriginPlugin,
		}}
	}
	var ok bool
	if len(a.Outputs) > 0 {
		if a.Outputs, ok = cleanObject(a.Outputs); !ok {
			return bad("the outputs are not a JSON object")
		}
	}
	if len(a.State) > 0 {
		if a.State, ok = cleanJSON(a.State); !ok {
			return bad("the state is not JSON")
		}
	}
	switch a.Status {
	case contract.StatusSucceeded:
		return a
	case contract.StatusFailed:
		if a.Failure == nil {
			a.Failure = &contract.Failure{Code: FailBadAnswer, Message: "failed without saying why", Origin: contract.OriginPlugin}
		}
		a.Failure = cleanFailure(a.Failure)
		return a
	case contract.StatusWaiting:
		if message := t.badWait(a.Wait); message != "" {
			return bad(message)
		}
		a.Wait = cleanWait(a.Wait)
		return a
	}
	return bad(fmt.Sprintf("unknown status %q", a.Status))
}

// maxWait is ten years: longer than any wait that is meant.
const maxWait = 10 * 366 * 24 * time.Hour

// badWait says what is wrong with a wait, or nothing.
func (t *step) badWait(w *contract.Wait) string {
	switch {
	case w == nil:
		return "waiting without saying for what"
	case w.AfterMS < 0 || w.AfterMS > maxWait.Milliseconds():
		return fmt.Sprintf("after_ms %d is out of range", w.AfterMS)
	case w.At != nil && w.At.After(t.m.At.Add(maxWait)):
		return "at is too far away"
	case w.At != nil && w.At.Before(t.m.At.Add(-maxWait)):
		return "at is too long ago"
	}
	if _, err := expr.ParseSchema(w.Schema); err != nil || len(w.Schema) > 0 && !json.Valid(w.Schema) {
		return "the schema of the wait cannot be read"
	}
	switch w.Kind {
	case contract.WaitPoll, contract.WaitTimer, contract.WaitCallback, contract.WaitHuman:
		return ""
	case contract.WaitRun: // not a plugin's to say
	}
	return fmt.Sprintf("unknown kind of wait %q", w.Kind)
}
