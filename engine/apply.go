package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// State is a run at one moment. It belongs to one goroutine. It is the fold of the
// run's records and holds nothing that is not in them.
type State struct {
	g         *Graph
	seq       uint64
	info      RunStarted
	state     RunState
	createdAt time.Time
	endedAt   time.Time
	outputs   map[string]json.RawMessage
	vars      []json.RawMessage // by variable; nil where it has no value yet
	nodes     []*nodeRun        // by node; nil where it has not been reached
	tokens    map[int]*token    // the live ones
	lastToken int
	taken     []uint64 // bit set of edges
	active    int      // nodes that move without a human
	stuck     int      // nodes that need one: failed, unknown
	steps     int      // attempts that have begun
	bytes     int      // that values take
	children  int      // nodes that wait for a run
	commands  commandLog
	rollback  *undoing // the one under way
}

// nodeRun is what a run knows about a node that was reached.
type nodeRun struct {
	state     NodeState
	token     int
	epoch     uint64
	iteration int
	attempt   int
	call      int
	reason    contract.Reason
	polls     int
	inputs    json.RawMessage
	outputs   json.RawMessage
	failure   *contract.Failure
	wait      *contract.Wait
	due       time.Time
	plugin    json.RawMessage // the plugin's own state
	callback  json.RawMessage
	kept      []json.RawMessage // callbacks that came early
	overrides map[string]json.RawMessage
	// overridden is the size of overrides.
	overridden int
	only       bool // the overrides are all its inputs
	progress   *Progress
	by         string    // what made the state: NodeChanged.By
	deadline   time.Time // when the attempt times out
	retries    int       // automatic ones, since anything else began an attempt
	reruns     int       // how often a loop entered the node again
	repeat     int       // the ordinal of the iteration in a Repeat
	held       bool      // the next token stops here
	child      string    // the run that an independent subflow waits for, or has waited for
	// controlled is set when that run was paused or resumed from here.
	controlled bool
	startedAt  time.Time
	endedAt    time.Time
	undo       []snapshot // attempts that a rollback can undo, oldest first
	undoable   int        // the size of undo
}

// token is a place in the flow where something happens. The first one is the run;
// every fork makes one for each branch, and its own waits at the gateway until they
// have reached the join.
type token struct {
	id, parent int
	node       int32
	dest       int32 // the join at which it ends; -1 for the first
	pending    int   // children that have not ended
}

// Seq returns the number of the last record.
func (s *State) Seq() uint64 { return s.seq }

// RunState returns the state of the run.
func (s *State) RunState() RunState { return s.state }

// at returns the node's run; the zero one when it has not been reached.
func (s *State) at(i int32) nodeRun {
	if n := s.nodes[i]; n != nil {
		return *n
	}
	return nodeRun{}
}

// reach returns the node's run, made when it is not there.
func (s *State) reach(i int32) *nodeRun {
	if s.nodes[i] == nil {
		s.nodes[i] = &nodeRun{}
	}
	return s.nodes[i]
}

func newState(g *Graph) *State {
	return &State{
		g: g, state: RunCreated, vars: make([]json.RawMessage, len(g.vars)), nodes: make([]*nodeRun, len(g.nodes)),
		tokens: map[int]*token{}, taken: make([]uint64, (len(g.edges)+63)/64),
	}
}

// apply folds one record into the state: the only place that changes a State. node is
// the index of r.Node, -1 when the record names none.
func (s *State) apply(r *Record, node int32) error {
	if r.Seq != s.seq+1 {
		return fmt.Errorf("record %d follows record %d", r.Seq, s.seq)
	}
	if (s.seq == 0) != (r.Kind == KindRunStarted) {
		return fmt.Errorf("record %d is %s", r.Seq, r.Kind)
	}
	if err := s.applyPayload(r, node); err != nil {
		return fmt.Errorf("record %d (%s): %w", r.Seq, r.Kind, err)
	}
	s.seq = r.Seq
	s.commands.add(r.CommandID)
	return nil
}

func (s *State) applyPayload(r *Record, node int32) error {
	switch d := r.Data.(type) {
	case RunStarted:
		return s.applyStarted(r, d)
	case RunChanged:
		return s.applyRun(r, d)
	case VariableSet:
		i, ok := s.g.variable(d.Scope, d.Name)
		if !ok {
			return fmt.Errorf("no variable %q in %q", d.Name, d.Scope)
		}
		s.setVariable(i, d.Value)
		return nil
	case GatewayDecided:
		return nil // the tokens say the same
	case TokenMoved:
		return s.applyToken(d)
	case RollbackChanged:
		return s.applyRollback(d)
	default:
		return s.applyAtNode(r, node)
	}
}

