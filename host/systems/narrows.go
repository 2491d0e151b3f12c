package systems

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Narrows reports whether every value that the schema after allows is one that the schema
// before allows, and no place is marked for a secret that was not. It answers true only where
// it can show that; false says that after may be wider.
func Narrows(before, after json.RawMessage) bool {
	var b, a any
	if json.Unmarshal(before, &b) != nil || json.Unmarshal(after, &a) != nil {
		return false
	}
	n := narrowing{before: b, after: a, assumed: map[[2]string]bool{}, left: narrowingSteps}
	return n.within(a, b)
}

// narrowingSteps bounds the comparison of two schemas; one that takes more counts as wider.
const narrowingSteps = 200_000

// valuesStep is how many pairs of listed values are compared in a step.
const valuesStep = 16

// narrowing compares two schemas. A pair of references that is being compared is assumed to
// hold, so that schemas which contain themselves come to an end.
type narrowing struct {
	before, after any
	assumed       map[[2]string]bool
	left          int
}

// within reports whether the new schema's values are all of the old one.
func (n *narrowing) within(a, b any) bool {
	if n.left--; n.left < 0 {
		return false
	}
	refA, refB := refOf(a), refOf(b)
	if refA != "" || refB != "" {
		pair := [2]string{refA, refB}
		if refA != "" && refB != "" {
			if n.assumed[pair] {
				return true
			}
			n.assumed[pair] = true
		}
		var ok bool
		if a, ok = follow(n.after, a); !ok {
			return false
		}
		if b, ok = follow(n.before, b); !ok {
			return false
		}
	}
	if a == false {
		return true
	}
	am, bm := schemaMap(a), schemaMap(b)
	if am == nil || bm == nil {
		return false
	}
	if am["x-secret"] == true && bm["x-secret"] != true {
		return false
	}
	return n.constraints(am, bm)
}

// schemaMap is the schema as an object: true is the empty one.
func schemaMap(v any) map[string]any {
	if v == true || v == nil {
		return map[string]any{}
	}
	m, _ := v.(map[string]any)
	return m
}

func refOf(v any) string {
	m, _ := v.(map[string]any)
	s, _ := m["$ref"].(string)
	return s
}

// follow goes where references lead, within one document.
func follow(root, v any) (any, bool) {
	for range 32 {
		ref := refOf(v)
		if ref == "" {
			return v, true
		}
		if m, _ := v.(map[string]any); len(withoutNotes(m)) > 1 {
			return nil, false // what stands beside a reference is not compared
		}
		name, ok := strings.CutPrefix(ref, sharedRef)
		if !ok {
			return nil, false
		}
		defs, _ := schemaMap(root)["$defs"].(map[string]any)
		if v, ok = defs[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]; !ok {
			return nil, false
		}
	}
	return nil, false
}

// isNote reports whether a keyword allows and forbids nothing.
func isNote(key string) bool {
	switch key {
	case "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "format", "$comment", "$defs", "$schema":
		return true
	}
	return strings.HasPrefix(key, "x-")
}

func withoutNotes(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		if !isNote(k) {
			out[k] = v
		}
	}
	return out
}

// constraints holds every keyword of the old schema against the new one, and what the new one
// names of its own.
func (n *narrowing) constraints(a, b map[string]any) bool {
	for _, key := range slices.Sorted(maps.Keys(b)) {
		if !isNote(key) && !n.holds(key, a, b) {
			return false
		}
	}
	// What these allow is not seen by the comparison of properties and items.
	for _, key := range []string{"patternProperties", "prefixItems"} {
		if a[key] != nil && !reflect.DeepEqual(a[key], b[key]) {
			return false
		}
	}
	// Properties that only the new schema names, and those of its alternatives, must not be a
	// way to what the old one marks or forbids.
	for name, sub := range schemaMap(a["properties"]) {
		if _, ok := schemaMap(b["properties"])[name]; !ok && !n.within(sub, rest(b)) {
			return false
		}
	}
	for _, key := range []string{"items", "additionalProperties", "allOf", "anyOf", "oneOf", "prefixItems", "patternProperties"} {
		if _, ok := b[key]; !ok && hasSecret(a[key]) {
			return false
		}
	}
	return true
}

