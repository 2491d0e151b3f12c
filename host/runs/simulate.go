package runs

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
)

// The limits of a simulation; one that reaches them stops, and its report says so.
const (
	// SimulateWallMax bounds the real time that it takes.
	SimulateWallMax = 10 * time.Second
	// SimulateAtOnceMax is how many are under way at the same time; further ones wait.
	SimulateAtOnceMax = 2
	// SimulateVirtualMax bounds its virtual time.
	SimulateVirtualMax = 366 * 24 * time.Hour
	// SimulateStepsMax bounds the events that the engine is given.
	SimulateStepsMax = 50_000
	// SimulateRunsMax bounds the runs: the run itself and those of independent subflows.
	SimulateRunsMax = 100
	// SimulateBytesMax bounds the records of all runs together.
	SimulateBytesMax = 8 << 20
)

// SimulateRequest asks for a simulation.
type SimulateRequest struct {
	Project, Flow string
	// Document is what is simulated; nil means a stored one: Version, or the draft when
	// that is zero.
	Document *engine.Flow
	Version  int
	// Script may be nil: every node succeeds with example outputs.
	Script *simulate.Script
	// Records adds the histories to the report.
	Records bool
}

// Simulate runs a flow in virtual time, with the project's variables and subflows and
// with answers from a script. It calls no plugin and stores nothing. A flow that cannot
// run and a script that does not fit it give a fault.Invalid with Problems; the fields of
// those of the script begin with "/script".
func (s *Service) Simulate(ctx context.Context, r SimulateRequest) (simulate.Report, error) {
	project, err := s.o.Projects.Get(ctx, r.Project)
	if err != nil {
		return simulate.Report{}, err
	}
	f, err := s.simulated(ctx, r)
	if err != nil {
		return simulate.Report{}, err
	}
	if r.Script != nil {
		if err := s.checkInputs(f, r.Script.Inputs); err != nil {
			return simulate.Report{}, inScript(err)
		}
	}
	select {
	case s.simulations <- struct{}{}:
		defer func() { <-s.simulations }()
	case <-ctx.Done():
		return simulate.Report{}, &fault.Error{Code: fault.Stopping, Message: "too many simulations are under way: try again", Reason: "SIMULATIONS_BUSY", Cause: ctx.Err()}
	}
	pinned := pins(f, s.o.Catalogue)
	ctx, cancel := context.WithTimeout(ctx, SimulateWallMax)
	defer cancel()
	report, err := simulate.Run(ctx, simulate.Request{
		Flow: f, Catalogue: s.o.Catalogue.Pinned(pinned), Script: r.Script,
		Options: engine.StartOptions{
			Project: r.Project, Flow: r.Flow, Version: r.Version, Plugins: pinned, Env: project.Env, Zone: project.Zone,
		},
		Limits: simulate.Limits{
			Steps: SimulateStepsMax, VirtualTime: SimulateVirtualMax, Runs: SimulateRunsMax, RecordBytes: SimulateBytesMax,
		},
	})
	if report == nil {
		return simulate.Report{}, simulationFault(err)
	}
	if !r.Records {
		return report.WithoutRecords(), nil
	}
	return *report, nil
}

// simulated finds the flow to simulate, complete with its subflows. One with problems is
// a fault.Invalid.
func (s *Service) simulated(ctx context.Context, r SimulateRequest) (*engine.Flow, error) {
	f := r.Document
	switch {
	case f != nil && r.Version != 0:
		return nil, fault.At("/version", "give a document or a version, not both").Because("DOCUMENT_OR_VERSION")
	case f == nil && r.Version == 0:
		d, err := s.o.Flows.Get(ctx, r.Project, r.Flow)
		if err != nil {
			return nil, err
		}
		f = d.Document
	case f == nil:
		v, err := s.o.Flows.Version(ctx, r.Project, r.Flow, r.Version)
		if err != nil {
			return nil, err
		}
		f = new(engine.Flow)
		if err := json.Unmarshal(v.Document, f); err != nil {
			return nil, fault.Wrap("read flow version", err)
		}
	}
	problems, err := s.o.Flows.Validate(ctx, r.Project, f)
	if err != nil {
		return nil, err
	}
	if flows.Errors(problems) {
		e := fault.New(fault.Invalid, "the flow has problems").Because("FLOW_PROBLEMS")
		e.Problems = problems
		return nil, e
	}
	resolved, err := s.o.Flows.Resolve(ctx, r.Project, f)
	if err != nil {
		return nil, err
	}
	return resolved.Pinned(), nil
}

// simulationFault says in the host's words why there was no simulation.
func simulationFault(err error) error {
	var e *simulate.Error
	if !errors.As(err, &e) {
		return fault.Wrap("simulate", err)
	}
	switch e.Code {
	case simulate.CodeFlow:
		f := fault.New(fault.Invalid, "%s", e.Message)
		f.Problems = e.Problems
		return f
	case simulate.CodeScript, simulate.CodeStart:
		f := fault.At(e.Field, "%s", e.Message)
		f.Problems = e.Problems
		return inScript(f)
	default:
		return fault.Wrap("simulate", err)
	}
}

// inScript moves what a refusal says of a script to where the request holds it.
func inScript(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	own := *f
	own.Field = "/script" + f.Field
	own.Problems = make([]engine.Problem, len(f.Problems))
	for i, p := range f.Problems {
		p.Field = "/script" + p.Field
		own.Problems[i] = p
	}
	return &own
}