// applyAtNode applies the payloads that belong to a node.
func (s *State) applyAtNode(r *Record, node int32) error {
	if node < 0 {
		return fmt.Errorf("no node %q", r.Node)
	}
	switch d := r.Data.(type) {
	case NodeChanged:
		return s.applyNode(r, node, &d)
	case NodeNoted:
		if d.Progress != nil {
			s.reach(node).progress = d.Progress
		}
	case NodeLate:
	case CallbackKept:
		n := s.reach(node)
		n.kept = append(n.kept, d.Data)
		s.bytes += len(d.Data)
	case NodeTimer:
		n := s.reach(node)
		if n.epoch != d.Epoch || n.due.IsZero() {
			return fmt.Errorf("node %q has no timer to move", r.Node)
		}
		n.due = d.Due
	case ScopeEntered:
		return s.applyScope(node, d)
	case NodeHeld:
		s.applyHeld(node, d)
	default:
		return fmt.Errorf("unknown payload %T", d)
	}
	return nil
}

func (s *State) applyStarted(r *Record, d RunStarted) error {
	if d.Format > RecordFormat {
		return &FormatError{Format: d.Format}
	}
	s.info, s.createdAt = d, r.At
	for name, v := range d.Variables {
		i, ok := s.g.varIdx[name]
		if !ok {
			return fmt.Errorf("no variable %q", name)
		}
		s.setVariable(i, v)
	}
	return nil
}

func (s *State) applyRun(r *Record, d RunChanged) error {
	if s.state != d.From || !runMoves[d.To][d.From] {
		return fmt.Errorf("run is %s, cannot go from %s to %s", s.state, d.From, d.To)
	}
	s.state = d.To
	if d.To == RunSuspended || d.From == RunSuspended {
		s.markControlled(0, int32(len(s.nodes)))
	}
	if d.To.Ended() {
		s.endedAt, s.outputs = r.At, d.Outputs
	}
	return nil
}

func (s *State) applyNode(r *Record, i int32, d *NodeChanged) error {
	n := s.reach(i)
	if n.state != d.From || !nodeMayMove(d.From, d.To) {
		return fmt.Errorf("node %q is %q, cannot go from %q to %q", r.Node, n.state, d.From, d.To)
	}
	s.count(i, n, -1)
	if n.begins(d) {
		n.begin(d)
		s.steps++
	}
	if n.waitsForRun() {
		n.held = false // it was the run below that was held
	}
	n.state, n.by = d.To, d.By
	if d.Overrides != nil || d.OnlyOverrides {
		n.override(d.Overrides, d.OnlyOverrides)
	}
	s.applyTarget(r, i, d)
	s.count(i, n, 1)
	return nil
}

// applyTarget does what a change means for the state that it leads to.
func (s *State) applyTarget(r *Record, i int32, d *NodeChanged) {
	n := s.nodes[i]
	switch d.To {
	case NodeRunning:
		if d.Reason != "" { // else it is a subflow that goes on
			n.dispatched(r.At, d)
		} else {
			s.markControlled(s.inside(i))
		}
	case NodeWaiting:
		n.child, n.controlled = d.Child, false
		n.wait, n.plugin, n.callback = d.Wait, d.PluginState, nil
		if d.Due != nil {
			n.due = *d.Due
		}
	case NodeSucceeded, NodeFailed, NodeSkipped, NodeCancelled, NodeUnknown:
		n.ended(r.At, d)
		s.remember(i)
	case NodeSuspended:
		if d.From == NodeRunning {
			s.markControlled(s.inside(i))
		} else {
			n.held = false
		}
	case NodeRollingBack, NodeRolledBack, NodeRollbackFailed:
		s.applyUndo(i, d)
	case NodeIdle:
		s.forget(i)
	case NodeReady:
	}
}

// begins reports whether a change is about another attempt than the one before. What a
// rollback undoes may be older.
func (n *nodeRun) begins(d *NodeChanged) bool {
	return !undoes(d.To) && (d.Iteration != n.iteration || d.Attempt != n.attempt)
}

// begin clears what belongs to one attempt. Outputs stay until the next ones, so that
// an expression in a loop can read those of the time before.
func (n *nodeRun) begin(d *NodeChanged) {
	n.beginOptions(d)
	n.iteration, n.attempt = d.Iteration, d.Attempt
	n.call, n.polls = 0, 0
	n.kept, n.progress, n.failure = nil, nil, nil
	n.startedAt, n.endedAt = time.Time{}, time.Time{}
}

