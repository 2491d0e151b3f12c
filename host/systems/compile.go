package systems

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/culmhq/culm/host/document"
)

// Compiled is a system that is ready to be called. It is immutable and safe for
// concurrent use.
type Compiled struct {
	System *System
	// Base is the parsed base URL.
	Base *url.URL
	// Origin is that of System.Origin.
	Origin string
	// Limits have their defaults filled in.
	Limits     Limits
	operations map[string]*CompiledOperation
}

// CompiledOperation is an operation with its schemas and path made ready.
type CompiledOperation struct {
	*Operation
	Segments []Segment
	params   map[string]*Schema
	body     *Schema
}

// Schema is a compiled JSON Schema.
type Schema struct{ s *jsonschema.Schema }

// Compile checks a system and makes it ready to be called. The error is of type
// document.Problems.
func Compile(s *System) (*Compiled, error) {
	c, ps := s.compile()
	if len(ps) > 0 {
		return nil, ps
	}
	return c, nil
}

// Operation returns the operation with that id, or false.
func (c *Compiled) Operation(id string) (*CompiledOperation, bool) {
	o, ok := c.operations[id]
	return o, ok
}

// Parameter returns the schema of a declared parameter, or false.
func (o *CompiledOperation) Parameter(name string) (*Schema, bool) {
	s, ok := o.params[name]
	return s, ok
}

// Body returns the schema of the body, or false where the operation takes none.
func (o *CompiledOperation) Body() (*Schema, bool) { return o.body, o.body != nil }

// Check validates a JSON value. The error says where and which rule is broken; it
// never holds a value, which may be a secret.
func (s *Schema) Check(value json.RawMessage) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return errors.New("is not JSON")
	}
	var ve *jsonschema.ValidationError
	switch err := s.s.Validate(v); {
	case err == nil:
		return nil
	case errors.As(err, &ve):
		return errors.New(strings.Join(broken(ve, nil), "; "))
	default:
		return errors.New("cannot be checked against its schema")
	}
}

func (s *System) compile() (*Compiled, document.Problems) {
	var ps document.Problems
	top := check{ps: &ps}
	s.validateHead(top)
	out := &Compiled{System: s, Origin: s.Origin(), Limits: s.Limits.WithDefaults(), operations: make(map[string]*CompiledOperation, len(s.Operations))}
	for i := range s.Operations {
		o, c := &s.Operations[i], top.index("operations", i)
		o.validate(c)
		if _, twice := out.operations[o.ID]; twice {
			c.in("id").bad("%q is declared twice", o.ID)
		}
		out.operations[o.ID] = o.compile(c)
	}
	if len(ps) > 0 {
		return nil, ps
	}
	out.Base, _ = ParseBaseURL(s.BaseURL) // validated above
	return out, nil
}

func (o *Operation) compile(c check) *CompiledOperation {
	out := &CompiledOperation{Operation: o, params: make(map[string]*Schema, len(o.Parameters))}
	out.Segments, _ = splitPath(o.Path) // validated before
	for i := range o.Parameters {
		p := &o.Parameters[i]
		raw := p.Schema
		if len(raw) == 0 {
			raw = json.RawMessage(`{"type":"string"}`)
		}
		s, err := compileSchema(raw)
		c.index("parameters", i).in("schema").that(err == nil, "%v", err)
		out.params[p.Name] = s
	}
	if len(o.Body) > 0 {
		s, err := compileSchema(o.Body)
		c.in("body").that(err == nil, "%v", err)
		out.body = s
	}
	return out
}

// refuse is the loader of the schema compiler: a schema may refer to itself and to
// the standard's own schemas, and to nothing else.
type refuse struct{}

var errExternal = errors.New("a schema may not refer to another document")

// Load refuses every reference.
func (refuse) Load(string) (any, error) { return nil, errExternal }

func compileSchema(raw json.RawMessage) (*Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, errors.New("is not JSON")
	}
	const name = "culm:schema"
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(refuse{})
	if err := c.AddResource(name, doc); err != nil {
		return nil, errors.New("is not a JSON Schema")
	}
	s, err := c.Compile(name)
	var outside *jsonschema.LoadURLError
	switch {
	case errors.As(err, &outside):
		return nil, errExternal
	case err != nil:
		return nil, fmt.Errorf("is not a valid JSON Schema: %s", schemaFault(err))
	}
	return &Schema{s}, nil
}

// schemaFault says where a schema itself is wrong, without its text.
func schemaFault(err error) string {
	var ve *jsonschema.ValidationError
	var se *jsonschema.SchemaValidationError
	if errors.As(err, &se) && errors.As(se.Err, &ve) {
		return strings.Join(broken(ve, nil), "; ")
	}
	return "a keyword or reference in it cannot be used"
}

// broken lists the rules that a value breaks, by place and keyword.
func broken(ve *jsonschema.ValidationError, out []string) []string {
	const most = 5
	if len(out) >= most {
		return out
	}
	if len(ve.Causes) > 0 {
		for _, cause := range ve.Causes {
			out = broken(cause, out)
		}
		return out
	}
	at := "the value"
	if len(ve.InstanceLocation) > 0 {
		at = "/" + strings.Join(ve.InstanceLocation, "/")
	}
	rule := strings.Join(ve.ErrorKind.KeywordPath(), "/")
	if r, ok := ve.ErrorKind.(*kind.Required); ok {
		return append(out, fmt.Sprintf("%s lacks %s", at, strings.Join(r.Missing, ", ")))
	}
	if t, ok := ve.ErrorKind.(*kind.Type); ok {
		return append(out, fmt.Sprintf("%s must be of type %s", at, strings.Join(t.Want, " or ")))
	}
	return append(out, fmt.Sprintf("%s breaks the rule %q", at, rule))
}
