// Package forms checks values against the JSON Schemas (2020-12) of forms: inputs and
// outputs of actions, variables of flows. One schema draws the form in the browser and
// checks the values on both sides.
package forms

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/effort"
)

// The limits of a schema (a form beyond them is not a form for people).
const (
	SchemaBytesMax = 256 << 10
	// faultsMax bounds the report on a value that is wrong everywhere.
	faultsMax = 50
)

// Form is a compiled schema. It is immutable and safe for concurrent use.
type Form struct {
	schema *jsonschema.Schema
	// document is what the schema was compiled from: it says which anyOf is ours.
	document any
	effort   *effort.Schema
}

// Fault is one thing wrong with a value. It holds nothing of the value.
type Fault struct {
	// Field is a JSON Pointer into the value; "" is the value itself.
	Field string
	// Keyword is the schema's keyword that does not hold ("required", "pattern").
	Keyword string
	Message string
	// Want is what the keyword wants, where that is one thing: a number, a type, the
	// choices ("" otherwise).
	Want string
}

// Reason is a stable code for Keyword, by which clients translate Message; the text fills
// in Want as "a". Keywords of no kind that Message knows have none.
func (f Fault) Reason() string {
	if f.Keyword == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("SCHEMA_")
	for _, c := range f.Keyword {
		if unicode.IsUpper(c) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(c))
	}
	return b.String()
}

// Args are the arguments of a problem about the fault: "detail" is the message, "why" and
// "a" are what to translate it by, and further names and values may be given in pairs.
func (f Fault) Args(more ...string) map[string]string {
	out := map[string]string{"detail": f.Message, "why": f.Reason()}
	if f.Want != "" {
		out["a"] = f.Want
	}
	for i := 1; i < len(more); i += 2 {
		out[more[i-1]] = more[i]
	}
	return out
}

// root is the address that a form is compiled under; nothing is loaded from it.
const root = "form:///schema"

// Parse compiles a schema. An empty one allows everything.
func Parse(schema json.RawMessage) (*Form, error) {
	doc, err := decode(schema)
	if err != nil {
		return nil, err
	}
	return compile(doc)
}

// ParseRelaxed compiles what Relax makes of a schema.
func ParseRelaxed(schema json.RawMessage, literal ...string) (*Form, error) {
	doc, err := decode(schema)
	if err != nil {
		return nil, err
	}
	return compile(Relax(doc, literal...))
}

// ParseRelaxedValue compiles what RelaxValue makes of a schema.
func ParseRelaxedValue(schema json.RawMessage) (*Form, error) {
	doc, err := decode(schema)
	if err != nil {
		return nil, err
	}
	return compile(RelaxValue(doc))
}

func decode(schema json.RawMessage) (any, error) {
	if len(schema) == 0 {
		return true, nil
	}
	if len(schema) > SchemaBytesMax {
		return nil, fmt.Errorf("schema is larger than %d bytes", SchemaBytesMax)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, errors.New("schema is not JSON")
	}
	switch doc.(type) {
	case map[string]any, bool:
		return doc, nil
	default:
		return nil, errors.New("schema is neither an object nor true or false")
	}
}

func compile(doc any) (*Form, error) {
	e, err := effort.Weigh(doc)
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(refusal{})
	if err := c.AddResource(root, doc); err != nil {
		return nil, fmt.Errorf("schema: %w", plain(err))
	}
	s, err := c.Compile(root)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", plain(err))
	}
	return &Form{schema: s, document: doc, effort: e}, nil
}

// refusal is a loader that loads nothing: a schema refers to itself only.
type refusal struct{}

// Load refuses.
func (refusal) Load(url string) (any, error) {
	return nil, fmt.Errorf("a schema may not refer to %s: only to its own $defs", url)
}

// SchemaError is what is wrong with a schema itself: the rule of the standard that it
// breaks, at its place.
type SchemaError struct{ Fault }

// Error names the place and the rule.
func (e *SchemaError) Error() string { return orRoot(e.Field) + ": " + e.Message }

// SchemaArgs are the arguments of a problem about a schema that could not be compiled:
// "detail" is the text of err, and where the kind of mistake is known, "place", "why" and
// "a" are what to translate it by.
func SchemaArgs(err error) map[string]string {
	out := map[string]string{}
	var broken *SchemaError
	var regex *jsonschema.InvalidRegexError
	var gone *jsonschema.JSONPointerNotFoundError
	var unfit document.Problem
	switch {
	case errors.As(err, &broken):
		out = broken.Args("place", orRoot(broken.Field))
	case errors.As(err, &regex):
		out["why"], out["a"] = "SCHEMA_REGEX", regex.Regex
	case errors.As(err, &unfit):
		maps.Copy(out, unfit.Args)
		out["why"] = unfit.Code
	case errors.As(err, &gone):
		out["why"], out["a"] = "SCHEMA_REFERENCE", strings.TrimPrefix(gone.URL, root)
	}
	out["detail"] = err.Error()
	return out
}

