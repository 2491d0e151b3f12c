package conformance

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/expr/sops"
	"github.com/culmhq/culm/pdk/contract"
)

// observer reads the records of a run as the original would have told the story.
type observer struct {
	w     *world
	nodes map[string]*seen // by id in the tree
	root  engine.RunState
	ended map[string]any // the run's outputs
	// entered counts, by subprocess, how often its inside has begun.
	entered map[string]int
	clock   int // of starts and ends
}

// seen is what is known of one node.
type seen struct {
	state, before    string // before is the state before the node was reached again
	loop, inner      int
	retry            int
	skip, ignored    bool
	data             *data
	pending          json.RawMessage // the inputs of an attempt whose first call runs
	history          []map[string]any
	schedules        []*schedule
	first, ended     int // when it first began and ended, 0 for never
	round            int // of the scope in which it was counted
	held             bool
	attempt, current int
	keptCallbacks    int
}

type data struct{ inputs, outputs map[string]any }

type schedule struct {
	iteration, attempt int
	finished, expired  bool
	kind               string
}

func newObserver(w *world) *observer {
	return &observer{w: w, nodes: map[string]*seen{}, entered: map[string]int{}}
}

func (o *observer) at(path string) (*treeNode, *seen) {
	n := o.w.nodeAt(path)
	if n == nil {
		return nil, nil
	}
	if o.nodes[n.ID] == nil {
		o.nodes[n.ID] = &seen{loop: 1, inner: 1}
	}
	return n, o.nodes[n.ID]
}

// inner is the number of the current round of a node inside its subprocess.
func (o *observer) inner(path string) int {
	_, s := o.at(path)
	return s.inner
}

func (o *observer) fold(rs []engine.Record) {
	for i := range rs {
		o.clock++
		r := &rs[i]
		switch d := r.Data.(type) {
		case engine.RunChanged:
			o.root = d.To
			if d.To == engine.RunSucceeded {
				o.ended = map[string]any{}
				for name, v := range d.Outputs {
					o.ended[name] = value(v)
				}
			}
		case engine.ScopeEntered:
			n, _ := o.at(r.Node)
			o.entered[n.ID]++
		case engine.NodeHeld:
			o.heldChanged(r.Node, d.Held)
		case engine.CallbackKept:
			_, s := o.at(r.Node)
			s.keptCallbacks++
		case engine.NodeLate:
			o.late(r.Node, &d)
		case engine.NodeChanged:
			o.changed(r, &d)
		default:
		}
	}
}

func (o *observer) heldChanged(path string, held bool) {
	_, s := o.at(path)
	if s.held = held; held && s.state == "" {
		s.state = "SUSPENDED"
	} else if !held && s.state == "SUSPENDED" {
		s.state = "READY"
	}
}

// late marks the wait of a node that has failed as expired, when a callback still comes.
func (o *observer) late(path string, d *engine.NodeLate) {
	_, s := o.at(path)
	if s == nil || d.What != "callback" || s.state != "FAILED" || len(s.schedules) == 0 {
		return
	}
	s.schedules[len(s.schedules)-1].expired = true
}

// value reads a JSON value.
func value(raw json.RawMessage) any {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		panic(err)
	}
	return v
}

// changed follows the state of a node.
func (o *observer) changed(r *engine.Record, d *engine.NodeChanged) {
	n, s := o.at(r.Node)
	if n == nil {
		return // the end behind an end that runs code
	}
	o.begins(n, s, d)
	switch d.To {
	case engine.NodeRunning:
		o.runs(n, s, d)
	case engine.NodeWaiting:
		o.called(n, s)
		o.waits(n, s, d)
	case engine.NodeSucceeded:
		o.called(n, s)
		o.succeeded(n, s, d)
	case engine.NodeFailed:
		o.failed(n, s, d)
	case engine.NodeSkipped:
		o.skipped(s, d)
	case engine.NodeReady:
		if d.By == "retry" {
			s.state = "READY"
		}
	case engine.NodeSuspended:
		s.state = "SUSPENDED"
	case engine.NodeCancelled:
		s.cancelled(d)
	case engine.NodeIdle:
		s.state = ""
	case engine.NodeUnknown:
		s.state = "UNKNOWN"
	case engine.NodeRollingBack:
		s.state = "ROLLING_BACK"
	case engine.NodeRolledBack:
		s.state = "ROLL_BACK_SUCCESS"
	case engine.NodeRollbackFailed:
		s.state = "ROLL_BACK_FAILED"
	}
}

