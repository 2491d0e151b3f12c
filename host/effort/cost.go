package effort

import (
	"encoding/json"
	"regexp/syntax"
	"strconv"
	"strings"
)

// The limits of one check. A schema and the value that is held against it may both come
// with a plugin of a stranger, and the server checks them itself: a check may take a time
// that is linear in the value, whatever the schema says of each part of it. A step is
// about a microsecond.
const (
	// stepsMax bounds the steps of a check; each byte of the value allows one more.
	stepsMax = 100_000
	// patternBytes is how many instructions of a pattern, each met by one byte of a text,
	// make a step.
	patternBytes = 40
	// formatBytes is how many bytes of a text, held against a format, make a step.
	formatBytes = 8
	// exponentMax bounds the exponents of numbers: 1e1000000 is short, and its digits fill
	// memory wherever it is compared.
	exponentMax = 1_000
	// unevaluated is how many parts of a value, noted by a schema for what is not evaluated
	// elsewhere, make a step.
	unevaluated = 8
	// nestedMax bounds how often references and the like lead on at one value.
	nestedMax = 1_000
)

// patterns are the regular expressions of a schema, with the number of instructions that
// each compiles to.
type patterns map[string]int

// gather adds the patterns in a part of a schema.
func (p patterns) gather(doc any) {
	switch v := doc.(type) {
	case map[string]any:
		if text, ok := v["pattern"].(string); ok {
			p.add(text)
		}
		named, _ := v["patternProperties"].(map[string]any)
		for text := range named {
			p.add(text)
		}
		for _, x := range v {
			p.gather(x)
		}
	case []any:
		for _, x := range v {
			p.gather(x)
		}
	}
}

func (p patterns) add(text string) {
	if _, ok := p[text]; ok {
		return
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return // the compiler of schemas says so
	}
	if program, err := syntax.Compile(tree.Simplify()); err == nil {
		p[text] = len(program.Inst)
	}
}

// steps is what it takes to hold a text of that many bytes against a pattern.
func (p patterns) steps(text string, bytes int) int64 {
	return int64(p[text])*int64(bytes)/patternBytes + 1
}

// own is what it takes to hold one byte of a value against what a schema says itself,
// without its sub-schemas.
func (p patterns) own(s map[string]any) int {
	n := 1
	if list, ok := s["enum"].([]any); ok {
		n += parts(list)
	}
	if v, ok := s["const"]; ok {
		n += parts(v)
	}
	if text, ok := s["pattern"].(string); ok {
		n += int(p.steps(text, 1))
	}
	named, _ := s["patternProperties"].(map[string]any)
	for text := range named {
		n += int(p.steps(text, 1))
	}
	return n
}

// parts counts the values in a value.
func parts(v any) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			n += parts(x)
		}
	case map[string]any:
		for _, x := range v {
			n += parts(x)
		}
	}
	return n
}

// measure returns how many bytes a value has at least, and whether a number in it is of a
// size that nobody computes with.
func measure(v any) (bytes int, huge bool) {
	switch v := v.(type) {
	case string:
		return len(v) + 2, false
	case json.Number:
		return len(v), exponent(v) > exponentMax
	case []any:
		bytes = 1
		for _, x := range v {
			n, h := measure(x)
			bytes, huge = bytes+n+1, huge || h
		}
		return bytes, huge
	case map[string]any:
		bytes = 1
		for name, x := range v {
			n, h := measure(x)
			bytes, huge = bytes+n+len(name)+4, huge || h
		}
		return bytes, huge
	default:
		return 1, false
	}
}

// exponent is that of a number, without its sign.
func exponent(n json.Number) int {
	_, text, ok := strings.Cut(strings.ToLower(string(n)), "e")
	if !ok {
		return 0
	}
	e, err := strconv.Atoi(strings.TrimLeft(text, "+-"))
	if err != nil {
		return exponentMax + 1
	}
	return e
}

