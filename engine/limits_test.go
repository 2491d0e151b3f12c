package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// limitRun is a run that a test drives by hand.
type limitRun struct {
	t  *testing.T
	g  *Graph
	s  *State
	m  Meta
	rs []Record
}

func startLimit(t *testing.T, f *Flow, inputs map[string]json.RawMessage) (*limitRun, error) {
	t.Helper()
	f.Format = FlowFormat
	g, problems := Compile(f, openCatalogue{})
	if g == nil {
		t.Fatal(problems)
	}
	r := &limitRun{t: t, g: g, m: Meta{At: time.Unix(1, 0), Actor: Actor{ID: "alice"}}}
	var err error
	r.s, r.rs, _, err = Start(g, r.m, StartOptions{Run: "r", Inputs: inputs})
	return r, err
}

func (r *limitRun) step(e Event) error {
	r.t.Helper()
	rs, _, err := Step(r.g, r.s, r.m, e)
	r.rs = append(r.rs, rs...)
	return err
}

func (r *limitRun) ok(node, outputs string) error {
	r.t.Helper()
	return r.step(Result{Node: node, Epoch: r.s.at(r.g.nodeIdx[node]).epoch, Answer: contract.Answer{
		Status: contract.StatusSucceeded, Outputs: json.RawMessage(outputs),
	}})
}

// failed checks that a node failed for a limit, and that the history is sound.
func (r *limitRun) failed(node, code string) {
	r.t.Helper()
	n := r.s.View().Nodes[node]
	if n.State != NodeFailed || n.Failure.Code != code || n.Failure.Origin != contract.OriginLimit {
		r.t.Fatalf("node %s is %s: %v, want %s", node, n.State, n.Failure, code)
	}
	if err := CheckHistory(r.g, r.rs); err != nil {
		r.t.Fatal(err)
	}
	s, err := Replay(r.g, r.rs)
	if err != nil || s.bytes != r.s.bytes || s.steps != r.s.steps {
		r.t.Fatalf("replay counts %d bytes in %d steps, not %d in %d: %v", s.bytes, s.steps, r.s.bytes, r.s.steps, err)
	}
}

func task(id string) Node { return Node{ID: id, Type: TypeTask, Plugin: "test", Action: "any"} }

func chain(ids ...string) []Edge {
	var edges []Edge
	for i := 1; i < len(ids); i++ {
		edges = append(edges, Edge{ID: fmt.Sprintf("e%d", i), From: ids[i-1], To: ids[i]})
	}
	return edges
}

func ofSize(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }

