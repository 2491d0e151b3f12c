package systems

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/effort"
)

// Compiled is a system that is ready to be called. It is immutable and safe for
// concurrent use.
type Compiled struct {
	System *System
	// Base is the parsed base URL.
	Base *url.URL
	// Origin and Binding are those of the system's methods.
	Origin, Binding string
	// Limits have their defaults filled in.
	Limits     Limits
	operations map[string]*CompiledOperation
}

// CompiledOperation is an operation with its path made ready, and its schemas at their
// first use: a system may have a thousand operations of which a flow uses two.
type CompiledOperation struct {
	*Operation
	Segments []Segment
	// Judge is that of the operation or of the system, nil where neither has a rule.
	Judge *Judge

	shared map[string]json.RawMessage
	once   sync.Once
	ready  struct {
		params map[string]*Schema
		body   *Schema
		// bodyDocument is the schema of the body with what it refers to.
		bodyDocument json.RawMessage
	}
}

// Schema is a compiled JSON Schema.
type Schema struct {
	s      *jsonschema.Schema
	effort *effort.Schema
	// anyText says that every text fits: the schema of a parameter that declares none.
	anyText bool
}

// anyText is the schema of a parameter that declares none.
const anyText = `{"type":"string"}`

// Compile checks a system and makes it ready to be called. The error is of type
// document.Problems.
func Compile(s *System) (*Compiled, error) {
	c, ps := s.compile()
	if len(ps) > 0 {
		return nil, ps
	}
	return c, nil
}

// Load makes a system ready that was validated before it was stored, from its JSON. It
// does not check it again.
func Load(data []byte) (*Compiled, error) {
	var s System
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("systems: read the stored document: %w", err)
	}
	base, err := ParseBaseURL(s.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("systems: the base URL %w", err)
	}
	out := s.outline(base)
	judge, err := s.Success.compile()
	if err != nil {
		return nil, fmt.Errorf("systems: %w", err)
	}
	for i := range s.Operations {
		o := &s.Operations[i]
		if out.operations[o.ID], err = o.prepare(s.Schemas, judge); err != nil {
			return nil, fmt.Errorf("systems: operation %s: %w", o.ID, err)
		}
	}
	return out, nil
}

// outline is a compiled system without its operations.
func (s *System) outline(base *url.URL) *Compiled {
	return &Compiled{System: s, Base: base, Origin: s.Origin(), Binding: s.Binding(), Limits: s.Limits.WithDefaults(), operations: make(map[string]*CompiledOperation, len(s.Operations))}
}

// Operation returns the operation with that id, or false.
func (c *Compiled) Operation(id string) (*CompiledOperation, bool) {
	o, ok := c.operations[id]
	return o, ok
}

// Parameter returns the schema of a declared parameter, or false.
func (o *CompiledOperation) Parameter(name string) (*Schema, bool) {
	o.once.Do(o.compileSchemas)
	s, ok := o.ready.params[name]
	return s, ok
}

// Body returns the schema of the body, or false where the operation takes none.
func (o *CompiledOperation) Body() (*Schema, bool) {
	o.once.Do(o.compileSchemas)
	return o.ready.body, o.ready.body != nil
}

// BodySecret reports whether a place of the body, a JSON Pointer, is marked as one for a
// secret.
func (o *CompiledOperation) BodySecret(pointer string) bool {
	o.once.Do(o.compileSchemas)
	return bodySecret(o.ready.bodyDocument, pointer)
}

