package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// CodeChildStart is the code of the failure of an independent subflow node whose run
// could not be started.
const CodeChildStart = "CHILD_NOT_STARTED"

// startChild starts the run of an independent subflow node, or lets the script say how
// it ends.
func (s *Simulation) startChild(r *run, c engine.StartChild) error {
	path, at := join(r.path, c.Node), r.nodes[c.Node]
	call := ChildCall{StartChild: c, Path: path, Now: s.now, Iteration: at.iteration, Attempt: at.attempt}
	if reply, ok := s.c.Plugins.Child(call); ok {
		s.scriptedChild(r, c, reply)
		return nil
	}
	if len(s.runs) >= s.c.Limits.Runs {
		return &Error{Code: CodeRuns, Message: fmt.Sprintf("more than %d runs", s.c.Limits.Runs)}
	}
	g, err := s.childGraph(&c)
	if err == nil {
		child := &run{path: path, graph: g, parent: r, node: c.Node, epoch: c.Epoch}
		err = s.start(child, engine.Meta{At: s.now, Actor: s.c.Operator}, s.childOptions(r, c, g))
	}
	var refusal *engine.Error
	var own *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own) && own.Code != CodeFlow:
		return err
	case errors.As(err, &refusal), errors.As(err, &own):
		return s.fact(r, engine.ChildEnded{Node: c.Node, Epoch: c.Epoch, Failure: &contract.Failure{
			Code: CodeChildStart, Message: err.Error(), Origin: contract.OriginFlow,
		}})
	}
	return err
}

func (s *Simulation) childOptions(r *run, c engine.StartChild, g *engine.Graph) engine.StartOptions {
	parent := c.Parent
	return engine.StartOptions{
		Run: c.Run, Name: s.c.Start.Name + " / " + c.Node, Project: s.c.Start.Project, Flow: c.Flow, Version: c.Version,
		Digest: g.Digest(), Plugins: s.c.Start.Plugins, Env: s.c.Start.Env, Zone: s.c.Start.Zone, Parent: &parent, Inputs: c.Inputs,
	}
}

// scriptedChild queues the end of a run that is not simulated. It answers like a call,
// so that a control of the parent can end it.
func (s *Simulation) scriptedChild(r *run, c engine.StartChild, reply ChildReply) {
	child := &run{id: c.Run, parent: r, node: c.Node, epoch: c.Epoch}
	s.byID[c.Run] = child
	s.queue.add(s.now.Add(reply.After), func() error {
		if child.ended {
			return nil
		}
		child.ended = true
		e := engine.ChildEnded{Node: c.Node, Epoch: c.Epoch, Run: c.Run, State: reply.State, Failure: reply.Failure}
		if len(reply.Outputs) > 0 {
			if err := json.Unmarshal(reply.Outputs, &e.Outputs); err != nil {
				return &Error{Code: CodeScript, Message: "the outputs of a child run are not an object", Cause: err}
			}
		}
		return s.fact(r, e)
	})
}

// controlChild passes a control of the parent on. A run that is in that state already,
// or has ended, is not concerned.
func (s *Simulation) controlChild(c engine.ControlChild) error {
	r := s.byID[c.Run]
	if r == nil || r.ended {
		return nil
	}
	if r.graph == nil { // it is not simulated: only its end matters
		if _, revoke := c.Event.(engine.Revoke); revoke {
			r.ended = true
		}
		return nil
	}
	err := s.apply(r, engine.Meta{At: s.now, Actor: s.c.Operator}, c.Event)
	var refusal *engine.Error
	if errors.As(err, &refusal) && (refusal.Code == engine.CodeWrongState || refusal.Code == engine.CodeEnded) {
		return nil
	}
	return err
}

// finish tells the parent of a run how it ended.
func (s *Simulation) finish(r *run, state engine.RunState) {
	r.ended = true
	for _, p := range r.calls {
		if !p.late {
			p.drop()
		}
	}
	for _, p := range r.timers {
		p.drop()
	}
	if r.parent == nil {
		return
	}
	s.queue.add(s.now, func() error {
		// Why it did not succeed is in its own records; the core says the rest.
		view := r.state.View()
		return s.fact(r.parent, engine.ChildEnded{Node: r.node, Epoch: r.epoch, Run: r.id, State: state, Outputs: view.Outputs})
	})
}

// childGraph compiles the flow that an independent subflow node names.
func (s *Simulation) childGraph(c *engine.StartChild) (*engine.Graph, error) {
	key := c.Reference + "\x00" + strings.Join(c.Schemes, "\x00")
	if g := s.graphs[key]; g != nil {
		return g, nil
	}
	child, ok := engine.ChildDocument(s.c.Graph.Flow(), c.Reference, c.Schemes...)
	if !ok {
		return nil, &Error{Code: CodeFlow, Message: fmt.Sprintf("the flow %q is not in the document", c.Reference)}
	}
	g, problems := engine.Compile(child, s.c.Catalogue)
	if g == nil {
		return nil, &Error{Code: CodeFlow, Message: fmt.Sprintf("the flow %q has problems", c.Reference), Problems: problems}
	}
	s.graphs[key] = g
	return g, nil
}
