package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/culmhq/culm/pdk/contract"
)

// An independent subflow node starts a run of its own and waits for its end. That it
// waits is recorded in the step that asks for the start: the end cannot come before the
// wait exists.

// revokedWithNode is the reason of a revoke that the core passes on.
const revokedWithNode = "the node that waited for the run has ended"

// enterIndependent begins to wait for a run.
func (t *step) enterIndependent(e entry) {
	inputs, failure := t.inputs(e)
	if failure == nil && t.s.depth() >= MaxDepth {
		failure = failFlow(FailDepth, fmt.Sprintf("runs nest more than %d deep", MaxDepth))
	}
	if failure != nil {
		t.breakNode(e, failure)
		return
	}
	d := t.begin(e, NodeRunning)
	d.Epoch++
	d.Reason, d.Inputs, d.Deadline = contract.ReasonExecute, inputs, t.deadline(e.node)
	t.emit(e.node, d)
	w := t.change(e.node, NodeWaiting)
	w.Wait, w.Child = &contract.Wait{Kind: contract.WaitRun}, t.childID(e.node)
	t.emit(e.node, w)
	t.command(t.s.startChild(e.node, false))
	if t.s.childPaused(e.node) { // the node is held, but was entered again by an operator
		t.command(ControlChild{Run: w.Child, Event: Pause{}})
	}
	t.setTimer(e.node)
}

// depth is how many runs are above this one.
func (s *State) depth() int {
	if s.info.Parent == nil {
		return 0
	}
	return s.info.Parent.Depth
}

// childID makes the id of the run that an attempt starts: a UUID of version 7, from the
// time of the step and what names the attempt.
func (t *step) childID(i int32) string {
	n := t.s.nodes[i]
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%d", t.s.info.Run, t.g.nodes[i].id, n.iteration, n.attempt))
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], uint64(t.m.At.UnixMilli())<<16)
	copy(id[6:], sum[:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// startChild describes the run that a node waits for.
func (s *State) startChild(i int32, recovered bool) StartChild {
	n, g := s.nodes[i], &s.g.nodes[i]
	c := StartChild{
		Node: g.id, Epoch: n.epoch, Run: n.child, Reference: g.drawn.Reference(), Flow: g.drawn.Flow, Version: g.drawn.Version,
		Schemes: g.drawn.Schemes, Recovered: recovered,
		Parent: Parent{Run: s.info.Run, Node: g.id, Epoch: n.epoch, Depth: s.depth() + 1},
	}
	if err := json.Unmarshal(n.inputs, &c.Inputs); err != nil {
		panic("engine: " + err.Error()) // inputs are an object
	}
	return c
}

// waitsForRun reports whether a node waits for a run below.
func (n *nodeRun) waitsForRun() bool {
	return n != nil && n.state == NodeWaiting && n.wait.Kind == contract.WaitRun
}

// Child returns the run that an independent subflow node waits for, and the epoch of the
// wait. It returns false when the node does not wait: a run that it has started is to be
// revoked then.
func (s *State) Child(node string) (run string, epoch uint64, ok bool) {
	i, ok := s.g.nodeIdx[node]
	if !ok || s.state.Ended() || !s.nodes[i].waitsForRun() {
		return "", 0, false
	}
	return s.nodes[i].child, s.nodes[i].epoch, true
}

// childEnded ends the wait for a run.
func (t *step) childEnded(e ChildEnded) error {
	i, err := t.node(e.Node)
	if err != nil {
		return err
	}
	n := t.s.nodes[i]
	if !t.current(i, NodeWaiting, e.Epoch) || !n.waitsForRun() || e.Run != "" && e.Run != n.child {
		t.late(i, NodeLate{Epoch: e.Epoch, What: "child", Data: mustJSON(lateChild{Run: cleanText(e.Run), State: RunState(cleanText(string(e.State)))})})
		return nil
	}
	outputs := map[string]json.RawMessage{}
	for name, value := range e.Outputs {
		clean, ok := cleanJSON(value)
		if !ok {
			e.State, e.Failure = RunFailed, &contract.Failure{Code: FailBadAnswer, Message: "the outputs are not JSON", Origin: contract.OriginHost}
			break
		}
		outputs[cleanText(name)] = clean
	}
	t.clearTimer(i)
	if e.State == RunSucceeded {
		t.succeed(i, mustJSON(outputs), "", "")
		return nil
	}
	d := t.change(i, NodeFailed)
	d.Failure = childFailure(e)
	t.failCall(i, d)
	return nil
}

// lateChild is the data of a NodeLate about a run below.
type lateChild struct {
	Run   string   `json:"run,omitempty"`
	State RunState `json:"state,omitempty"`
}

// childFailure says why a run below did not succeed.
func childFailure(e ChildEnded) *contract.Failure {
	switch {
	case e.Failure != nil:
		return cleanFailure(e.Failure)
	case e.State == RunRevoked:
		return failFlow(FailChildRevoked, "the run was revoked")
	}
	return failFlow(FailChildFailed, "the run failed")
}

// childPaused reports whether the run that a node waits for has been told to pause.
func (s *State) childPaused(i int32) bool {
	return s.state == RunSuspended || s.nodes[i].held || s.inSuspended(i)
}

// childrenIn returns the nodes inside of a scope that wait for runs, in the order of
// their tokens.
func (s *State) childrenIn(sc *graphScope) []int32 {
	var nodes []int32
	if s.children == 0 {
		return nil
	}
	for _, i := range s.tokenNodes() {
		if i >= sc.node0 && i < sc.nodeEnd && s.nodes[i].waitsForRun() {
			nodes = append(nodes, i)
		}
	}
	return nodes
}

// controlChildren makes a change that stops or releases nodes, and passes it on to the
// runs below for which it makes a difference.
func (t *step) controlChildren(nodes []int32, change func(), e Event) {
	var before []bool
	for _, i := range nodes {
		before = append(before, t.s.childPaused(i))
	}
	change()
	for k, i := range nodes {
		if t.s.childPaused(i) != before[k] {
			t.command(ControlChild{Run: t.s.nodes[i].child, Event: e})
		}
	}
}
