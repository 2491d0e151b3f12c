package forms

import (
	"encoding/json"
	"slices"
	"strings"
)

// Source is where the choices of a field come from: the keyword x-source.
type Source struct {
	// Field is the JSON Pointer of the field's schema inside the schema.
	Field string `json:"-"`
	// Name is what the plugin is asked with.
	Name string `json:"name"`
	// DependsOn names the fields at the top of the form that decide the choices.
	DependsOn []string `json:"dependsOn,omitempty"`
}

// Sources returns the sources of a schema by their fields; none for what is no schema.
// A source that is not well formed is left out: the profile refuses it.
func Sources(schema json.RawMessage) []Source {
	var doc any
	if json.Unmarshal(schema, &doc) != nil {
		return nil
	}
	var out []Source
	walkSources("", doc, &out)
	return out
}

func walkSources(at string, node any, out *[]Source) {
	switch v := node.(type) {
	case []any:
		for _, child := range v {
			walkSources(at, child, out)
		}
	case map[string]any:
		if raw, err := json.Marshal(v["x-source"]); err == nil && v["x-source"] != nil {
			s := Source{Field: at}
			if json.Unmarshal(raw, &s) == nil && s.Name != "" {
				*out = append(*out, s)
			}
		}
		for _, key := range sortedKeys(v) {
			if !slices.Contains(dataKeywords(), key) && !strings.HasPrefix(key, "x-") && !strings.HasPrefix(key, "ui:") {
				walkSources(at+"/"+escape(key), v[key], out)
			}
		}
	}
}

// dataKeywords are the keywords whose value is data and no schema.
func dataKeywords() []string { return []string{"default", "const", "enum", "examples"} }
