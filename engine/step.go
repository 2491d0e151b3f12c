package engine

import (
	"encoding/json"
	"time"
)

// MaxReruns is how often a loop may enter one node again before the node fails.
const MaxReruns = 1000

// StartOptions is what a new run is made from.
type StartOptions struct {
	Run, Name, Project, Flow string
	Version                  int
	Digest                   string
	Plugins                  map[string]string
	Env                      map[string]json.RawMessage
	Zone                     string
	// Trace is what the run's trace hangs on, a W3C traceparent, or empty. The core only
	// keeps it.
	Trace string
	// Parent is set for the run of an independent subflow node.
	Parent *Parent
	// StartAt is the node to begin at; empty is the start. CanStartAt says which may
	// be chosen.
	StartAt string
	// Inputs are the values of input variables, by name.
	Inputs map[string]json.RawMessage
}

// step is one call of Start or Step: it makes records by applying them, so that the
// state it leaves is the fold of what it returns.
type step struct {
	s    *State
	g    *Graph
	m    Meta
	recs []Record
	cmds []Command
	// moves are the nodes that tokens have reached and that have not been
	// entered yet, in order.
	moves []int32
	// decided are the gateways with conditions that this step has passed. One that comes
	// again is in a loop in which nothing changes.
	decided map[int32]bool
	// The first of recs, cmds and moves are kept here: most steps make no more.
	recBuf  [4]Record
	cmdBuf  [2]Command
	moveBuf [1]int32
}

// Step applies one event. It changes s, and returns the records to make durable and
// then the commands to perform, in order. An error is an *Error and leaves s as it
// was. A result or timer that is late gives a record and no error; an operator's
// command that was applied before gives neither.
func Step(g *Graph, s *State, m Meta, e Event) ([]Record, []Command, error) {
	t := newStep(g, s, m)
	if !isCommand(e) {
		t.m.CommandID = "" // facts are fenced by their epoch
	} else {
		if t.m.CommandID != "" && s.commands.has(t.m.CommandID) {
			return nil, nil, nil
		}
		if m.ExpectedSeq != 0 && s.seq > m.ExpectedSeq {
			return nil, nil, t.refuse(CodeConflict, "", "the run has moved on since record %d", m.ExpectedSeq).because("RUN_MOVED_ON")
		}
		if s.state.Ended() {
			return nil, nil, t.refuse(CodeEnded, "", "the run has ended (%s)", s.state).because("RUN_OVER")
		}
	}
	if handled, err := t.duringRollback(e); err != nil {
		return nil, nil, err
	} else if !handled {
		if err := t.handle(e); err != nil {
			return nil, nil, err
		}
	}
	t.undo()
	t.run()
	return t.recs, t.cmds, nil
}

func newStep(g *Graph, s *State, m Meta) *step {
	m.At = cleanTime(m.At)
	m.CommandID, m.Actor.ID, m.Actor.OnBehalfOf = cleanText(m.CommandID), cleanText(m.Actor.ID), cleanText(m.Actor.OnBehalfOf)
	t := &step{s: s, g: g, m: m}
	t.recs, t.cmds, t.moves = t.recBuf[:0], t.cmdBuf[:0], t.moveBuf[:0]
	return t
}

// isCommand reports whether an event is somebody's will, which may be refused, rather
// than a fact, which can only be late.
func isCommand(e Event) bool {
	switch e.(type) {
	case Result, Note, TimerFired, ChildEnded:
		return false
	default:
		return true
	}
}

//nolint:cyclop // one case for every event
func (t *step) handle(e Event) error {
	switch e := e.(type) {
	case Result:
		return t.result(e)
	case Note:
		return t.note(e)
	case TimerFired:
		return t.timer(e)
	case Callback:
		return t.callback(e)
	case ChildEnded:
		return t.childEnded(e)
	case Pause:
		return t.pause(e)
	case Resume:
		return t.resume(e)
	case Fail:
		return t.fail(e)
	case SetVariables:
		return t.setVariables(e)
	case Reschedule:
		return t.reschedule(e)
	case Rollback:
		return t.rollback(e)
	case Revoke:
		return t.revoke(e)
	case Retry:
		return t.retry(e)
	case Skip:
		return t.skip(e)
	case ForceFail:
		return t.forceFail(e)
	case Resolve:
		return t.resolve(e)
	}
	return t.refuse(CodeInvalid, "", "unknown event %T", e)
}

