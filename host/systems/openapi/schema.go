package openapi

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	componentSchemas = "#/components/schemas/"
	schemasMax       = 5000
)

// kind returns the type of a schema's values, "" where it is open, and the schema behind
// its references.
func (r *reader) kind(v any) (string, map[string]any, error) {
	return r.kindBeyond(v, map[string]bool{})
}

// kindBeyond is kind where the references in seen told nothing, or are being looked at: a
// document may lead back to them as often as it likes.
func (r *reader) kindBeyond(v any, seen map[string]bool) (string, map[string]any, error) {
	if v == nil {
		return "", nil, nil
	}
	if _, ok := v.(bool); ok {
		return "", nil, nil
	}
	m, err := r.resolve(v)
	if err != nil {
		return "", nil, fmt.Errorf("has a schema that %w", err)
	}
	switch t := m["type"].(type) {
	case string:
		return t, m, nil
	case []any:
		for _, one := range t {
			if s := text(one); s == "object" || s == "array" {
				return s, m, nil
			}
		}
	}
	if k := r.kindOfParts(m, seen); k != "" {
		return k, m, nil
	}
	if m["properties"] != nil {
		return "object", m, nil
	}
	return "", m, nil
}

// kindOfParts is "object" or "array" where an alternative or a part of a schema says so.
func (r *reader) kindOfParts(m map[string]any, seen map[string]bool) string {
	for _, word := range []string{"allOf", "oneOf", "anyOf"} {
		for _, sub := range list(m[word]) {
			ref := text(object(sub)["$ref"])
			if ref != "" && seen[ref] {
				continue
			}
			seen[ref] = true
			if k, _, err := r.kindBeyond(sub, seen); err == nil && (k == "object" || k == "array") {
				return k
			}
		}
	}
	return ""
}

// schema writes a schema as JSON Schema 2020-12. What it refers to is added to the shared
// schemas.
func (r *reader) schema(v any) (json.RawMessage, error) {
	out, err := r.convert(v)
	if err != nil {
		return nil, err
	}
	return marshal(out), nil
}

func (r *reader) convert(v any) (any, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, flawed(CodeSchemaForm, "is not a schema")
	}
	out := make(map[string]any, len(m))
	for key, x := range m {
		if err := r.keyword(out, key, x); err != nil {
			return nil, err
		}
	}
	if !r.v31 {
		if ref, ok := out["$ref"]; ok {
			out = map[string]any{"$ref": ref} // what stands beside a reference counts in 3.1 only
		}
		old(m, out)
	}
	if out["type"] == "string" && out["format"] == "password" {
		out["x-secret"] = true
	}
	return out, nil
}

// keyword translates one keyword. What describes documents, code generators or other tools
// is dropped.
func (r *reader) keyword(out map[string]any, key string, x any) error {
	switch key {
	case "$ref":
		return r.reference(out, text(x))
	case "properties", "patternProperties", "$defs", "dependentSchemas":
		return r.named(out, key, x)
	case "items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else",
		"unevaluatedProperties", "unevaluatedItems":
		return r.nested(out, key, x)
	case "allOf", "anyOf", "oneOf", "prefixItems":
		return r.several(out, key, x)
	default:
		if v := plain(key, x); v != nil {
			out[key] = v
		}
		return nil
	}
}

// plain translates a keyword without schemas in it, to nil where it is dropped.
func plain(key string, x any) any {
	switch key {
	case "description":
		return orNil(clip(text(x), maxSchemaDoc))
	case "title":
		return orNil(line(text(x), titleMax))
	case "required":
		if names := texts(x); len(names) > 0 {
			return names
		}
	case "pattern":
		// The pattern of another dialect cannot be checked.
		if _, err := regexp.Compile(text(x)); err == nil {
			return orNil(text(x))
		}
	case "minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
		"minContains", "maxContains", "exclusiveMinimum", "exclusiveMaximum":
		if n, ok := x.(json.Number); ok {
			return n
		}
	case "uniqueItems", "readOnly", "writeOnly", "deprecated", "x-secret":
		if yes(x) {
			return true
		}
	case "enum":
		if l := list(x); len(l) > 0 {
			return l
		}
	case "type", "format", "default", "const", "dependentRequired":
		return x
	}
	return nil
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// texts returns the texts of a list, each once.
func texts(v any) []string {
	var out []string
	for _, x := range list(v) {
		if s, ok := x.(string); ok && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (r *reader) named(out map[string]any, key string, x any) error {
	m := object(x)
	if m == nil {
		return nil
	}
	all := make(map[string]any, len(m))
	for name, sub := range m {
		if key == "patternProperties" {
			if _, err := regexp.Compile(name); err != nil {
				continue
			}
		}
		s, err := r.convert(sub)
		if err != nil {
			return fmt.Errorf("%.100s: %w", name, err)
		}
		all[name] = s
	}
	out[key] = all
	return nil
}

func (r *reader) nested(out map[string]any, key string, x any) error {
	if l, ok := x.([]any); ok && key == "items" {
		return r.several(out, "prefixItems", l)
	}
	s, err := r.convert(x)
	if err != nil {
		return err
	}
	out[key] = s
	return nil
}

func (r *reader) several(out map[string]any, key string, x any) error {
	l := list(x)
	if len(l) == 0 {
		return nil
	}
	all := make([]any, len(l))
	for i, sub := range l {
		s, err := r.convert(sub)
		if err != nil {
			return err
		}
		all[i] = s
	}
	out[key] = all
	return nil
}

// old translates what OpenAPI 3.0 writes in another way than JSON Schema.
func old(m, out map[string]any) {
	for flag, bound := range map[string]string{"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"} {
		if n, ok := out[bound]; ok && yes(m[flag]) {
			out[flag] = n
			delete(out, bound)
		}
	}
	if !yes(m["nullable"]) {
		return
	}
	if ref, ok := out["$ref"]; ok {
		delete(out, "$ref")
		out["anyOf"] = []any{map[string]any{"$ref": ref}, map[string]any{"type": "null"}}
		return
	}
	if t, ok := out["type"].(string); ok {
		out["type"] = []any{t, "null"}
		if values, ok := out["enum"].([]any); ok && !slices.Contains(values, any(nil)) {
			out["enum"] = append(slices.Clone(values), nil)
		}
		return
	}
	// nullable without a type beside it changes nothing, says 3.0.3.
}

// reference makes a reference to a shared schema, and the shared schema.
func (r *reader) reference(out map[string]any, ref string) error {
	target, err := r.at(ref)
	if err != nil {
		return err
	}
	name := shareName(ref)
	out["$ref"] = "#/$defs/" + name
	if _, ok := r.schemas[name]; ok {
		return nil
	}
	if len(r.schemas) >= schemasMax {
		return flawed(CodeSchemasMany, "refers to more than %d schemas", schemasMax)
	}
	r.schemas[name] = json.RawMessage(`{}`) // it may refer to itself
	s, err := r.convert(target)
	if err != nil {
		delete(r.schemas, name)
		return err
	}
	r.schemas[name] = marshal(s)
	return nil
}

var unfitName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// shareName is the name of a shared schema: that of the component, or one made from the
// place of a schema that is none.
func shareName(ref string) string {
	if name, ok := strings.CutPrefix(ref, componentSchemas); ok && !unfitName.MatchString(name) {
		return name
	}
	return "at." + unfitName.ReplaceAllString(strings.TrimPrefix(ref, "#/"), ".")
}
