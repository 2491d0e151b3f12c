package simulate

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/culmhq/culm/engine"
)

// Request asks for the simulation of a flow.
type Request struct {
	Flow      *engine.Flow
	Catalogue engine.Catalogue
	// Script may be nil: every node succeeds with example outputs.
	Script *Script
	// Options are those of the run; the script's inputs, variables of the project and
	// start options go over them. Run and Name have defaults.
	Options engine.StartOptions
	// Limits bound the simulation; a zero field takes that of DefaultLimits. A script
	// lowers them, and never raises them.
	Limits Limits
}

// Report is what came of a simulation.
type Report struct {
	// State is the last state of the run. A run that has not ended waits for somebody, or
	// was stopped by a limit.
	State engine.RunState `json:"state"`
	// Begin is the virtual instant of the start, ElapsedMS the virtual milliseconds from
	// there to the end of the run, or to the last thing that happened.
	Begin     time.Time `json:"begin"`
	ElapsedMS int64     `json:"elapsed_ms"`
	// Run is what the outside sees of the run at the end.
	Run engine.RunView `json:"run"`
	// Children are the runs of independent subflows that were simulated, in order of
	// their start.
	Children []ChildResult `json:"children,omitempty"`
	// Timeline holds every attempt of every node, in order of its start.
	Timeline []Span `json:"timeline"`
	// Gaps are the stretches in which nothing ran.
	Gaps []Gap `json:"gaps,omitempty"`
	// Actions are what came of the actions of the script, in the order in which they were
	// done.
	Actions []Outcome `json:"actions,omitempty"`
	// Unmet are the expectations of the script that were not met.
	Unmet []Unmet `json:"unmet,omitempty"`
	// Unused are the JSON Pointers of the results and actions that the run did not need.
	Unused []string `json:"unused,omitempty"`
	// Stopped is the limit that stopped the simulation, absent when none did.
	Stopped *Error `json:"stopped,omitempty"`
	// Records are the history of the run.
	Records []engine.Record `json:"records,omitempty"`
}

// ChildResult is the run of an independent subflow.
type ChildResult struct {
	// Path is that of the node that started it, from the outermost run.
	Path    string          `json:"path"`
	Run     engine.RunView  `json:"run"`
	Records []engine.Record `json:"records,omitempty"`
}

// WithoutRecords is the report without histories, which are most of its size.
func (r *Report) WithoutRecords() Report {
	out := *r
	out.Records = nil
	out.Children = slices.Clone(r.Children)
	for i := range out.Children {
		out.Children[i].Records = nil
	}
	return out
}

// Run simulates a flow until nothing more happens by itself and no action is left that
// could be done. The error is an *Error; a simulation that a limit stopped has a report
// besides, which says so too. Run holds every history against engine.CheckHistory.
func Run(ctx context.Context, q Request) (*Report, error) {
	if err := ctx.Err(); err != nil {
		return nil, stopped(err)
	}
	script := q.Script
	if script == nil {
		script = &Script{Format: ScriptFormat}
	}
	// A script is held against the whole flow: it may tell of nodes that are left out.
	if ps := script.Problems(q.Flow, q.Catalogue); len(ps) > 0 {
		return nil, scriptError(ps...)
	}
	flow, err := reduced(q.Flow, script.Start)
	if err != nil {
		return nil, err
	}
	graph, problems := engine.Compile(flow, q.Catalogue)
	if graph == nil {
		return nil, &Error{Code: CodeFlow, Message: "the flow has problems", Problems: problems}
	}
	answers := newScripted(script, q.Catalogue)
	sim, err := New(config(q, script, graph, answers))
	if err != nil {
		return nil, inScript(err)
	}
	p := newPaths(q.Flow)
	ops := newOperators(sim, script, p, sim.c.Operator)
	err = play(ctx, sim, ops)
	var stop *Error
	if err != nil && (!errors.As(err, &stop) || !stop.Limit()) {
		return nil, err
	}
	r := report(sim, ops, answers, p)
	if err := sim.Check(); err != nil {
		return nil, err
	}
	if stop != nil {
		r.Stopped = stop
		return r, stop
	}
	return r, nil
}

// inScript says where in a script the core's refusal to start is.
func inScript(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Field == "/start_at" {
		own := *e
		own.Field = "/start/at"
		return &own
	}
	return err
}

// config puts the script over the options of a request.
func config(q Request, script *Script, graph *engine.Graph, answers Plugins) Config {
	o := q.Options
	start := script.Start
	if start == nil {
		start = &Start{}
	}
	operator := first(start.Operator, "operator")
	o.Run, o.Name = first(o.Run, "simulation"), first(start.Name, o.Name, "simulation")
	o.Project, o.Zone = first(o.Project, "simulation"), first(o.Zone, "UTC")
	o.Flow, o.Digest = first(o.Flow, q.Flow.ID), first(o.Digest, graph.Digest())
	o.StartAt = first(start.At, o.StartAt)
	if script.Inputs != nil {
		o.Inputs = script.Inputs
	}
	o.Inputs = withoutSecrets(q.Flow, o.Inputs)
	if script.Env != nil {
		o.Env = script.Env
	}
	begin, _ := time.Parse(time.RFC3339, first(script.Begin, DefaultBegin)) // Problems refuses what cannot be read
	limits := q.Limits.orDefault()
	if l := script.Limits; l != nil {
		limits.VirtualTime = min(limits.VirtualTime, l.VirtualTime.or(limits.VirtualTime))
		if l.Steps > 0 {
			limits.Steps = min(limits.Steps, l.Steps)
		}
	}
	return Config{
		Graph: graph, Catalogue: q.Catalogue, Plugins: answers, Begin: begin.UTC(), Start: o,
		Operator: engine.Actor{ID: operator}, Limits: limits,
	}
}

// play lets things happen and operators act until neither is left.
func play(ctx context.Context, sim *Simulation, ops *operators) error {
	for {
		if acted, err := ops.conditions(ctx); err != nil || acted {
			if err != nil {
				return err
			}
			continue
		}
		i, due, timed := ops.next()
		at, busy := sim.Next()
		switch {
		case timed && (!busy || due.Before(at)):
			if err := ops.perform(ctx, i); err != nil {
				return err
			}
		case busy:
			if _, err := sim.Step(ctx); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// report tells what came of a simulation.
func report(sim *Simulation, ops *operators, answers *scripted, p *paths) *Report {
	root := sim.runs[0]
	view := root.state.View()
	end := sim.now
	if view.EndedAt != nil {
		end = *view.EndedAt
	}
	elapsed := sim.elapsed(end)
	r := &Report{
		State: view.State, Begin: sim.c.Begin, ElapsedMS: elapsed.Milliseconds(), Run: view,
		Timeline: sim.timelineOf(p, end), Actions: ops.outcome, Unmet: ops.unmet, Records: root.records,
	}
	for _, c := range sim.runs[1:] {
		r.Children = append(r.Children, ChildResult{Path: c.path, Run: c.state.View(), Records: c.records})
	}
	r.Gaps = gaps(r.Timeline, r.ElapsedMS)
	if e := ops.script.Expect; e != nil {
		j := &judge{sim: sim, paths: p, spans: r.Timeline, views: map[string]engine.RunView{"": view}}
		j.expect(e, elapsed)
		r.Unmet = append(r.Unmet, j.unmet...)
	}
	r.Unused = append(answers.unused(), ops.unused()...)
	return r
}

// first returns the first text that is not empty, or "".
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
