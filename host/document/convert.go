package document

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// converter writes a YAML tree as JSON, checks it against a Go type on the way, and
// keeps the line of every value.
type converter struct {
	out      bytes.Buffer
	places   map[string]Place
	problems Problems
}

// typeOf returns the type that v points to, or nil for "anything".
func typeOf(v any) reflect.Type {
	if v == nil {
		return nil
	}
	return reflect.TypeOf(v).Elem()
}

// problem notes what is wrong with a value; args are those of the message and, named a, b and
// so on, of the code.
func (c *converter) problem(n *yaml.Node, at, code, format string, args ...any) {
	if len(c.problems) >= maxProblems {
		return
	}
	p := Coded(code, format, args...)
	p.Line, p.Column, p.Field = n.Line, n.Column, at
	c.problems = append(c.problems, p)
}

// value writes one value. t is the type it must fit, nil for any.
func (c *converter) value(n *yaml.Node, at string, depth int, t reflect.Type) {
	c.places[at] = Place{Line: n.Line, Column: n.Column}
	if depth > MaxDepth {
		c.problem(n, at, CodeDeep, "nested more than %d deep", MaxDepth)
		return
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		c.problem(n, at, CodeAnchor, "anchors and aliases are not allowed")
		return
	}
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != nil && t.ConvertibleTo(reflect.TypeFor[words]()) {
		c.words(n, at, depth)
		return
	}
	if t != nil && reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		c.custom(n, at, depth, t)
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		c.mapping(n, at, depth, t)
	case yaml.SequenceNode:
		c.sequence(n, at, depth, t)
	default:
		c.scalar(n, at, t)
	}
}

