package forms

import (
	"encoding/json"
	"strconv"
	"strings"
)

// secretDepth bounds the walk through a schema that refers to itself.
const secretDepth = 16

// Secrets returns the texts in a value that its schema marks as secret, by x-secret,
// writeOnly or the format or widget password, wherever the schema may describe them:
// all branches count.
func Secrets(schema, value json.RawMessage) []string {
	var doc, v any
	if json.Unmarshal(schema, &doc) != nil || json.Unmarshal(value, &v) != nil {
		return nil
	}
	w := secretWalk{root: doc}
	w.walk(doc, v, secretDepth)
	return w.found
}

type secretWalk struct {
	root  any
	found []string
}

// walk goes through a schema and the value that it describes.
func (w *secretWalk) walk(schema, value any, depth int) {
	s, ok := schema.(map[string]any)
	if !ok || depth == 0 {
		return
	}
	if s["x-secret"] == true || s["writeOnly"] == true || s["format"] == "password" || s["ui:widget"] == "password" {
		w.texts(value)
		return
	}
	for _, branch := range w.branches(s) {
		w.walk(branch, value, depth-1)
	}
	switch v := value.(type) {
	case map[string]any:
		w.members(s, v, depth)
	case []any:
		prefix, _ := s["prefixItems"].([]any)
		for i, item := range v {
			if i < len(prefix) {
				w.walk(prefix[i], item, depth-1)
			} else {
				w.walk(s["items"], item, depth-1)
			}
		}
	}
}

// branches are the schemas that describe the same value as s.
func (w *secretWalk) branches(s map[string]any) []any {
	var all []any
	if ref, ok := s["$ref"].(string); ok {
		all = append(all, w.resolve(ref))
	}
	for _, k := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := s[k].([]any)
		all = append(all, list...)
	}
	all = append(all, s["if"], s["then"], s["else"])
	dependent, _ := s["dependentSchemas"].(map[string]any)
	for _, branch := range dependent {
		all = append(all, branch)
	}
	return all
}

func (w *secretWalk) members(s, value map[string]any, depth int) {
	properties, _ := s["properties"].(map[string]any)
	for name, v := range value {
		if p, ok := properties[name]; ok {
			w.walk(p, v, depth-1)
		} else {
			w.walk(s["additionalProperties"], v, depth-1)
		}
	}
}

// resolve follows a reference within the schema.
func (w *secretWalk) resolve(ref string) any {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	at := w.root
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if part == "" {
			continue
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch x := at.(type) {
		case map[string]any:
			at = x[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(x) {
				return nil
			}
			at = x[i]
		default:
			return nil
		}
	}
	return at
}

// texts collects every text of a value.
func (w *secretWalk) texts(value any) {
	switch v := value.(type) {
	case string:
		w.found = append(w.found, v)
	case []any:
		for _, item := range v {
			w.texts(item)
		}
	case map[string]any:
		for _, item := range v {
			w.texts(item)
		}
	case float64:
		w.found = append(w.found, strconv.FormatFloat(v, 'f', -1, 64))
	}
}
