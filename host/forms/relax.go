package forms

import (
	"slices"

	"github.com/culmhq/culm/host/effort"
)

// The schemas that an expression string is valid against: exactly one ${...}, which
// may stand for any type, and ${...} somewhere inside a text. A $${ is literal text.
const (
	wholePattern  = `^\$\{[\s\S]+\}$`
	insidePattern = `(^|[^$])\$\{`
)

// expressionKeyword is the plugin author's word on expressions in a field:
// "optional" (default), "required" or "forbidden".
const expressionKeyword = "x-expression"

// The keywords that hold sub-schemas: whose instances may be expressions themselves,
// and those that describe the same instance again.
func mapKeywords() []string {
	return []string{"properties", "patternProperties", "$defs", "definitions"}
}
func itemKeywords() []string { return []string{"items", "additionalProperties", "contains"} }
func sameKeywords() []string { return []string{"allOf", "anyOf"} }

// Relax makes of the JSON Schema of an action's inputs the schema of the same inputs as
// they are drawn, where ${...} may stand for a value of any type: what has an
// expression in it is checked when it is evaluated. Fields of the root that literal
// names are left as they are. The schema is a value as encoding/json makes it; it is
// not changed.
func Relax(schema any, literal ...string) any { return relaxInside(schema, literal) }

// RelaxValue is Relax for a value that may be an expression as a whole.
func RelaxValue(schema any) any {
	out := relaxWhole(schema)
	s, isMap := schema.(map[string]any)
	wrapper, wrapped := out.(map[string]any)
	if !isMap || !wrapped {
		return out
	}
	inner, _ := relaxInside(s, nil).(map[string]any)
	for _, k := range []string{"$defs", "definitions"} {
		if defs, ok := inner[k]; ok {
			wrapper[k] = defs // where the references of the inner schema look for them
		}
	}
	return out
}

// relaxInside relaxes what a schema says about the parts of its instance.
func relaxInside(schema any, literal []string) any {
	s, ok := schema.(map[string]any)
	if !ok {
		return schema
	}
	out := make(map[string]any, len(s))
	for k, v := range s {
		out[k] = v
	}
	for _, k := range mapKeywords() {
		if m, ok := s[k].(map[string]any); ok {
			out[k] = relaxEach(m, literal, k == "properties")
		}
	}
	for _, k := range itemKeywords() {
		if _, ok := s[k].(map[string]any); ok {
			out[k] = relaxWhole(s[k])
		}
	}
	if list, ok := s["prefixItems"].([]any); ok {
		out["prefixItems"] = each(list, relaxWhole)
	}
	relaxSame(out, s, literal)
	return out
}

// relaxEach relaxes the values of a map of schemas.
func relaxEach(m map[string]any, literal []string, properties bool) map[string]any {
	out := make(map[string]any, len(m))
	for name, v := range m {
		if properties && slices.Contains(literal, name) {
			out[name] = v
			continue
		}
		out[name] = relaxWhole(v)
	}
	return out
}

// relaxSame relaxes the keywords of s whose schemas describe the instance itself, and
// writes them to out.
func relaxSame(out, s map[string]any, literal []string) {
	inside := func(v any) any { return relaxInside(v, literal) }
	for _, k := range sameKeywords() {
		if list, ok := s[k].([]any); ok {
			out[k] = each(list, inside)
		}
	}
	if m, ok := s["dependentSchemas"].(map[string]any); ok {
		deps := make(map[string]any, len(m))
		for name, v := range m {
			deps[name] = inside(v)
		}
		out["dependentSchemas"] = deps
	}
	var all []any
	// An expression may satisfy several branches: which one it is turns out later.
	if list, ok := s["oneOf"].([]any); ok && slices.ContainsFunc(list, hasParts) {
		delete(out, "oneOf")
		all = append(all, map[string]any{"anyOf": each(list, inside)})
	}
	// What is forbidden cannot be decided while a part may be an expression.
	delete(out, "not")
	if not, ok := s["not"]; ok && !hasParts(not) {
		out["not"] = not
	}
	if cond, ok := s["if"]; ok {
		for _, k := range []string{"if", "then", "else"} {
			delete(out, k)
		}
		all = append(all, relaxCondition(s, cond, inside))
	}
	if len(all) > 0 {
		before, _ := out["allOf"].([]any)
		out["allOf"] = append(slices.Clone(before), all...)
	}
}

// relaxCondition makes an if that forces neither branch while anything that its
// condition looks at is an expression.
func relaxCondition(s map[string]any, cond any, inside func(any) any) any {
	branch := map[string]any{"if": cond}
	for _, k := range []string{"then", "else"} {
		if v, ok := s[k]; ok {
			branch[k] = inside(v)
		}
	}
	open := touched(cond)
	if len(open) == 0 {
		return branch
	}
	return map[string]any{"if": map[string]any{"anyOf": open}, "else": branch}
}

// touched returns schemas, one of which holds when a property that cond looks at is an
// expression.
func touched(cond any) []any {
	s, ok := cond.(map[string]any)
	if !ok {
		return nil
	}
	var out []any
	if m, ok := s["properties"].(map[string]any); ok {
		for _, name := range sortedKeys(m) {
			is := append([]any{expression(insidePattern)}, touched(m[name])...)
			out = append(out, map[string]any{
				"type": "object", "required": []any{name},
				"properties": map[string]any{name: map[string]any{"anyOf": is}},
			})
		}
	}
	for _, k := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := s[k].([]any)
		for _, v := range list {
			out = append(out, touched(v)...)
		}
	}
	for _, k := range []string{"not", "if", "then", "else"} {
		out = append(out, touched(s[k])...)
	}
	return out
}

// relaxWhole relaxes a schema whose instance may be an expression itself.
func relaxWhole(schema any) any {
	s, ok := schema.(map[string]any)
	if !ok {
		return schema
	}
	inner, _ := relaxInside(s, nil).(map[string]any)
	switch s[expressionKeyword] {
	case "forbidden":
		return map[string]any{"allOf": []any{inner, map[string]any{"not": expression(insidePattern)}}}
	case "required":
		return expression(wholePattern)
	}
	if _, ok := s["$ref"]; ok {
		return inner // its target is relaxed where it is defined
	}
	pattern := wholePattern
	if mayBeText(s) {
		pattern = insidePattern
	}
	return map[string]any{effort.RelaxedKeyword: true, "anyOf": []any{inner, expression(pattern)}}
}

// expression is the schema of a string that holds an expression.
func expression(pattern string) map[string]any {
	return map[string]any{"type": "string", "pattern": pattern}
}

// mayBeText reports whether a schema allows strings, so that ${...} inside one gives a
// value of the right type.
func mayBeText(s map[string]any) bool {
	switch t := s["type"].(type) {
	case nil:
		return true
	case string:
		return t == "string"
	case []any:
		return slices.Contains(t, any("string"))
	default:
		return false
	}
}

// hasParts reports whether a schema says anything about parts of its instance.
func hasParts(schema any) bool {
	s, ok := schema.(map[string]any)
	if !ok {
		return false
	}
	for _, k := range append(append(mapKeywords(), itemKeywords()...), "prefixItems", "dependentSchemas", "if", "$ref") {
		if _, ok := s[k]; ok {
			return true
		}
	}
	for _, k := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := s[k].([]any)
		if slices.ContainsFunc(list, hasParts) {
			return true
		}
	}
	return hasParts(s["not"])
}

func each(list []any, f func(any) any) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}
