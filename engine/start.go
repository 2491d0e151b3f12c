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
		Operator: t.m.Actor.ID, Trace: cleanText(o.Trace), Parent: o.Parent, Deadline: t.runDeadline(),
	}
	variables, refusal := t.initial(&g.scopes[0], &started, t.m.At, o.Inputs)
	if refusal != nil {
		return nil, nil, nil, refusal
	}
	if f := t.room(sizeOf(variables)); f != nil {
		return nil, nil, nil, t.refuseSize(f, "/inputs")
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
			refusal := t.refuse(CodeInvalid, "", "the project's variable %q is not JSON", name).because("ENV_NOT_JSON")
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
			return nil, t.refuseInput(name, "the flow has no input %q", name).because("INPUT_UNKNOWN")
		}
	}
	variables := map[string]json.RawMessage{}
	d := &draft{variables: variables, env: info.Env, run: info.facts(at)}
	if sc.node >= 0 || info.Parent != nil {
		d.unasked = true
	}
	for i := range sc.doc.vars {
		if v := &sc.doc.vars[i]; v.show == nil {
			if err := t.initialValue(v, d, inputs); err != nil {
				return nil, err
			}
		}
	}
	for _, i := range sc.doc.shown {
		if err := t.initialValue(&sc.doc.vars[i], d, inputs); err != nil {
			return nil, err
		}
	}
	if err := t.constants(sc, d); err != nil {
		return nil, err
	}
	if len(variables) == 0 {
		return nil, nil
	}
	return variables, nil
}

// initialValue gives a variable the value that it has when its scope begins, if it has
// one.
func (t *step) initialValue(v *graphVar, d *draft, inputs map[string]json.RawMessage) *Error {
	value := v.Value
	if v.Source == SourceInput {
		asked, err := t.asked(v, d)
		if err != nil {
			return err
		}
		_, given := inputs[v.Name]
		switch {
		case asked, given && d.unasked:
			if value, err = t.input(v, inputs); err != nil {
				return err
			}
		case given:
			return t.refuseInput(v.Name, "input %q is not asked for: its condition does not hold", v.Name).because("INPUT_NOT_ASKED")
		}
	}
	if value != nil && v.template == nil && v.computed == nil {
		d.variables[v.Name] = value
	}
	return nil
}

func (t *step) input(v *graphVar, inputs map[string]json.RawMessage) (json.RawMessage, *Error) {
	value, ok := inputs[v.Name]
	if !ok {
		value = v.Value
		if value == nil && v.Required {
			return nil, t.refuseInput(v.Name, "input %q is required", v.Name).because("INPUT_REQUIRED")
		}
		return value, nil
	}
	if value, ok = cleanJSON(value); !ok {
		return nil, t.refuseInput(v.Name, "input %q is not JSON", v.Name).because("NOT_JSON")
	}
	if v.Secret && !expr.IsSecretRefJSON(value) {
		return nil, t.refuseInput(v.Name, "input %q is a secret, and is given as a reference only", v.Name).because("INPUT_SECRET")
	}
	if vs := v.valueSchema().Validate(value); len(vs) > 0 {
		err := t.refuseInput(v.Name, "input %q: %s", v.Name, strings.TrimSpace(strings.TrimPrefix(vs[0].Pointer, "/")+" "+vs[0].Message))
		err.Field += vs[0].Pointer
		return nil, err
	}
	if f := valueLimit(v.Name, len(value)); f != nil {
		return nil, t.refuseSize(f, "/inputs/"+escapePointer(v.Name))
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
	// unasked is set where no form asks for the inputs: a subflow node may give what its
	// flow would not ask for.
	unasked bool
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
			} else if f := valueLimit(v.Name, len(value)); f != nil {
				err = f
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
