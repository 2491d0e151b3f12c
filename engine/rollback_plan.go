package engine

import (
	"fmt"
	"slices"
)

// Plan is what a Rollback would do: its preview.
type Plan struct {
	Mode RollbackMode `json:"mode"`
	From string       `json:"from"`
	To   string       `json:"to"`
	// Steps are the tasks that are undone, To the last of them, in an order in which
	// that can be done.
	Steps []PlanStep `json:"steps"`
	// Reset lists the other nodes in between: gateways, joins, starts and ends,
	// inline subflows. They are only forgotten.
	Reset []string `json:"reset,omitempty"`
}

// PlanStep is one task of a Plan.
type PlanStep struct {
	Node string `json:"node"`
	// After lists the tasks that are undone before this one.
	After []string `json:"after,omitempty"`
	// Calls is how often the plugin's rollback is called: once for each time the task
	// has succeeded, newest first. When it is zero the task is only forgotten, and
	// Why says why.
	Calls int       `json:"calls"`
	Why   PlanNoted `json:"why,omitempty"`
}

// PlanNoted says why the rollback of a task makes no call.
type PlanNoted string

// The reasons.
const (
	PlanModeAny      PlanNoted = "mode_any"      // this mode calls nobody
	PlanNoSupport    PlanNoted = "no_support"    // the plugin's action has no rollback
	PlanNotSucceeded PlanNoted = "not_succeeded" // it failed, was skipped, or has been undone before
	PlanChildRun     PlanNoted = "child_run"     // an independent subflow: its run stays as it is
	PlanStart        PlanNoted = "start"         // it is a start
)

// RollbackPlan says what a Rollback would do now. It changes nothing. An *Error says
// which of its preconditions does not hold, with the node where there is one:
//
//   - the run is running or blocked, and no other rollback is under way;
//   - To is a task or a start, and has succeeded or was skipped;
//   - From has succeeded, failed or was skipped, and the token is there, or behind it at
//     a node that has not begun or at a gateway;
//   - both have the same token, see TokenGroups, and From lies behind To;
//   - no node of that token, or of a branch or subflow inside, runs, waits or is unknown.
func RollbackPlan(g *Graph, s *State, r Rollback) (Plan, error) {
	u, err := s.planRollback(g, r)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Mode: r.Mode, From: r.From, To: r.To, Steps: make([]PlanStep, len(u.steps))}
	for k, st := range u.steps {
		step := PlanStep{Node: g.nodes[st.node].id}
		for _, a := range st.after {
			step.After = append(step.After, g.nodes[u.steps[a].node].id)
		}
		step.Calls, step.Why = s.undoCalls(st.node, r.Mode)
		p.Steps[k] = step
	}
	for _, i := range u.nodes {
		if !g.nodes[i].task() && s.executed(i) {
			p.Reset = append(p.Reset, g.nodes[i].id)
		}
	}
	slices.Sort(p.Reset)
	return p, nil
}

// undoCalls says how many calls undo a task, or why none does.
func (s *State) undoCalls(i int32, mode RollbackMode) (int, PlanNoted) {
	switch n := s.nodes[i]; {
	case s.g.nodes[i].typ == TypeStart:
		return 0, PlanStart
	case s.g.nodes[i].typ == TypeSubflow:
		return 0, PlanChildRun
	case mode == RollbackAny:
		return 0, PlanModeAny
	case !s.g.nodes[i].rollback:
		return 0, PlanNoSupport
	case len(n.undo) == 0:
		return 0, PlanNotSucceeded
	default:
		return len(n.undo), ""
	}
}

// task reports whether a node does work of its own: a task or an independent subflow.
func (n *graphNode) task() bool {
	return n.typ == TypeTask || n.typ == TypeSubflow && n.mode == SubflowIndependent
}

