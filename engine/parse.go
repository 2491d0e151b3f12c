package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/culmhq/culm/pdk/contract"
)

// The codes of a ParseError.
const (
	ParseSyntax    = "FLOW_SYNTAX"     // not JSON, or not UTF-8
	ParseTooLarge  = "FLOW_TOO_LARGE"  // bytes, nodes, edges or depth
	ParseUnknown   = "FIELD_UNKNOWN"   // the format has no such field
	ParseDuplicate = "FIELD_DUPLICATE" // a key comes twice in one object
	ParseType      = "FIELD_TYPE"      // a value of another type than the format's
)

// ParseError says why bytes are not a flow document, and where.
type ParseError struct {
	Code    string
	Message string
	Pointer string // JSON Pointer in the document; "" is the document itself
	Offset  int64  // bytes read when it was found
}

// Error says it in one line.
func (e *ParseError) Error() string {
	at := e.Pointer
	if at == "" {
		at = "/"
	}
	return fmt.Sprintf("%s at %s: %s", e.Code, at, e.Message)
}

// jsonDepthMax bounds how deep a JSON value may nest, in documents and in records.
const jsonDepthMax = 200

// ParseFlow reads a flow document strictly: unknown fields, keys that come twice,
// data behind the document and values of a wrong type are refused. An error is a
// *ParseError. That the document makes sense is Compile's to say.
func ParseFlow(b []byte) (*Flow, error) {
	if len(b) > MaxDocumentBytes {
		return nil, &ParseError{Code: ParseTooLarge, Message: fmt.Sprintf("more than %d bytes", MaxDocumentBytes)}
	}
	if !utf8.Valid(b) {
		return nil, &ParseError{Code: ParseSyntax, Message: "not UTF-8"}
	}
	w := &flowWalker{d: json.NewDecoder(bytes.NewReader(b))}
	w.d.UseNumber()
	if err := w.value(shapeOf(reflect.TypeFor[Flow]()), "", 0); err != nil {
		return nil, err
	}
	if _, err := w.d.Token(); !errors.Is(err, io.EOF) {
		return nil, w.fail(ParseSyntax, "", "data behind the document")
	}
	var f Flow
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, &ParseError{Code: ParseType, Message: err.Error()}
	}
	if len(f.Nodes) > MaxNodes || len(f.Edges) > MaxEdges || len(f.Variables) > MaxVariables {
		return nil, &ParseError{Code: ParseTooLarge, Message: fmt.Sprintf(
			"at most %d nodes, %d edges and %d variables", MaxNodes, MaxEdges, MaxVariables)}
	}
	return &f, nil
}

// shape is what a place of the document may hold.
type shape struct {
	kind   shapeKind
	fields map[string]*shape // of an object
	elem   *shape            // of an array or a map
}

type shapeKind string

const (
	shapeAny    shapeKind = "value"
	shapeString shapeKind = "string"
	shapeBool   shapeKind = "boolean"
	shapeNumber shapeKind = "number"
	shapeObject shapeKind = "object"
	shapeMap    shapeKind = "object of values"
	shapeArray  shapeKind = "array"
	shapeText   shapeKind = "text"
)

// shapeOf derives the shape from the Go type, so that format and parser cannot differ.
func shapeOf(t reflect.Type) *shape { return shapeIn(t, map[reflect.Type]*shape{}) }

// shapeIn is shapeOf for types that hold themselves.
func shapeIn(t reflect.Type, made map[reflect.Type]*shape) *shape {
	switch t {
	case reflect.TypeFor[json.RawMessage]():
		return &shape{kind: shapeAny}
	case reflect.TypeFor[contract.Text]():
		str := &shape{kind: shapeString}
		return &shape{kind: shapeText, fields: map[string]*shape{"en": str, "zh": str}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return shapeIn(t.Elem(), made)
	case reflect.String:
		return &shape{kind: shapeString}
	case reflect.Bool:
		return &shape{kind: shapeBool}
	case reflect.Slice:
		return &shape{kind: shapeArray, elem: shapeIn(t.Elem(), made)}
	case reflect.Map:
		return &shape{kind: shapeMap, elem: shapeIn(t.Elem(), made)}
	case reflect.Struct:
		if s := made[t]; s != nil {
			return s
		}
		s := &shape{kind: shapeObject, fields: make(map[string]*shape, t.NumField())}
		made[t] = s
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			s.fields[name] = shapeIn(t.Field(i).Type, made)
		}
		return s
	default:
		return &shape{kind: shapeNumber}
	}
}

// flowWalker holds the tokens of a document against the shape.
type flowWalker struct{ d *json.Decoder }

func (w *flowWalker) fail(code, at, format string, args ...any) error {
	return &ParseError{Code: code, Pointer: at, Message: fmt.Sprintf(format, args...), Offset: w.d.InputOffset()}
}

func (w *flowWalker) token(at string) (json.Token, error) {
	t, err := w.d.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, w.fail(ParseSyntax, at, "%v", err)
	}
	return t, nil
}

func (w *flowWalker) value(s *shape, at string, depth int) error {
	if depth > jsonDepthMax {
		return w.fail(ParseTooLarge, at, "nested more than %d deep", jsonDepthMax)
	}
	t, err := w.token(at)
	if err != nil {
		return err
	}
	var ok bool
	switch t := t.(type) {
	case json.Delim:
		if t == '{' && s.fits(shapeObject, shapeMap, shapeText) {
			return w.object(s, at, depth)
		}
		if t == '[' && s.fits(shapeArray) {
			return w.array(s, at, depth)
		}
	case string:
		ok = s.fits(shapeString, shapeText)
	case bool:
		ok = s.fits(shapeBool)
	case json.Number:
		ok = s.fits(shapeNumber)
	case nil:
		ok = s.fits()
	}
	if !ok {
		return w.fail(ParseType, at, "must be a %s", s.kind)
	}
	return nil
}

func (s *shape) fits(kinds ...shapeKind) bool {
	for _, k := range kinds {
		if s.kind == k {
			return true
		}
	}
	return s.kind == shapeAny
}

func (w *flowWalker) object(s *shape, at string, depth int) error {
	seen := map[string]bool{}
	for w.d.More() {
		t, err := w.token(at)
		if err != nil {
			return err
		}
		key, _ := t.(string)
		sub := at + "/" + escapePointer(key)
		if seen[key] {
			return w.fail(ParseDuplicate, sub, "the key %q comes twice", key)
		}
		seen[key] = true
		next := s.elem
		if s.kind == shapeObject || s.kind == shapeText {
			var known bool
			if next, known = s.fields[key]; !known {
				return w.fail(ParseUnknown, sub, "unknown field %q", key)
			}
		}
		if s.kind == shapeAny {
			next = s
		}
		if err := w.value(next, sub, depth+1); err != nil {
			return err
		}
	}
	_, err := w.token(at)
	return err
}

func (w *flowWalker) array(s *shape, at string, depth int) error {
	next := s.elem
	if s.kind == shapeAny {
		next = s
	}
	for i := 0; w.d.More(); i++ {
		if err := w.value(next, at+"/"+strconv.Itoa(i), depth+1); err != nil {
			return err
		}
	}
	_, err := w.token(at)
	return err
}
