// Package document reads the documents that people write by hand (flows, systems)
// from YAML or JSON, strictly: an unknown field, a repeated key, an anchor or a value
// of the wrong type is refused with its line and field, and every problem of a
// document is reported at once.
package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The limits of a document.
const (
	// MaxBytes is the size of the largest document that is read.
	MaxBytes = 4 << 20
	// MaxDepth is the deepest nesting of lists and objects.
	MaxDepth = 64
	// maxProblems bounds the report on a document that is wrong everywhere.
	maxProblems = 100
)

// Problem is one thing that is wrong in a document.
type Problem struct { //nolint:errname // it is data first: what a person is shown, and what other packages add to
	// Line is the line in the source, from 1; 0 where there is none.
	Line int `json:"line,omitempty"`
	// Column is the column in that line, from 1; 0 where there is none.
	Column int `json:"column,omitempty"`
	// Field is the JSON Pointer of the value ("/operations/0/path").
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	// Code is stable: clients translate by it, with Args. Those of this package are listed with
	// CodeSyntax; both are empty where the check that found the problem has none.
	Code string            `json:"code,omitempty"`
	Args map[string]string `json:"args,omitempty"`
}

// Error reads "line 3: /title: message".
func (p Problem) Error() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems is the error of a document: everything that is wrong in it, in the order
// of the source.
type Problems []Problem //nolint:errname // as Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Place is a place in the source: line and column from 1, 0 where nothing is known.
type Place struct{ Line, Column int }

// In reads "file:3:7", or "line 3, column 7" of no file, without what is not known.
func (p Place) In(file string) string {
	line, column := file+":", ":"
	if file == "" {
		line, column = "line ", ", column "
	}
	switch {
	case p.Line == 0:
		return file
	case p.Column == 0:
		return line + strconv.Itoa(p.Line)
	default:
		return line + strconv.Itoa(p.Line) + column + strconv.Itoa(p.Column)
	}
}

// Source maps the values of a document, by JSON Pointer, to the places they came from,
// so that a later check can name the line too. The zero value knows no place.
type Source struct{ places map[string]Place }

// Line returns the line of a value or, where the document does not hold the value, of
// the nearest one around it; 0 when nothing is known.
func (s Source) Line(pointer string) int { return s.Place(pointer).Line }

// Place returns the place of a value or, where the document does not hold the value,
// of the nearest one around it.
func (s Source) Place(pointer string) Place {
	for {
		if at, ok := s.places[pointer]; ok {
			return at
		}
		i := strings.LastIndexByte(pointer, '/')
		if i < 0 {
			return Place{}
		}
		pointer = pointer[:i]
	}
}

// Locate fills in the lines of problems that know only their field.
func (s Source) Locate(ps Problems) Problems {
	out := make(Problems, len(ps))
	for i, p := range ps {
		if p.Line == 0 {
			at := s.Place(p.Field)
			p.Line, p.Column = at.Line, at.Column
		}
		out[i] = p
	}
	return out
}

// Decode reads one YAML or JSON document into v, a pointer to a struct with json
// tags. The error is of type Problems.
func Decode(data []byte, v any) (Source, error) {
	js, src, err := decode(data, v)
	if err != nil {
		return src, err
	}
	if err := json.Unmarshal(js, v); err != nil {
		return src, Problems{Coded(CodeValue, "%s", err.Error())}
	}
	return src, nil
}

// JSON turns one YAML or JSON document into compact JSON with its fields in the order
// of the source. The error is of type Problems.
func JSON(data []byte) ([]byte, Source, error) { return decode(data, nil) }

// decode converts the document and checks it against the type of v, unless that is
// nil.
func decode(data []byte, v any) ([]byte, Source, error) {
	root, err := parse(data)
	if err != nil {
		return nil, Source{}, err
	}
	c := &converter{places: map[string]Place{}}
	c.value(root, "", 0, typeOf(v))
	src := Source{places: c.places}
	if len(c.problems) > 0 {
		return nil, src, c.problems
	}
	return c.out.Bytes(), src, nil
}

// parse reads exactly one YAML document.
func parse(data []byte) (*yaml.Node, error) {
	if len(data) > MaxBytes {
		return nil, Problems{Coded(CodeTooLarge, "the document is larger than %d bytes", MaxBytes)}
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, Problems{Coded(CodeEmpty, "the document is empty")}
		}
		return nil, Problems{syntaxProblem(data, err)}
	}
	switch err := d.Decode(&more); {
	case err == nil:
		p := Coded(CodeMany, "only one document is allowed in a file")
		p.Line, p.Column = more.Line, more.Column
		return nil, Problems{p}
	case !errors.Is(err, io.EOF): // a document ended where the writer did not mean it to
		return nil, Problems{syntaxProblem(data, err)}
	}
	return doc.Content[0], nil
}