// undoing is a rollback under way, as it was when it began.
type undoing struct {
	mode     RollbackMode
	from, to int32
	// steps are the tasks to undo, each behind those that are undone before it.
	steps []undoStep
	// ready are the steps that wait for nothing and have not been undone.
	ready []int32
	// nodes are all that is forgotten, and tokens all that is taken back: the first
	// one goes on at to, the others end.
	nodes  []int32
	tokens []int
}

// undoStep is a task to undo. after are the steps for which it waits, left how many of
// them there are yet, before the steps that wait for it.
type undoStep struct {
	node   int32
	after  []int32
	left   int
	before []int32
}

// has reports whether a rollback, if there is one, is about the node.
func (u *undoing) has(i int32) bool {
	if u == nil {
		return false
	}
	_, ok := slices.BinarySearch(u.nodes, i)
	return ok
}

// executed reports whether a node has come to an end in this run, now or in an
// iteration that can be undone.
func (s *State) executed(i int32) bool {
	n := s.nodes[i]
	if n == nil {
		return false
	}
	return n.state == NodeSucceeded || n.state == NodeFailed || n.state == NodeSkipped || len(n.undo) > 0
}

// planRollback checks what a rollback needs and says what it undoes.
func (s *State) planRollback(g *Graph, r Rollback) (*undoing, error) {
	refuse := func(c Code, node, field, format string, args ...any) *Error {
		return &Error{Code: c, Message: fmt.Sprintf(format, args...), Node: node, Field: field, Seq: s.seq, named: args}
	}
	if err := s.mayRollBack(g, r, refuse); err != nil {
		return nil, err
	}
	to, from, err := s.rollbackEnds(g, r, refuse)
	if err != nil {
		return nil, err
	}
	tokens := s.tokensAt(g.group(to))
	if len(tokens) == 0 {
		return nil, refuse(CodeWrongState, r.From, "/from", "the branch of %q has ended", r.From).because("BRANCH_ENDED")
	}
	for _, id := range tokens {
		i := s.tokens[id].node
		if state := s.at(i).state; state == NodeRunning || state == NodeWaiting || state == NodeUnknown || s.runsInside(i) {
			return nil, refuse(CodeWrongState, g.nodes[i].id, "", "%q is %s", g.nodes[i].id, state).because("OTHER_NODE_IS")
		}
	}
	stands := s.tokens[tokens[0]].node
	if stands != from && !s.behind(from, stands) {
		return nil, refuse(CodeWrongState, r.From, "/from", "the run does not stand at %q but at %q", r.From, g.nodes[stands].id).because("STANDS_ELSEWHERE")
	}
	u := s.undoing(r.Mode, from, to)
	if !u.has(from) {
		return nil, refuse(CodeInvalid, r.From, "/from", "%q does not lie behind %q", r.From, r.To).because("NOT_BEHIND")
	}
	return u, nil
}

// mayRollBack checks what does not depend on the nodes.
func (s *State) mayRollBack(g *Graph, r Rollback, refuse refuser) error {
	switch {
	case s.state.Ended():
		return refuse(CodeEnded, "", "", "the run has ended (%s)", s.state).because("RUN_OVER")
	case s.rollback != nil:
		return refuse(CodeWrongState, g.nodes[s.rollback.to].id, "", "a rollback to %q is under way", g.nodes[s.rollback.to].id).because("ROLLBACK_RUNNING")
	case s.state != RunRunning && s.state != RunBlocked:
		return refuse(CodeWrongState, "", "", "the run is %s", s.state).because("RUN_IS")
	case r.Mode != RollbackAny && r.Mode != RollbackCompensate:
		return refuse(CodeInvalid, "", "/mode", "unknown mode %q", r.Mode).because("CHOICE")
	}
	return nil
}

