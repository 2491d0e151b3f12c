package runs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/uuid/v5"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/idempotency"
	"github.com/culmhq/culm/host/projects"
)

// nameMax bounds the length of a run's name in bytes.
const nameMax = 256

// Start pins a flow version, the versions of its subflows and the plugins that all of
// them use, and starts a run. Inputs that are missing, unknown or wrong give a
// fault.Invalid whose Field is "/inputs/NAME".
func (s *Service) Start(ctx context.Context, r StartRequest) (Summary, error) {
	if len(r.Name) > nameMax {
		return Summary{}, fault.At("/name", "is longer than %d bytes", nameMax).Because("TOO_MANY_BYTES")
	}
	project, err := s.o.Projects.Get(ctx, r.Project)
	if err != nil {
		return Summary{}, err
	}
	p, err := s.plan(ctx, r.Project, r.Flow, r.Version, r.Selection)
	if err != nil {
		return Summary{}, err
	}
	if p.graph == nil {
		e := fault.New(fault.Invalid, "version %d of flow %s cannot run with what is installed and published now", p.version.Number, r.Flow).Because("VERSION_STALE")
		e.Problems = p.problems
		return Summary{}, e
	}
	if err := s.checkInputs(p.flow, r.Inputs); err != nil {
		return Summary{}, err
	}
	q, err := s.startRequest(r, project, p)
	if err != nil {
		return Summary{}, err
	}
	release, err := s.keepInputs(ctx, p.flow, &q)
	if err != nil {
		return Summary{}, err
	}
	view, err := s.o.Runner.StartRun(ctx, q)
	release(view.Run, err)
	if errors.Is(err, runner.ErrKeyReused) {
		return Summary{}, idempotency.Reused()
	}
	if err != nil {
		return Summary{}, refusal("start run", q.Options.Run, err)
	}
	return Summary{
		ID: view.Run, Name: view.Name, Flow: view.Flow, FlowName: p.flow.Name, Version: view.Version, State: view.State,
		Seq: view.Seq, Operator: view.Operator, CreatedAt: view.CreatedAt, EndedAt: view.EndedAt,
	}, nil
}

func (s *Service) startRequest(r StartRequest, project projects.Project, p plan) (runner.StartRequest, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return runner.StartRequest{}, fault.Wrap("make a run id", err)
	}
	name := r.Name
	if name == "" {
		name = s.runName(p.flow, project.Zone)
	}
	q := runner.StartRequest{
		Options: engine.StartOptions{
			Run: id.String(), Name: name, Project: r.Project, Flow: r.Flow, Version: p.version.Number, Digest: p.digest,
			Plugins: p.plugins, Env: project.Env, Zone: project.Zone, Inputs: r.Inputs, StartAt: r.StartAt, Trace: traceOf(r.Trace),
		},
		Document: p.document, Graph: p.graph,
		Meta: engine.Meta{Actor: r.Actor},
	}
	if !r.Key.IsZero() {
		scope := idempotency.Scope{Project: r.Project, Actor: r.Actor, Route: "flows/" + r.Flow + "/runs"}
		q.Key, q.Hash = scope.Digest(r.Key.Value), r.Key.Hash
	}
	return q, nil
}

// runName names a run after its flow and the moment, on the project's clock.
func (s *Service) runName(f *engine.Flow, zone string) string {
	at := s.o.Clock.Now().UTC()
	if l, err := time.LoadLocation(zone); err == nil {
		at = at.In(l)
	}
	name := f.Name.In("en")
	if name == "" {
		name = f.ID
	}
	return name + " " + at.Format("2006-01-02 15:04:05")
}

// checkInputs checks the values that are given against the schemas of the flow's
// inputs. What is missing is the core's to say: it knows which inputs are shown.
func (s *Service) checkInputs(f *engine.Flow, inputs map[string]json.RawMessage) error {
	return s.checkVariables(f, "/inputs/", inputs, func(v *engine.Variable) bool { return v.Source == engine.SourceInput })
}

// checkVariables checks values against the schemas of the variables that they name,
// which may be those that a filter lets through. at is where the values are in the
// request.
func (s *Service) checkVariables(f *engine.Flow, at string, values map[string]json.RawMessage, may func(*engine.Variable) bool) error {
	variables := map[string]*engine.Variable{}
	for i := range f.Variables {
		if may(&f.Variables[i]) {
			variables[f.Variables[i].Name] = &f.Variables[i]
		}
	}
	var found []engine.Problem
	for _, name := range slices.Sorted(maps.Keys(values)) {
		field := at + pointerPart(name)
		v, ok := variables[name]
		if !ok {
			return fault.At(field, "the flow has no such variable to set").Because("INPUT_UNKNOWN")
		}
		if v.Secret {
			if err := checkSecret(field, values[name]); err != nil {
				return err
			}
		}
		form, err := s.forms.Form(flows.ValueSchema(v))
		if err != nil {
			return fault.Wrap("read the schema of variable "+name, err)
		}
		for _, x := range form.Check(values[name]) {
			found = append(found, engine.Problem{
				Code: engine.ProblemVariableValue, Message: x.Message, Level: engine.SeverityError, Variable: name,
				Field: field + x.Field, Args: x.Args(),
			})
		}
	}
	if len(found) == 0 {
		return nil
	}
	e := fault.At(found[0].Field, "%s", found[0].Message).Because(found[0].Args["why"], found[0].Args["a"])
	e.Problems = found
	return e
}

// decodeFlow reads the document of a run.
func decodeFlow(h runner.RunHead) (*engine.Flow, error) {
	var f engine.Flow
	if err := json.Unmarshal(h.Document, &f); err != nil {
		return nil, fault.Wrap(fmt.Sprintf("read the document of run %s", h.ID), err)
	}
	return &f, nil
}

// pointerPart makes a name part of a JSON Pointer (RFC 6901).
func pointerPart(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }
