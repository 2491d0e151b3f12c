package simulate

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp/syntax"
	"slices"
	"strings"
)

// The limits of an example: its nesting, its lists, and all its values together.
const (
	exampleDepthMax  = 12
	exampleItemsMax  = 16
	exampleValuesMax = 2000
)

// Example makes a value that a JSON Schema describes: what the schema itself names as
// default, example, constant or first choice, else the smallest plain value of the type.
// The same schema gives the same value. It is a guess: what a schema asks for in words
// that forms do not use is not looked at.
func Example(schema json.RawMessage) json.RawMessage {
	var head struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	_ = json.Unmarshal(schema, &head) // a schema that is true or false has no definitions
	e := example{defs: head.Defs, left: exampleValuesMax}
	v := e.value(schema, "", 0)
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}

// example makes values for the parts of one schema.
type example struct {
	defs map[string]json.RawMessage
	left int // values that may still be made
}

// exampleSchema are the keywords that say what a value may be.
type exampleSchema struct {
	Type       json.RawMessage            `json:"type"`
	Properties map[string]json.RawMessage `json:"properties"`
	Items      json.RawMessage            `json:"items"`
	Prefix     []json.RawMessage          `json:"prefixItems"`
	Default    json.RawMessage            `json:"default"`
	Examples   []json.RawMessage          `json:"examples"`
	Const      json.RawMessage            `json:"const"`
	Enum       []json.RawMessage          `json:"enum"`
	All        []json.RawMessage          `json:"allOf"`
	Any        []json.RawMessage          `json:"anyOf"`
	One        []json.RawMessage          `json:"oneOf"`
	Ref        string                     `json:"$ref"`
	Format     string                     `json:"format"`
	Pattern    string                     `json:"pattern"`
	MinLength  int                        `json:"minLength"`
	MaxLength  *int                       `json:"maxLength"`
	MinItems   int                        `json:"minItems"`
	Minimum    *float64                   `json:"minimum"`
	Exclusive  *float64                   `json:"exclusiveMinimum"`
	Maximum    *float64                   `json:"maximum"`
}

// value makes a value for a schema; name is that of the property it is for.
func (e *example) value(schema json.RawMessage, name string, depth int) any {
	var s exampleSchema
	if e.left--; e.left < 0 || depth > exampleDepthMax || json.Unmarshal(schema, &s) != nil {
		return nil
	}
	for _, given := range [][]json.RawMessage{{s.Const}, s.Examples, {s.Default}, s.Enum} {
		if len(given) > 0 && len(given[0]) > 0 {
			return given[0]
		}
	}
	if def, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return e.value(e.defs[def], name, depth+1)
	}
	if t := typeOf(s.Type); t != "" {
		return e.typed(t, &s, name, depth)
	}
	for _, choice := range [][]json.RawMessage{s.Any, s.One} {
		if len(choice) > 0 {
			return e.value(choice[0], name, depth+1)
		}
	}
	if s.Properties != nil || len(s.All) > 0 {
		return e.object(&s, depth)
	}
	return nil
}

// typeOf returns the first type that a schema allows, null last.
func typeOf(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return one
	}
	var many []string
	if json.Unmarshal(raw, &many) != nil || len(many) == 0 {
		return ""
	}
	if many[0] == "null" && len(many) > 1 {
		return many[1]
	}
	return many[0]
}

func (e *example) typed(t string, s *exampleSchema, name string, depth int) any {
	switch t {
	case "object":
		return e.object(s, depth)
	case "array":
		return e.array(s, name, depth)
	case "string":
		return text(s, name)
	case "integer", "number":
		return number(s)
	case "boolean":
		return true
	}
	return nil
}

func (e *example) object(s *exampleSchema, depth int) any {
	out := map[string]any{}
	for _, part := range s.All {
		if fields, ok := e.value(part, "", depth+1).(map[string]any); ok {
			maps.Copy(out, fields)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if depth < exampleDepthMax && e.left > 0 {
			out[name] = e.value(s.Properties[name], name, depth+1)
		}
	}
	return out
}

func (e *example) array(s *exampleSchema, name string, depth int) any {
	out := []any{}
	for _, part := range s.Prefix {
		out = append(out, e.value(part, name, depth+1))
	}
	want := min(max(s.MinItems, 1), exampleItemsMax)
	for len(out) < want && len(s.Items) > 0 && depth < exampleDepthMax {
		out = append(out, e.value(s.Items, name, depth+1))
	}
	return out
}

// number is the smallest whole number that is allowed and not negative, where there is
// one.
func number(s *exampleSchema) any {
	n := 1.0
	switch {
	case s.Minimum != nil && n < *s.Minimum:
		n = *s.Minimum
	case s.Exclusive != nil && n <= *s.Exclusive:
		n = *s.Exclusive + 1
	}
	if s.Maximum != nil && n > *s.Maximum {
		n = *s.Maximum
	}
	return n
}

// text is a string of the format, of the pattern, or else the property's own name.
func text(s *exampleSchema, name string) string {
	formats := map[string]string{
		"date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01", "time": "00:00:00Z", "duration": "PT1M",
		"email": "someone@example.org", "uri": "https://example.org/", "url": "https://example.org/", "hostname": "example.org",
		"ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uuid": "00000000-0000-4000-8000-000000000000",
	}
	if f, ok := formats[s.Format]; ok {
		return f
	}
	if s.Pattern != "" {
		if re, err := syntax.Parse(s.Pattern, syntax.Perl); err == nil {
			var b strings.Builder
			matching(&b, re.Simplify())
			return b.String()
		}
	}
	out := name
	if out == "" {
		out = "example"
	}
	for len(out) < s.MinLength && len(out) < 1<<10 {
		out += "x"
	}
	if s.MaxLength != nil && len(out) > *s.MaxLength && *s.MaxLength >= 0 {
		out = out[:*s.MaxLength]
	}
	return out
}

// matching writes a short text that a simplified regular expression matches.
func matching(b *strings.Builder, re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		if len(re.Rune) > 0 {
			b.WriteRune(re.Rune[0])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			matching(b, sub)
		}
	case syntax.OpAlternate, syntax.OpCapture, syntax.OpPlus:
		matching(b, re.Sub[0])
	case syntax.OpNoMatch, syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpStar, syntax.OpQuest, syntax.OpRepeat:
	}
}
