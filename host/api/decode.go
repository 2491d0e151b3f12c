package api

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

	"github.com/culmhq/culm/host/fault"
)

// depthMax bounds the nesting of lists and objects in a body.
const depthMax = 64

// decodeJSON reads exactly one JSON value into v, a pointer to a struct. It refuses
// what encoding/json lets through: unknown fields, names that differ in case only,
// names given twice, data after the value, text that is not UTF-8, deep nesting. The
// error names the field.
func decodeJSON(b []byte, v any) error {
	if !utf8.Valid(b) {
		return fault.New(codeMalformed, "the body is not UTF-8")
	}
	if len(bytes.TrimSpace(b)) == 0 {
		return fault.New(codeMalformed, "a JSON body is needed")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := (&checker{d: d}).value("", 0, reflect.TypeOf(v).Elem()); err != nil {
		return refusal(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fault.New(codeMalformed, "data after the JSON value")
	}
	if err := json.Unmarshal(b, v); err != nil {
		return refusal(err)
	}
	return nil
}

// refusal makes a fault of a decoding error.
func refusal(err error) error {
	var f *fault.Error
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &wrong):
		field := ""
		if wrong.Field != "" {
			field = "/" + strings.ReplaceAll(wrong.Field, ".", "/")
		}
		return fault.At(field, "a %s does not fit here", wrong.Value).Because("JSON_TYPE")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fault.New(codeMalformed, "the JSON value is not complete")
	default:
		return fault.New(codeMalformed, "the body is not JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
}

// checker walks the tokens of a value beside the type that it will be decoded into.
type checker struct{ d *json.Decoder }

// value checks one value; t is nil where any value may stand.
func (c *checker) value(at string, depth int, t reflect.Type) error {
	tok, err := c.d.Token()
	if err != nil {
		return err
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return nil
	}
	if depth == depthMax {
		return fault.At(at, "nested more than %d deep", depthMax).Because("DEPTH")
	}
	if delim == '{' {
		err = c.object(at, depth, shape(t))
	} else {
		err = c.list(at, depth, shape(t))
	}
	if err != nil {
		return err
	}
	_, err = c.d.Token()
	return err
}

func (c *checker) object(at string, depth int, t reflect.Type) error {
	var known map[string]reflect.Type
	if t != nil && t.Kind() == reflect.Struct {
		known = fields(t)
	}
	seen := map[string]bool{}
	for c.d.More() {
		tok, err := c.d.Token()
		if err != nil {
			return err
		}
		name, _ := tok.(string)
		here := at + "/" + pointer(name)
		if seen[name] {
			return fault.At(here, "given twice").Because("TWICE")
		}
		seen[name] = true
		var child reflect.Type
		switch {
		case known != nil:
			var ok bool
			if child, ok = known[name]; !ok {
				return fault.At(here, "unknown field").Because("FIELD_UNKNOWN")
			}
		case t != nil && t.Kind() == reflect.Map:
			child = t.Elem()
		}
		if err := c.value(here, depth+1, child); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) list(at string, depth int, t reflect.Type) error {
	var child reflect.Type
	if t != nil && t.Kind() == reflect.Slice {
		child = t.Elem()
	}
	for i := 0; c.d.More(); i++ {
		if err := c.value(at+"/"+strconv.Itoa(i), depth+1, child); err != nil {
			return err
		}
	}
	return nil
}

// shape returns the type whose fields are known: nil for one that decodes itself.
func shape(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return nil
	}
	return t
}

// fields returns the JSON names of a struct's fields with their types.
func fields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			for k, v := range fields(f.Type) {
				out[k] = v
			}
		case !f.IsExported() || name == "-":
		case name == "":
			panic(fmt.Sprintf("api: field %s of %s has no JSON name", f.Name, t))
		default:
			out[name] = f.Type
		}
	}
	return out
}
