package expr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Violation is one thing in a value that its schema does not allow.
type Violation struct {
	// Pointer is the place in the value (JSON Pointer).
	Pointer string
	Message string
	// Reason is the rule that does not hold, as a code that clients translate Message by, and
	// Want is what it wants, where that is one thing.
	Reason, Want string
}

// Args are the arguments of a problem about the violation, in pairs: "detail" is the message,
// "why" and "a" are what to translate it by.
func (v Violation) Args() []string {
	args := []string{"detail", v.Message}
	if v.Reason != "" {
		args = append(args, "why", v.Reason)
	}
	if v.Want != "" {
		args = append(args, "a", v.Want)
	}
	return args
}

// violationsMax is how many violations Validate reports at once.
const violationsMax = 50

// Validate holds a JSON value against the schema. It returns nothing when the value
// is valid.
func (s *Schema) Validate(raw json.RawMessage) []Violation {
	if s.anything() && json.Valid(raw) {
		return nil
	}
	v, err := decodeAny(raw)
	if err != nil {
		return []Violation{{Message: "not JSON: " + err.Error()}}
	}
	return s.ValidateValue(v)
}

// ValidateValue is Validate for a value that encoding/json has decoded with UseNumber.
func (s *Schema) ValidateValue(v any) []Violation {
	budget := checksMax
	c := &check{budget: &budget}
	c.value(s, v, "", 0)
	return c.found
}

func decodeAny(raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("trailing data")
	}
	return v, nil
}

// checksMax bounds the work of one validation: alternatives that refer to themselves
// could otherwise take for ever.
const checksMax = 1_000_000

// check collects violations.
type check struct {
	found  []Violation
	budget *int
}

// add notes a violation; the first of args is what the rule wants.
func (c *check) add(at, reason, format string, args ...any) {
	if len(c.found) >= violationsMax {
		return
	}
	bad := Violation{Pointer: at, Reason: reason, Message: fmt.Sprintf(format, args...)}
	if len(args) > 0 {
		bad.Want = fmt.Sprint(args[0])
	}
	c.found = append(c.found, bad)
}

// want says what the rule that was noted last wants, as it is named in a schema.
func (c *check) want(want string) {
	if n := len(c.found); n > 0 {
		c.found[n-1].Want = want
	}
}

// choices are the allowed values, as far as a sentence holds them.
func choices(values []json.RawMessage) string {
	const most = 20
	var out []string
	for i, v := range values {
		if i == most {
			out = append(out, "...")
			break
		}
		out = append(out, string(v))
	}
	return strings.Join(out, ", ")
}

func (c *check) value(s *Schema, v any, at string, depth int) {
	if s == nil {
		return
	}
	if *c.budget--; *c.budget < 0 {
		c.add(at, "SCHEMA_LONG", "takes too long to check")
		return
	}
	if depth > schemaDepthMax {
		c.add(at, "SCHEMA_NESTED", "nested too deep")
		return
	}
	if s.never {
		c.add(at, "SCHEMA_SCHEMA", "is not allowed")
		return
	}
	if text, ok := v.(string); ok && s.secret && IsSecretRef(text) {
		return // what it stands for is checked where it is put in
	}
	if s.ref != nil {
		c.value(s.ref, v, at, depth+1)
	}
	if len(s.types) > 0 && !slices.ContainsFunc(s.types, func(t string) bool { return hasType(v, t) }) {
		c.add(at, "SCHEMA_TYPE", "must be %s", strings.Join(s.types, " or "))
		c.want(strings.Join(s.types, "/"))
		return
	}
	c.literals(s, v, at)
	switch v := v.(type) {
	case string:
		c.text(s, v, at)
	case json.Number:
		c.number(s, v, at)
	case []any:
		c.array(s, v, at, depth)
	case map[string]any:
		c.object(s, v, at, depth)
	}
	c.combined(s, v, at, depth)
}

func hasType(v any, t string) bool {
	switch v := v.(type) {
	case nil:
		return t == "null"
	case bool:
		return t == "boolean"
	case string:
		return t == "string"
	case []any:
		return t == "array"
	case map[string]any:
		return t == "object"
	case json.Number:
		if t == "number" {
			return true
		}
		return t == "integer" && isInteger(v)
	}
	return false
}

func isInteger(n json.Number) bool {
	if !strings.ContainsAny(string(n), ".eE") {
		return true
	}
	f, err := n.Float64()
	return err == nil && f == math.Trunc(f)
}

func (c *check) literals(s *Schema, v any, at string) {
	if s.constant != nil {
		if want, err := decodeAny(s.constant); err == nil && !equalJSON(want, v) {
			c.add(at, "SCHEMA_CONST", "must be %s", s.constant)
		}
	}
	if s.enum == nil {
		return
	}
	for _, raw := range s.enum {
		if want, err := decodeAny(raw); err == nil && equalJSON(want, v) {
			return
		}
	}
	c.add(at, "SCHEMA_ENUM", "must be one of the %d allowed values", len(s.enum))
	c.want(choices(s.enum))
}

// equalJSON compares two decoded values; numbers by their value.
func equalJSON(a, b any) bool {
	switch x := a.(type) {
	case json.Number:
		y, ok := b.(json.Number)
		if !ok {
			return false
		}
		f, err1 := x.Float64()
		g, err2 := y.Float64()
		return x == y || err1 == nil && err2 == nil && f == g
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equalJSON)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, equalJSON)
	}
	return a == b
}

