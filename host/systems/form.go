package systems

import (
	"encoding/json"
	"fmt"
)

// Form returns the JSON Schema of what a call of the operation takes: an object with the
// properties params and body, each only where the operation takes any. It stands alone: what
// it refers to is in its $defs.
func (o *CompiledOperation) Form() (json.RawMessage, error) {
	properties, required := map[string]any{}, []string{}
	if params, needed := o.paramsForm(); params != nil {
		properties["params"] = params
		if needed {
			required = append(required, "params")
		}
	}
	if len(o.Operation.Body) > 0 {
		properties["body"] = o.Operation.Body
		if o.BodyRequired {
			required = append(required, "body")
		}
	}
	raw, err := json.Marshal(map[string]any{
		"type": "object", "properties": properties, "required": required, "additionalProperties": false,
	})
	if err != nil {
		return nil, fmt.Errorf("systems: form of %s: %w", o.ID, err)
	}
	return o.Whole(raw)
}

// Whole returns a schema of the operation with what it refers to among the shared ones. A
// schema that has $defs of its own, deeper than the top, is returned as it is.
func (o *CompiledOperation) Whole(schema json.RawMessage) (json.RawMessage, error) {
	whole, err := WithShared(schema, o.shared)
	if err != nil {
		return nil, fmt.Errorf("systems: a schema of %s %w", o.ID, err)
	}
	return whole, nil
}

// paramsForm is the schema of the parameters, nil where there are none, and whether one of
// them is required.
func (o *CompiledOperation) paramsForm() (map[string]any, bool) {
	if len(o.Parameters) == 0 {
		return nil, false
	}
	properties, required := map[string]any{}, []string{}
	for i := range o.Parameters {
		p := &o.Parameters[i]
		properties[p.Name] = p.form()
		if p.Required {
			required = append(required, p.Name)
		}
	}
	return map[string]any{
		"type": "object", "properties": properties, "required": required, "additionalProperties": false,
	}, len(required) > 0
}

// form is the schema of one parameter with its description.
func (p *Parameter) form() any {
	var s map[string]any
	if json.Unmarshal(textSchema(p.Schema), &s) != nil || s == nil {
		return map[string]any{"type": "string"}
	}
	if _, ok := s["$ref"]; ok {
		s = map[string]any{"allOf": []any{s}}
	}
	if _, ok := s["description"]; !ok && !p.Doc.IsZero() {
		s["description"] = p.Doc.In("en")
	}
	if p.Secret {
		s["x-secret"] = true
	}
	return s
}
