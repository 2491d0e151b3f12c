package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/culmhq/culm/pdk/contract"
)

// What CheckHistory says about gateways that choose and about subflows. It goes by the
// ids, which are paths, not by what Compile made of them.

// typeOf returns the type of a node.
func (h *history) typeOf(id string) NodeType {
	if i, ok := h.g.nodeIdx[id]; ok {
		return h.g.nodes[i].typ
	}
	return ""
}

// inside returns where the inside of an inline subflow node begins: at the one node that
// is of type start and has the path of the subflow node.
func (h *history) inside(id string) (start string, ok bool) {
	i, found := h.g.nodeIdx[id]
	if !found || h.g.nodes[i].typ != TypeSubflow || h.g.nodes[i].mode != SubflowInline {
		return "", false
	}
	k := h.g.scopeIdx[id]
	return h.g.nodes[h.g.scopes[k].start()].id, true
}

// around lists the subflow nodes around a node, the innermost first.
func around(id string) []string {
	var outer []string
	for scope, _, ok := cutLast(id); ok; scope, _, ok = cutLast(scope) {
		outer = append(outer, scope)
	}
	return outer
}

// cutLast takes the path of its scope off an id.
func cutLast(id string) (scope, local string, ok bool) {
	at := strings.LastIndexByte(id, '.')
	if at < 0 {
		return "", id, false
	}
	return id[:at], id[at+1:], true
}

// mayBegin checks that nothing that an operator stopped is around a node, and that
// everything around it goes on.
func (h *history) mayBegin(id string) error {
	if h.state == RunSuspended {
		return fmt.Errorf("node %q begins while the run is suspended", id)
	}
	for _, outer := range around(id) {
		if n := h.nodes[outer]; n == nil || n.state != NodeRunning {
			return fmt.Errorf("node %q begins while %q does not run", id, outer)
		}
	}
	return nil
}

// branches returns how many tokens a node makes before its own may leave.
func (h *history) branches(id string) int {
	i := h.g.nodeIdx[id]
	switch h.g.nodes[i].typ {
	case TypeParallel:
		return len(h.g.nodes[i].out)
	case TypeInclusive:
		return len(h.nodes[id].decided)
	case TypeSubflow:
		if n := h.nodes[id]; n.state == NodeSucceeded && h.g.nodes[i].mode == SubflowInline {
			return 1
		}
	case TypeStart, TypeEnd, TypeTask, TypeExclusive, TypeJoin:
	}
	return 0
}

// forked checks that a node makes the token that it may make.
func (h *history) forked(d TokenMoved) error {
	n := h.nodes[d.From]
	start, inline := h.inside(d.From)
	switch typ := h.typeOf(d.From); {
	case n == nil || n.due:
		return fmt.Errorf("token %d is made at %q, which was not entered", d.Token, d.From)
	case inline && (n.state != NodeRunning || d.To != start || d.Edge != ""):
		return fmt.Errorf("token %d goes into %q at %q", d.Token, d.From, d.To)
	case typ == TypeInclusive && !slices.Contains(n.decided, d.Edge):
		return fmt.Errorf("token %d takes edge %q, for which %q did not decide", d.Token, d.Edge, d.From)
	case !inline && typ != TypeInclusive && typ != TypeParallel:
		return fmt.Errorf("token %d is made at %q, a %s node", d.Token, d.From, typ)
	}
	return nil
}

// entered checks that a subflow begins behind the change that says so, with variables of
// its own.
func (h *history) entered(id string, d ScopeEntered) error {
	_, inline := h.inside(id)
	if n := h.nodes[id]; !inline || n == nil || n.state != NodeRunning || n.begun == n.epoch {
		return fmt.Errorf("the inside of %q begins, which does not run, or has begun", id)
	}
	for _, k := range h.tokens {
		if slices.Contains(around(k.node), id) {
			return fmt.Errorf("the inside of %q begins while a token is at %q", id, k.node)
		}
	}
	for name := range d.Variables {
		if _, ok := h.g.variable(id, name); !ok {
			return fmt.Errorf("no variable %q in %q", name, id)
		}
	}
	for inner, n := range h.nodes {
		if slices.Contains(around(inner), id) && n.attempt > 0 {
			n.options.loops = -1 // the first time in this round is not counted
		}
	}
	h.nodes[id].begun = h.nodes[id].epoch
	h.limits.forget(id)
	return h.limits.values(id, d.Variables)
}

