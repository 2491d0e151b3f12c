package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/culmhq/culm/engine/expr"
)

// Start makes a run and enters its start node. An *Error with Field names an input
// that is missing, unknown or not valid against its schema, or /start_at.
func Start(g *Graph, m Meta, o StartOptions) (*State, []Record, []Command, error) {
	t := newStep(g, newState(g), m)
	start, err := t.beginning(o.StartAt)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := t.environment(&o); err != nil {
		return nil, nil, nil, err
	}
	started := RunStarted{
		Format: RecordFormat, Run: cleanText(o.Run), Name: cleanText(o.Name), Flow: cleanText(o.Flow), Version: o.Version,
		Digest: o.Digest, Plugins: o.Plugins, Project: cleanText(o.Project), Env: o.Env, Zone: o.Zone,
		Operator: t.m.Actor.ID, Deadline: t.runDeadline(),
	}
	variables, refusal := t.initial(&g.scopes[0], &started, t.m.At, o.Inputs)
	if refusal != nil {
		return nil, nil, nil, refusal
	}
	started.Variables = variables
	if start != g.start {
		started.StartAt = o.StartAt
	}
	t.emit(-1, started)
	t.setRunTimer()
	t.emit(-1, RunChanged{From: RunCreated, To: RunRunning})
	t.emit(-1, TokenMoved{Token: 1, To: g.nodes[start].id})
	t.moves = append(t.moves, start)
	t.run()
	return t.s, t.recs, t.cmds, nil
}

// environment checks and cleans the project's variables.
func (t *step) environment(o *StartOptions) error {
	var env map[string]json.RawMessage
	for _, name := range slices.Sorted(maps.Keys(o.Env)) {
		value, ok := cleanJSON(o.Env[name])
		if !ok {
			refusal := t.refuse(CodeInvalid, "", "the project's variable %q is not JSON", name)
			refusal.Field = "/env/" + escapePointer(name)
			return refusal
		}
		if env == nil {
			env = make(map[string]json.RawMessage, len(o.Env))
		}
		env[name] = value
	}
	o.Env = env
	return nil
}

// initial checks and cleans the inputs of a scope, and returns its variables that have a
// value when it begins; nil when none has. info and at are the run's.
func (t *step) initial(sc *graphScope, info *RunStarted, at time.Time, inputs map[string]json.RawMessage) (map[string]json.RawMessage, *Error) {
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		i, ok := sc.doc.varIdx[name]
		if !ok || sc.doc.vars[i].Source != SourceInput {
			return nil, t.refuseInput(name, "the flow has no input %q", name)
		}
	}
	variables := map[string]json.RawMessage{}
	for i := range sc.doc.vars {
		v := &sc.doc.vars[i]
		value := v.Value
		if v.Source == SourceInput {
			given, err := t.input(v, inputs)
			if err != nil {
				return nil, err
			}
			value = given
		}
		if value != nil && v.template == nil && v.computed == nil {
			variables[v.Name] = value
		}
	}
	if err := t.constants(sc, &draft{variables: variables, env: info.Env, run: info.facts(at)}); err != nil {
		return nil, err
	}
	if len(variables) == 0 {
		return nil, nil
	}
	return variables, nil
}

func (t *step) input(v *graphVar, inputs map[string]json.RawMessage) (json.RawMessage, *Error) {
	value, ok := inputs[v.Name]
	if !ok {
		value = v.Value
		if value == nil && v.Required {
			return nil, t.refuseInput(v.Name, "input %q is required", v.Name)
		}
		return value, nil
	}
	if value, ok = cleanJSON(value); !ok {
		return nil, t.refuseInput(v.Name, "input %q is not JSON", v.Name)
	}
	if vs := v.schema.Validate(value); len(vs) > 0 {
		err := t.refuseInput(v.Name, "input %q: %s", v.Name, strings.TrimSpace(strings.TrimPrefix(vs[0].Pointer, "/")+" "+vs[0].Message))
		err.Field += vs[0].Pointer
		return nil, err
	}
	return value, nil
}

func (t *step) refuseInput(name, format string, args ...any) *Error {
	err := t.refuse(CodeInvalid, "", format, args...)
	err.Field = "/inputs/" + escapePointer(name)
	return err
}

// draft shows to expressions a scope that is about to begin.
type draft struct {
	variables, env map[string]json.RawMessage
	run            expr.Run
}

// Variable returns a variable's value, or nil.
func (d *draft) Variable(name string) json.RawMessage { return d.variables[name] }

// Outputs returns nil: nothing has run.
func (d *draft) Outputs(string) json.RawMessage { return nil }

// Iterations returns 0: nothing has run.
func (d *draft) Iterations(string) int { return 0 }

// Environment returns the project's variables.
func (d *draft) Environment() map[string]json.RawMessage { return d.env }

// Run returns the run's own facts.
func (d *draft) Run() expr.Run { return d.run }

// constants evaluates the constants that hold expressions, in the order in which they
// need each other.
func (t *step) constants(sc *graphScope, d *draft) *Error {
	for _, i := range sc.doc.constants {
		v := &sc.doc.vars[i]
		value, err := v.template.Append(nil, d)
		if err == nil {
			if vs := v.schema.Validate(value); len(vs) > 0 {
				err = &expr.Error{Code: expr.CodeType, Message: vs[0].Message}
			}
		}
		if err != nil {
			refusal := t.refuse(CodeInvalid, "", "constant %q: %v", v.Name, err)
			refusal.Field = "/variables/" + v.Name
			return refusal
		}
		d.variables[v.Name] = value
	}
	return nil
}
