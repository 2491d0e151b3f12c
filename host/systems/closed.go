package systems

import "encoding/json"

// closedDepthMax bounds the walk through a body's schema.
const closedDepthMax = 32

// closed returns the schema of a body as the gateway checks it: an object that lists its
// properties takes no others, unless it says so itself. What an operation does not declare
// ("is_admin") never reaches the system, which may know it all the same. What cannot be
// read is returned as it is, for the compiler to say.
func closed(raw json.RawMessage) json.RawMessage {
	var root any
	if err := json.Unmarshal(raw, &root); err != nil {
		return raw
	}
	shut(root, 0)
	out, err := json.Marshal(root)
	if err != nil {
		return raw
	}
	return out
}

// shut goes down properties and items. It leaves alternatives and references alone: their
// properties count for the object around them, which is shut.
func shut(schema any, depth int) {
	s, ok := schema.(map[string]any)
	if !ok || depth > closedDepthMax {
		return
	}
	properties, _ := s["properties"].(map[string]any)
	for _, p := range properties {
		shut(p, depth+1)
	}
	shut(s["items"], depth+1)
	if len(properties) == 0 || s["additionalProperties"] != nil || s["unevaluatedProperties"] != nil || s["patternProperties"] != nil {
		return
	}
	s["unevaluatedProperties"] = false
}
