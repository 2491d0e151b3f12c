package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// A task with Repeat runs several times in a row, each time as an iteration of its own.
// Its ordinal is counted apart from the iterations, which a loop counts too.

// firstOf is the ordinal with which a node's repetitions begin: 0 without any.
func (o *nodeOptions) firstOf() int {
	if o.repeat == nil {
		return 0
	}
	return 1
}

// repeatAgain runs the node's next repetition; it returns false when there is none.
func (t *step) repeatAgain(i int32) bool {
	n, r := t.s.nodes[i], t.g.nodes[i].opts.repeat
	if r == nil || n.repeat >= r.Times {
		return false
	}
	t.enter(entry{node: i, iteration: n.iteration + 1, attempt: 1, by: byRepeat, repeat: n.repeat + 1})
	return true
}

// goOn runs the next repetition of a node that has ended, or goes on behind it.
func (t *step) goOn(i int32) {
	if !t.repeatAgain(i) {
		t.leave(i, t.g.nodes[i].out[0])
	}
}

// part checks which part of a node an operator means, and returns the ordinal at which
// a retry goes on.
func (t *step) part(i int32, p Repeated) (int, error) {
	o := t.g.nodes[i].opts
	switch p {
	case RepeatedAll:
		return o.firstOf(), nil
	case RepeatedIteration:
		if o.repeat != nil {
			return t.s.nodes[i].repeat, nil
		}
	}
	refusal := t.refuse(CodeInvalid, t.g.nodes[i].id, "there is no part %q", p).because("NO_PART")
	if p == RepeatedIteration {
		refusal = t.refuse(CodeInvalid, t.g.nodes[i].id, "the node does not repeat itself").because("NOT_REPEATING")
	}
	refusal.Field = "/part"
	return 0, refusal
}

// collect appends the outputs of an iteration to the list that the drawing names.
func (t *step) collect(i int32, outputs json.RawMessage) {
	v, list := t.collected(i)
	if v < 0 {
		return
	}
	if len(outputs) == 0 {
		outputs = json.RawMessage("{}")
	}
	grown := append(make(json.RawMessage, 0, len(list)+len(outputs)+1), list[:len(list)-1]...)
	if len(grown) > 1 {
		grown = append(grown, ',')
	}
	t.write(i, v, append(append(grown, outputs...), ']'))
}

// uncollect takes back what a retry makes anew: everything when the node starts over, the
// last element when it redoes one iteration.
func (t *step) uncollect(i int32, p Repeated) {
	v, list := t.collected(i)
	if v < 0 || string(list) == "[]" {
		return
	}
	left := json.RawMessage("[]")
	if p == RepeatedIteration {
		left = withoutLast(list)
	}
	t.write(i, v, left)
}

// collected returns the variable to which a node's outputs are appended, and its list;
// -1 when there is none. What is not a list is taken for an empty one.
func (t *step) collected(i int32) (int32, json.RawMessage) {
	r := t.g.nodes[i].opts.repeat
	if r == nil || r.Collect == "" {
		return -1, nil
	}
	k, _ := t.g.scopeOf(i).variable(r.Collect)
	list := t.s.vars[k]
	if len(list) == 0 || list[0] != '[' {
		list = json.RawMessage("[]")
	}
	return k, list
}

// withoutLast is a JSON list without white space, less its last element.
func withoutLast(list json.RawMessage) json.RawMessage {
	var elements []json.RawMessage
	if json.Unmarshal(list, &elements) != nil || len(elements) < 2 {
		return json.RawMessage("[]")
	}
	raw := make([][]byte, len(elements)-1)
	for i := range raw {
		raw[i] = elements[i]
	}
	return append(append(json.RawMessage{'['}, bytes.Join(raw, []byte{','})...), ']')
}

// repeats checks where the outputs of a repeated node are collected.
func (b *builder) repeats(n *Node, written []bool) {
	if n.Repeat == nil || n.Repeat.Collect == "" {
		return
	}
	name := n.Repeat.Collect
	at := Problem{Node: n.ID, Field: "/repeat/collect"}
	i, ok := b.g.varIdx[name]
	switch {
	case !ok:
		at.Code = ProblemOutputVariable
		b.report(at, fmt.Sprintf("no variable %q", name), "variable", name)
	case b.g.vars[i].Source != SourceNode:
		at.Code = ProblemOutputSource
		b.report(at, fmt.Sprintf("variable %q is not written by nodes", name), "variable", name)
	case b.g.vars[i].schema.Type() != "" && b.g.vars[i].schema.Type() != "array":
		at.Code = ProblemCollectType
		b.report(at, fmt.Sprintf("variable %q is not a list", name), "variable", name)
	default:
		written[i] = true
	}
}
