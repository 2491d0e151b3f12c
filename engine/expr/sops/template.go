package sops

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// templatePattern finds what BK-SOPS takes for a template: everything else is text,
// whatever Mako would make of it.
var templatePattern = regexp.MustCompile(`\$\{[^${}#]+\}`)

// piece is a part of a string: text, or the code of a template.
type piece struct {
	text   string
	code   code
	isCode bool
}

// Template translates a string that may hold templates to a string that may hold Culm's.
// It is only right when there are no problems but warnings.
func (t *Translator) Template(s string) (string, []Problem) {
	if !utf8.ValidString(s) {
		return "", []Problem{{Reason: "the string is not valid UTF-8"}}
	}
	pieces, problems := t.pieces(s)
	var b strings.Builder
	for i, p := range pieces {
		if p.isCode {
			b.WriteString("${" + p.code.cel + "}")
			continue
		}
		text, dollars := p.text, ""
		if i+1 < len(pieces) { // $${ would be the text ${
			text = strings.TrimRight(text, "$")
			dollars = p.text[len(text):]
		}
		b.WriteString(strings.ReplaceAll(text, "${", "$${"))
		if dollars != "" {
			b.WriteString("${" + quote(dollars) + "}")
		}
	}
	return b.String(), problems
}

// Expression translates a JSON value whose strings may hold templates to one CEL
// expression, as a computed variable has it.
func (t *Translator) Expression(raw json.RawMessage) (string, []Problem) {
	v, err := decode(raw)
	if err != nil {
		return "", []Problem{{Reason: err.Error()}}
	}
	c, problems := t.value(v, "")
	if len(c) > celMax {
		problems = append(problems, Problem{Reason: "the translation is longer than " + strconv.Itoa(celMax) + " characters"})
	}
	return c, problems
}

// Value translates a JSON value whose strings may hold templates to one whose strings may
// hold Culm's. Keys of objects are not templates.
func (t *Translator) Value(raw json.RawMessage) (json.RawMessage, []Problem) {
	v, err := decode(raw)
	if err != nil {
		return nil, []Problem{{Reason: err.Error()}}
	}
	var problems []Problem
	out := t.walk(v, "", &problems)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		return nil, append(problems, Problem{Reason: err.Error()})
	}
	return bytes.TrimSpace(b.Bytes()), problems
}

func decode(raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

func (t *Translator) walk(v any, at string, problems *[]Problem) any {
	switch v := v.(type) {
	case string:
		s, ps := t.Template(v)
		*problems = append(*problems, placed(ps, at)...)
		return s
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = t.walk(item, at+"/"+strconv.Itoa(i), problems)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out[key] = t.walk(v[key], at+"/"+escapePointer(key), problems)
		}
		return out
	}
	return v
}

func placed(problems []Problem, at string) []Problem {
	for i := range problems {
		problems[i].Pointer = at
	}
	return problems
}

func escapePointer(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}

// value is the CEL of a JSON value.
func (t *Translator) value(v any, at string) (string, []Problem) {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return "", []Problem{{Pointer: at, Reason: "the string is not valid UTF-8"}}
		}
		pieces, problems := t.pieces(v)
		parts := make([]code, len(pieces))
		for i, p := range pieces {
			if parts[i] = p.code; !p.isCode {
				parts[i] = textLiteral(p.text)
			}
		}
		return join(parts).cel, placed(problems, at)
	case []any:
		words := make([]string, len(v))
		var problems []Problem
		for i, item := range v {
			word, ps := t.value(item, at+"/"+strconv.Itoa(i))
			words[i], problems = word, append(problems, ps...)
		}
		return "[" + strings.Join(words, ", ") + "]", problems
	case map[string]any:
		var words []string
		var problems []Problem
		for _, key := range slices.Sorted(maps.Keys(v)) {
			word, ps := t.value(v[key], at+"/"+escapePointer(key))
			words, problems = append(words, quote(key)+": "+word), append(problems, ps...)
		}
		return "{" + strings.Join(words, ", ") + "}", problems
	case json.Number:
		n, err := number(v)
		if err != nil {
			return "", []Problem{{Pointer: at, Source: v.String(), Reason: "the number is out of range"}}
		}
		return n.atom(), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "null", nil
}

func number(n json.Number) (code, error) {
	if i, err := n.Int64(); err == nil {
		c, _ := literal(i)
		return c, nil
	}
	f, err := n.Float64()
	c, _ := literal(f)
	return c, err
}

// pieces cuts a string at its templates. A string that is exactly one name keeps the
// value's type; every other template gives text.
func (t *Translator) pieces(s string) ([]piece, []Problem) {
	if name, ok := t.Names[Key(s)]; ok && Key(s) != s {
		c := name.code()
		if t.Lenient {
			c = code{cel: "py.or(" + c.cel + ", " + quote(s) + ")"}
		}
		return []piece{{code: c, isCode: true}}, nil
	}
	var out []piece
	var problems []Problem
	text := func(s string) {
		if n := len(out); n > 0 && !out[n-1].isCode {
			out[n-1].text += s
		} else if s != "" {
			out = append(out, piece{text: s})
		}
	}
	end := 0
	for _, at := range templatePattern.FindAllStringIndex(s, -1) {
		text(s[end:at[0]])
		end = at[1]
		c, ps := t.template(s[at[0]:at[1]], at[0])
		problems = append(problems, ps...)
		if failed(ps) {
			text(s[at[0]:at[1]])
			continue
		}
		out = append(out, piece{code: c, isCode: true})
	}
	text(s[end:])
	if t.Lenient {
		for i := range problems {
			problems[i].Warning = true
		}
	}
	return out, problems
}

// template is the code of the text that one ${...} gives.
func (t *Translator) template(source string, at int) (code, []Problem) {
	c, warnings, err := t.expression(source[2 : len(source)-1])
	if err != nil {
		return code{}, []Problem{{Offset: at + 2 + err.at, Source: source, Reason: err.reason}}
	}
	var problems []Problem
	for _, w := range warnings {
		problems = append(problems, Problem{Offset: at + 2 + w.at, Source: source, Reason: w.reason, Warning: true})
	}
	c = c.text()
	if t.Lenient && !c.hasLiteral {
		c = code{cel: "py.text(py.or(" + c.cel + ", " + quote(source) + "))", kind: kindText, static: true}
	}
	return c, problems
}
