package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine/expr"
)

// Start makes a run and enters its start node. An *Error with Field names an input
// that is missing, unknown or not valid against its schema.
func Start(g *Graph, m Meta, o StartOptions) (*State, []Record, []Command, error) {
	t := newStep(g, newState(g), m)
	variables, err := t.initial(&o)
	if err != nil {
		return nil, nil, nil, err
	}
	started := RunStarted{
		Format: RecordFormat, Run: cleanText(o.Run), Name: cleanText(o.Name), Flow: cleanText(o.Flow), Version: o.Version,
		Digest: o.Digest, Plugins: o.Plugins, Project: cleanText(o.Project), Env: o.Env, Zone: o.Zone,
		Operator: t.m.Actor.ID, Variables: variables, Deadline: t.runDeadline(),
	}
	// Constants may read run and env, so they are made on a state that has begun.
	if err := t.constants(&started); err != nil {
		return nil, nil, nil, err
	}
	if len(started.Variables) == 0 {
		started.Variables = nil
	}
	t.emit(-1, started)
	t.setRunTimer()
	t.emit(-1, RunChanged{From: RunCreated, To: RunRunning})
	t.emit(-1, TokenMoved{Token: 1, To: g.nodes[g.start].id})
	t.moves = append(t.moves, g.start)
	t.run()
	return t.s, t.recs, t.cmds, nil
}

// initial checks and cleans the inputs, and returns the variables that have a value at start.
func (t *step) initial(o *StartOptions) (map[string]json.RawMessage, error) {
	for _, name := range slices.Sorted(maps.Keys(o.Inputs)) {
		i, ok := t.g.varIdx[name]
		if !ok || t.g.vars[i].Source != SourceInput {
			return nil, t.refuseInput(name, "the flow has no input %q", name)
		}
	}
	var env map[string]json.RawMessage
	for _, name := range slices.Sorted(maps.Keys(o.Env)) {
		value, ok := cleanJSON(o.Env[name])
		if !ok {
			refusal := t.refuse(CodeInvalid, "", "the project's variable %q is not JSON", name)
			refusal.Field = "/env/" + escapePointer(name)
			return nil, refusal
		}
		if env == nil {
			env = make(map[string]json.RawMessage, len(o.Env))
		}
		env[name] = value
	}
	variables := map[string]json.RawMessage{}
	for i := range t.g.vars {
		v := &t.g.vars[i]
		value := v.Value
		if v.Source == SourceInput {
			given, err := t.input(v, o.Inputs)
			if err != nil {
				return nil, err
			}
			value = given
		}
		if value != nil && v.template == nil && v.computed == nil {
			variables[v.Name] = value
		}
	}
	o.Env = env
	return variables, nil
}

func (t *step) input(v *graphVar, inputs map[string]json.RawMessage) (json.RawMessage, error) {
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

// constants evaluates the constants that hold expressions, in the order in which they
// need each other.
func (t *step) constants(started *RunStarted) error {
	if len(t.g.constants) == 0 {
		return nil
	}
	draft := newState(t.g)
	r := Record{Seq: 1, At: t.m.At, Kind: KindRunStarted, Data: *started}
	if err := draft.apply(&r, -1); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	for _, i := range t.g.constants {
		v := &t.g.vars[i]
		value, err := v.template.Append(nil, (*scope)(draft))
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
		draft.vars[i] = value
		started.Variables[v.Name] = value
	}
	return nil
}
