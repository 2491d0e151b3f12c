package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// A second interpreter of flows, written from what gateways, subflows and operators are
// meant to do: by walking the document, without records, tokens, or anything that Compile
// makes. It knows which join belongs to a fork because the author of the random flows
// draws it right behind.

// refNode is what it knows of a node: what a view shows.
type refNode struct {
	state              NodeState
	iteration, attempt int
}

// refScope is the flow, or the inside of a subflow node that is being run.
type refScope struct {
	path string // with a dot behind, "" for the flow
	doc  *Flow
	x    int
	up   *refBranch // where the subflow node is
}

// refBranch is a place in a scope where something happens.
type refBranch struct {
	sc   *refScope
	at   string
	fork *refFork
}

// refFork waits at its join until its branches are there.
type refFork struct {
	left int
	up   *refBranch
	join string
}

type reference struct {
	subflows map[string]*Flow
	nodes    map[string]refNode
	pending  map[string]*refBranch // calls, and runs below
	failed   map[string]*refBranch
	main     *refScope
	ended    bool
}

func newReference(f *Flow) *reference {
	r := &reference{
		subflows: f.Subflows, nodes: map[string]refNode{}, pending: map[string]*refBranch{}, failed: map[string]*refBranch{},
		main: &refScope{doc: f, x: 1},
	}
	r.enter(&refBranch{sc: r.main, at: f.Nodes[0].ID}, false)
	return r
}

func (sc *refScope) node(id string) *Node {
	i := slices.IndexFunc(sc.doc.Nodes, func(n Node) bool { return n.ID == id })
	return &sc.doc.Nodes[i]
}

func (sc *refScope) out(id string) []Edge {
	return slices.DeleteFunc(slices.Clone(sc.doc.Edges), func(e Edge) bool { return e.From != id })
}

// holds evaluates the few conditions that the author writes.
func (sc *refScope) holds(e Edge) bool {
	var a, b int
	if n, _ := fmt.Sscanf(e.Condition, "x %% %d == %d", &a, &b); n == 2 {
		return sc.x%a == b
	}
	if n, _ := fmt.Sscanf(e.Condition, "x > %d", &a); n == 1 {
		return sc.x > a
	}
	if e.Condition != "" {
		panic("a condition that the reference does not know: " + e.Condition)
	}
	return false
}

// enter begins a node: for the first time, again by a loop, or as a retry.
func (r *reference) enter(b *refBranch, retry bool) {
	path := b.sc.path + b.at
	n := r.nodes[path]
	switch {
	case retry:
		n.attempt++
	case n.attempt > 0:
		n.iteration, n.attempt = n.iteration+1, 1
	default:
		n.attempt = 1
	}
	end := func(s NodeState) { n.state = s; r.nodes[path] = n }
	drawn, out := b.sc.node(b.at), b.sc.out(b.at)
	switch drawn.Type {
	case TypeStart, TypeJoin:
		end(NodeSucceeded)
		r.follow(b, out[0])
	case TypeEnd:
		end(NodeSucceeded)
		r.leave(b.sc)
	case TypeTask:
		end(NodeRunning)
		r.pending[path] = b
	case TypeSubflow:
		if drawn.Mode == SubflowIndependent {
			end(NodeWaiting)
			r.pending[path] = b
			return
		}
		end(NodeRunning)
		doc := r.subflows[drawn.Flow]
		r.enter(&refBranch{sc: &refScope{path: path + ".", doc: doc, x: 1, up: b}, at: doc.Nodes[0].ID}, false)
	case TypeExclusive, TypeParallel, TypeInclusive:
		edges, ok := r.decide(b.sc, drawn, out)
		if !ok {
			end(NodeFailed)
			r.failed[path] = b
			return
		}
		end(NodeSucceeded)
		r.take(b, drawn, edges)
	}
}

// decide chooses among the edges of a gateway; false is a failure.
func (r *reference) decide(sc *refScope, n *Node, out []Edge) ([]Edge, bool) {
	if n.Type == TypeParallel {
		return out, true
	}
	var taken, byDefault []Edge
	for _, e := range out {
		if sc.holds(e) {
			taken = append(taken, e)
		}
		if e.Default {
			byDefault = append(byDefault, e)
		}
	}
	if len(taken) == 0 {
		taken = byDefault
	}
	if n.Type == TypeExclusive && len(taken) > 1 {
		if n.Strategy != StrategyFirst {
			return nil, false
		}
		taken = taken[:1]
	}
	return taken, len(taken) > 0
}

// take goes on from a gateway.
func (r *reference) take(b *refBranch, n *Node, edges []Edge) {
	if n.Type == TypeExclusive {
		r.follow(b, edges[0])
		return
	}
	var number int
	if _, err := fmt.Sscanf(n.ID, "n%d", &number); err != nil {
		panic(err)
	}
	f := &refFork{left: len(edges), up: b, join: fmt.Sprintf("n%d", number+1)}
	for _, e := range edges {
		r.follow(&refBranch{sc: b.sc, fork: f}, e)
	}
}

func (r *reference) follow(b *refBranch, e Edge) {
	if f := b.fork; f != nil && e.To == f.join {
		if f.left--; f.left == 0 {
			f.up.at = f.join
			r.enter(f.up, false)
		}
		return
	}
	b.at = e.To
	r.enter(b, false)
}

// leave ends a scope: the run, or a subflow.
func (r *reference) leave(sc *refScope) {
	if sc.up == nil {
		r.ended = true
		return
	}
	r.succeed(sc.up)
}

// succeed ends a task or subflow well, and goes on behind it.
func (r *reference) succeed(b *refBranch) {
	path := b.sc.path + b.at
	n := r.nodes[path]
	n.state = NodeSucceeded
	r.nodes[path] = n
	r.follow(b, b.sc.out(b.at)[0])
}

