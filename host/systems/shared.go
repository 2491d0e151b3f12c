package systems

import (
	"bytes"
	"encoding/json"
	"strings"
)

// sharedRef is how a schema refers to one of System.Schemas.
const sharedRef = "#/$defs/"

// sharedMaxBytes bounds a schema with everything that it refers to.
const sharedMaxBytes = 4 << 20

// schemasMaxBytes bounds all schemas of a system that are compiled at once, each with
// everything that it refers to: a few large ones that thousands of operations refer to would
// keep the server busy for hours. Those of a thousand operations have half a megabyte.
const schemasMaxBytes = 16 << 20

// WithShared returns a schema with those of the shared schemas that it refers to, directly or
// not, as its $defs: what it means when it stands alone. A schema that refers to none is
// returned as it is. The error names what is missing, or says that it is too large.
func WithShared(schema json.RawMessage, shared map[string]json.RawMessage) (json.RawMessage, error) {
	if len(shared) == 0 || !bytes.Contains(schema, []byte(sharedRef)) {
		return schema, nil
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(schema, &doc); err != nil {
		return nil, flawed(CodeNotJSON, "is not JSON")
	}
	defs := map[string]json.RawMessage{}
	if own, ok := doc["$defs"]; ok {
		if err := json.Unmarshal(own, &defs); err != nil {
			return nil, flawed(CodeSchemaRuleType, "is not a valid JSON Schema: %s must be of type %s", "/$defs", "object")
		}
	}
	if err := collect(defs, schema, shared); err != nil {
		return nil, err
	}
	out, err := json.Marshal(defs)
	if err != nil {
		return nil, flawed(CodeNotJSON, "is not JSON")
	}
	doc["$defs"] = out
	whole, err := json.Marshal(doc)
	if err != nil {
		return nil, flawed(CodeNotJSON, "is not JSON")
	}
	return whole, nil
}

// collect adds to defs what a schema refers to, directly or not.
func collect(defs map[string]json.RawMessage, schema json.RawMessage, shared map[string]json.RawMessage) error {
	size := len(schema)
	for queue := []json.RawMessage{schema}; len(queue) > 0; queue = queue[1:] {
		names, err := sharedNames(queue[0])
		if err != nil {
			return err
		}
		for _, name := range names {
			def, ok := shared[name]
			if _, known := defs[name]; known || !ok {
				continue // the compiler says where a reference leads nowhere
			}
			if size += len(def); size > sharedMaxBytes {
				return flawed(CodeSchemaLarge, "is larger than %d bytes with what it refers to", sharedMaxBytes)
			}
			defs[name] = def
			queue = append(queue, def)
		}
	}
	return nil
}

// sharedNames lists the shared schemas that a schema names.
func sharedNames(schema json.RawMessage) ([]string, error) {
	if !bytes.Contains(schema, []byte(sharedRef)) {
		return nil, nil
	}
	var v any
	if err := json.Unmarshal(schema, &v); err != nil {
		return nil, flawed(CodeNotJSON, "is not JSON")
	}
	return namesIn(v, nil), nil
}

func namesIn(v any, out []string) []string {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			out = namesIn(x, out)
		}
	case map[string]any:
		ref, _ := v["$ref"].(string)
		if name, ok := strings.CutPrefix(ref, sharedRef); ok && !strings.Contains(name, "/") {
			out = append(out, strings.NewReplacer("~1", "/", "~0", "~").Replace(name))
		}
		for _, x := range v {
			out = namesIn(x, out)
		}
	}
	return out
}