func (c *check) text(s *Schema, v, at string) {
	n := utf8.RuneCountInString(v)
	if m := s.length.MinLength; m != nil && n < *m {
		c.add(at, "SCHEMA_MIN_LENGTH", "must have at least %d characters", *m)
	}
	if m := s.length.MaxLength; m != nil && n > *m {
		c.add(at, "SCHEMA_MAX_LENGTH", "must have at most %d characters", *m)
	}
	if p := s.length.pattern; p != nil && !p.MatchString(v) {
		c.add(at, "SCHEMA_PATTERN", "must match %s", p)
	}
}

func (c *check) number(s *Schema, v json.Number, at string) {
	f, err := v.Float64()
	if err != nil {
		c.add(at, "SCHEMA_RANGE", "is out of range")
		return
	}
	r := &s.number
	switch {
	case r.Minimum != nil && f < *r.Minimum:
		c.add(at, "SCHEMA_MINIMUM", "must be at least %v", *r.Minimum)
	case r.ExclusiveMinimum != nil && f <= *r.ExclusiveMinimum:
		c.add(at, "SCHEMA_EXCLUSIVE_MINIMUM", "must be more than %v", *r.ExclusiveMinimum)
	case r.Maximum != nil && f > *r.Maximum:
		c.add(at, "SCHEMA_MAXIMUM", "must be at most %v", *r.Maximum)
	case r.ExclusiveMaximum != nil && f >= *r.ExclusiveMaximum:
		c.add(at, "SCHEMA_EXCLUSIVE_MAXIMUM", "must be less than %v", *r.ExclusiveMaximum)
	}
	if m := r.MultipleOf; m != nil && *m > 0 {
		if q := f / *m; math.Abs(q-math.Round(q)) > 1e-9*math.Max(1, math.Abs(q)) {
			c.add(at, "SCHEMA_MULTIPLE_OF", "must be a multiple of %v", *m)
		}
	}
}

func (c *check) array(s *Schema, v []any, at string, depth int) {
	if m := s.length.MinItems; m != nil && len(v) < *m {
		c.add(at, "SCHEMA_MIN_ITEMS", "must have at least %d items", *m)
	}
	if m := s.length.MaxItems; m != nil && len(v) > *m {
		c.add(at, "SCHEMA_MAX_ITEMS", "must have at most %d items", *m)
	}
	for i, item := range v {
		sub := s.items
		if i < len(s.prefix) {
			sub = s.prefix[i]
		}
		if sub != nil {
			c.value(sub, item, fmt.Sprintf("%s/%d", at, i), depth+1)
		}
	}
	if s.length.UniqueItems {
		c.unique(v, at)
	}
}

// unique compares items by their canonical JSON: maps are written with sorted keys.
func (c *check) unique(v []any, at string) {
	seen := make(map[string]int, len(v))
	for i, item := range v {
		b, err := json.Marshal(item)
		if err != nil {
			continue
		}
		if j, ok := seen[string(b)]; ok {
			c.add(fmt.Sprintf("%s/%d", at, i), "SCHEMA_UNIQUE_ITEMS", "is the same as item %d", j)
			return
		}
		seen[string(b)] = i
	}
}

func (c *check) object(s *Schema, v map[string]any, at string, depth int) {
	for _, name := range s.required {
		if _, ok := v[name]; !ok {
			c.add(at+"/"+escapePointer(name), "SCHEMA_REQUIRED", "is required")
		}
	}
	if m := s.length.MinProperties; m != nil && len(v) < *m {
		c.add(at, "SCHEMA_MIN_PROPERTIES", "must have at least %d entries", *m)
	}
	if m := s.length.MaxProperties; m != nil && len(v) > *m {
		c.add(at, "SCHEMA_MAX_PROPERTIES", "must have at most %d entries", *m)
	}
	if s.properties == nil && s.additional == nil {
		return
	}
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		sub, ok := s.properties[name]
		if !ok {
			sub = s.additional
		}
		if sub != nil {
			c.value(sub, v[name], at+"/"+escapePointer(name), depth+1)
		}
	}
}

func (c *check) combined(s *Schema, v any, at string, depth int) {
	for _, sub := range s.all {
		c.value(sub, v, at, depth+1)
	}
	if len(s.any) > 0 && c.countValid(s.any, v, depth) == 0 {
		c.add(at, "SCHEMA_ANY_OF", "matches none of the %d alternatives", len(s.any))
	}
	if n := c.countValid(s.one, v, depth); len(s.one) > 0 && n != 1 {
		c.add(at, "SCHEMA_ONE_OF", "matches %d of the %d alternatives, must match one", n, len(s.one))
	}
	if s.not != nil && c.countValid([]*Schema{s.not}, v, depth) == 1 {
		c.add(at, "SCHEMA_NOT", "is not allowed")
	}
}

func (c *check) countValid(subs []*Schema, v any, depth int) int {
	n := 0
	for _, sub := range subs {
		alternative := &check{budget: c.budget}
		if alternative.value(sub, v, "", depth+1); len(alternative.found) == 0 {
			n++
		}
	}
	return n
}

func escapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
