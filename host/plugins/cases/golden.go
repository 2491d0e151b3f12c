package cases

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrNotBlock says that a step is written in one line, in braces: there is no place for
// an expectation.
var ErrNotBlock = errors.New("the case is written in braces; write it in lines, so that its expectation can be replaced")

// Update returns the text of a file in which every call that did not do what was
// expected, or has no expectation, expects what it did. Everything else, comments
// included, stays as it is, and so do cases that were not run, or name an action that the
// plugin does not have. The text must be that of the file that was run.
func Update(text []byte, results []Result) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, err
	}
	if len(root.Content) == 0 {
		return text, nil
	}
	_, list := lookup(root.Content[0], "cases")
	if list == nil {
		return text, nil
	}
	lines := strings.Split(string(text), "\n")
	// From the end, so that the lines of what comes before stay where they are.
	for i := min(len(results), len(list.Content)) - 1; i >= 0; i-- {
		if !results[i].Called() {
			continue
		}
		var err error
		if lines, err = updateCase(lines, list.Content[i], results[i]); err != nil {
			return nil, fmt.Errorf("line %d: %w", list.Content[i].Line, err)
		}
	}
	return []byte(strings.Join(lines, "\n")), nil
}

// updateCase replaces the expectations of the steps of a case, the last one first. The
// first step is the case itself, whose expect may stand behind then.
func updateCase(lines []string, c *yaml.Node, r Result) ([]string, error) {
	type place struct {
		node *yaml.Node
		done Done
	}
	steps := []place{{c, r.Steps[0]}}
	if _, then := lookup(c, "then"); then != nil {
		for i, n := range then.Content {
			if i+1 < len(r.Steps) {
				steps = append(steps, place{n, r.Steps[i+1]})
			}
		}
	}
	slices.SortStableFunc(steps, func(a, b place) int { return anchor(b.node) - anchor(a.node) })
	for _, s := range steps {
		key, _ := lookup(s.node, "expect")
		if len(s.done.Problems) == 0 && key != nil {
			continue
		}
		if s.node.Style&yaml.FlowStyle != 0 {
			return nil, ErrNotBlock
		}
		var err error
		if lines, err = splice(lines, s.node, key, s.done.Observed()); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// anchor is the line at which the expectation of a step is, or would be.
func anchor(step *yaml.Node) int {
	if key, _ := lookup(step, "expect"); key != nil {
		return key.Line
	}
	return last(step)
}

// last is the line of the last key of a step that is not "then".
func last(step *yaml.Node) int {
	line := step.Line
	for i := 0; i+1 < len(step.Content); i += 2 {
		if step.Content[i].Value != "then" {
			line = max(line, step.Content[i].Line)
		}
	}
	return line
}

// splice writes an expectation over the lines of the one that is there, or behind the
// last member of the step.
func splice(lines []string, step, key *yaml.Node, e Expect) ([]string, error) {
	indent := strings.Repeat(" ", step.Content[0].Column-1)
	text, err := render(indent, e)
	if err != nil {
		return nil, err
	}
	if key != nil {
		end := extent(lines, key.Line, key.Column-1)
		return slices.Concat(lines[:key.Line-1], text, lines[end:]), nil
	}
	end := extent(lines, last(step), step.Content[0].Column-1)
	return slices.Concat(lines[:end], text, lines[end:]), nil
}

// extent is the number of lines up to the end of the member whose key is in a line, at an
// indentation.
func extent(lines []string, line, indent int) int {
	end := line // the key's own line, counted from 1, is the first one that belongs to it
	for i := line; i < len(lines); i++ {
		trimmed := strings.TrimLeft(lines[i], " ")
		if trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue // belongs to it only if more of it follows
		}
		if len(lines[i])-len(trimmed) <= indent {
			break
		}
		end = i + 1
	}
	return end
}

// render writes an expectation: a line for each member, values as JSON, which is YAML.
func render(indent string, e Expect) ([]string, error) {
	raw, err := plain(e)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	lines := []string{indent + "expect:"}
	for _, k := range []string{"status", "outputs", "failure", "wait", "state", "vars", "log"} {
		v, ok := members[k]
		if !ok {
			continue
		}
		if k == "status" {
			v = json.RawMessage(e.Status)
		}
		lines = append(lines, indent+"  "+k+": "+string(v))
	}
	return lines, nil
}

// plain encodes for people: < stays <.
func plain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// lookup finds a member of a mapping.
func lookup(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}