// custom lets a type that reads its own JSON do so, to name the line of its error.
func (c *converter) custom(n *yaml.Node, at string, depth int, t reflect.Type) {
	start, before := c.out.Len(), len(c.problems)
	c.value(n, at, depth, nil)
	if len(c.problems) > before {
		return
	}
	u, _ := reflect.New(t).Interface().(json.Unmarshaler)
	if err := u.UnmarshalJSON(c.out.Bytes()[start:]); err != nil {
		c.problem(n, at, CodeValue, "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
}

// words is the shape of a text in two languages, contract.Text: this package knows no other.
type words struct{ En, Zh string }

// words writes a text in two languages: the text itself, or an object of both.
func (c *converter) words(n *yaml.Node, at string, depth int) {
	switch tag := n.ShortTag(); {
	case n.Kind == yaml.MappingNode:
		c.mapping(n, at, depth, reflect.TypeFor[struct {
			En string `json:"en"`
			Zh string `json:"zh"`
		}]())
	case n.Kind == yaml.ScalarNode && (tag == "!!str" || tag == "!!timestamp" || tag == "!!null"):
		c.scalar(n, at, nil)
	default:
		c.problem(n, at, CodeWantWords, "must be a text, or an object with texts as en and zh")
	}
}

func (c *converter) mapping(n *yaml.Node, at string, depth int, t reflect.Type) {
	if t != nil && t.Kind() != reflect.Struct && t.Kind() != reflect.Map && t.Kind() != reflect.Interface {
		c.problem(n, at, kindOf(t).code, "must be %s, not an object", kindOf(t).text)
		return
	}
	var known map[string]reflect.Type
	if t != nil && t.Kind() == reflect.Struct {
		known = fields(t)
	}
	seen := make(map[string]bool, len(n.Content)/2)
	c.out.WriteByte('{')
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		name := key.Value
		here := at + "/" + escape(name)
		switch {
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge":
			c.problem(key, at, CodeKey, "keys must be plain text")
			continue
		case seen[name]:
			c.problem(key, here, CodeRepeated, "given twice")
			continue
		}
		seen[name] = true
		child, ok := elem(t, known, name)
		if !ok {
			c.problem(key, here, CodeUnknownField, "unknown field; known are %s", strings.Join(names(known), ", "))
			continue
		}
		if len(seen) > 1 {
			c.out.WriteByte(',')
		}
		c.text(name)
		c.out.WriteByte(':')
		c.value(val, here, depth+1, child)
	}
	c.out.WriteByte('}')
}

func (c *converter) sequence(n *yaml.Node, at string, depth int, t reflect.Type) {
	var child reflect.Type
	if t != nil {
		switch t.Kind() {
		case reflect.Slice, reflect.Array:
			child = t.Elem()
		case reflect.Interface:
		default:
			c.problem(n, at, kindOf(t).code, "must be %s, not a list", kindOf(t).text)
			return
		}
	}
	c.out.WriteByte('[')
	for i, item := range n.Content {
		if i > 0 {
			c.out.WriteByte(',')
		}
		c.value(item, at+"/"+strconv.Itoa(i), depth+1, child)
	}
	c.out.WriteByte(']')
}

func (c *converter) scalar(n *yaml.Node, at string, t reflect.Type) {
	start := c.out.Len()
	switch tag := n.ShortTag(); tag {
	case "!!null":
		c.out.WriteString("null")
		return
	case "!!str", "!!timestamp":
		c.text(n.Value)
	case "!!bool", "!!int", "!!float":
		var v any
		if err := n.Decode(&v); err != nil {
			c.problem(n, at, CodeTagValue, "%q does not fit the tag %s", n.Value, tag)
			return
		}
		b, err := json.Marshal(v)
		if err != nil {
			c.problem(n, at, CodeNumber, "%q is not a number that JSON can hold", n.Value)
			return
		}
		if tag != "!!bool" && json.Valid([]byte(n.Value)) {
			b = []byte(n.Value) // as it was written: no digit is lost
		}
		c.out.Write(b)
	default:
		c.problem(n, at, CodeTag, "the tag %s is not allowed", tag)
		return
	}
	c.fit(n, at, t, c.out.Bytes()[start:])
}

// fit checks a scalar against its type.
func (c *converter) fit(n *yaml.Node, at string, t reflect.Type, js []byte) {
	if t == nil || t.Kind() == reflect.Interface {
		return
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array:
		c.problem(n, at, kindOf(t).code, "must be %s", kindOf(t).text)
		return
	default:
	}
	if err := json.Unmarshal(js, reflect.New(t).Interface()); err != nil {
		c.problem(n, at, kindOf(t).code, "must be %s", kindOf(t).text)
	}
}

func (c *converter) text(s string) {
	e := json.NewEncoder(&c.out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err == nil {
		c.out.Truncate(c.out.Len() - 1) // the encoder ends each value with a newline
	}
}

// elem returns the type of the field name of t, and whether t has it.
func elem(t reflect.Type, known map[string]reflect.Type, name string) (reflect.Type, bool) {
	switch {
	case known != nil:
		f, ok := known[name]
		return f, ok
	case t != nil && t.Kind() == reflect.Map:
		return t.Elem(), true
	default:
		return nil, true
	}
}

// fields returns the JSON fields of a struct type with their types.
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
			out[f.Name] = f.Type
		default:
			out[name] = f.Type
		}
	}
	return out
}

func names(m map[string]reflect.Type) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// wanted is what a type wants: for people, and as a code.
type wanted struct{ text, code string }

func kindOf(t reflect.Type) wanted {
	switch t.Kind() {
	case reflect.String:
		return wanted{"a text", CodeWantText}
	case reflect.Bool:
		return wanted{"true or false", CodeWantBool}
	case reflect.Slice, reflect.Array:
		return wanted{"a list", CodeWantList}
	case reflect.Struct, reflect.Map:
		return wanted{"an object", CodeWantObject}
	case reflect.Float32, reflect.Float64:
		return wanted{"a number", CodeWantNumber}
	default:
		return wanted{"a whole number", CodeWantInteger}
	}
}

// escape makes a key part of a JSON Pointer (RFC 6901).
func escape(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}
