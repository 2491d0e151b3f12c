package engine

import (
	"encoding/json"
	"fmt"

	"github.com/culmhq/culm/pdk/contract"
)

// The limits of a run.
const (
	// MaxSteps is how many attempts of nodes a run may begin.
	MaxSteps = 50_000
	// MaxValueBytes bounds the value of one variable, as JSON.
	MaxValueBytes = 256 << 10
	// MaxRunBytes bounds the values that a run holds at one time: its variables, and
	// the inputs, outputs, plugin states and callbacks of its nodes.
	MaxRunBytes = 64 << 20
)

// size is what a node adds to the bytes that its run holds.
func (n *nodeRun) size() int {
	size := len(n.inputs) + len(n.outputs) + len(n.plugin) + len(n.callback) + n.overridden
	for _, k := range n.kept { // at most keptMax
		size += len(k)
	}
	if k := len(n.undo); k > 0 { // the last one is the node's own inputs and outputs
		size += n.undoable - n.undo[k-1].size()
	}
	return size
}

// override replaces inputs of a node from now on; with only, those are all it has.
func (n *nodeRun) override(inputs map[string]json.RawMessage, only bool) {
	n.overrides, n.overridden, n.only = inputs, sizeOf(inputs), only
}

// sizeOf is the size of values.
func sizeOf(values map[string]json.RawMessage) int {
	size := 0
	for _, v := range values {
		size += len(v)
	}
	return size
}

// setVariable gives a variable a value; nil takes it away.
func (s *State) setVariable(i int32, value json.RawMessage) {
	s.bytes += len(value) - len(s.vars[i])
	s.vars[i] = value
}

// dropOutputs forgets what a node gave.
func (s *State) dropOutputs(n *nodeRun) {
	s.bytes -= len(n.outputs)
	n.outputs = nil
}

// room is the failure of a node that would make the run hold too much, or nil.
func (t *step) room(more int) *contract.Failure {
	if more <= 0 || t.s.bytes+more <= MaxRunBytes {
		return nil
	}
	return failLimit(FailRunTooLarge, fmt.Sprintf("the run would hold %d bytes, at most %d", t.s.bytes+more, MaxRunBytes))
}

// takesOutputs is the failure of a node whose outputs the run cannot hold, or nil: each
// variable that they are bound to has its limit, and the run has one.
func (t *step) takesOutputs(i int32, outputs json.RawMessage) *contract.Failure {
	more := len(outputs) - len(t.s.nodes[i].outputs)
	bound := t.g.nodes[i].outputs
	// What is small altogether is small in its parts: nothing needs to be looked at.
	small := len(outputs) <= MaxValueBytes && t.s.bytes+(1+len(bound))*len(outputs) <= MaxRunBytes
	if len(outputs) > 0 && len(bound) > 0 && !small {
		var values map[string]json.RawMessage
		if json.Unmarshal(outputs, &values) == nil {
			for _, b := range bound {
				if f := valueLimit(t.g.vars[b.variable].Name, len(values[b.output])); f != nil {
					return f
				}
				more += len(values[b.output]) - len(t.s.vars[b.variable])
			}
		}
	}
	if v, list := t.collected(i); v >= 0 {
		if f := valueLimit(t.g.vars[v].Name, len(list)+max(len(outputs), 2)+1); f != nil {
			return f
		}
		more += len(outputs) + 1
	}
	return t.room(more)
}

// valueLimit is the failure of a value that is too large for a variable, or nil.
func valueLimit(variable string, size int) *contract.Failure {
	if size <= MaxValueBytes {
		return nil
	}
	return failLimit(FailValueTooLarge, fmt.Sprintf("variable %s would hold %d bytes, at most %d", variable, size, MaxValueBytes))
}

// refuseSize refuses a command whose values a run cannot hold.
func (t *step) refuseSize(f *contract.Failure, field string) *Error {
	refusal := t.refuse(CodeInvalid, "", "%s", f.Message).because(f.Code)
	refusal.Field, refusal.Args = field, nil
	return refusal
}

// failLimit is a failure whose fault is a limit.
func failLimit(code, message string) *contract.Failure {
	return &contract.Failure{Code: code, Message: message, Origin: contract.OriginLimit}
}

// mayEnter is the failure of a node that is entered too often, or in a run that has made
// too many steps; nil when it may begin.
func (t *step) mayEnter(e entry) *contract.Failure {
	if most := t.g.nodes[e.node].opts.maxReruns; e.reruns > most {
		return failFlow(FailRerunLimit, fmt.Sprintf("the node was entered more than %d times again", most))
	}
	begins := true
	if n := t.s.nodes[e.node]; n != nil {
		begins = n.iteration != e.iteration || n.attempt != e.attempt
	}
	if begins && t.s.steps >= MaxSteps {
		return failLimit(FailStepLimit, fmt.Sprintf("the run has begun %d attempts of its nodes already", MaxSteps))
	}
	return nil
}