// begins notices that a node is entered again, by a loop or a retry.
func (o *observer) begins(n *treeNode, s *seen, d *engine.NodeChanged) {
	if d.Attempt == 0 || d.Iteration == s.current && d.Attempt == s.attempt {
		return
	}
	limit := d.Failure != nil && d.Failure.Code == engine.FailRerunLimit
	switch {
	case s.attempt == 0 || limit:
	case d.Iteration > s.current:
		o.archive(s)
		s.loop, s.retry, s.skip, s.ignored = s.loop+1, 0, false, false
		s.inner++
	default:
		o.archive(s)
		if !o.w.partial {
			s.retry++
		}
		s.skip, s.ignored = false, false
	}
	if owner := o.owner(n); owner != "" && s.round != o.entered[owner] && !limit {
		s.round, s.inner = o.entered[owner], 1
	}
	if d.Repeat > 0 {
		s.inner = d.Repeat
	}
	s.current, s.attempt, s.keptCallbacks = d.Iteration, d.Attempt, 0
	s.before = s.state
	if s.first == 0 {
		s.first = o.clock
	}
}

// owner is the subprocess in which a node is.
func (o *observer) owner(n *treeNode) string {
	for id, sc := range o.w.t.scopes {
		if id != "root" && slices.ContainsFunc(sc.Nodes, func(m treeNode) bool { return m.ID == n.ID }) {
			return id
		}
	}
	return ""
}

// archive writes what a node was and gave into its history.
func (o *observer) archive(s *seen) {
	h := map[string]any{
		"loop": float64(s.loop), "retry": float64(s.retry), "skip": s.skip, "inputs": map[string]any{}, "outputs": map[string]any{},
	}
	if s.data != nil {
		h["inputs"], h["outputs"] = s.data.inputs, s.data.outputs
	}
	s.history = append(s.history, h)
}

func (o *observer) runs(n *treeNode, s *seen, d *engine.NodeChanged) {
	s.state = "RUNNING"
	if d.Reason == contract.ReasonCallback && s.keptCallbacks > 0 {
		s.keptCallbacks--
	}
	if d.Reason != contract.ReasonExecute {
		return
	}
	s.pending = d.Inputs
	if n.Type == "subprocess" {
		s.data = &data{inputs: o.params(n, d.Inputs), outputs: map[string]any{}}
	}
}

// params are the parameters of a subprocess by key.
func (o *observer) params(n *treeNode, inputs json.RawMessage) map[string]any {
	given, out := rawObject(inputs), map[string]any{}
	for key, name := range o.w.t.scopes[n.ID].names {
		if v, ok := given[name]; ok {
			out[key] = v
		}
	}
	return out
}

// called notes the inputs of a node whose first call has ended: the original knows them
// only then.
func (o *observer) called(n *treeNode, s *seen) {
	if s.pending == nil || n.Type != "activity" {
		return
	}
	inputs := rawObject(s.pending)
	inputs["_loop"], inputs["_inner_loop"] = float64(s.loop), float64(s.inner)
	s.data, s.pending = &data{inputs: inputs, outputs: map[string]any{}}, nil
}

func (o *observer) waits(n *treeNode, s *seen, d *engine.NodeChanged) {
	s.state = "RUNNING"
	var k kept
	if err := json.Unmarshal(d.PluginState, &k); err != nil {
		panic(err)
	}
	s.data.outputs = k.Outputs
	if s.wait(d) != nil {
		return
	}
	kind := strings.ToUpper(string(d.Wait.Kind))
	if n.Behavior.text("kind") == "multi_callback" {
		kind = "MULTIPLE_CALLBACK"
	}
	s.schedules = append(s.schedules, &schedule{iteration: d.Iteration, attempt: d.Attempt, kind: kind})
}

func (o *observer) succeeded(n *treeNode, s *seen, d *engine.NodeChanged) {
	s.state, s.ended = "FINISHED", o.firstEnd(s)
	s.finish(d, true)
	switch n.Type {
	case "activity":
		s.data.outputs = o.given(n, s, rawObject(d.Outputs), true)
	case "subprocess":
		given, out := rawObject(d.Outputs), map[string]any{}
		for key, name := range o.w.t.scopes[n.ID].names {
			if v, ok := given[name]; ok {
				out[key] = v
			}
		}
		out["_loop"], out["_inner_loop"] = float64(s.loop), float64(s.inner)
		s.data.outputs = out
	}
}

