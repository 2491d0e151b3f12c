package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"unicode/utf8"
)

// DecodeStrict reads a JSON document of another format into v, a pointer to a struct
// with json tags, as strictly as ParseFlow reads a flow: unknown fields, keys that come
// twice, data behind the document, values of a wrong type and more than limit bytes
// are refused. An error is a *ParseError that names the place.
func DecodeStrict(b []byte, limit int, v any) error {
	if len(b) > limit {
		return &ParseError{Code: ParseTooLarge, Message: fmt.Sprintf("more than %d bytes", limit)}
	}
	if !utf8.Valid(b) {
		return &ParseError{Code: ParseSyntax, Message: "not UTF-8"}
	}
	w := &flowWalker{d: json.NewDecoder(bytes.NewReader(b))}
	w.d.UseNumber()
	if err := w.value(shapeOf(reflect.TypeOf(v).Elem()), "", 0); err != nil {
		return err
	}
	if _, err := w.d.Token(); !errors.Is(err, io.EOF) {
		return w.fail(ParseSyntax, "", "data behind the document")
	}
	if err := json.Unmarshal(b, v); err != nil {
		return &ParseError{Code: ParseType, Message: err.Error()}
	}
	return nil
}
