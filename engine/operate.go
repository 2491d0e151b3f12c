package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/culmhq/culm/pdk/contract"
)

var errNotJSON = errors.New("the value is not JSON")

// refuse makes the error of a command whose precondition does not hold.
func (t *step) refuse(c Code, node, format string, args ...any) *Error {
	return &Error{Code: c, Message: fmt.Sprintf(format, args...), Node: node, Seq: t.s.seq, named: args}
}

// target finds the node of an operator's command and holds its state against the
// transition table.
func (t *step) target(id string, on nodeTrigger) (int32, error) {
	i, err := t.node(id)
	if err != nil {
		return -1, err
	}
	if state := t.s.at(i).state; !allowed(on, state) {
		if state == NodeIdle {
			return -1, t.refuse(CodeWrongState, id, "the node has not been reached").because("NODE_IDLE")
		}
		return -1, t.refuse(CodeWrongState, id, "the node is %s", state).because("NODE_IS")
	}
	return i, nil
}

func allowed(on nodeTrigger, from NodeState) bool { _, ok := nodeTarget(on, from); return ok }

func (t *step) revoke(e Revoke) error {
	if _, ok := runTarget(onRunRevoke, t.s.state); !ok {
		return t.refuse(CodeWrongState, "", "the run is %s", t.s.state).because("RUN_IS")
	}
	t.endRun(RunRevoked, cleanText(e.Reason), nil)
	return nil
}

func (t *step) retry(e Retry) error {
	i, err := t.target(e.Node, onRetry)
	if err != nil {
		return err
	}
	if err := t.forbidden(i, t.g.nodes[i].opts.noRetry, "retried"); err != nil {
		return err
	}
	repeat, err := t.part(i, e.Part)
	if err != nil {
		return err
	}
	overrides, err := t.overrides(i, e.Inputs, e.Only)
	if err != nil {
		return err
	}
	only := e.Only || t.s.nodes[i].only && overrides != nil
	t.clearTimer(i)
	t.uncollect(i, e.Part)
	n := t.s.nodes[i]
	t.enter(entry{node: i, iteration: n.iteration, attempt: n.attempt + 1, repeat: repeat, by: byRetry, overrides: overrides, only: only})
	return nil
}

// overrides checks the inputs that an operator replaces and adds them to those he
// replaced before, unless they are the only ones.
func (t *step) overrides(i int32, inputs map[string]json.RawMessage, only bool) (map[string]json.RawMessage, error) {
	if len(inputs) == 0 && !only {
		return nil, nil
	}
	g := &t.g.nodes[i]
	if g.typ != TypeTask && g.typ != TypeSubflow {
		return nil, t.refuse(CodeInvalid, g.id, "only a task or a subflow has inputs").because("NO_INPUTS")
	}
	all := map[string]json.RawMessage{}
	if !only {
		maps.Copy(all, t.s.nodes[i].overrides)
	}
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		value, ok := cleanJSON(inputs[name])
		err := errNotJSON
		if ok {
			err = t.g.checkInput(g, name, value)
		}
		if err != nil {
			refusal := t.refuse(CodeInvalid, g.id, "%s", err.Error())
			refusal.Field = "/inputs/" + escapePointer(name)
			return nil, refusal
		}
		all[name] = value
	}
	if f := t.room(sizeOf(all) - t.s.nodes[i].overridden); f != nil {
		return nil, t.refuseSize(f, "/inputs")
	}
	return all, nil
}

func (t *step) skip(e Skip) error {
	i, err := t.target(e.Node, onSkip)
	if err != nil {
		return err
	}
	edges, err := t.skipEdges(i, e.Edges)
	if err != nil {
		return err
	}
	if err := t.forbidden(i, t.g.nodes[i].opts.noSkip, "skipped"); err != nil {
		return err
	}
	if _, err := t.part(i, e.Part); err != nil {
		return err
	}
	t.clearTimer(i)
	d := t.change(i, NodeSkipped)
	d.By = bySkip
	t.emit(i, d)
	switch t.g.nodes[i].typ {
	case TypeExclusive:
		t.emit(i, GatewayDecided{Edges: t.edgeIDs(edges), By: bySkip})
	case TypeInclusive:
		t.emit(i, GatewayDecided{Edges: t.edgeIDs(edges), By: bySkip})
		t.fork(i, edges)
		return nil
	case TypeTask, TypeSubflow, TypeStart, TypeEnd, TypeParallel, TypeJoin:
	}
	if e.Part == RepeatedIteration {
		t.goOn(i)
		return nil
	}
	t.leave(i, edges[0])
	return nil
}

