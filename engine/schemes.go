package engine

import (
	"fmt"
	"slices"
	"strconv"
)

// MaxSchemes bounds the schemes of a flow.
const MaxSchemes = 1000

// SchemeWithout returns the optional nodes that a run with the given schemes leaves out,
// in the order of the document. A node runs when one of the schemes runs it: what is left
// out is what all of them leave out. Without schemes everything runs. An *Error with
// Field names a scheme that the flow does not have.
func SchemeWithout(f *Flow, ids []string) ([]string, error) {
	left := map[string]int{}
	for i, id := range ids {
		k := slices.IndexFunc(f.Schemes, func(s Scheme) bool { return s.ID == id })
		if k < 0 {
			refusal := &Error{Code: CodeInvalid, Message: fmt.Sprintf("the flow has no scheme %q", id), Field: "/schemes/" + strconv.Itoa(i), named: []any{id}}
			return nil, refusal.because("NO_SCHEME")
		}
		for _, node := range f.Schemes[k].Without {
			if left[node] == i {
				left[node]++
			}
		}
	}
	var without []string
	for i := range f.Nodes {
		if id := f.Nodes[i].ID; len(ids) > 0 && left[id] == len(ids) {
			without = append(without, id)
		}
	}
	return without, nil
}

// schemes checks the named selections of optional nodes.
func (b *builder) schemes() {
	if len(b.f.Schemes) > MaxSchemes {
		b.report(Problem{Code: ProblemFlowTooLarge, Field: "/schemes"}, fmt.Sprintf("%d schemes, at most %d", len(b.f.Schemes), MaxSchemes),
			"what", "schemes", "max", strconv.Itoa(MaxSchemes))
		return
	}
	seen := map[string]bool{}
	for i := range b.f.Schemes {
		s := &b.f.Schemes[i]
		at := Problem{Field: fmt.Sprintf("/schemes/%d/id", i)}
		switch {
		case !nodeIDPattern.MatchString(s.ID):
			at.Code = ProblemSchemeID
			b.report(at, "a scheme id is a letter, then up to 63 letters, digits and _")
		case seen[s.ID]:
			at.Code = ProblemSchemeDuplicate
			b.report(at, fmt.Sprintf("the id %q is taken", s.ID))
		}
		seen[s.ID] = true
		for k, p := range leaveOut(b.f, s.Without, b.nodeAt) {
			if p != nil {
				p.Field = fmt.Sprintf("/schemes/%d/without/%d", i, k)
				b.report(*p, p.Message, "node", s.Without[k])
			}
		}
	}
}

// nodeAt finds a node of the document by id.
func (b *builder) nodeAt(id string) *Node {
	i, ok := b.g.nodeIdx[id]
	if !ok {
		return nil
	}
	return &b.f.Nodes[b.nodeOf[i]]
}

// leaveOut says for each of the nodes that are to be left out what is wrong with that;
// nil where nothing is.
func leaveOut(f *Flow, without []string, find func(string) *Node) []*Problem {
	problems := make([]*Problem, len(without))
	for i, id := range without {
		switch n := find(id); {
		case n == nil:
			problems[i] = &Problem{Code: ProblemSchemeNode, Message: fmt.Sprintf("no node %q", id)}
		case !n.Optional:
			problems[i] = &Problem{Code: ProblemSchemeRequired, Message: fmt.Sprintf("node %q is not optional", id)}
		}
	}
	return problems
}
