package flows

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/forms"
)

// CodeOperationUnknown says that the project has no such operation, as a warning: it may be
// registered before the flow runs; Args: system, operation.
const CodeOperationUnknown = "OPERATION_UNKNOWN"

// CodeOperationDisabled says that an operation is switched off, as a warning; Args: system,
// operation.
const CodeOperationDisabled = "OPERATION_DISABLED"

// Operations tells what the operations of a project's systems take.
type Operations interface {
	// OperationForm returns the JSON Schema of what a call of an operation takes, an object
	// with the properties params and body, and whether it is switched on. One that the project
	// does not have is a fault.NotFound.
	OperationForm(ctx context.Context, project, system, operation string) (form json.RawMessage, enabled bool, err error)
}

// called is an operation that a node calls.
type called struct{ system, operation string }

// taken is what is known of an operation: no form where there is none.
type taken struct {
	form    json.RawMessage
	enabled bool
}

// operations looks up the operations that the nodes of a document name as text in fields
// which say that they choose one.
func (s *Service) operations(ctx context.Context, project string, f *engine.Flow) (map[called]taken, error) {
	out := map[called]taken{}
	for i := range f.Nodes {
		n := &f.Nodes[i]
		action, ok := s.o.Catalogue.Action(n.Plugin, n.Action)
		if n.Type != engine.TypeTask || !ok {
			continue
		}
		for _, field := range forms.OperationFields(action.Inputs) {
			c, ok := chosen(n, field)
			if _, known := out[c]; !ok || known {
				continue
			}
			form, enabled, err := s.o.Operations.OperationForm(ctx, project, c.system, c.operation)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return nil, fault.Wrap("read an operation", err)
			}
			out[c] = taken{form, enabled}
		}
	}
	return out, nil
}

// chosen returns the operation that the fields which a field names choose, unless one of
// them is empty or only known when the flow runs.
func chosen(n *engine.Node, f forms.OperationField) (called, bool) {
	var c called
	ok := f.Operation != "" && plainText(n, f.System, &c.system) && plainText(n, f.Operation, &c.operation)
	return c, ok
}

func plainText(n *engine.Node, input string, out *string) bool {
	if json.Unmarshal(n.Inputs[input], out) != nil || *out == "" {
		return false
	}
	return !strings.Contains(*out, "${")
}

// operation holds what a node gives to an operation against the operation's own form, and
// returns the schema of the node's inputs with it. A form that is beyond what the server
// checks is left to the gateway.
func (c *Checker) operation(n *engine.Node, schema json.RawMessage, ops map[called]taken) (json.RawMessage, []string, []engine.Problem) {
	var placeholders []string
	var out []engine.Problem
	for _, f := range forms.OperationFields(schema) {
		call, ok := chosen(n, f)
		op, known := ops[call]
		if !ok || !known {
			continue
		}
		if p := unusable(call, op); p != nil {
			p.Node, p.Field = n.ID, "/inputs/"+f.Operation
			if !slices.ContainsFunc(out, func(o engine.Problem) bool { return o.Field == p.Field }) {
				out = append(out, *p)
			}
		}
		if op.form == nil {
			continue
		}
		whole, err := forms.WithOperation(schema, f, op.form)
		if err != nil {
			continue
		}
		if _, err := c.forms.Relaxed(whole, n.Literal...); err != nil {
			continue
		}
		schema = whole
		placeholders = append(placeholders, f.Placeholders...)
	}
	return schema, placeholders, out
}

// unusable warns of an operation that could not be called now.
func unusable(c called, op taken) *engine.Problem {
	p := &engine.Problem{Level: engine.SeverityWarning, Args: map[string]string{"system": c.system, "operation": c.operation}}
	switch {
	case op.form == nil:
		p.Code, p.Message = CodeOperationUnknown, fmt.Sprintf("the project has no operation %s of a system %s", c.operation, c.system)
	case !op.enabled:
		p.Code, p.Message = CodeOperationDisabled, fmt.Sprintf("operation %s of %s is switched off", c.operation, c.system)
	default:
		return nil
	}
	return p
}

// filled returns the inputs with an empty object for parameters that were not given, so
// that each one that is missing is named.
func filled(inputs map[string]json.RawMessage, schema json.RawMessage, fields []forms.OperationField) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, len(inputs)+1)
	maps.Copy(out, inputs)
	var doc struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(schema, &doc) != nil {
		return out
	}
	for _, f := range fields {
		if _, given := out[f.Name]; !given && f.Part == forms.PartParams && string(doc.Properties[f.Name]) != "false" {
			out[f.Name] = json.RawMessage("{}")
		}
	}
	return out
}