// skipEdges returns the edges on which the flow goes on behind a node that is skipped.
// Those of a gateway are the operator's choice.
func (t *step) skipEdges(i int32, chosen []string) ([]int32, error) {
	g := &t.g.nodes[i]
	switch g.typ {
	case TypeTask, TypeSubflow:
		if g.inner >= 0 { // that would leave out what is inside, which may be anything
			return nil, t.refuse(CodeWrongState, g.id, "an inline subflow cannot be skipped").because("SKIP_SUBFLOW")
		}
		if len(chosen) > 0 {
			return nil, t.refuse(CodeInvalid, g.id, "a %s has no edges to choose from", g.typ).because("SKIP_NO_CHOICE")
		}
		return g.out[:1], nil
	case TypeExclusive:
		if len(chosen) != 1 {
			return nil, t.refuse(CodeInvalid, g.id, "choose one edge").because("SKIP_ONE")
		}
	case TypeInclusive:
		if len(chosen) == 0 {
			return nil, t.refuse(CodeInvalid, g.id, "choose at least one edge").because("SKIP_SOME")
		}
	case TypeStart, TypeEnd, TypeParallel, TypeJoin:
		return nil, t.refuse(CodeWrongState, g.id, "a %s node cannot be skipped", g.typ).because("SKIP_TYPE")
	}
	var edges []int32
	for _, k := range g.out { // in the order of the drawing, each once
		if slices.Contains(chosen, t.g.edges[k].id) {
			edges = append(edges, k)
		}
	}
	for _, id := range chosen {
		if k, ok := t.g.edgeIdx[id]; !ok || t.g.edges[k].from != i {
			return nil, t.refuse(CodeInvalid, g.id, "edge %q does not leave the node", id).because("SKIP_EDGE")
		}
	}
	return edges, nil
}

func (t *step) forceFail(e ForceFail) error {
	i, err := t.target(e.Node, onForceFail)
	if err != nil {
		return err
	}
	if t.g.nodes[i].inner >= 0 {
		return t.refuse(CodeWrongState, e.Node, "a subflow cannot be failed, only the nodes inside").because("FAIL_SUBFLOW")
	}
	t.stopCall(i)
	d := t.change(i, NodeFailed)
	d.By = byForceFail
	d.Failure = forced(e.Reason)
	t.emit(i, d)
	t.failed(d.Failure)
	return nil
}

// forced is the failure that an operator makes.
func forced(reason string) *contract.Failure {
	f := &contract.Failure{Code: FailForced, Message: cleanText(reason), Origin: contract.OriginHost}
	if f.Message == "" {
		f.Message = "failed by an operator"
	}
	return f
}

func (t *step) resolve(e Resolve) error {
	switch e.As {
	case ResolveDone, ResolveRetry, ResolveFail:
	default:
		return t.refuse(CodeInvalid, e.Node, "unknown resolution %q", e.As).because("CHOICE")
	}
	i, err := t.target(e.Node, nodeTrigger("resolve_"+string(e.As)))
	if err != nil {
		return err
	}
	outputs, ok := cleanObject(e.Outputs)
	if len(e.Outputs) > 0 && (e.As != ResolveDone || !ok) {
		refusal := t.refuse(CodeInvalid, e.Node, "outputs are a JSON object, and only for %q", ResolveDone).because("OUTPUTS_ONLY_DONE")
		refusal.Field = "/outputs"
		return refusal
	}
	if f := t.takesOutputs(i, outputs); f != nil {
		return t.refuseSize(f, "/outputs")
	}
	switch e.As {
	case ResolveDone:
		t.succeed(i, outputs, "", byResolve)
	case ResolveRetry:
		t.again(i, byResolve, nil)
	case ResolveFail:
		d := t.change(i, NodeFailed)
		d.By, d.Failure = byResolve, t.s.nodes[i].failure
		t.emit(i, d)
		t.failed(d.Failure)
	}
	return nil
}

// What an operator, or an option of the node, did, as NodeChanged.By and
// GatewayDecided.By say it.
const (
	byRetry     = "retry"
	bySkip      = "skip"
	byForceFail = "force_fail"
	byResolve   = "resolve"
	byPause     = "pause"
	byResume    = "resume"
	byRollback  = "rollback"
	byAutoRetry = "auto_retry"
	byIgnore    = "ignore_failure"
	byTimeout   = "timeout"
	byRepeat    = "repeat"
)
