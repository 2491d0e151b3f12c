package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// CheckHistory verifies the invariants of a history: it is the judge in every test. It
// follows the records with rules of its own, not those by which they were made, and
// replays them besides. The history must end where a step ended.
//
//   - Seq counts from 1 without gaps; the first record starts the run; behind the end
//     of a run come late results only.
//   - Runs and nodes change by their tables; the state a change leaves is the one it
//     found. Epochs grow by one with each call; attempts and iterations never go back.
//   - A node that ended is not called again without a new attempt; nothing is called
//     while the run is suspended, but calls that go on from a wait.
//   - Tokens move along edges; a parent moves when its children have ended; a run that
//     succeeded has no token left; no token rests where nothing can move it.
//   - A parallel gateway makes a token for each branch, an inclusive one for those that
//     it decided for, a subflow one for its start; a subflow ends well when that token has.
//   - Nothing begins while the run, or a subflow around it, is suspended; nor at a node
//     that is held.
//   - An independent subflow waits for one run, which no other attempt has started.
//   - The run is blocked exactly when only failed or unknown nodes could move it.
//   - A rollback undoes tasks newest attempt first, none before those that follow it, then
//     forgets them and takes their tokens back; nothing else touches them meanwhile.
//   - A command has one effect: its records stand together.
//   - Retries by themselves, deadlines and failures that are passed over are those of the
//     drawing; none comes before its time, none is owed and missing.
func CheckHistory(g *Graph, rs []Record) error {
	if len(rs) == 0 {
		return errors.New("engine: history: no records")
	}
	h := &history{g: g, state: RunCreated, nodes: map[string]*nodeHistory{}, tokens: map[int]*tokenHistory{}, commands: map[string]bool{}, children: map[string]bool{}}
	for i := range rs {
		if err := h.record(&rs[i]); err != nil {
			return fmt.Errorf("engine: history: record %d (%s): %w", rs[i].Seq, rs[i].Kind, err)
		}
	}
	if err := h.end(); err != nil {
		return fmt.Errorf("engine: history: at the end: %w", err)
	}
	_, err := Replay(g, rs)
	return err
}

// history is what CheckHistory remembers.
type history struct {
	g         *Graph
	seq       uint64
	state     RunState
	nodes     map[string]*nodeHistory
	tokens    map[int]*tokenHistory
	lastToken int
	commands  map[string]bool
	children  map[string]bool // the runs that were started
	start     string          // the node at which the run begins
	command   string
	rollback  *rollbackHistory
	drawings  map[string]*Node
	deadline  time.Time
	limits    limitHistory
}

type nodeHistory struct {
	state              NodeState
	epoch              uint64
	iteration, attempt int
	human              bool
	due                bool        // a token has come, and has not entered it
	done               []succeeded // what a rollback can undo, oldest first
	decided            []string    // edges
	begun              uint64      // the epoch with which the inside of a subflow began
	held               bool        // the next token stops here
	child              string      // the run that it waits for
	options            optionHistory
}

// busy reports whether an attempt is under way.
func (n *nodeHistory) busy() bool {
	switch n.state {
	case NodeRunning, NodeWaiting, NodeReady, NodeSuspended, NodeRollingBack:
		return true
	default:
		return false
	}
}

type tokenHistory struct {
	parent   int
	children int // that have not ended
	made     int // at the gateway where it is
	node     string
}

func (h *history) record(r *Record) error {
	if r.Seq != h.seq+1 {
		return fmt.Errorf("follows record %d", h.seq)
	}
	h.seq = r.Seq
	if r.Data == nil || r.Data.kind() != r.Kind {
		return fmt.Errorf("holds %T", r.Data)
	}
	if (r.Seq == 1) != (r.Kind == KindRunStarted) {
		return errors.New("a run starts with its first record, once")
	}
	if h.state.Ended() && r.Kind != KindNodeLate {
		return fmt.Errorf("behind the end of the run (%s)", h.state)
	}
	if r.CommandID != h.command {
		if r.CommandID != "" && h.commands[r.CommandID] {
			return fmt.Errorf("command %q has a second effect", r.CommandID)
		}
		h.command = r.CommandID
		h.commands[r.CommandID] = true
	}
	if r.Node != "" {
		if _, ok := h.g.nodeIdx[r.Node]; !ok {
			return fmt.Errorf("no node %q", r.Node)
		}
	}
	return h.payload(r)
}

