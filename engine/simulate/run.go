package simulate

import (
	"errors"
	"fmt"
	"time"

	"github.com/culmhq/culm/engine"
)

// run is one run of a simulation.
type run struct {
	// path is that of the independent subflow node that started it, from the outermost
	// run; empty for that one.
	path  string
	id    string
	graph *engine.Graph
	state *engine.State
	// records are its history.
	records []engine.Record
	// parent, node and epoch say whom its end is told; nil for the outermost.
	parent *run
	node   string
	epoch  uint64
	ended  bool
	// calls are those under way, timers those set, by node.
	calls  map[callKey]*pending
	timers map[string]*pending
	// nodes and runState follow the records, so that conditions are looked up cheaply.
	nodes    map[string]nodeStatus
	runState engine.RunState
}

// callKey names a call: a node may have an old one that was cancelled and answers late.
type callKey struct {
	node  string
	epoch uint64
}

// pending is a call or timer with its entries in the queue.
type pending struct {
	epoch   uint64
	late    bool
	entries []*entry
}

func (p *pending) drop() {
	for _, e := range p.entries {
		e.dropped = true
	}
}

// nodeStatus is where a node is.
type nodeStatus struct {
	state              engine.NodeState
	iteration, attempt int
}

// start starts a run and performs what the core asks for.
func (s *Simulation) start(r *run, m engine.Meta, o engine.StartOptions) error {
	r.id, r.calls, r.timers, r.nodes = o.Run, map[callKey]*pending{}, map[string]*pending{}, map[string]nodeStatus{}
	state, rs, cmds, err := engine.Start(r.graph, m, o)
	if err != nil {
		return err
	}
	r.state = state
	s.runs = append(s.runs, r)
	s.byPath[r.path], s.byID[r.id] = r, r
	return s.took(r, rs, cmds)
}

// apply gives one event to a run and performs what the core asks for.
func (s *Simulation) apply(r *run, m engine.Meta, e engine.Event) error {
	rs, cmds, err := engine.Step(r.graph, r.state, m, e)
	if err != nil {
		return err
	}
	return s.took(r, rs, cmds)
}

// fact gives a run an event that the core may not refuse.
func (s *Simulation) fact(r *run, e engine.Event) error {
	err := s.apply(r, engine.Meta{At: s.now, Actor: engine.Actor{ID: "host"}}, e)
	var refusal *engine.Error
	if errors.As(err, &refusal) {
		return &Error{Code: CodeInternal, Message: fmt.Sprintf("the core refused %T: %v", e, refusal), Cause: err}
	}
	return err
}

// took keeps the records of a step and performs its commands, in order.
func (s *Simulation) took(r *run, rs []engine.Record, cmds []engine.Command) error {
	if s.steps++; s.steps > s.c.Limits.Steps {
		return &Error{Code: CodeSteps, Message: fmt.Sprintf("more than %d steps", s.c.Limits.Steps)}
	}
	for i := range rs {
		s.encoded = engine.AppendRecord(s.encoded[:0], rs[i])
		s.bytes += len(s.encoded)
		r.follow(&rs[i])
	}
	r.records = append(r.records, rs...)
	if s.bytes > s.c.Limits.RecordBytes {
		return &Error{Code: CodeRecordBytes, Message: fmt.Sprintf("the records are larger than %d bytes", s.c.Limits.RecordBytes)}
	}
	for _, c := range cmds {
		if err := s.perform(r, c); err != nil {
			return err
		}
	}
	return nil
}

// follow keeps what conditions look at.
func (r *run) follow(rec *engine.Record) {
	switch d := rec.Data.(type) {
	case engine.NodeChanged:
		r.nodes[rec.Node] = nodeStatus{state: d.To, iteration: d.Iteration, attempt: d.Attempt}
	case engine.RunChanged:
		r.runState = d.To
	default:
	}
}

// perform does one thing that the core asks for.
func (s *Simulation) perform(r *run, c engine.Command) error {
	switch c := c.(type) {
	case engine.Dispatch:
		s.dispatch(r, c)
	case engine.Cancel:
		key := callKey{c.Node, c.Epoch}
		if p := r.calls[key]; p != nil && !p.late {
			p.drop()
			delete(r.calls, key)
		}
	case engine.SetTimer:
		s.setTimer(r, c)
	case engine.ClearTimer:
		if p := r.timers[c.Node]; p != nil && p.epoch == c.Epoch {
			p.drop()
			delete(r.timers, c.Node)
		}
	case engine.StartChild:
		s.queue.add(s.now, func() error { return s.startChild(r, c) })
	case engine.ControlChild:
		s.queue.add(s.now, func() error { return s.controlChild(c) })
	case engine.Finish:
		s.finish(r, c.State)
	default:
		return &Error{Code: CodeInternal, Message: fmt.Sprintf("unknown command %T", c)}
	}
	return nil
}

// dispatch makes a call: what it says and how it ends is queued.
func (s *Simulation) dispatch(r *run, d engine.Dispatch) {
	reply := s.c.Plugins.Call(Call{Dispatch: d, Path: join(r.path, d.Node), Now: s.now})
	key, p := callKey{d.Node, d.Epoch}, &pending{epoch: d.Epoch, late: reply.Late}
	r.calls[key] = p
	for _, n := range reply.Notes {
		at := s.now.Add(min(n.After, reply.After))
		p.entries = append(p.entries, s.queue.add(at, func() error {
			for i := range n.Log {
				n.Log[i].At = at
			}
			return s.fact(r, engine.Note{Node: d.Node, Epoch: d.Epoch, Log: n.Log, Progress: n.Progress})
		}))
	}
	p.entries = append(p.entries, s.queue.add(s.now.Add(reply.After), func() error {
		delete(r.calls, key)
		return s.fact(r, engine.Result{Node: d.Node, Epoch: d.Epoch, Answer: reply.Answer, Unknown: reply.Unknown})
	}))
}

// setTimer sets the one timer of a node, or that of the run.
func (s *Simulation) setTimer(r *run, c engine.SetTimer) {
	if old := r.timers[c.Node]; old != nil {
		old.drop()
	}
	p := &pending{epoch: c.Epoch}
	r.timers[c.Node] = p
	at := c.Due
	if at.Before(s.now) {
		at = s.now
	}
	p.entries = []*entry{s.queue.add(at, func() error {
		if r.timers[c.Node] == p {
			delete(r.timers, c.Node)
		}
		return s.fact(r, engine.TimerFired{Node: c.Node, Epoch: c.Epoch})
	})}
}

// join puts the path of a run in front of a node of it.
func join(path, node string) string {
	if path == "" {
		return node
	}
	return path + "." + node
}

// elapsed is the virtual time since the start.
func (s *Simulation) elapsed(at time.Time) time.Duration { return at.Sub(s.c.Begin) }