// TestStepLimit: a run that turns for long enough fails a node, which no operator can
// make go on.
func TestStepLimit(t *testing.T) {
	t.Parallel()
	f := &Flow{Nodes: []Node{{ID: "start", Type: TypeStart}, {ID: "end", Type: TypeEnd}, {ID: "g", Type: TypeExclusive}}}
	ids := []string{"start"}
	const tasks = 100
	for i := range tasks {
		f.Nodes = append(f.Nodes, task(fmt.Sprintf("t%d", i)))
		ids = append(ids, fmt.Sprintf("t%d", i))
	}
	f.Edges = append(chain(append(ids, "g")...), Edge{ID: "back", From: "g", To: "t0", Condition: "true"}, Edge{ID: "out", From: "g", To: "end", Default: true})
	r, err := startLimit(t, f, nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	for ; r.s.state == RunRunning && ended < MaxSteps; ended++ {
		if err := r.ok(fmt.Sprintf("t%d", ended%tasks), ""); err != nil {
			t.Fatal(err)
		}
	}
	if r.s.state != RunBlocked || r.s.steps != MaxSteps+1 {
		t.Fatalf("%s after %d results and %d steps", r.s.state, ended, r.s.steps)
	}
	at := r.g.nodes[r.s.tokenNodes()[0]].id
	r.failed(at, FailStepLimit)
	if err := r.step(Retry{Node: at}); err != nil {
		t.Fatal(err)
	}
	r.failed(at, FailStepLimit)
	if err := r.step(Fail{Reason: "enough"}); err != nil || r.s.state != RunFailed {
		t.Fatalf("%s: %v", r.s.state, err)
	}
}

// TestValueLimit: no variable gets a value that is too large, whoever gives it.
func TestValueLimit(t *testing.T) {
	t.Parallel()
	flow := func() *Flow {
		a := task("a")
		a.Outputs = map[string]string{"big": "big"}
		b := task("b")
		b.Repeat = &Repeat{Times: 3, Collect: "all"}
		return &Flow{
			Variables: []Variable{
				{Name: "given", Source: SourceInput},
				{Name: "big", Source: SourceNode},
				{Name: "all", Source: SourceNode, Schema: json.RawMessage(`{"type":"array"}`)},
			},
			Nodes: []Node{{ID: "start", Type: TypeStart}, a, b, {ID: "end", Type: TypeEnd}},
			Edges: chain("start", "a", "b", "end"),
		}
	}
	var refusal *Error
	if _, err := startLimit(t, flow(), map[string]json.RawMessage{"given": json.RawMessage(ofSize(MaxValueBytes + 1))}); !errors.As(err, &refusal) || refusal.Field != "/inputs/given" {
		t.Fatalf("a large input: %v", err)
	}
	r, err := startLimit(t, flow(), map[string]json.RawMessage{"given": json.RawMessage(ofSize(MaxValueBytes))})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.step(SetVariables{Values: map[string]json.RawMessage{"given": json.RawMessage(ofSize(MaxValueBytes + 1))}}); !errors.As(err, &refusal) || refusal.Field != "/values/given" {
		t.Fatalf("a large value: %v", err)
	}
	if err := r.ok("a", `{"big":`+ofSize(MaxValueBytes+1)+`}`); err != nil {
		t.Fatal(err)
	}
	r.failed("a", FailValueTooLarge)
	if err := errors.Join(r.step(Retry{Node: "a"}), r.ok("a", `{"big":`+ofSize(MaxValueBytes)+`}`)); err != nil {
		t.Fatal(err)
	}
	half := `{"h":` + ofSize(MaxValueBytes/2) + `}`
	if err := errors.Join(r.ok("b", half), r.ok("b", half)); err != nil {
		t.Fatal(err)
	}
	r.failed("b", FailValueTooLarge)
	// A failure of its own says more than the limit, which takes its outputs away.
	if err := errors.Join(r.step(Retry{Node: "b", Part: RepeatedIteration}), r.step(Result{Node: "b", Epoch: r.s.at(r.g.nodeIdx["b"]).epoch, Answer: contract.Answer{
		Status: contract.StatusFailed, Outputs: json.RawMessage(`{"h":` + ofSize(MaxValueBytes) + `}`), Failure: &contract.Failure{Code: "X", Origin: contract.OriginLimit},
	}})); err != nil {
		t.Fatal(err)
	}
	r.failed("b", "X")

	bad := flow()
	bad.Format = FlowFormat
	bad.Variables[0].Value = json.RawMessage(ofSize(MaxValueBytes + 1))
	if g, problems := Compile(bad, openCatalogue{}); g != nil || problems[0].Code != ProblemVariableValue || problems[0].Field != "/value" {
		t.Errorf("a large default: %v", problems)
	}
}

// TestRunLimit: what a run holds is bounded, whatever it is made of; what is replaced
// makes room again.
func TestRunLimit(t *testing.T) {
	t.Parallel()
	f := &Flow{Nodes: []Node{{ID: "start", Type: TypeStart}, {ID: "end", Type: TypeEnd}}}
	ids := []string{"start"}
	for i := range 66 {
		f.Nodes = append(f.Nodes, task(fmt.Sprintf("t%d", i)))
		ids = append(ids, fmt.Sprintf("t%d", i))
	}
	f.Variables = []Variable{{Name: "v", Source: SourceNode}}
	f.Edges = chain(append(ids, "end")...)
	r, err := startLimit(t, f, nil)
	if err != nil {
		t.Fatal(err)
	}
	mega := `{"m":` + ofSize(1<<20-6) + `}`
	for i := range 63 {
		if err := r.ok(fmt.Sprintf("t%d", i), mega); err != nil {
			t.Fatal(err)
		}
	}
	wait := contract.Answer{Status: contract.StatusWaiting, Wait: &contract.Wait{Kind: contract.WaitCallback}, State: json.RawMessage(ofSize(1 << 20))}
	result := func(a contract.Answer) Event {
		return Result{Node: "t63", Epoch: r.s.at(r.g.nodeIdx["t63"]).epoch, Answer: a}
	}
	if err := r.step(result(wait)); err != nil {
		t.Fatal(err)
	}
	r.failed("t63", FailRunTooLarge)
	wait.State = json.RawMessage(ofSize(1 << 19))
	if err := errors.Join(r.step(Retry{Node: "t63"}), r.step(result(wait))); err != nil {
		t.Fatal(err)
	}
	var refusal *Error
	if err := r.step(Callback{Node: "t63", Data: json.RawMessage(ofSize(1 << 19))}); !errors.As(err, &refusal) || refusal.Field != "/data" {
		t.Fatalf("a large callback: %v", err)
	}
	if err := errors.Join(r.step(Callback{Node: "t63"}), r.ok("t63", mega)); err != nil {
		t.Fatal(err)
	}
	r.failed("t63", FailRunTooLarge)
	if err := r.step(Retry{Node: "t63", Inputs: map[string]json.RawMessage{"x": json.RawMessage(ofSize(1 << 20))}}); !errors.As(err, &refusal) || refusal.Field != "/inputs" {
		t.Fatalf("large inputs: %v", err)
	}
	// The state of the wait is gone with the next attempt.
	if err := errors.Join(r.step(Retry{Node: "t63"}), r.ok("t63", `{"m":`+ofSize(1<<20-1000)+`}`)); err != nil {
		t.Fatal(err)
	}
	if err := r.step(SetVariables{Values: map[string]json.RawMessage{"v": json.RawMessage(ofSize(2000))}}); !errors.As(err, &refusal) || refusal.Field != "/values" {
		t.Fatalf("a value without room: %v", err)
	}
	if err := r.ok("t64", mega); err != nil {
		t.Fatal(err)
	}
	r.failed("t64", FailRunTooLarge)
}