func (o *observer) firstEnd(s *seen) int {
	if s.ended != 0 {
		return s.ended
	}
	return o.clock
}

// given are the outputs as the original shows them: those of a node that repeats itself
// are packed.
func (o *observer) given(n *treeNode, s *seen, outputs map[string]any, ok bool) map[string]any {
	if n.Options.Loop == nil {
		return outputs
	}
	return map[string]any{"outputs": outputs, "_result": ok, "_loop": float64(s.loop), "_inner_loop": float64(s.inner)}
}

func (o *observer) failed(n *treeNode, s *seen, d *engine.NodeChanged) {
	s.state = "FAILED"
	s.finish(d, false)
	switch {
	case d.By == "force_fail":
		s.forced(d)
		return
	case d.Failure.Code == engine.FailRerunLimit:
		if s.data == nil {
			s.data = &data{inputs: map[string]any{}, outputs: map[string]any{}}
		}
		s.data.outputs = maps.Clone(s.data.outputs)
		s.data.outputs["ex_data"] = d.Failure.Message
		return
	case n.Type != "activity" && n.Type != "end":
		inputs := map[string]any{}
		s.data = &data{inputs: inputs, outputs: map[string]any{"ex_data": d.Failure.Message}}
		return
	case d.From == engine.NodeRunning:
		o.called(n, s)
		out := rawObject(d.Outputs)
		if n.Type == "end" {
			s.data = &data{inputs: map[string]any{}, outputs: map[string]any{"ex_data": out["ex_data"]}}
			return
		}
		s.data.outputs = o.given(n, s, out, false)
		return
	}
	if n.Type == "activity" {
		s.unevaluated(n, d)
	}
}

// forced adds what the original adds to the outputs of a node that an operator fails. A
// poll that was to come finds the node failed.
func (s *seen) forced(d *engine.NodeChanged) {
	if s.data == nil {
		s.data = &data{inputs: map[string]any{}}
	}
	out := maps.Clone(s.data.outputs)
	if out == nil {
		out = map[string]any{}
	}
	out["ex_data"], out["_forced_failed"] = d.Failure.Message, true
	s.data = &data{inputs: s.data.inputs, outputs: out}
	if last := s.wait(d); d.From == engine.NodeWaiting && last != nil && last.kind == "POLL" {
		last.expired = true
	}
}

// unevaluated is a node whose inputs could not be evaluated: the original shows them as
// they are drawn.
func (s *seen) unevaluated(n *treeNode, d *engine.NodeChanged) {
	inputs := map[string]any{}
	for key, v := range n.Inputs {
		if inputs[key] = value(v.Value); v.Type == "lazy" {
			inputs[key] = "${" + sops.Key(key) + "_" + n.ID + "}"
		}
	}
	s.data = &data{inputs: inputs, outputs: map[string]any{
		"ex_data": d.Failure.Message, "_result": false, "_loop": float64(s.loop), "_inner_loop": float64(s.inner),
	}}
}

// cancelled is a node that a revoke ends. One that had not begun has no state in the
// original, and one that was held stays so.
func (s *seen) cancelled(d *engine.NodeChanged) {
	switch d.From {
	case engine.NodeReady:
		s.state = s.before
	case engine.NodeSuspended:
	default:
		s.state = "CANCELLED"
	}
}

func (o *observer) skipped(s *seen, d *engine.NodeChanged) {
	s.state, s.ended = "FINISHED", o.firstEnd(s)
	if d.By != "skip" {
		s.ignored = true
		if last := s.wait(d); last != nil {
			last.finished = true
		}
		return
	}
	o.archive(s)
	s.skip = true
}

// finish ends the wait of an attempt. A callback that was kept and never used comes too
// late now.
func (s *seen) finish(d *engine.NodeChanged, ok bool) {
	last := s.wait(d)
	if last == nil {
		return
	}
	last.finished = ok
	last.expired = last.expired || !ok && s.keptCallbacks > 0
}

// wait returns the wait of an attempt, or nil.
func (s *seen) wait(d *engine.NodeChanged) *schedule {
	if n := len(s.schedules); n > 0 && s.schedules[n-1].iteration == d.Iteration && s.schedules[n-1].attempt == d.Attempt {
		return s.schedules[n-1]
	}
	return nil
}