// prepare makes an operation ready but for its schemas. shared are those of the system, and
// judge is its own.
func (o *Operation) prepare(shared map[string]json.RawMessage, judge *Judge) (*CompiledOperation, error) {
	out := &CompiledOperation{Operation: o, Judge: judge, shared: shared}
	var err error
	if out.Segments, err = splitPath(o.Path); err != nil {
		return nil, err
	}
	if !o.Success.IsZero() {
		if out.Judge, err = o.Success.compile(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// compileSchemas compiles the schemas; one that is not valid, which validation lets not
// happen, fits no value.
func (o *CompiledOperation) compileSchemas() {
	left := schemasMaxBytes
	o.checkSchemas(check{ps: &document.Problems{}}, &left)
}

// checkSchemas compiles the schemas and says what is wrong with them. They may be as large as
// is left, with what they refer to.
func (o *CompiledOperation) checkSchemas(c check, left *int) {
	o.ready.params = make(map[string]*Schema, len(o.Parameters))
	for i := range o.Parameters {
		p := &o.Parameters[i]
		raw := p.Schema
		if len(raw) == 0 {
			raw = json.RawMessage(anyText)
		}
		o.ready.params[p.Name], _ = o.schema(raw, c.index("parameters", i).in("schema"), left)
	}
	if len(o.Operation.Body) > 0 {
		o.ready.body, o.ready.bodyDocument = o.schema(closed(o.Operation.Body), c.in("body"), left)
	}
}

func (o *CompiledOperation) schema(raw json.RawMessage, c check, left *int) (*Schema, json.RawMessage) {
	if *left < 0 {
		return &Schema{}, nil // said where it was too much
	}
	whole, err := WithShared(raw, o.shared)
	if code, _ := CodeOf(err); code == CodeSchemaLarge {
		*left -= sharedMaxBytes
	}
	if *left -= len(whole); err == nil && *left < 0 {
		err = flawed(CodeSchemaLarge, "is larger than %d bytes with what it and the schemas before it refer to", schemasMaxBytes)
	}
	if err != nil {
		c.broken(err)
		return &Schema{}, nil
	}
	s, err := compileSchema(whole)
	if err != nil {
		c.broken(err)
		return &Schema{}, nil
	}
	return s, whole
}

// TakesText reports whether every text fits the schema. False says nothing.
func (s *Schema) TakesText() bool { return s.anyText }

// Check validates a JSON value. The error says where and which rule is broken; it
// never holds a value, which may be a secret.
func (s *Schema) Check(value json.RawMessage) error {
	if s.s == nil {
		return unchecked()
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return flawed(CodeNotJSON, "is not JSON")
	}
	return s.CheckValue(v)
}

// CheckValue is Check of a value that was decoded with json.Decoder.UseNumber. A value that
// would take too long (effort.Schema.TooLong) is not checked, and does not fit.
func (s *Schema) CheckValue(v any) error {
	if s.s == nil || s.effort.TooLong(v) {
		return unchecked()
	}
	var ve *jsonschema.ValidationError
	switch err := s.s.Validate(v); {
	case err == nil:
		return nil
	case errors.As(err, &ve):
		return brokenRules(ve)
	default:
		return unchecked()
	}
}

func unchecked() error { return flawed(CodeUnchecked, "cannot be checked against its schema") }

func (s *System) compile() (*Compiled, document.Problems) {
	var ps document.Problems
	top := check{ps: &ps}
	left := schemasMaxBytes
	s.validateHead(top)
	out := s.outline(nil)
	judge, err := s.Success.compile()
	usable := err == nil
	for i := range s.Operations {
		o, c := &s.Operations[i], top.index("operations", i)
		before := len(ps)
		o.validate(c)
		if _, twice := out.operations[o.ID]; twice {
			c.in("id").bad(CodeTwice, "%q is declared twice", o.ID)
		}
		ready, err := o.prepare(s.Schemas, judge)
		if err != nil {
			usable = usable && len(ps) > before // it was named above
			ready = &CompiledOperation{Operation: o, shared: s.Schemas}
		}
		ready.once.Do(func() { ready.checkSchemas(c, &left) })
		out.operations[o.ID] = ready
	}
	if out.Base, err = ParseBaseURL(s.BaseURL); err == nil && !usable && len(ps) == 0 {
		top.bad(CodeUnusable, "cannot be used")
	}
	if len(ps) > 0 {
		return nil, ps
	}
	return out, nil
}

// refuse is the loader of the schema compiler: a schema may refer to itself and to
// the standard's own schemas, and to nothing else.
type refuse struct{}

var errExternal = errors.New("a schema may not refer to another document")

// Load refuses every reference.
func (refuse) Load(string) (any, error) { return nil, errExternal }

// schemaName is what a schema is compiled by; nobody is told it.
const schemaName = "culm:schema"

func compileSchema(raw json.RawMessage) (*Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, flawed(CodeNotJSON, "is not JSON")
	}
	weighed, err := effort.WeighForeign(doc)
	if err != nil {
		return nil, schemaFault(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(refuse{})
	if err := c.AddResource(schemaName, doc); err != nil {
		return nil, flawed(CodeSchema, "is not a JSON Schema")
	}
	s, err := c.Compile(schemaName)
	var outside *jsonschema.LoadURLError
	switch {
	case errors.As(err, &outside):
		return nil, flawed(CodeSchemaOutside, "%v", errExternal)
	case err != nil:
		return nil, schemaFault(err)
	}
	return &Schema{s, weighed, string(raw) == anyText}, nil
}