func (h *history) payload(r *Record) error {
	switch d := r.Data.(type) {
	case RunStarted:
		return errors.Join(h.begins(d), h.limits.started(&d), h.started(r.At, &d))
	case RunChanged:
		return errors.Join(h.timedOut(r, &d), h.run(d))
	case VariableSet:
		return errors.Join(h.limits.value(d.Scope, d.Name, d.Value), h.variable(r.Node, d))
	case NodeChanged:
		return h.node(r, d)
	case NodeNoted:
		return h.busy(r.Node, d.Attempt)
	case NodeLate:
	case CallbackKept:
		return h.busy(r.Node, d.Attempt)
	case TokenMoved:
		return h.token(d)
	case GatewayDecided:
		return h.decided(r.Node, d)
	case RollbackChanged:
		return h.rollbackChanged(d)
	case NodeTimer:
		return h.timer(r, d)
	case ScopeEntered:
		return h.entered(r.Node, d)
	case NodeHeld:
		return h.held(r.Node, d)
	}
	return nil
}

// busy checks that an attempt of a node is under way.
func (h *history) busy(node string, attempt int) error {
	if n := h.nodes[node]; n == nil || n.attempt != attempt || !n.busy() {
		return fmt.Errorf("no attempt %d of %q is under way", attempt, node)
	}
	return nil
}

func (h *history) decided(node string, d GatewayDecided) error {
	for _, id := range d.Edges {
		if k, ok := h.g.edgeIdx[id]; !ok || h.g.nodes[h.g.edges[k].from].id != node {
			return fmt.Errorf("edge %q does not leave %q", id, node)
		}
	}
	if n := h.nodes[node]; n != nil {
		n.decided = d.Edges
	}
	return nil
}

func (h *history) run(d RunChanged) error {
	if d.From != h.state {
		return fmt.Errorf("the run is %s, not %s", h.state, d.From)
	}
	if !slices.ContainsFunc(runTransitions, func(t runTransition) bool { return t.To == d.To && slices.Contains(t.From, d.From) }) {
		return fmt.Errorf("no way from %s to %s", d.From, d.To)
	}
	if d.Outputs != nil && d.To != RunSucceeded {
		return fmt.Errorf("outputs of a run that is %s", d.To)
	}
	h.state = d.To
	return nil
}

func (h *history) variable(node string, d VariableSet) error {
	i, ok := h.g.variable(d.Scope, d.Name)
	if !ok {
		return fmt.Errorf("no variable %q in %q", d.Name, d.Scope)
	}
	if node == "" {
		return h.operatorSets(i, d)
	}
	if scope, _, _ := cutLast(node); scope != d.Scope {
		return fmt.Errorf("node %q writes a variable of %q", node, d.Scope)
	}
	for _, b := range h.g.nodes[h.g.nodeIdx[node]].outputs {
		if b.variable == i {
			return nil
		}
	}
	if h.drawn(node).collects(d.Name) {
		return nil
	}
	return fmt.Errorf("node %q does not write %q", node, d.Name)
}

func (h *history) node(r *Record, d NodeChanged) error {
	id := r.Node
	n := h.at(id)
	if d.From != n.state {
		return fmt.Errorf("node %q is %q, not %q", id, n.state, d.From)
	}
	if !slices.ContainsFunc(nodeTransitions, func(t nodeTransition) bool { return t.To == d.To && slices.Contains(t.From, d.From) }) {
		return fmt.Errorf("no way from %q to %q", d.From, d.To)
	}
	if undoes(d.To) || d.To == NodeIdle {
		h.limits.undone(id, d.To)
		return h.undo(id, n, &d)
	}
	if err := h.attempt(id, n, &d); err != nil {
		return err
	}
	if err := complete(&d); err != nil && !h.resumed(id, n, &d) {
		return fmt.Errorf("node %q: %w", id, err)
	}
	begins := d.Iteration != n.iteration || d.Attempt != n.attempt
	if err := errors.Join(replaced(&d), h.limits.node(id, begins, &d), h.options(r, n, &d)); err != nil {
		return fmt.Errorf("node %q: %w", id, err)
	}
	if err := h.scopes(id, n, &d); err != nil {
		return err
	}
	n.state, n.epoch, n.iteration, n.attempt = d.To, d.Epoch, d.Iteration, d.Attempt
	n.human = d.Wait != nil && d.Wait.Kind == contract.WaitHuman
	return h.afterNode(id, n, &d)
}

