package forms

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/culmhq/culm/host/effort"
)

// The parts of a call of an operation that a field may stand for.
const (
	PartSystem    = "system"    // the id of a system
	PartOperation = "operation" // the id of one of its operations
	PartParams    = "params"    // the parameters, by name
	PartBody      = "body"      // the body
)

// operationKeyword marks a field that stands for a part of a call.
const operationKeyword = "x-operation"

// OperationField is a field at the top of a form that stands for a part of a call of an
// operation: the keyword x-operation. The schema of parameters and body is that of the
// operation which the fields System and Operation choose.
type OperationField struct {
	// Name is the field's own.
	Name string `json:"-"`
	Part string `json:"part"`
	// System and Operation name the fields at the top of the form that choose; System is
	// empty for the part system, Operation for the part operation too.
	System    string `json:"system,omitempty"`
	Operation string `json:"operation,omitempty"`
	// Placeholders are texts that the plugin replaces before it calls: a text that holds one
	// is not checked.
	Placeholders []string `json:"placeholders,omitempty"`
}

// OperationFields returns the fields of a schema that stand for parts of a call, by name;
// none for what is no schema.
func OperationFields(schema json.RawMessage) []OperationField {
	var doc struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if !strings.Contains(string(schema), operationKeyword) || json.Unmarshal(schema, &doc) != nil {
		return nil
	}
	var out []OperationField
	for _, name := range slices.Sorted(maps.Keys(doc.Properties)) {
		var p struct {
			Field *OperationField `json:"x-operation"`
		}
		if json.Unmarshal(doc.Properties[name], &p) == nil && p.Field != nil {
			p.Field.Name = name
			out = append(out, *p.Field)
		}
	}
	return out
}

// WithOperation returns a schema in which the field has the schema of its part of a call.
// The form is that of the operation: an object with the properties params and body, which
// brings what it refers to in its $defs. A part that the operation does not take is
// allowed no value; one that it needs is required.
func WithOperation(schema json.RawMessage, f OperationField, form json.RawMessage) (json.RawMessage, error) {
	var doc map[string]any
	var op struct {
		Properties map[string]any `json:"properties"`
		Required   []string       `json:"required"`
		Defs       map[string]any `json:"$defs"`
	}
	if json.Unmarshal(schema, &doc) != nil || json.Unmarshal(form, &op) != nil {
		return nil, errors.New("the form of the operation is not a JSON Schema")
	}
	properties, _ := doc["properties"].(map[string]any)
	own, _ := properties[f.Name].(map[string]any)
	if own == nil {
		return nil, errors.New("the form has no field " + f.Name)
	}
	part, takes := op.Properties[f.Part]
	if !takes {
		properties[f.Name] = false
		return json.Marshal(doc)
	}
	properties[f.Name] = renamed(part)
	if slices.Contains(op.Required, f.Part) {
		required, _ := doc["required"].([]any)
		if !slices.Contains(required, any(f.Name)) {
			doc["required"] = append(required, f.Name)
		}
	}
	defs, _ := doc["$defs"].(map[string]any)
	if defs == nil && len(op.Defs) > 0 {
		defs = map[string]any{}
	}
	for name, def := range op.Defs {
		defs[operationDefs+name] = renamed(def)
	}
	if defs != nil {
		doc["$defs"] = defs
	}
	return json.Marshal(doc)
}

// operationDefs begins the names of what the form of an operation refers to, so that they
// are not mistaken for the plugin's own.
const operationDefs = "operation."

// renamed returns a schema whose references lead to the renamed $defs.
func renamed(v any) any {
	switch v := v.(type) {
	case []any:
		return each(v, renamed)
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, x := range v {
			ref, isText := x.(string)
			name, isDef := strings.CutPrefix(ref, "#/$defs/")
			switch {
			case key == "$ref" && isText && isDef:
				out[key] = "#/$defs/" + operationDefs + name
			case slices.Contains(dataKeywords(), key):
				out[key] = x
			case slices.Contains(namedSchemas(), key):
				out[key] = renamedEach(x)
			default:
				out[key] = renamed(x)
			}
		}
		return out
	default:
		return v
	}
}

// namedSchemas are the keywords that hold schemas by names of the author's choice, which may
// be keywords themselves.
func namedSchemas() []string {
	return []string{"properties", "patternProperties", "dependentSchemas", "$defs"}
}

func renamedEach(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := make(map[string]any, len(m))
	for name, schema := range m {
		out[name] = renamed(schema)
	}
	return out
}

// Without returns the faults that are not at a text in which one of the placeholders
// stands.
func Without(faults []Fault, value json.RawMessage, placeholders []string) []Fault {
	var doc any
	if len(placeholders) == 0 || len(faults) == 0 || json.Unmarshal(value, &doc) != nil {
		return faults
	}
	return slices.DeleteFunc(slices.Clone(faults), func(f Fault) bool {
		at, _ := effort.Find(doc, strings.ReplaceAll(f.Field, "%", "%25"))
		text, ok := at.(string)
		return ok && slices.ContainsFunc(placeholders, func(p string) bool { return strings.Contains(text, p) })
	})
}
