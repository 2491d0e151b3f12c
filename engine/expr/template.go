package expr

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Template is a JSON value whose strings may hold ${expression}. It is immutable and
// safe for concurrent use.
type Template struct {
	env *Env
	// literal is the whole value when it holds no expression.
	literal json.RawMessage
	parts   []templatePart
	names   []string
	nodes   bool
	secrets []SecretPart
}

// templatePart is a piece of JSON text, then what comes after it: a value, or a string
// made of pieces.
type templatePart struct {
	before []byte
	whole  *Program
	pieces []stringPiece
}

// stringPiece is text, or an expression whose value is put there as text.
type stringPiece struct {
	text string
	prog *Program
}

// Literal makes a template that is just the value.
func Literal(raw json.RawMessage) *Template { return &Template{literal: raw} }

// Static reports whether the template holds no expression; Value is then its value.
func (t *Template) Static() bool { return t.parts == nil }

// Value returns the value of a static template.
func (t *Template) Value() json.RawMessage { return t.literal }

// Variables returns the flow's variables that its expressions name, sorted.
func (t *Template) Variables() []string { return t.names }

// ReadsNodes reports whether one of its expressions reads the outputs of nodes.
func (t *Template) ReadsNodes() bool { return t.nodes }

// Whole returns the program of a template that is exactly one expression, or nil.
func (t *Template) Whole() *Program {
	if len(t.parts) == 2 && len(t.parts[0].before) == 0 && len(t.parts[1].before) == 0 {
		return t.parts[0].whole
	}
	return nil
}

// Template compiles a JSON value. The errors are each an *Error with the place in the
// value and in the string.
func (e *Env) Template(raw json.RawMessage) (*Template, []error) {
	if !json.Valid(raw) {
		return nil, []error{fail(CodeSyntax, "not JSON")}
	}
	if !bytes.ContainsAny(raw, `$\`) {
		return Literal(raw), nil
	}
	v, err := decodeAny(raw)
	if err != nil {
		return nil, []error{fail(CodeSyntax, "not JSON: %v", err)}
	}
	c := &templateCompiler{env: e, t: &Template{env: e}}
	c.value(v, "")
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	c.t.parts = append(c.t.parts, templatePart{before: c.text})
	if len(c.t.parts) == 1 {
		return Literal(c.text), nil
	}
	slices.Sort(c.t.names)
	return c.t, nil
}

// templateCompiler walks a value and writes the JSON between the expressions.
type templateCompiler struct {
	env  *Env
	t    *Template
	text []byte
	errs []error
}

func (c *templateCompiler) value(v any, at string) {
	switch v := v.(type) {
	case string:
		c.str(v, at)
	case []any:
		c.text = append(c.text, '[')
		for i, item := range v {
			if i > 0 {
				c.text = append(c.text, ',')
			}
			c.value(item, at+"/"+strconv.Itoa(i))
		}
		c.text = append(c.text, ']')
	case map[string]any:
		c.object(v, at)
	default:
		c.marshal(v)
	}
}

func (c *templateCompiler) object(v map[string]any, at string) {
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	c.text = append(c.text, '{')
	for i, name := range names {
		if i > 0 {
			c.text = append(c.text, ',')
		}
		c.marshal(name)
		c.text = append(c.text, ':')
		c.value(v[name], at+"/"+escapePointer(name))
	}
	c.text = append(c.text, '}')
}

func (c *templateCompiler) marshal(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		c.errs = append(c.errs, fail(CodeSyntax, "%v", err))
	}
	c.text = append(c.text, b...)
}

func (c *templateCompiler) str(s, at string) {
	pieces, err := splitTemplate(s)
	if err != nil {
		err.Pointer = at
		c.errs = append(c.errs, err)
		return
	}
	var out []stringPiece
	for _, p := range pieces {
		if !p.isExpr {
			out = append(out, stringPiece{text: p.text})
			continue
		}
		prog, err := c.env.program(p.text)
		if err == nil && prog.secret != "" {
			err = c.secret(prog.secret, at, len(pieces) == 1)
		}
		if err != nil {
			var e *Error
			if errors.As(err, &e) {
				e.Pointer = at
				e.at(s, e.Offset+p.offset)
			}
			c.errs = append(c.errs, err)
			continue
		}
		c.t.nodes = c.t.nodes || prog.nodes
		for _, name := range prog.names {
			if !slices.Contains(c.t.names, name) {
				c.t.names = append(c.t.names, name)
			}
		}
		out = append(out, stringPiece{prog: prog})
	}
	c.place(out)
}

func (c *templateCompiler) place(pieces []stringPiece) {
	switch {
	case len(pieces) == 0:
		c.marshal("")
		return
	case len(pieces) == 1 && pieces[0].prog == nil:
		c.marshal(pieces[0].text)
		return
	}
	part := templatePart{before: c.text, pieces: pieces}
	if len(pieces) == 1 {
		part.whole, part.pieces = pieces[0].prog, nil
	}
	if len(c.t.parts) > templatesPerValue {
		c.errs = append(c.errs, fail(CodeSyntax, "more than %d strings with expressions", templatesPerValue).because("EXPR_MANY", templatesPerValue))
		return
	}
	c.t.parts, c.text = append(c.t.parts, part), nil
}

// Append evaluates the template and appends the value as JSON. An error is an *Error.
func (t *Template) Append(dst []byte, sc Scope) ([]byte, error) {
	if t.parts == nil {
		return append(dst, t.literal...), nil
	}
	s := newSession(t.env, sc)
	start := len(dst)
	for i := range t.parts {
		p := &t.parts[i]
		dst = append(dst, p.before...)
		var err error
		if dst, err = p.append(dst, s); err != nil {
			return nil, err
		}
		if len(dst)-start > OutputMaxBytes {
			return nil, fail(CodeInputLimit, "the value exceeds %d bytes", OutputMaxBytes)
		}
	}
	return dst, nil
}

func (p *templatePart) append(dst []byte, s *session) ([]byte, error) {
	if p.whole != nil {
		v, err := s.eval(p.whole)
		if err != nil {
			return nil, err
		}
		b, err := appendJSON(nil, v)
		return append(dst, b...), err
	}
	if p.pieces == nil {
		return dst, nil
	}
	var b strings.Builder
	for _, piece := range p.pieces {
		if piece.prog == nil {
			b.WriteString(piece.text)
			continue
		}
		v, err := s.eval(piece.prog)
		if err != nil {
			return nil, err
		}
		t, err := text(v)
		if err != nil {
			return nil, err
		}
		if b.Len()+len(t) > OutputMaxBytes {
			return nil, fail(CodeInputLimit, "the value exceeds %d bytes", OutputMaxBytes)
		}
		b.WriteString(t)
	}
	j, err := appendMarshal(nil, b.String())
	return append(dst, j...), err
}