// rest is the schema of properties that are not named.
func rest(m map[string]any) any {
	if v, ok := m["additionalProperties"]; ok {
		return v
	}
	return true
}

func (n *narrowing) holds(key string, a, b map[string]any) bool {
	switch key {
	case "type":
		return typesWithin(a, b["type"])
	case "enum", "const":
		return n.valuesWithin(a, b)
	case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains":
		return bound(a[key], b[key], func(x, y float64) bool { return x >= y })
	case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains":
		return bound(a[key], b[key], func(x, y float64) bool { return x <= y })
	case "required":
		have, _ := a[key].([]any)
		want, _ := b[key].([]any)
		return !slices.ContainsFunc(want, func(w any) bool { return !slices.Contains(have, w) })
	case "properties":
		return n.properties(a, b)
	case "additionalProperties":
		return n.within(rest(a), b[key])
	case "items":
		return n.within(orTrue(a[key]), b[key])
	case "allOf", "anyOf":
		return n.pairwise(a[key], b[key])
	case "uniqueItems":
		return b[key] != true || a[key] == true
	default:
		// Of what cannot be reasoned about, only the same is no wider; what it refers to may
		// have changed, so a reference inside is not the same.
		return reflect.DeepEqual(a[key], b[key]) && !hasRef(b[key])
	}
}

func orTrue(v any) any {
	if v == nil {
		return true
	}
	return v
}

func (n *narrowing) properties(a, b map[string]any) bool {
	named := schemaMap(a["properties"])
	for name, old := range schemaMap(b["properties"]) {
		sub, ok := named[name]
		if !ok {
			sub = rest(a)
		}
		if !n.within(sub, old) {
			return false
		}
	}
	return true
}

func (n *narrowing) pairwise(a, b any) bool {
	as, _ := a.([]any)
	bs, _ := b.([]any)
	if len(as) != len(bs) {
		return false
	}
	for i := range as {
		if !n.within(as[i], bs[i]) {
			return false
		}
	}
	return true
}

func typesWithin(a map[string]any, want any) bool {
	allowed := typeNames(want)
	have := typeNames(a["type"])
	if len(have) == 0 {
		return false
	}
	return !slices.ContainsFunc(have, func(t string) bool {
		return !slices.Contains(allowed, t) && (t != "integer" || !slices.Contains(allowed, "number"))
	})
}

func typeNames(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, x := range v {
			s, _ := x.(string)
			out = append(out, s)
		}
		return out
	}
	return nil
}

// valuesWithin compares listed values, each of the new ones with each of the old.
func (n *narrowing) valuesWithin(a, b map[string]any) bool {
	listed := func(m map[string]any) []any {
		if c, ok := m["const"]; ok {
			return []any{c}
		}
		l, _ := m["enum"].([]any)
		return l
	}
	have, want := listed(a), listed(b)
	n.left -= len(have) * len(want) / valuesStep
	if len(have) == 0 || n.left < 0 {
		return false
	}
	return !slices.ContainsFunc(have, func(v any) bool {
		return !slices.ContainsFunc(want, func(w any) bool { return reflect.DeepEqual(v, w) })
	})
}

func bound(a, b any, ok func(x, y float64) bool) bool {
	x, isX := a.(float64)
	y, isY := b.(float64)
	return isX && isY && ok(x, y)
}

// hasRef and hasSecret look into a part of a schema.
func hasRef(v any) bool { return holdsKey(v, func(k string, _ any) bool { return k == "$ref" }) }

func hasSecret(v any) bool {
	return holdsKey(v, func(k string, x any) bool { return k == "$ref" || k == "x-secret" && x == true })
}

func holdsKey(v any, want func(string, any) bool) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(x any) bool { return holdsKey(x, want) })
	case map[string]any:
		for k, x := range v {
			if want(k, x) || holdsKey(x, want) {
				return true
			}
		}
	}
	return false
}