// answer ends a call or a run below.
func (r *reference) answer(path string, ok bool, x int) {
	b := r.pending[path]
	delete(r.pending, path)
	if b.sc.node(b.at).Type == TypeTask {
		b.sc.x = x // also when it failed
	}
	if ok {
		r.succeed(b)
		return
	}
	n := r.nodes[path]
	n.state = NodeFailed
	r.nodes[path] = n
	r.failed[path] = b
}

func (r *reference) retry(path string) {
	b := r.failed[path]
	delete(r.failed, path)
	r.enter(b, true)
}

// skip goes on behind a failed node: on the first edge, or both, of a gateway.
func (r *reference) skip(path string) []string {
	b := r.failed[path]
	delete(r.failed, path)
	n := r.nodes[path]
	n.state = NodeSkipped
	r.nodes[path] = n
	drawn, out := b.sc.node(b.at), b.sc.out(b.at)
	switch drawn.Type {
	case TypeExclusive:
		out = out[:1]
	case TypeInclusive:
		out = out[:min(2, len(out))]
	case TypeTask, TypeSubflow, TypeStart, TypeEnd, TypeParallel, TypeJoin:
		r.follow(b, out[0])
		return nil
	}
	ids := make([]string, len(out))
	for i, e := range out {
		ids[i] = b.sc.path + e.ID
	}
	r.take(b, drawn, out)
	return ids
}

// state is that of the run.
func (r *reference) state() RunState {
	switch {
	case r.ended:
		return RunSucceeded
	case len(r.failed) > 0 && len(r.pending) == 0:
		return RunBlocked
	}
	return RunRunning
}

// plain takes away what the reference does not know: options, inputs, policies, and the
// outputs of subflows, which would be written in the order of tokens.
func plain(f *Flow) {
	f.OnFailure = FailureBlock
	for i := range f.Nodes {
		n := &f.Nodes[i]
		*n = Node{
			ID: n.ID, Type: n.Type, Plugin: n.Plugin, Action: n.Action, Strategy: n.Strategy,
			Flow: n.Flow, Mode: n.Mode, Outputs: n.Outputs,
		}
		if n.Type == TypeSubflow {
			n.Outputs = nil
		}
	}
}

// same compares what both know.
func (r *reference) same(t *testing.T, s *State) {
	t.Helper()
	v := s.View()
	if v.State != r.state() {
		t.Fatalf("the run is %s, the reference is %s", v.State, r.state())
	}
	have := map[string]refNode{}
	for id, n := range v.Nodes {
		have[id] = refNode{n.State, n.Iteration, n.Attempt}
	}
	if !maps.Equal(have, r.nodes) {
		t.Fatalf("nodes:\n%v\nreference:\n%v", have, r.nodes)
	}
	if x := string(v.Variables["x"]); x != fmt.Sprint(r.main.x) {
		t.Fatalf("x is %s, the reference has %d", x, r.main.x)
	}
}

// act does one thing to both: ends what is pending, or deals with what has failed.
func (r *reference) act(s *State, dice *rand.Rand) Event {
	pick := func(from map[string]*refBranch) string {
		paths := slices.Sorted(maps.Keys(from))
		return paths[dice.IntN(len(paths))]
	}
	if len(r.failed) > 0 && (len(r.pending) == 0 || dice.IntN(3) == 0) {
		path := pick(r.failed)
		if dice.IntN(2) == 0 {
			r.retry(path)
			return Retry{Node: path}
		}
		return Skip{Node: path, Edges: r.skip(path)}
	}
	path := pick(r.pending)
	n := s.at(s.g.nodeIdx[path])
	ok, x := dice.IntN(6) > 0, dice.IntN(256)
	r.answer(path, ok, x)
	if n.state == NodeWaiting {
		state := RunSucceeded
		if !ok {
			state = RunFailed
		}
		return ChildEnded{Node: path, Epoch: n.epoch, Run: n.child, State: state}
	}
	a := contract.Answer{Status: contract.StatusSucceeded, Outputs: json.RawMessage(fmt.Sprintf(`{"x":%d}`, x))}
	if !ok {
		a.Status, a.Failure = contract.StatusFailed, &contract.Failure{Code: "X"}
	}
	return Result{Node: path, Epoch: n.epoch, Answer: a}
}

// TestReferenceAgrees: on random flows, with random results and operators, a second
// interpreter comes to the same states, iterations, attempts and values after every step.
func TestReferenceAgrees(t *testing.T) {
	t.Parallel()
	ended := 0
	for seed := range uint64(150) {
		drawn := drawFlow(t, &dice{data: uniform(seed, 17, 500)}).flow
		plain(drawn)
		for _, sub := range drawn.Subflows {
			plain(sub)
		}
		g, problems := Compile(drawn, openCatalogue{})
		if g == nil {
			t.Fatal(problems)
		}
		m := Meta{At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Actor: Actor{ID: "alice"}}
		s, rs, _, err := Start(g, m, StartOptions{Run: "r"})
		if err != nil {
			t.Fatal(err)
		}
		r, chance := newReference(drawn), rand.New(rand.NewPCG(seed, 19))
		r.same(t, s)
		for range 300 {
			if r.ended {
				ended++
				break
			}
			e := r.act(s, chance)
			more, _, err := Step(g, s, m, e)
			if err != nil {
				t.Fatalf("%+v: %v", e, err)
			}
			rs = append(rs, more...)
			if r.same(t, s); t.Failed() {
				t.Fatalf("seed %d: %+v\n%s", seed, e, dump(rs))
			}
		}
		judge(t, g, s, rs)
	}
	if ended < 100 {
		t.Errorf("%d of 150 runs came to their end", ended)
	}
}