func (h *history) attempt(id string, n *nodeHistory, d *NodeChanged) error {
	called := uint64(0)
	if d.To == NodeRunning && !h.resumed(id, n, d) {
		called = 1
	}
	if d.Epoch != n.epoch+called {
		return fmt.Errorf("node %q: epoch %d after %d", id, d.Epoch, n.epoch)
	}
	var err error
	if d.Iteration == n.iteration && d.Attempt == n.attempt {
		err = n.goesOn(d)
	} else {
		err = n.beginsAgain(d, h.drawn(id).Repeat != nil)
	}
	if err != nil {
		return fmt.Errorf("node %q: %w", id, err)
	}
	return nil
}

// goesOn judges a change within an attempt.
func (n *nodeHistory) goesOn(d *NodeChanged) error {
	switch {
	case d.To == NodeRunning && !n.busy():
		return errors.New("called again without a new attempt")
	case d.To == n.state:
		return fmt.Errorf("%s already", n.state)
	case n.due:
		return errors.New("changes before the token that has come there enters it")
	}
	return nil
}

// beginsAgain judges a change that begins an attempt: the next one, or, when a token has
// come or the node repeats itself, the first one of the next iteration.
func (n *nodeHistory) beginsAgain(d *NodeChanged, repeats bool) error {
	retried := d.Iteration == n.iteration && d.Attempt == n.attempt+1
	looped := d.Iteration == n.iteration+1 && d.Attempt == 1
	switch {
	case !retried && !looped:
		return fmt.Errorf("iteration %d attempt %d after %d, %d", d.Iteration, d.Attempt, n.iteration, n.attempt)
	case n.busy():
		return fmt.Errorf("a new attempt while it is %s", n.state)
	case looped && !n.due && !repeats:
		return errors.New("entered again, but no token has come")
	}
	n.due = false
	return nil
}

// complete checks that a change carries what its target state needs.
func complete(d *NodeChanged) error {
	switch d.To {
	case NodeRunning:
		if d.Reason == "" || d.Reason == contract.ReasonExecute && d.Inputs == nil {
			return errors.New("running without reason or inputs")
		}
	case NodeWaiting:
		if d.Wait == nil {
			return errors.New("waiting for nothing")
		}
	case NodeFailed, NodeUnknown:
		if d.Failure == nil {
			return fmt.Errorf("%s without failure", d.To)
		}
	case NodeSucceeded:
		if (d.From == NodeRunning || d.From == NodeWaiting) && d.Outputs == nil {
			return errors.New("succeeded without outputs")
		}
	case NodeIdle, NodeReady, NodeSuspended, NodeSkipped, NodeCancelled, NodeRollingBack, NodeRolledBack, NodeRollbackFailed:
	}
	return nil
}

// replaced checks that a change brings other inputs only for a retry.
func replaced(d *NodeChanged) error {
	if (d.OnlyOverrides || d.Overrides != nil) && d.By != byRetry {
		return errors.New("inputs are replaced, but nobody retried")
	}
	return nil
}

func (h *history) token(d TokenMoved) error {
	if err := h.edge(d); err != nil {
		return err
	}
	if d.Token > h.lastToken {
		return h.newToken(d)
	}
	k := h.tokens[d.Token]
	if k == nil || k.node != d.From {
		return fmt.Errorf("token %d is not at %q", d.Token, d.From)
	}
	if back := h.takenBack(d); back && k.children == 0 {
		k.made = 0
		return h.moved(d, k)
	} else if back {
		return fmt.Errorf("token %d is taken back before its children", d.Token)
	}
	if k.children > 0 {
		return fmt.Errorf("token %d moves before its children have ended", d.Token)
	}
	if n := h.nodes[d.From]; n == nil || (n.state != NodeSucceeded && n.state != NodeSkipped) {
		return fmt.Errorf("token %d leaves %q, which has not ended well", d.Token, d.From)
	} else if n.due {
		return fmt.Errorf("token %d leaves %q before it has entered it", d.Token, d.From)
	} else if h.leavesEarly(d.From, n) {
		return fmt.Errorf("token %d leaves %q before its last repetition", d.Token, d.From)
	}
	if branches := h.branches(d.From); branches != k.made {
		return fmt.Errorf("token %d leaves %q after %d of %d branches", d.Token, d.From, k.made, branches)
	}
	k.made = 0
	return h.moved(d, k)
}

func (h *history) moved(d TokenMoved, k *tokenHistory) error {
	if k.node = d.To; d.To == "" {
		delete(h.tokens, d.Token)
		if p := h.tokens[k.parent]; p != nil {
			p.children--
		}
		return nil
	}
	h.at(d.To).due = true
	return nil
}