// rollbackEnds finds the two nodes of a rollback and checks their states.
func (s *State) rollbackEnds(g *Graph, r Rollback, refuse refuser) (to, from int32, err error) {
	to, okTo := g.nodeIdx[r.To]
	from, okFrom := g.nodeIdx[r.From]
	switch {
	case !okTo:
		return 0, 0, refuse(CodeUnknownNode, r.To, "/to", "no node %q", r.To).because("NO_NODE")
	case !okFrom:
		return 0, 0, refuse(CodeUnknownNode, r.From, "/from", "no node %q", r.From).because("NO_NODE")
	case g.nodes[to].typ != TypeTask && g.nodes[to].typ != TypeStart:
		return 0, 0, refuse(CodeInvalid, r.To, "/to", "only a task or a start can be gone back to").because("ROLLBACK_TARGET")
	}
	if state := s.at(to).state; state != NodeSucceeded && state != NodeSkipped {
		return 0, 0, refuse(CodeWrongState, r.To, "/to", "only a node that has succeeded or was skipped can be gone back to; %q is %s", r.To, named(state)).because("ROLLBACK_TO_STATE")
	}
	if state := s.at(from).state; state != NodeSucceeded && state != NodeFailed && state != NodeSkipped {
		return 0, 0, refuse(CodeWrongState, r.From, "/from", "the node to go back from has succeeded, failed or was skipped; %q is %s", r.From, named(state)).because("ROLLBACK_FROM_STATE")
	}
	if g.group(from) != g.group(to) {
		return 0, 0, refuse(CodeInvalid, r.From, "/from", "%q and %q are not in the same branch", r.From, r.To).because("OTHER_BRANCH")
	}
	return to, from, nil
}

// refuser makes the refusal of a rollback.
type refuser func(c Code, node, field, format string, args ...any) *Error

func named(state NodeState) string {
	if state == NodeIdle {
		return "not reached"
	}
	return string(state)
}