// plain names the place of an error in a schema without the library's prose.
func plain(err error) error {
	var bad *jsonschema.SchemaValidationError
	if errors.As(err, &bad) {
		var v *jsonschema.ValidationError
		if errors.As(bad.Err, &v) {
			leaf := deepest(v)
			text, want := message(leaf.ErrorKind)
			return &SchemaError{Fault{Field: pointer(leaf.InstanceLocation), Keyword: keyword(leaf.ErrorKind), Message: text, Want: want}}
		}
	}
	return err
}

func deepest(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	return e
}

func orRoot(p string) string {
	if p == "" {
		return "/"
	}
	return p
}

// Check returns what is wrong with a JSON value, in the order of the fields; nothing
// when it is valid. An absent value is checked as null. A value that would take more than
// about a tenth of a second, and a second for each megabyte that it has, is not checked:
// it has the one fault "long".
func (f *Form) Check(value json.RawMessage) []Fault {
	if len(value) == 0 {
		value = json.RawMessage("null")
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return []Fault{{Keyword: "type", Message: "is not JSON"}}
	}
	if f.effort.TooLong(v) {
		return []Fault{{Keyword: "long", Message: "is too complex to be checked against this schema"}}
	}
	err = f.schema.Validate(v)
	var bad *jsonschema.ValidationError
	if !errors.As(err, &bad) {
		return nil
	}
	c := collector{form: f, seen: map[Fault]bool{}}
	c.collect(bad)
	slices.SortStableFunc(c.faults, func(a, b Fault) int { return strings.Compare(a.Field, b.Field) })
	return c.faults
}

// Properties returns the names of the fields that an object schema declares itself, also
// behind a reference.
func (f *Form) Properties() map[string]bool {
	out := map[string]bool{}
	seen := map[*jsonschema.Schema]bool{}
	for s := f.schema; s != nil && !seen[s]; s = s.Ref {
		seen[s] = true
		for name := range s.Properties {
			out[name] = true
		}
	}
	return out
}

// collector walks the tree of errors down to the leaves that a person can act on.
type collector struct {
	form   *Form
	faults []Fault
	seen   map[Fault]bool
}

func (c *collector) collect(e *jsonschema.ValidationError) {
	at := pointer(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf:
		// Of our own anyOf the author's branch, the first, says what is wrong.
		if c.relaxed(e.SchemaURL) && len(e.Causes) > 0 {
			c.collect(e.Causes[0])
			return
		}
		c.add(Fault{Field: at, Keyword: "anyOf", Message: "fits none of the allowed forms"})
	case *kind.OneOf:
		c.add(Fault{Field: at, Keyword: "oneOf", Message: "must fit exactly one of the allowed forms"})
	case *kind.Required:
		for _, name := range k.Missing {
			c.add(Fault{Field: at + "/" + escape(name), Keyword: "required", Message: "is missing"})
		}
	case *kind.DependentRequired:
		for _, name := range k.Missing {
			c.add(Fault{Field: at + "/" + escape(name), Keyword: "dependentRequired", Message: fmt.Sprintf("is missing: %s needs it", k.Prop), Want: k.Prop})
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			c.add(Fault{Field: at + "/" + escape(name), Keyword: "additionalProperties", Message: "is not known here"})
		}
	default:
		if len(e.Causes) == 0 {
			text, want := message(e.ErrorKind)
			c.add(Fault{Field: at, Keyword: keyword(e.ErrorKind), Message: text, Want: want})
		}
		for _, cause := range e.Causes {
			c.collect(cause)
		}
	}
}

func (c *collector) add(f Fault) {
	if len(c.faults) < faultsMax && !c.seen[f] {
		c.seen[f] = true
		c.faults = append(c.faults, f)
	}
}

// relaxed reports whether the schema at that address is an anyOf that Relax added.
func (c *collector) relaxed(address string) bool {
	_, fragment, _ := strings.Cut(address, "#")
	at, _ := effort.Find(c.form.document, fragment)
	s, ok := at.(map[string]any)
	return ok && s[effort.RelaxedKeyword] == true
}

func keyword(k jsonschema.ErrorKind) string {
	path := k.KeywordPath()
	if len(path) == 0 {
		return "schema"
	}
	return path[0]
}

func pointer(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString("/" + escape(t))
	}
	return b.String()
}

// escape makes a name part of a JSON Pointer (RFC 6901).
func escape(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