// emit makes a record, applies it, and keeps it. That a rule of the core emits what
// its own tables refuse is a broken invariant.
func (t *step) emit(node int32, p Payload) {
	r := Record{Seq: t.s.seq + 1, At: t.m.At, Kind: p.kind(), Actor: t.m.Actor, CommandID: t.m.CommandID, Data: p}
	if node >= 0 {
		r.Node = t.g.nodes[node].id
	}
	if err := t.s.apply(&r, node); err != nil {
		panic("engine: " + err.Error())
	}
	t.recs = append(t.recs, r)
}

func (t *step) command(c Command) { t.cmds = append(t.cmds, c) }

// run moves tokens until none can move, then settles the state of the run.
func (t *step) run() {
	for len(t.moves) > 0 && !t.s.state.Ended() {
		n := t.moves[0]
		t.moves = t.moves[1:]
		t.arrive(n)
	}
	t.settle()
}

// settle keeps the run's state true: blocked exactly when only failed or unknown
// nodes, besides those that wait for a human, are left to move.
func (t *step) settle() {
	blocked := t.s.stuck > 0 && t.s.active == 0
	switch {
	case blocked && t.s.state == RunRunning:
		t.emit(-1, RunChanged{From: RunRunning, To: RunBlocked})
	case !blocked && t.s.state == RunBlocked:
		t.emit(-1, RunChanged{From: RunBlocked, To: RunRunning})
	}
}

// endRun ends the run: what still runs or waits is cancelled.
func (t *step) endRun(to RunState, reason string, outputs map[string]json.RawMessage) {
	switch {
	case to == RunSucceeded && t.s.state == RunBlocked: // the step that unblocked it also ended it
		t.emit(-1, RunChanged{From: RunBlocked, To: RunRunning})
	case to != RunSucceeded:
		for _, n := range t.s.busyNodes() {
			t.cancelNode(n)
		}
	}
	t.clearRunTimer()
	t.emit(-1, RunChanged{From: t.s.state, To: to, Reason: reason, Outputs: outputs})
	t.moves = nil
	t.command(Finish{State: to})
}

func (t *step) cancelNode(i int32) {
	n := t.s.nodes[i]
	if n == nil {
		return
	}
	if _, ok := nodeTarget(onCancel, n.state); !ok {
		t.clearTimer(i) // that of an automatic retry
		return
	}
	t.stopCall(i)
	t.emit(i, t.change(i, NodeCancelled))
}

// stopCall asks to stop what the node is doing: its call or its wait.
func (t *step) stopCall(i int32) {
	n := t.s.nodes[i]
	id := t.g.nodes[i].id
	calls := n.state == NodeRunning || n.state == NodeWaiting || n.state == NodeRollingBack
	switch {
	case n.waitsForRun():
		t.command(ControlChild{Run: n.child, Event: Revoke{Reason: revokedWithNode}})
	case t.g.nodes[i].typ == TypeTask && calls:
		t.command(Cancel{Node: id, Epoch: n.epoch, Dispatch: t.s.dispatch(i, false)})
	}
	t.clearTimer(i)
}

// change begins the record of a node's change: where it is now, and where it goes.
func (t *step) change(i int32, to NodeState) NodeChanged {
	n := t.s.nodes[i]
	if n == nil {
		return NodeChanged{To: to}
	}
	return NodeChanged{From: n.state, To: to, Epoch: n.epoch, Iteration: n.iteration, Attempt: n.attempt}
}

func ptr(at time.Time) *time.Time { return &at }
