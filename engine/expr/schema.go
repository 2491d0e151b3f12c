package expr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// schemaDepthMax bounds the nesting of a schema, and of a value held against one.
const schemaDepthMax = 64

// Schema is a parsed JSON Schema (2020-12): the part that forms use. Keywords that it
// does not know are annotations to it. It is immutable after ParseSchema.
type Schema struct {
	never      bool // the schema false
	types      []string
	properties map[string]*Schema
	required   []string
	additional *Schema // of other properties; nil when the schema does not say
	items      *Schema
	prefix     []*Schema
	enum       []json.RawMessage
	constant   json.RawMessage
	all        []*Schema
	any        []*Schema
	one        []*Schema
	not        *Schema
	ref        *Schema
	number     numberRules
	length     lengthRules
	secret     bool // x-secret: true, or the format password
	holder     bool // x-secret: inside, which is for values of any shape
}

// numberRules bound a number; nil does not.
type numberRules struct {
	Minimum          *float64 `json:"minimum"`
	Maximum          *float64 `json:"maximum"`
	ExclusiveMinimum *float64 `json:"exclusiveMinimum"`
	ExclusiveMaximum *float64 `json:"exclusiveMaximum"`
	MultipleOf       *float64 `json:"multipleOf"`
}

// lengthRules bound strings, arrays and objects; nil does not.
type lengthRules struct {
	MinLength     *int `json:"minLength"`
	MaxLength     *int `json:"maxLength"`
	MinItems      *int `json:"minItems"`
	MaxItems      *int `json:"maxItems"`
	MinProperties *int `json:"minProperties"`
	MaxProperties *int `json:"maxProperties"`
	UniqueItems   bool `json:"uniqueItems"`
	pattern       *regexp.Regexp
}

// schemaParser resolves references inside one document.
type schemaParser struct {
	defs map[string]json.RawMessage
	done map[string]*Schema
}

// ParseSchema reads a schema. An absent one (no bytes) allows everything. References
// are followed inside the document only (#/$defs/NAME).
func ParseSchema(raw json.RawMessage) (*Schema, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return &Schema{}, nil
	}
	var head struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	if isJSONObject(raw) {
		if err := json.Unmarshal(raw, &head); err != nil {
			return nil, fmt.Errorf("schema: %w", err)
		}
	}
	p := &schemaParser{defs: head.Defs, done: map[string]*Schema{}}
	s := &Schema{}
	p.done["#"] = s
	if err := p.parse(s, raw, 0); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return s, nil
}

// ObjectSchema is the schema of an object with these properties and no others.
func ObjectSchema(properties map[string]*Schema, required []string) *Schema {
	return &Schema{types: []string{"object"}, properties: properties, required: required, additional: &Schema{never: true}}
}

// schemaJSON are the keywords as they stand in a document.
type schemaJSON struct {
	Type       json.RawMessage            `json:"type"`
	Properties map[string]json.RawMessage `json:"properties"`
	Required   []string                   `json:"required"`
	Additional json.RawMessage            `json:"additionalProperties"`
	Items      json.RawMessage            `json:"items"`
	Prefix     []json.RawMessage          `json:"prefixItems"`
	Enum       []json.RawMessage          `json:"enum"`
	Const      json.RawMessage            `json:"const"`
	All        []json.RawMessage          `json:"allOf"`
	Any        []json.RawMessage          `json:"anyOf"`
	One        []json.RawMessage          `json:"oneOf"`
	Not        json.RawMessage            `json:"not"`
	Ref        string                     `json:"$ref"`
	Pattern    string                     `json:"pattern"`
	Format     json.RawMessage            `json:"format"`
	Secret     json.RawMessage            `json:"x-secret"`
}

func (p *schemaParser) parse(s *Schema, raw json.RawMessage, depth int) error {
	if depth > schemaDepthMax {
		return fail("", "nested more than %d deep", schemaDepthMax).because("SCHEMA_DEEP", schemaDepthMax)
	}
	switch strings.TrimSpace(string(raw)) {
	case "true":
		return nil
	case "false":
		s.never = true
		return nil
	}
	var j schemaJSON
	if err := json.Unmarshal(raw, &j); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &s.number); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &s.length); err != nil {
		return err
	}
	if j.Pattern != "" {
		re, err := regexp.Compile(j.Pattern)
		if err != nil {
			return fail("", "%q is no regular expression: %v", j.Pattern, err).because("SCHEMA_REGEX", j.Pattern)
		}
		s.length.pattern = re
	}
	types, err := parseTypes(j.Type)
	if err != nil {
		return err
	}
	s.types, s.required, s.enum, s.constant = types, j.Required, j.Enum, j.Const
	s.holder = string(j.Secret) == `"inside"`
	s.secret = string(j.Secret) == "true" || string(j.Format) == `"password"`
	return p.parseParts(s, &j, depth)
}

