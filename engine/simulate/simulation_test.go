package simulate_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
	"github.com/culmhq/culm/pdk/contract"
)

// doubling answers by the inputs: it doubles n after n seconds, and says so.
type doubling struct{ calls []string }

func (d *doubling) Call(c simulate.Call) simulate.Reply {
	var in struct{ N int }
	if err := json.Unmarshal(c.Inputs, &in); err != nil {
		return simulate.Reply{Unknown: &contract.Failure{Code: "X", Message: err.Error()}}
	}
	d.calls = append(d.calls, c.Now.Format(time.TimeOnly)+" "+c.Path)
	out, err := json.Marshal(map[string]int{"x": 2 * in.N})
	if err != nil {
		return simulate.Reply{Unknown: &contract.Failure{Code: "X", Message: err.Error()}}
	}
	return simulate.Reply{
		After:  time.Duration(in.N) * time.Second,
		Notes:  []simulate.Note{{Log: []contract.LogLine{{Level: contract.LevelInfo, Text: "doubling"}}}},
		Answer: contract.Answer{Status: contract.StatusSucceeded, Outputs: out},
	}
}

func (d *doubling) Child(simulate.ChildCall) (simulate.ChildReply, bool) {
	return simulate.ChildReply{}, false
}

// TestPluginsOfTheCaller drives a simulation by hand, with plugins that compute.
func TestPluginsOfTheCaller(t *testing.T) {
	t.Parallel()
	f := flow(t, `start -> a -> s -> end
		s: `+independent+`
		a: {"inputs":{"n":3}}
		s: {"inputs":{"m":"${nodes.a.outputs.x}"}}`)
	f.Subflows = map[string]*engine.Flow{"child": flow(t, `start -> c -> end
		flow {"variables":[{"name":"m","source":"input","schema":{"type":"integer"}}]}
		c: {"inputs":{"n":"${m}"}}`)}
	g, problems := engine.Compile(f, catalogue{})
	if g == nil {
		t.Fatal(problems)
	}
	p := &doubling{}
	begin := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	s, err := simulate.New(simulate.Config{Graph: g, Catalogue: catalogue{}, Plugins: p, Begin: begin, Operator: engine.Actor{ID: "ada"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.View("s"); ok || s.Records("s") != nil {
		t.Error("the run below has begun before its node")
	}
	var refusal *engine.Error
	if err := s.Command("s", engine.Meta{}, engine.Pause{}); !errors.As(err, &refusal) || refusal.Code != engine.CodeUnknownNode {
		t.Errorf("a command for a run that is not there: %v", err)
	}
	for more := true; more; {
		if more, err = s.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Now().Sub(begin); got != 9*time.Second {
		t.Errorf("took %s, want 9s", got)
	}
	if want := []string{"08:00:00 a", "08:00:03 s.c"}; encode(t, p.calls) != encode(t, want) {
		t.Errorf("calls %v, want %v", p.calls, want)
	}
	child, _ := s.View("s")
	if root, _ := s.View(""); root.State != engine.RunSucceeded || child.State != engine.RunSucceeded || child.Parent == nil {
		t.Errorf("runs %+v, %+v", root, child)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	if err := s.Command("", engine.Meta{}, engine.Pause{}); !errors.As(err, &refusal) || refusal.Code != engine.CodeEnded {
		t.Errorf("a command behind the end: %v", err)
	}
}

// TestALargeFlowIsSimulatedQuickly bounds the work of a step: it must not grow with the
// flow.
func TestALargeFlowIsSimulatedQuickly(t *testing.T) {
	t.Parallel()
	f := flow(t, "start -> end")
	f.Nodes, f.Edges = f.Nodes[:1], nil
	last := "start"
	for i := range 5000 {
		id := "n" + string(rune('a'+i%26)) + strconv.Itoa(i)
		f.Nodes = append(f.Nodes, engine.Node{ID: id, Type: engine.TypeTask, Plugin: "test", Action: "step"})
		f.Edges = append(f.Edges, engine.Edge{ID: "e" + id, From: last, To: id})
		last = id
	}
	f.Nodes = append(f.Nodes, engine.Node{ID: "end", Type: engine.TypeEnd})
	f.Edges = append(f.Edges, engine.Edge{ID: "last", From: last, To: "end"})
	r := run(t, f, script(t, `{"actions":[{"when":{"run":"blocked"},"do":"resume"}]}`))
	if r.State != engine.RunSucceeded || len(r.Timeline) != 5002 || r.ElapsedMS != 5_000_000 {
		t.Errorf("%s, %d attempts, %d ms", r.State, len(r.Timeline), r.ElapsedMS)
	}
}
