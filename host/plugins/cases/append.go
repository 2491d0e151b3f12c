package cases

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Append adds a case at the end of a file of cases, and leaves the rest as it is. An empty
// text becomes a file. The name of the case gets a number when there is one of that name.
// The error is ErrNotBlock when the list is not the last thing in the file, or is written
// in braces.
func Append(text []byte, c Case) ([]byte, error) {
	names := map[string]bool{}
	indent := "  "
	if len(strings.TrimSpace(string(text))) == 0 {
		text = []byte("format: " + Format + "\ncases:\n")
	} else {
		f, err := Parse(text)
		if err != nil {
			return nil, err
		}
		for i := range f.Cases {
			names[f.Cases[i].Name] = true
		}
		if indent, err = listIndent(text); err != nil {
			return nil, err
		}
	}
	name := c.Name
	for i := 2; names[c.Name]; i++ {
		c.Name = fmt.Sprintf("%s %d", name, i)
	}
	lines, err := renderCase(indent, c)
	if err != nil {
		return nil, err
	}
	out := strings.TrimRight(string(text), "\n") + "\n"
	if len(names) > 0 {
		out += "\n"
	}
	return []byte(out + strings.Join(lines, "\n") + "\n"), nil
}

// listIndent is what stands in front of the dashes of the list of cases.
func listIndent(text []byte) (string, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return "", err
	}
	top := root.Content[0]
	key, list := lookup(top, "cases")
	if key == nil || key != top.Content[len(top.Content)-2] || list.Style&yaml.FlowStyle != 0 || top.Style&yaml.FlowStyle != 0 {
		return "", ErrNotBlock
	}
	// The column of an element is that of its first key, behind the dash and a blank.
	return strings.Repeat(" ", max(list.Content[0].Column-3, 0)), nil
}

// renderCase writes a case in lines.
func renderCase(indent string, c Case) ([]string, error) {
	w := &writer{}
	w.item(indent+"- ", "name", c.Name)
	in := indent + "  "
	w.item(in, "action", c.Action)
	if len(c.Inputs) > 0 {
		w.item(in, "inputs", c.Inputs)
	}
	if len(c.Vars) > 0 {
		w.item(in, "vars", c.Vars)
	}
	w.step(in, "", c.Step)
	if len(c.Then) > 0 {
		w.lines = append(w.lines, in+"then:")
	}
	for _, s := range c.Then {
		w.step(in+"    ", in+"  - ", s)
	}
	return w.lines, w.err
}

// writer writes lines of YAML whose values are JSON.
type writer struct {
	lines []string
	err   error
}

func (w *writer) item(indent, key string, v any) {
	raw, err := plain(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.lines = append(w.lines, indent+key+": "+string(raw))
}

// step writes the members of a call. first replaces the indent of the first line, where
// the call is an element of a list.
func (w *writer) step(indent, first string, s Step) {
	start := len(w.lines)
	if s.Reason != "" {
		w.item(indent, "reason", s.Reason)
	}
	for _, m := range []struct {
		key string
		raw []byte
	}{{"state", s.State}, {"outputs", s.Outputs}, {"callback", s.Callback}, {"form", s.Form}} {
		if len(m.raw) > 0 {
			w.lines = append(w.lines, indent+m.key+": "+string(m.raw))
		}
	}
	if s.Field != "" {
		w.item(indent, "field", s.Field)
	}
	if len(s.Gateway) > 0 {
		w.lines = append(w.lines, indent+"gateway:")
	}
	for _, x := range s.Gateway {
		w.item(indent+"  - ", "system", x.System)
		w.item(indent+"    ", "operation", x.Operation)
		if len(x.Params) > 0 {
			w.item(indent+"    ", "params", x.Params)
		}
		if len(x.Body) > 0 {
			w.item(indent+"    ", "body", x.Body)
		}
		w.item(indent+"    ", "answer", x.Answer)
	}
	if s.Expect != nil {
		lines, err := render(indent, *s.Expect)
		if err != nil && w.err == nil {
			w.err = err
		}
		w.lines = append(w.lines, lines...)
	}
	if first == "" {
		return
	}
	if start == len(w.lines) {
		w.lines = append(w.lines, first+"{}")
		return
	}
	w.lines[start] = first + strings.TrimPrefix(w.lines[start], indent)
}