// at returns what is remembered of a node.
func (h *history) at(id string) *nodeHistory {
	n := h.nodes[id]
	if n == nil {
		n = &nodeHistory{}
		h.nodes[id] = n
	}
	return n
}

func (h *history) newToken(d TokenMoved) error {
	if d.Token != h.lastToken+1 || (d.Parent == 0) != (d.Token == 1) || (d.Parent == 0) != (d.From == "") {
		return fmt.Errorf("token %d, parent %d after token %d", d.Token, d.Parent, h.lastToken)
	}
	if d.Token == 1 && d.To != h.start {
		return fmt.Errorf("the run begins at %q, not at %q", d.To, h.start)
	}
	h.lastToken = d.Token
	if d.Parent != 0 {
		p := h.tokens[d.Parent]
		if p == nil || p.node != d.From {
			return fmt.Errorf("parent %d is not at %q", d.Parent, d.From)
		}
		if err := h.forked(d); err != nil {
			return err
		}
		if p.made++; d.To == "" {
			return nil
		}
		p.children++
	}
	h.tokens[d.Token] = &tokenHistory{parent: d.Parent, node: d.To}
	h.at(d.To).due = true
	return nil
}

// edge checks that a move is along its edge; one without an edge enters the flow,
// leaves it, or takes a parent to its join.
func (h *history) edge(d TokenMoved) error {
	if d.Edge == "" {
		join, _ := h.g.Join(d.From)
		from := h.typeOf(d.From)
		switch {
		case d.From == "", d.To == "" && from == TypeEnd, d.To != "" && join == d.To, from == TypeSubflow && d.Parent != 0, h.takenBack(d):
			return nil
		}
		return fmt.Errorf("token %d goes from %q to %q without an edge", d.Token, d.From, d.To)
	}
	k, ok := h.g.edgeIdx[d.Edge]
	if !ok {
		return fmt.Errorf("no edge %q", d.Edge)
	}
	e := &h.g.edges[k]
	if h.g.nodes[e.from].id != d.From || d.To != "" && h.g.nodes[e.to].id != d.To {
		return fmt.Errorf("edge %q does not lead from %q to %q", d.Edge, d.From, d.To)
	}
	return nil
}

// end checks what must hold between steps.
func (h *history) end() error {
	if h.state == RunSucceeded && len(h.tokens) > 0 {
		return fmt.Errorf("the run succeeded with %d tokens left", len(h.tokens))
	}
	active, stuck := 0, 0
	for id, n := range h.nodes {
		switch n.state {
		case NodeRunning, NodeWaiting, NodeRollingBack:
			if h.state.Ended() {
				return fmt.Errorf("node %q is %s in a run that is %s", id, n.state, h.state)
			}
			if _, inline := h.inside(id); !n.human && !inline {
				active++
			}
		case NodeFailed, NodeUnknown, NodeRollbackFailed:
			if n.options.due.IsZero() {
				stuck++
			} else {
				active++
			}
		case NodeIdle, NodeReady, NodeSuspended, NodeSucceeded, NodeSkipped, NodeCancelled, NodeRolledBack:
		}
	}
	if blocked := stuck > 0 && active == 0; !h.state.Ended() && h.state != RunSuspended && blocked != (h.state == RunBlocked) {
		return fmt.Errorf("the run is %s with %d nodes at work and %d that need a human", h.state, active, stuck)
	}
	return h.resting()
}

// resting checks that every token is where something can move it.
func (h *history) resting() error {
	if h.state.Ended() {
		return nil
	}
	for id, k := range h.tokens {
		n := h.nodes[k.node]
		if n == nil || n.due {
			return fmt.Errorf("token %d is at %q, which was not entered", id, k.node)
		}
		if err := h.restingOption(k.node, n); err != nil {
			return err
		}
		switch n.state {
		case NodeSucceeded, NodeSkipped:
			if k.children == 0 {
				return fmt.Errorf("token %d rests at %q, which has ended", id, k.node)
			}
		case NodeReady:
			// What a rollback is about to forget is not let go any more.
			if h.rollback == nil && h.mayBegin(k.node) == nil {
				return fmt.Errorf("token %d is held at %q in a run that is %s", id, k.node, h.state)
			}
		case NodeRunning:
			if _, inline := h.inside(k.node); inline && k.children == 0 {
				return fmt.Errorf("token %d rests at %q, in which nothing happens", id, k.node)
			}
		case NodeIdle, NodeWaiting, NodeSuspended, NodeFailed, NodeCancelled, NodeUnknown,
			NodeRollingBack, NodeRolledBack, NodeRollbackFailed:
		}
	}
	return nil
}
