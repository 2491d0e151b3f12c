package engine

import (
	"encoding/json"
	"fmt"

	"github.com/culmhq/culm/pdk/contract"
)

// enterSubflow begins an inline subflow: its scope is as at a start, and a token of its
// own goes in, while the node's token waits.
func (t *step) enterSubflow(e entry) {
	inputs, failure := t.inputs(e)
	if failure != nil {
		t.breakNode(e, failure)
		return
	}
	sc := &t.g.scopes[t.g.nodes[e.node].inner]
	variables, failure := t.subflowVariables(sc, inputs)
	if failure != nil {
		t.breakNode(e, failure)
		return
	}
	d := t.begin(e, NodeRunning)
	d.Epoch++
	d.Reason, d.Inputs = contract.ReasonExecute, inputs
	t.emit(e.node, d)
	t.emit(e.node, ScopeEntered{Variables: variables})
	t.emit(-1, TokenMoved{
		Token: t.s.lastToken + 1, Parent: t.s.nodes[e.node].token, From: t.g.nodes[e.node].id, To: t.g.nodes[sc.start()].id,
	})
	t.moves = append(t.moves, sc.start())
}

// subflowVariables makes the variables of a scope from the inputs of its node.
func (t *step) subflowVariables(sc *graphScope, inputs json.RawMessage) (map[string]json.RawMessage, *contract.Failure) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(inputs, &given); err != nil {
		return nil, failFlow(FailInput, err.Error())
	}
	variables, err := t.initial(sc, &t.s.info, t.s.createdAt, given)
	if err != nil {
		return nil, failFlow(FailInput, err.Message)
	}
	return variables, t.room(sizeOf(variables))
}

// leaveSubflow ends an inline subflow, whose token has reached an end.
func (t *step) leaveSubflow(sc *graphScope, outputs map[string]json.RawMessage) {
	var values json.RawMessage
	if len(outputs) > 0 {
		values = mustJSON(outputs)
		t.decided = nil // a loop that goes through it sees something new
	}
	t.succeed(sc.node, values, "", "")
}

// inside returns the indexes of the nodes inside of an inline subflow: from, and behind
// the last.
func (s *State) inside(i int32) (from, to int32) {
	inner := s.g.nodes[i].inner
	if inner < 0 {
		return 0, 0
	}
	return s.g.scopes[inner].node0, s.g.scopes[inner].nodeEnd
}

// applyScope makes the inside of a subflow as it is at a start.
func (s *State) applyScope(i int32, d ScopeEntered) error {
	inner := s.g.nodes[i].inner
	if inner < 0 {
		return fmt.Errorf("node %q has no inside", s.g.nodes[i].id)
	}
	sc := &s.g.scopes[inner]
	for v := sc.var0; v < sc.varEnd; v++ {
		s.setVariable(v, nil)
	}
	for n := sc.node0; n < sc.nodeEnd; n++ {
		if in := s.nodes[n]; in != nil {
			s.dropOutputs(in)
			in.reruns = 0
			if in.attempt > 0 {
				in.reruns = -1 // the first time in this round is not counted
			}
		}
	}
	for name, value := range d.Variables {
		v, ok := sc.variable(name)
		if !ok {
			return fmt.Errorf("no variable %q in %q", name, sc.path)
		}
		s.setVariable(v, value)
	}
	return nil
}
