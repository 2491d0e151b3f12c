package engine

import "fmt"

// CanStartAt reports whether a run may begin at a node instead of the start: a task or a
// gateway of the flow itself that is not inside of a parallel branch. Behind such a node
// everything can be reached that is reached from the start, and no join waits for a
// token that was never made. What the run passes over has no outputs. The error is an
// *Error with Field "/start_at".
func CanStartAt(g *Graph, node string) error {
	refuse := func(code Code, format string, args ...any) *Error {
		return &Error{Code: code, Message: fmt.Sprintf(format, args...), Node: node, Field: "/start_at", named: args}
	}
	i, ok := g.nodeIdx[node]
	if !ok {
		return refuse(CodeUnknownNode, "no node %q", node).because("NO_NODE")
	}
	n := &g.nodes[i]
	switch {
	case n.scope != 0:
		return refuse(CodeInvalid, "a run cannot begin inside of a subflow").because("BEGIN_SUBFLOW")
	case n.block >= 0:
		return refuse(CodeInvalid, "a run cannot begin inside of a parallel branch").because("BEGIN_BRANCH")
	}
	switch n.typ {
	case TypeStart, TypeTask, TypeExclusive, TypeParallel, TypeInclusive:
		return nil
	case TypeSubflow, TypeJoin, TypeEnd:
	}
	return refuse(CodeInvalid, "a run cannot begin at a node of type %s", n.typ).because("BEGIN_TYPE")
}

// beginning is the node at which a run begins.
func (t *step) beginning(startAt string) (int32, error) {
	if startAt == "" {
		return t.g.start, nil
	}
	if err := CanStartAt(t.g, startAt); err != nil {
		return -1, err
	}
	return t.g.nodeIdx[startAt], nil
}