func (n *nodeRun) dispatched(at time.Time, d *NodeChanged) {
	n.epoch, n.call, n.reason = d.Epoch, d.Call, d.Reason
	n.callback, n.wait, n.due = d.Callback, nil, time.Time{}
	switch d.Reason {
	case contract.ReasonExecute:
		n.startedAt, n.inputs, n.plugin = at, d.Inputs, nil
		if d.Deadline != nil {
			n.deadline = *d.Deadline
		}
	case contract.ReasonCallback:
		if i := slices.IndexFunc(n.kept, func(k json.RawMessage) bool { return bytes.Equal(k, d.Callback) }); i >= 0 {
			n.kept = slices.Delete(slices.Clone(n.kept), i, i+1)
		}
	case contract.ReasonPoll:
		n.polls = d.Polls + 1
	case contract.ReasonTimer, contract.ReasonCancel, contract.ReasonRollback, contract.ReasonOptions:
	}
}

func (n *nodeRun) ended(at time.Time, d *NodeChanged) {
	if n.startedAt.IsZero() {
		n.startedAt = at
	}
	n.endedAt, n.wait, n.callback, n.kept = at, nil, nil, nil
	n.endOptions(d)
	if d.Outputs != nil {
		n.outputs = d.Outputs
	}
}

// count keeps the numbers that settle and the limits look at. What happens in an inline
// subflow counts as active, the node does not.
func (s *State) count(i int32, n *nodeRun, by int) {
	s.bytes += by * n.size()
	switch n.state {
	case NodeRunning, NodeRollingBack:
		if s.g.nodes[i].inner < 0 {
			s.active += by
		}
	case NodeWaiting:
		if n.wait.Kind != contract.WaitHuman {
			s.active += by
		}
		if n.wait.Kind == contract.WaitRun {
			s.children += by
		}
	case NodeFailed, NodeUnknown, NodeRollbackFailed:
		if n.retrying() {
			s.active += by
		} else {
			s.stuck += by
		}
	case NodeIdle, NodeReady, NodeSuspended, NodeSucceeded, NodeSkipped, NodeCancelled, NodeRolledBack:
	}
}

func (s *State) applyToken(d TokenMoved) error {
	if d.Edge != "" {
		e, ok := s.g.edgeIdx[d.Edge]
		if !ok {
			return fmt.Errorf("no edge %q", d.Edge)
		}
		s.taken[e/64] |= 1 << (e % 64)
	}
	to := int32(-1)
	if d.To != "" {
		i, ok := s.g.nodeIdx[d.To]
		if !ok {
			return fmt.Errorf("no node %q", d.To)
		}
		to = i
		s.reach(i).token = d.Token
	}
	if d.Token > s.lastToken {
		return s.makeToken(d, to)
	}
	k := s.tokens[d.Token]
	if k == nil || s.g.nodes[k.node].id != d.From {
		return fmt.Errorf("token %d is not at %q", d.Token, d.From)
	}
	if to >= 0 {
		k.node = to
		return nil
	}
	delete(s.tokens, d.Token)
	if p := s.tokens[k.parent]; p != nil {
		p.pending--
	}
	return nil
}

func (s *State) makeToken(d TokenMoved, to int32) error {
	k := &token{id: d.Token, parent: d.Parent, node: to, dest: -1}
	if (d.Parent == 0) != (d.From == "") || d.Token != s.lastToken+1 {
		return fmt.Errorf("token %d is made after token %d", d.Token, s.lastToken)
	}
	if d.Parent != 0 {
		p := s.tokens[d.Parent]
		if p == nil || s.g.nodes[p.node].id != d.From {
			return fmt.Errorf("token %d is not at %q", d.Parent, d.From)
		}
		k.dest = s.g.nodes[p.node].join
		if to >= 0 {
			p.pending++
		}
	}
	s.lastToken = d.Token
	if to >= 0 {
		s.tokens[d.Token] = k
	}
	return nil
}

// tokenNodes returns the nodes at which tokens are, in the order of the tokens.
func (s *State) tokenNodes() []int32 {
	ids := make([]int, 0, len(s.tokens))
	for id := range s.tokens {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	nodes := make([]int32, len(ids))
	for i, id := range ids {
		nodes[i] = s.tokens[id].node
	}
	return nodes
}

// commandsKept is how many of the last operator commands a run remembers.
const commandsKept = 1024

// commandLog remembers the last commands by id, so that each has one effect.
type commandLog struct {
	ids  map[string]struct{}
	ring []string
	next int
}

func (c *commandLog) has(id string) bool { _, ok := c.ids[id]; return ok }

func (c *commandLog) add(id string) {
	if id == "" || c.has(id) {
		return
	}
	if c.ids == nil {
		c.ids = map[string]struct{}{}
	}
	c.ids[id] = struct{}{}
	if len(c.ring) < commandsKept {
		c.ring = append(c.ring, id)
		return
	}
	delete(c.ids, c.ring[c.next])
	c.ring[c.next] = id
	c.next = (c.next + 1) % commandsKept
}
