package flows_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"testing"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/pdk/contract"
)

// caller is a catalogue with one action, which calls an operation that its form chooses.
type caller struct{}

// Action implements engine.Catalogue.
func (caller) Action(plugin, action string) (contract.Action, bool) {
	return contract.Action{Inputs: json.RawMessage(`{
		"type": "object", "additionalProperties": false, "required": ["system", "operation"],
		"properties": {
			"system": {"type": "string", "x-operation": {"part": "system"}},
			"operation": {"type": "string", "x-operation": {"part": "operation", "system": "system"}},
			"params": {"type": "object", "x-operation": {"part": "params", "system": "system", "operation": "operation"}},
			"body": {"x-operation": {"part": "body", "system": "system", "operation": "operation", "placeholders": ["{callback_url}"]}}
		}}`)}, plugin == "caller" && action == "call"
}

// desk is a system whose operation close is switched off.
type desk struct{}

// OperationForm implements flows.Operations.
func (desk) OperationForm(_ context.Context, _, system, operation string) (json.RawMessage, bool, error) {
	if system != "desk" || operation != "open" && operation != "close" {
		return nil, false, fault.Missing("operation", operation)
	}
	return json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["body"], "properties": {
		"params": {"type": "object", "required": ["team"], "additionalProperties": false, "properties": {"team": {"type": "string"}}},
		"body": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}, "hook": {"type": "string", "format": "uri"}}}}}`),
		operation == "open", nil
}

func TestWhatANodeGivesToAnOperationIsHeldAgainstItsForm(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	s := flows.New(flows.Options{
		Repository: p.Store, Projects: p.Projects, Catalogue: caller{}, Switched: p.Plugins, Secrets: p.Vault, Operations: desk{},
		Users: p.Store, Clock: p.Clock, Logger: slog.New(slog.DiscardHandler),
	})
	for inputs, want := range map[string][]string{
		`{system: desk, operation: open, params: {team: "${run.id}"}, body: {title: x, hook: "{callback_url}"}}`: nil,
		`{system: desk, operation: "${run.id}", params: {any: 1}}`:                                               nil,
		`{system: desk, operation: open}`: {
			"INPUT_INVALID error /inputs/body", "INPUT_INVALID error /inputs/params/team",
		},
		`{system: desk, operation: open, params: {team: 7, more: 1}, body: {title: x, hook: y}}`: {
			"INPUT_INVALID error /inputs/body/hook", "INPUT_INVALID error /inputs/params/more", "INPUT_INVALID error /inputs/params/team",
		},
		`{system: desk, operation: close, params: {team: a}, body: {title: x}}`: {"OPERATION_DISABLED warning /inputs/operation"},
		`{system: desk, operation: gone, params: {team: a}}`:                    {"OPERATION_UNKNOWN warning /inputs/operation"},
	} {
		ps, err := s.Validate(t.Context(), hosttest.Project, hosttest.Flow(t, `
format: culm.flow/v1
name: Call
nodes:
  - {id: start, type: start}
  - {id: call, type: task, plugin: caller, action: call, inputs: `+inputs+`}
  - {id: end, type: end}
edges:
  - {id: e1, from: start, to: call}
  - {id: e2, from: call, to: end}
`))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range ps {
			got = append(got, x.Code+" "+string(x.Level)+" "+x.Field)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%q, want\n%q", inputs, got, want)
		}
	}
}