func (p *schemaParser) parseParts(s *Schema, j *schemaJSON, depth int) (err error) {
	one := func(raw json.RawMessage) *Schema {
		if err != nil || len(raw) == 0 {
			return nil
		}
		sub := &Schema{}
		err = p.parse(sub, raw, depth+1)
		return sub
	}
	many := func(raws []json.RawMessage) []*Schema {
		var subs []*Schema
		for _, raw := range raws {
			subs = append(subs, one(raw))
		}
		return subs
	}
	if j.Properties != nil {
		s.properties = make(map[string]*Schema, len(j.Properties))
	}
	for name, raw := range j.Properties {
		s.properties[name] = one(raw)
	}
	s.additional, s.items, s.not = one(j.Additional), one(j.Items), one(j.Not)
	s.prefix, s.all, s.any, s.one = many(j.Prefix), many(j.All), many(j.Any), many(j.One)
	if err == nil && j.Ref != "" {
		s.ref, err = p.resolve(j.Ref, depth)
	}
	return err
}

// resolve finds what a reference means; one that leads back to itself is shared.
func (p *schemaParser) resolve(ref string, depth int) (*Schema, error) {
	if s, ok := p.done[ref]; ok {
		return s, nil
	}
	name, ok := strings.CutPrefix(ref, "#/$defs/")
	raw, found := p.defs[name]
	if !ok || !found {
		return nil, fail("", "reference %q leads nowhere", ref).because("SCHEMA_REFERENCE", ref)
	}
	s := &Schema{}
	p.done[ref] = s
	return s, p.parse(s, raw, depth+1)
}

func parseTypes(raw json.RawMessage) ([]string, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var types []string
	if raw[0] == '[' {
		if err := json.Unmarshal(raw, &types); err != nil {
			return nil, err
		}
	} else {
		types = make([]string, 1)
		if err := json.Unmarshal(raw, &types[0]); err != nil {
			return nil, err
		}
	}
	for _, t := range types {
		if !slices.Contains([]string{"string", "integer", "number", "boolean", "array", "object", "null"}, t) {
			return nil, fail("", "unknown type %q", t).because("SCHEMA_UNKNOWN_TYPE", t)
		}
	}
	return types, nil
}

// anything reports whether the schema says nothing.
func (s *Schema) anything() bool {
	parts := len(s.types) + len(s.properties) + len(s.required) + len(s.prefix) + len(s.enum) + len(s.constant) + len(s.all) + len(s.any) + len(s.one)
	return parts == 0 && !s.never && !s.secret && !s.holder && s.additional == nil && s.items == nil && s.not == nil && s.ref == nil &&
		s.number == (numberRules{}) && s.length == (lengthRules{})
}

// Type returns the one type that the schema allows, or "" when it allows several.
func (s *Schema) Type() string {
	s = s.target()
	if s != nil && len(s.types) == 1 {
		return s.types[0]
	}
	return ""
}

// target follows references, a bounded number of times.
func (s *Schema) target() *Schema {
	for i := 0; s != nil && s.ref != nil && len(s.types) == 0 && i < schemaDepthMax; i++ {
		s = s.ref
	}
	return s
}

// Property returns the schema of a property. The second result is false when the
// schema names its properties and this one is not among them.
func (s *Schema) Property(name string) (*Schema, bool) {
	s = s.target()
	if p, ok := s.properties[name]; ok {
		return p, true
	}
	if s.additional != nil {
		return s.additional, !s.additional.never
	}
	return &Schema{}, s.properties == nil
}

// Properties returns the names of the properties, sorted.
func (s *Schema) Properties() []string {
	s = s.target()
	names := make([]string, 0, len(s.properties))
	for name := range s.properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Required returns the names of the properties that must be there.
func (s *Schema) Required() []string { return s.target().required }

// closed reports whether an object's fields are known by name.
func (s *Schema) closed() bool {
	return s.properties != nil && (s.additional == nil || s.additional.never)
}

func isJSONObject(raw json.RawMessage) bool {
	t := bytes.TrimLeft(raw, " \t\r\n")
	return len(t) > 0 && t[0] == '{'
}
