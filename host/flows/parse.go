package flows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/fault"
)

// DocumentBytesMax bounds the size of a flow document.
const DocumentBytesMax = engine.MaxDocumentBytes

// Source is a flow document that was read from a file, with the places of its values.
type Source struct {
	Flow *engine.Flow
	// File is the name that the places are told with.
	File   string
	places document.Source
}

// Located is a problem with its place in the file.
//
//nolint:errname // it is an error only by what it embeds, for JSON.
type Located struct {
	File string `json:"file"`
	// Line and Column count from 1; 0 where nothing is known.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Pointer is the JSON Pointer of the value in the whole document.
	Pointer string `json:"pointer,omitempty"`
	engine.Problem
}

// CodeDocument is the code of a problem of the text itself: not YAML, an unknown
// field, a value of the wrong type.
const CodeDocument = "DOCUMENT_INVALID"

// SyntaxError is what ParseYAML returns for a text that is no flow document.
type SyntaxError struct{ Problems []Located }

// Error lists the problems, one a line.
func (e *SyntaxError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// String reads "file:line:column: field: message".
func (l Located) String() string {
	var b strings.Builder
	b.WriteString(document.Place{Line: l.Line, Column: l.Column}.In(l.File) + ": ")
	switch {
	case l.Node != "":
		b.WriteString("node " + l.Node + ": ")
	case l.Edge != "":
		b.WriteString("edge " + l.Edge + ": ")
	case l.Variable != "":
		b.WriteString("variable " + l.Variable + ": ")
	}
	if l.Field != "" {
		b.WriteString(l.Field + ": ")
	}
	b.WriteString(l.Message)
	if l.Code != "" {
		b.WriteString(" [" + l.Code + "]")
	}
	return b.String()
}

// Decode reads a flow document from JSON, strictly: a field that the format does not
// have is a fault.Invalid whose Field is below "/document". It does not look for
// problems of the flow.
func Decode(text []byte) (*engine.Flow, error) {
	f, err := engine.ParseFlow(text)
	var bad *engine.ParseError
	switch {
	case errors.As(err, &bad):
		code := fault.Invalid
		if bad.Code == engine.ParseTooLarge {
			code = fault.TooLarge
		}
		return nil, &fault.Error{Code: code, Message: bad.Message, Field: "/document" + bad.Pointer, Cause: err}
	case err != nil:
		return nil, fault.Wrap("read flow", err)
	}
	return f, nil
}

// ParseYAML reads a flow document from YAML or JSON, strictly; file is the name that
// problems are told with. The error is a *SyntaxError that holds every problem of the
// text with its place. It does not look for problems of the flow.
func ParseYAML(text []byte, file string) (*Source, error) {
	var f engine.Flow
	places, err := document.Decode(text, &f)
	s := &Source{Flow: &f, File: file, places: places}
	var bad document.Problems
	switch {
	case errors.As(err, &bad):
		return nil, syntaxError(bad, file)
	case err != nil:
		return nil, fmt.Errorf("flows: read %s: %w", file, err)
	}
	return s, nil
}

// Locate gives each problem its place in the file.
func (s *Source) Locate(ps []engine.Problem) []Located {
	out := make([]Located, len(ps))
	for i, p := range ps {
		pointer := s.pointer(p)
		at := s.places.Place(pointer)
		out[i] = Located{File: s.File, Line: at.Line, Column: at.Column, Pointer: pointer, Problem: p}
	}
	return out
}

// pointer gives the place of a problem in the whole document.
func (s *Source) pointer(p engine.Problem) string {
	switch {
	case p.Node != "":
		for i := range s.Flow.Nodes {
			if s.Flow.Nodes[i].ID == p.Node {
				return fmt.Sprintf("/nodes/%d%s", i, p.Field)
			}
		}
	case p.Edge != "":
		for i := range s.Flow.Edges {
			if s.Flow.Edges[i].ID == p.Edge {
				return fmt.Sprintf("/edges/%d%s", i, p.Field)
			}
		}
	case p.Variable != "":
		for i := range s.Flow.Variables {
			if s.Flow.Variables[i].Name == p.Variable {
				return fmt.Sprintf("/variables/%d%s", i, p.Field)
			}
		}
	}
	return p.Field
}

// YAML writes a flow document as people write it; ParseYAML reads the same flow back.
func YAML(f *engine.Flow) ([]byte, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("flows: encode flow: %w", err)
	}
	// JSON is YAML: what is parsed keeps the order of the fields and the types, and
	// is written again without the brackets and quotes.
	var n yaml.Node
	if err := yaml.Unmarshal(b, &n); err != nil {
		return nil, fmt.Errorf("flows: encode flow: %w", err)
	}
	plain(&n)
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(&n), e.Close()); err != nil {
		return nil, fmt.Errorf("flows: encode flow: %w", err)
	}
	return out.Bytes(), nil
}

// plain takes the style of JSON off a tree. Positions stay on one line.
func plain(n *yaml.Node) {
	n.Style = 0
	for i, c := range n.Content {
		plain(c)
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == "position" {
			c.Style = yaml.FlowStyle
		}
	}
}