// TooLong reports whether a check of a value takes more steps than a check may: more than
// about a tenth of a second, and a second for each megabyte of the value. It walks schema and
// value as the check does, but counts only. The value is as jsonschema.UnmarshalJSON makes it.
func (s *Schema) TooLong(value any) bool {
	bytes, huge := measure(value)
	if huge {
		return true
	}
	if int64(bytes)*int64(s.weight) <= stepsMax { // a value has no more parts than bytes
		return false
	}
	c := counter{schema: s, left: stepsMax + int64(bytes), targets: map[string]any{}}
	c.count(s.document, value, 0)
	return c.left < 0
}

// counter counts the steps of a check, too many rather than too few: it tries every branch.
type counter struct {
	schema  *Schema
	left    int64
	targets map[string]any
}

// count takes the steps of a schema at a value. nested is how many schemas led here
// without a step down into the value.
func (c *counter) count(schema, value any, nested int) {
	c.left--
	s, ok := schema.(map[string]any)
	if !ok || c.left < 0 {
		return
	}
	if nested > nestedMax {
		c.left = -1
		return
	}
	if list, ok := s["enum"].([]any); ok {
		c.left -= int64(parts(list))
	}
	if v, ok := s["const"]; ok {
		c.left -= int64(parts(v))
	}
	if ref, ok := s["$ref"].(string); ok {
		c.count(c.target(ref), value, nested+1)
	}
	for _, k := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := s[k].([]any)
		for _, x := range list {
			c.count(x, value, nested+1)
		}
	}
	for _, k := range []string{"not", "if", "then", "else"} {
		if x, ok := s[k]; ok {
			c.count(x, value, nested+1)
		}
	}
	switch v := value.(type) {
	case string:
		c.text(s, v)
	case []any:
		c.list(s, v)
	case map[string]any:
		c.object(s, v, nested)
	}
}

func (c *counter) text(s map[string]any, v string) {
	if text, ok := s["pattern"].(string); ok {
		c.left -= c.schema.patterns.steps(text, len(v))
	}
	if _, ok := s["format"]; ok {
		c.left -= int64(len(v) / formatBytes)
	}
}

func (c *counter) list(s map[string]any, v []any) {
	first, _ := s["prefixItems"].([]any)
	rest, hasRest := s["items"]
	contains, hasContains := s["contains"]
	other, hasOther := s["unevaluatedItems"]
	c.note(len(v))
	for i, x := range v {
		if c.left < 0 {
			return
		}
		switch {
		case i < len(first):
			c.count(first[i], x, 0)
		case hasRest:
			c.count(rest, x, 0)
		}
		if hasContains {
			c.count(contains, x, 0)
		}
		if hasOther {
			c.count(other, x, 0)
		}
	}
}

func (c *counter) object(s, v map[string]any, nested int) {
	own, _ := s["properties"].(map[string]any)
	named, _ := s["patternProperties"].(map[string]any)
	others, hasOthers := s["additionalProperties"]
	names, hasNames := s["propertyNames"]
	left, hasLeft := s["unevaluatedProperties"]
	c.note(len(v))
	for name, x := range v {
		if c.left < 0 {
			return
		}
		if sub, ok := own[name]; ok {
			c.count(sub, x, 0)
		} else if hasOthers {
			c.count(others, x, 0)
		}
		if hasNames {
			c.count(names, name, 0)
		}
		if hasLeft {
			c.count(left, x, 0)
		}
		for text, sub := range named {
			c.left -= c.schema.patterns.steps(text, len(name))
			c.count(sub, x, 0)
		}
	}
	for _, k := range []string{"dependentSchemas", "dependencies"} {
		dependent, _ := s[k].(map[string]any)
		for name, sub := range dependent {
			if _, ok := v[name]; ok {
				c.count(sub, v, nested+1)
			}
		}
	}
}

// note takes the steps of a schema that notes which parts of a value were evaluated.
func (c *counter) note(parts int) {
	if c.schema.notes {
		c.left -= int64(parts / unevaluated)
	}
}

// target is what a reference leads to.
func (c *counter) target(ref string) any {
	at, ok := c.targets[ref]
	if !ok {
		at, _ = Find(c.schema.document, ref[min(1, len(ref)):])
		c.targets[ref] = at
	}
	return at
}