// tokensAt returns the token that is in a group and those below it, or nothing.
func (s *State) tokensAt(k tokenGroup) []int {
	ids := make([]int, 0, len(s.tokens))
	for id := range s.tokens {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	at := slices.IndexFunc(ids, func(id int) bool { return s.g.group(s.tokens[id].node) == k })
	if at < 0 {
		return nil
	}
	found := []int{ids[at]}
	for _, id := range ids[at+1:] { // children are made after their parents
		if slices.Contains(found, s.tokens[id].parent) {
			found = append(found, id)
		}
	}
	return found
}

// behind reports whether a token that left from has reached at without a task in
// between. A task there has not begun.
func (s *State) behind(from, at int32) bool {
	if state := s.at(at).state; s.g.nodes[at].task() && state != NodeReady && state != NodeSuspended {
		return false
	}
	seen := map[int32]bool{from: true}
	for todo := []int32{from}; len(todo) > 0; {
		i := todo[0]
		todo = todo[1:]
		for _, k := range s.g.nodes[i].out {
			next := s.g.edges[k].to
			if next == at {
				return true
			}
			if !seen[next] && !s.g.nodes[next].task() && s.executed(next) {
				seen[next] = true
				todo = append(todo, next)
			}
		}
	}
	return false
}

// undoing works out what a rollback undoes: everything executed that can be reached
// from to, without the edges by which loops come back, inside the token of to; nothing
// behind from when the token is there.
func (s *State) undoing(mode RollbackMode, from, to int32) *undoing {
	u := &undoing{mode: mode, from: from, to: to, tokens: s.tokensAt(s.g.group(to))}
	stop := int32(-1)
	if len(u.tokens) > 0 && s.tokens[u.tokens[0]].node == from && s.g.nodes[from].task() {
		stop = from
	}
	p := &undoPlanner{s: s, post: s.finishOrder(), stop: stop, region: s.g.group(to), inside: map[tokenGroup]bool{}}
	order := p.reach(to)
	u.steps = p.steps(order, to)
	u.link()
	u.nodes = order
	for _, id := range u.tokens {
		if i := s.tokens[id].node; s.at(i).state != NodeIdle && !slices.Contains(u.nodes, i) {
			u.nodes = append(u.nodes, i)
		}
	}
	slices.Sort(u.nodes)
	return u
}

// link says of every step which ones wait for it.
func (u *undoing) link() {
	for k := range u.steps {
		st := &u.steps[k]
		if st.left = len(st.after); st.left == 0 {
			u.ready = append(u.ready, int32(k))
		}
		for _, a := range st.after {
			u.steps[a].before = append(u.steps[a].before, int32(k))
		}
	}
}

// next returns where a token may have gone on from an executed node: the inside of an
// inline subflow comes before what follows the subflow.
func (s *State) next(i int32) []int32 {
	g := &s.g.nodes[i]
	if g.inner >= 0 {
		if start := s.g.scopes[g.inner].start(); s.executed(start) {
			return []int32{start}
		}
	}
	out := g.out
	if around := s.g.scopeOf(i).node; g.typ == TypeEnd && around >= 0 {
		out = s.g.nodes[around].out
	}
	var to []int32
	for _, k := range out {
		if n := s.g.edges[k].to; s.executed(n) {
			to = append(to, n)
		}
	}
	return to
}

// finishOrder numbers the executed nodes in the order in which a search from the start
// leaves them. An edge to a number that is not smaller is one by which a loop comes back.
func (s *State) finishOrder() []int32 {
	post := make([]int32, len(s.g.nodes)) // 0 is not seen, -1 is on the way
	last := int32(0)
	var visit func(i int32)
	visit = func(i int32) {
		post[i] = -1
		for _, n := range s.next(i) {
			if post[n] == 0 {
				visit(n)
			}
		}
		last++
		post[i] = last
	}
	if s.executed(s.g.start) {
		visit(s.g.start)
	}
	for i := range post { // a run that began elsewhere
		if post[i] == 0 && s.executed(int32(i)) {
			visit(int32(i))
		}
	}
	return post
}

// undoPlanner walks the executed nodes of a region forward.
type undoPlanner struct {
	s      *State
	post   []int32
	stop   int32
	region tokenGroup
	inside map[tokenGroup]bool
}

// next is State.next without loops and without what is outside.
func (p *undoPlanner) next(i int32) []int32 {
	if i == p.stop {
		return nil
	}
	return slices.DeleteFunc(p.s.next(i), func(n int32) bool {
		return p.post[n] >= p.post[i] || !p.within(n)
	})
}

// within reports whether a node is in the region, or in a branch or subflow inside.
func (p *undoPlanner) within(i int32) bool {
	k := p.s.g.group(i)
	if k == p.region {
		return true
	}
	in, known := p.inside[k]
	if !known {
		if around, ok := p.s.g.around(i); ok {
			in = p.within(around)
		}
		p.inside[k] = in
	}
	return in
}

// reach returns what can be reached, each node before those that lead to it.
func (p *undoPlanner) reach(to int32) []int32 {
	seen := map[int32]bool{to: true}
	found := []int32{to}
	for at := 0; at < len(found); at++ {
		for _, n := range p.next(found[at]) {
			if !seen[n] {
				seen[n] = true
				found = append(found, n)
			}
		}
	}
	slices.SortFunc(found, func(a, b int32) int { return int(p.post[a] - p.post[b]) })
	return found
}

// steps picks the tasks, and to, and says which of them wait for which: a task for
// those that come next, over gateways and other nodes that do no work.
func (p *undoPlanner) steps(order []int32, to int32) []undoStep {
	var steps []undoStep
	heads := make(map[int32][]int32, len(order)) // the first steps at or behind a node
	for _, i := range order {
		var after []int32
		for _, n := range p.next(i) {
			after = append(after, heads[n]...)
		}
		slices.Sort(after)
		after = slices.Compact(after)
		if p.s.g.nodes[i].task() || i == to {
			steps = append(steps, undoStep{node: i, after: after})
			after = []int32{int32(len(steps) - 1)}
		}
		heads[i] = after
	}
	return steps
}
