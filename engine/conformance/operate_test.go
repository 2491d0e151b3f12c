package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/culmhq/culm/engine"
)

// outcome is what came of an operation, in the words of the cases.
type outcome struct {
	op, target string
	t          float64
	err        error
	states     map[string]string // of a checkpoint
}

// operate lets the run go on, and does what operators do when it is time for it.
func (w *world) operate(ops []operation) ([]outcome, error) {
	var out []outcome
	for i := range ops {
		op := &ops[i]
		due, err := w.waitFor(op)
		if err != nil || !due {
			return out, err
		}
		o := outcome{op: op.Op, target: op.Target, t: w.now.Seconds()}
		if op.Op == "checkpoint" {
			o.states = w.watch.checkpoint()
		} else {
			o.err = w.act(op)
		}
		out = append(out, o)
	}
	return out, w.idle()
}

// waitFor lets the run go on until an operation is due. It returns false when that never
// comes.
func (w *world) waitFor(op *operation) (bool, error) {
	if at, ok := op.When["time"]; ok {
		var seconds float64
		if err := json.Unmarshal(at, &seconds); err != nil {
			return false, err
		}
		return true, w.until(time.Duration(seconds * float64(time.Second)))
	}
	if _, ok := op.When["idle"]; ok {
		return true, w.idle()
	}
	if _, ok := op.When["now"]; ok {
		return true, nil
	}
	wanted, err := op.states()
	if err != nil {
		return false, err
	}
	for {
		have := w.watch.checkpoint()
		missing := slices.ContainsFunc(slices.Collect(maps.Keys(wanted)), func(id string) bool { return have[id] != wanted[id] })
		if !missing {
			return true, nil
		}
		if more, err := w.turn(); err != nil || !more {
			return false, err
		}
	}
}

// states are the states of nodes for which an operation waits.
func (op *operation) states() (map[string]string, error) {
	if raw, ok := op.When["states"]; ok {
		var states map[string]string
		return states, json.Unmarshal(raw, &states)
	}
	var one struct{ Node, Is string }
	raw, ok := op.When["state"]
	if !ok {
		return nil, fmt.Errorf("unknown condition %v", op.When)
	}
	err := json.Unmarshal(raw, &one)
	return map[string]string{one.Node: one.Is}, err
}

var errMisused = errors.New("the operation is not for nodes of this type")

// act does one operation. The original has several names for some of Culm's commands,
// each for nodes of one type.
func (w *world) act(op *operation) error {
	e, err := w.command(op)
	if err != nil {
		return err
	}
	w.partial = op.Args.LoopRetry
	defer func() { w.partial = false }()
	before := len(w.records)
	if err := w.step(w.meta(), e); err != nil {
		return err
	}
	// A callback for what is over is recorded as late, and changes nothing.
	for _, r := range w.records[before:] {
		if _, late := r.Data.(engine.NodeLate); late && w.watch.nodes[op.Target].state != "FAILED" {
			return fmt.Errorf("late: %w", errLate)
		}
	}
	return nil
}

var errLate = errors.New("it changed nothing")

func (w *world) command(op *operation) (engine.Event, error) {
	n, node := w.t.node[op.Target], w.t.path[op.Target]
	typ := ""
	if n != nil {
		typ = n.Type
	}
	switch op.Op {
	case "pause_pipeline":
		if typ != "" && w.watch.checkpoint()[op.Target] != "RUNNING" {
			return nil, errMisused // Culm would hold the node itself
		}
		return engine.Pause{Node: node}, nil
	case "resume_pipeline":
		if typ != "" && w.watch.checkpoint()[op.Target] != "SUSPENDED" {
			return nil, errMisused
		}
		return engine.Resume{Node: node}, nil
	case "revoke_pipeline":
		if typ != "" {
			return nil, errMisused // only a run can be revoked
		}
		return engine.Revoke{}, nil
	case "pause_node", "resume_node":
		if typ == "subprocess" {
			return nil, errMisused
		}
		if op.Op == "pause_node" {
			return engine.Pause{Node: node}, nil
		}
		return engine.Resume{Node: node}, nil
	case "retry_node", "retry_subprocess":
		if op.Op == "retry_subprocess" && typ != "subprocess" {
			return nil, errMisused
		}
		return w.retry(op, n, node)
	case "skip_node":
		e := engine.Skip{Node: node}
		if op.Args.LoopSkip {
			e.Part = engine.RepeatedIteration
		}
		return e, nil
	case "skip_exclusive_gateway":
		if typ != "exclusive" {
			return nil, errMisused
		}
		return engine.Skip{Node: node, Edges: []string{w.t.edge[op.Args.Flow]}}, nil
	case "skip_conditional_parallel_gateway":
		if typ != "conditional_parallel" {
			return nil, errMisused
		}
		e := engine.Skip{Node: node}
		for _, f := range op.Args.Flows {
			e.Edges = append(e.Edges, w.t.edge[f])
		}
		return e, nil
	case "forced_fail":
		if typ != "activity" {
			return nil, errMisused
		}
		return engine.ForceFail{Node: node, Reason: op.Args.ExData}, nil
	case "callback":
		return w.callback(op, node)
	}
	return nil, fmt.Errorf("unknown operation %q", op.Op)
}

// retry replaces all inputs when the operation brings some, as the original does. They
// are templates like drawn ones.
func (w *world) retry(op *operation, n *treeNode, node string) (engine.Event, error) {
	e := engine.Retry{Node: node}
	if op.Args.LoopRetry {
		e.Part = engine.RepeatedIteration
	}
	if op.Args.Inputs == nil || n == nil {
		return e, nil
	}
	sc := w.t.scopes["root"]
	if owner := w.watch.owner(n); owner != "" {
		sc = w.t.scopes[owner]
	}
	e.Only, e.Inputs = true, map[string]json.RawMessage{}
	for key, v := range op.Args.Inputs {
		e.Inputs[key], _ = sc.t.Value(v)
	}
	return e, nil
}

// callback calls a node back. A version that is not the current one is that of another
// attempt.
func (w *world) callback(op *operation, node string) (engine.Event, error) {
	e := engine.Callback{Node: node, Data: op.Args.Data}
	s := w.watch.nodes[op.Target]
	if s == nil {
		return nil, fmt.Errorf("the node was not reached: %w", errLate)
	}
	var version any
	if len(op.Args.Version) > 0 {
		version = value(op.Args.Version)
	}
	if version != nil && version != "current" && version != "" {
		e.Attempt, e.Iteration = s.attempt+1, s.current
	}
	return e, nil
}

// checkpoint are the states as the original shows them.
func (o *observer) checkpoint() map[string]string {
	out := map[string]string{"root": rootState(o.root)}
	for id, s := range o.nodes {
		if s.state != "" {
			out[id] = s.state
		}
	}
	return out
}

// rootState is a run's state as the original calls it. It does not tell a run that is
// blocked from one that runs.
func rootState(s engine.RunState) string {
	switch s {
	case engine.RunCreated, engine.RunRunning, engine.RunBlocked:
		return "RUNNING"
	case engine.RunSuspended:
		return "SUSPENDED"
	case engine.RunSucceeded:
		return "FINISHED"
	case engine.RunFailed:
		return "FAILED"
	case engine.RunRevoked:
		return "REVOKED"
	}
	return string(s)
}