// insideEnded checks that a subflow that ends well was begun and has no token left.
func (h *history) insideEnded(id string) error {
	if n := h.nodes[id]; n.begun != n.epoch {
		return fmt.Errorf("subflow %q ends without having begun", id)
	}
	for i, k := range h.tokens {
		if slices.Contains(around(k.node), id) {
			return fmt.Errorf("subflow %q ends while token %d is at %q", id, i, k.node)
		}
	}
	return nil
}

// scopes judges what a change owes to the subflows around a node, to what an operator
// holds, and, at a subflow node, to what is inside or to the run below. n is the node
// before the change.
func (h *history) scopes(id string, n *nodeHistory, d *NodeChanged) error {
	if h.resumed(id, n, d) {
		return nil
	}
	begins := d.Iteration != n.iteration || d.Attempt != n.attempt || n.state == NodeReady
	switch d.To {
	case NodeReady, NodeCancelled:
		begins = false
	case NodeSuspended:
		return h.suspended(id, n, d)
	default:
		begins = begins || n.state == NodeSuspended || d.Reason == contract.ReasonExecute
	}
	if begins {
		if n.held && d.By == "" {
			return fmt.Errorf("node %q begins, which is held", id)
		}
		if err := h.mayBegin(id); err != nil {
			return err
		}
	}
	if _, inline := h.inside(id); inline && d.To == NodeSucceeded {
		return h.insideEnded(id)
	}
	return h.below(id, n, d)
}

// suspended judges that a node stops: before it begins, when it is held, or, when it is a
// subflow that runs, for what is inside.
func (h *history) suspended(id string, n *nodeHistory, d *NodeChanged) error {
	if n.state == NodeRunning {
		if _, inline := h.inside(id); !inline || d.By != byPause {
			return fmt.Errorf("node %q stops while it runs", id)
		}
		return nil
	}
	if !n.held {
		return fmt.Errorf("node %q stops, which is not held", id)
	}
	n.held = false
	return nil
}

// resumed reports whether a change lets the inside of a subflow go on.
func (h *history) resumed(id string, n *nodeHistory, d *NodeChanged) bool {
	_, inline := h.inside(id)
	return inline && d.From == NodeSuspended && d.To == NodeRunning && d.By == byResume && n.begun == n.epoch && n.epoch > 0
}

// below judges the run that a node waits for.
func (h *history) below(id string, n *nodeHistory, d *NodeChanged) error {
	_, inline := h.inside(id)
	independent := h.typeOf(id) == TypeSubflow && !inline
	waits := d.Wait != nil && d.Wait.Kind == contract.WaitRun
	switch {
	case waits != (d.Child != "") || waits != (d.To == NodeWaiting && independent):
		return fmt.Errorf("node %q waits for run %q", id, d.Child)
	case d.From == NodeWaiting && d.To == NodeSucceeded && !independent:
		return fmt.Errorf("node %q succeeds while it waits", id)
	case waits && h.children[d.Child]:
		return fmt.Errorf("node %q waits for run %q, which was started before", id, d.Child)
	}
	if waits {
		h.children[d.Child] = true
	}
	if n.child != "" {
		n.held = false // it was the run that was held
	}
	n.child = d.Child
	return nil
}

// held judges that an operator holds a node, or lets it go.
func (h *history) held(id string, d NodeHeld) error {
	n := h.at(id)
	if n.held == d.Held {
		return fmt.Errorf("node %q: held is %t already", id, d.Held)
	}
	n.held = d.Held
	return nil
}

// begins judges where a run begins.
func (h *history) begins(d RunStarted) error {
	if d.Format < 1 || d.Format > RecordFormat {
		return fmt.Errorf("format %d", d.Format)
	}
	if h.start = d.StartAt; h.start == "" {
		h.start = h.g.nodes[h.g.start].id
		return nil
	}
	if err := CanStartAt(h.g, d.StartAt); err != nil {
		return err
	}
	return nil
}
