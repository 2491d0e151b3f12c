package simulate

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/culmhq/culm/engine"
)

// Outcome is what came of an action of the script.
type Outcome struct {
	// Action is its ordinal in the script, from 0.
	Action int `json:"action"`
	// AtMS is when it was done, in virtual milliseconds from the start.
	AtMS int64  `json:"at_ms"`
	Do   Do     `json:"do"`
	Node string `json:"node,omitempty"`
	// Refused is the code of the core's refusal, Message what it says; empty when the
	// action was accepted.
	Refused engine.Code `json:"refused,omitempty"`
	Message string      `json:"message,omitempty"`
	// Seq is the last record of the run behind it.
	Seq uint64 `json:"seq"`
}

// operators perform the actions of a script.
type operators struct {
	sim     *Simulation
	script  *Script
	paths   *paths
	actor   engine.Actor
	state   []actionState
	due     []time.Time
	outcome []Outcome
	unmet   []Unmet
}

// actionState is how far an action is.
type actionState string

const (
	actionOpen  actionState = ""      // its condition has not held yet
	actionTimed actionState = "timed" // it is done when the clock is there
	actionDone  actionState = "done"
)

func newOperators(sim *Simulation, s *Script, p *paths, actor engine.Actor) *operators {
	o := &operators{
		sim: sim, script: s, paths: p, actor: actor, state: make([]actionState, len(s.Actions)), due: make([]time.Time, len(s.Actions)),
	}
	for i := range s.Actions {
		if a := &s.Actions[i]; a.When == nil {
			o.state[i], o.due[i] = actionTimed, sim.c.Begin.Add(a.At.or(0)+a.After.or(0))
		}
	}
	return o
}

// conditions performs the first action whose condition holds now, and reports whether
// there was one. What it does may change which conditions hold.
func (o *operators) conditions(ctx context.Context) (bool, error) {
	for i := range o.script.Actions {
		a := &o.script.Actions[i]
		if o.state[i] != actionOpen || !o.holds(a) {
			continue
		}
		if d := a.After.or(0); d > 0 {
			o.state[i], o.due[i] = actionTimed, o.sim.now.Add(d)
			return true, nil
		}
		return true, o.perform(ctx, i)
	}
	return false, nil
}

// next returns the action that the clock reaches first.
func (o *operators) next() (int, time.Time, bool) {
	first := -1
	for i := range o.state {
		if o.state[i] == actionTimed && (first < 0 || o.due[i].Before(o.due[first])) {
			first = i
		}
	}
	if first < 0 {
		return 0, time.Time{}, false
	}
	return first, o.due[first], true
}

// holds reports whether everything that a condition asks for is so.
func (o *operators) holds(a *Action) bool {
	w := a.When
	if w.Node != "" {
		at, ok := o.paths.find(w.Node)
		if !ok {
			return false
		}
		r := o.sim.byPath[at.run]
		if r == nil {
			return false
		}
		n := r.nodes[at.id]
		if n.state != w.State || w.Attempt != 0 && n.attempt != w.Attempt || w.Iteration != nil && n.iteration != *w.Iteration {
			return false
		}
	}
	if w.Run != "" {
		if r := o.sim.byPath[a.In]; r == nil || r.runState != w.Run {
			return false
		}
	}
	if w.Idle {
		if _, busy := o.sim.Next(); busy {
			return false
		}
	}
	return true
}

// perform does an action and notes what came of it.
func (o *operators) perform(ctx context.Context, i int) error {
	a := &o.script.Actions[i]
	o.state[i] = actionDone
	if err := o.sim.Wait(ctx, o.due[i]); err != nil {
		return err
	}
	path, node := a.In, o.target(a)
	if node != "" {
		at, _ := o.paths.find(node)
		path = at.run
	}
	m := engine.Meta{Actor: o.actor, CommandID: a.ID, ExpectedSeq: a.ExpectedSeq}
	if a.ID == "" {
		m.CommandID = "action-" + strconv.Itoa(i)
	}
	if a.Actor != "" {
		m.Actor = engine.Actor{ID: a.Actor}
	}
	out := Outcome{Action: i, AtMS: o.sim.elapsed(o.sim.now).Milliseconds(), Do: a.Do, Node: node}
	err := o.sim.Command(path, m, o.event(a))
	var refusal *engine.Error
	if err != nil && !errors.As(err, &refusal) {
		return err
	}
	if refusal != nil {
		out.Refused, out.Message = refusal.Code, refusal.Message
	}
	if rs := o.sim.Records(path); len(rs) > 0 {
		out.Seq = rs[len(rs)-1].Seq
	}
	o.outcome = append(o.outcome, out)
	if out.Refused != a.Refused {
		u := Unmet{Pointer: "/actions/" + strconv.Itoa(i), What: "the action " + string(a.Do), Want: "accepted", Got: "accepted", Detail: out.Message}
		if a.Refused != "" {
			u.Want = "refused: " + string(a.Refused)
		}
		if out.Refused != "" {
			u.Got = "refused: " + string(out.Refused)
		}
		o.unmet = append(o.unmet, u)
	}
	return nil
}

// target is the path of the node that an action means, or empty.
func (o *operators) target(a *Action) string {
	if a.Node == "" && a.When != nil && a.Do.node() == nodeNeeded {
		return a.When.Node
	}
	return a.Node
}

// local is the id of a node in the run it belongs to.
func (o *operators) local(path string) string {
	at, _ := o.paths.find(path)
	return at.id
}

// event makes the event of an action.
func (o *operators) event(a *Action) engine.Event {
	node := ""
	if path := o.target(a); path != "" {
		node = o.local(path)
	}
	switch a.Do {
	case DoPause:
		return engine.Pause{Node: node}
	case DoResume:
		return engine.Resume{Node: node}
	case DoRetry:
		return engine.Retry{Node: node, Inputs: a.Inputs, Part: a.Part}
	case DoSkip:
		return engine.Skip{Node: node, Edges: a.Edges, Part: a.Part}
	case DoForceFail:
		return engine.ForceFail{Node: node, Reason: a.Reason}
	case DoResolve:
		return engine.Resolve{Node: node, As: a.As, Outputs: a.Outputs}
	case DoCallback:
		return engine.Callback{Node: node, Attempt: a.Attempt, Iteration: a.Iteration, Data: a.Data}
	case DoRevoke:
		return engine.Revoke{Reason: a.Reason}
	case DoFail:
		return engine.Fail{Reason: a.Reason}
	case DoSetVariables:
		return engine.SetVariables{Scope: a.Scope, Values: a.Values}
	case DoReschedule:
		return engine.Reschedule{Node: node, At: o.sim.now.Add(a.Delay.or(0))}
	case DoRollback:
		return engine.Rollback{From: o.local(a.From), To: o.local(a.To), Mode: a.Mode}
	}
	return nil
}

// unused lists the pointers of the actions that were not done.
func (o *operators) unused() []string {
	var out []string
	for i, s := range o.state {
		if s != actionDone {
			out = append(out, "/actions/"+strconv.Itoa(i))
		}
	}
	return out
}

// nodeUse says whether an action is about a node.
type nodeUse int

const (
	nodeNone nodeUse = iota
	nodeAllowed
	nodeNeeded
)

// node says whether an action is about a node.
func (d Do) node() nodeUse {
	switch d {
	case DoRetry, DoSkip, DoForceFail, DoResolve, DoCallback, DoReschedule:
		return nodeNeeded
	case DoPause, DoResume:
		return nodeAllowed
	case DoRevoke, DoFail, DoSetVariables, DoRollback:
	}
	return nodeNone
}
