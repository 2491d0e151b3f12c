package engine_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// TestRerunLimit: a loop with a task ends after MaxReruns, with the flow at fault.
func TestRerunLimit(t *testing.T) {
	t.Parallel()
	f := &engine.Flow{
		Format: engine.FlowFormat,
		Nodes: []engine.Node{
			{ID: "start", Type: engine.TypeStart},
			{ID: "a", Type: engine.TypeTask, Plugin: "test", Action: "any"},
			{ID: "g", Type: engine.TypeExclusive},
			{ID: "end", Type: engine.TypeEnd},
		},
		Edges: []engine.Edge{
			{ID: "e1", From: "start", To: "a"},
			{ID: "e2", From: "a", To: "g"},
			{ID: "e3", From: "g", To: "a", Condition: "true"},
			{ID: "e4", From: "g", To: "end", Default: true},
		},
	}
	g := mustCompile(t, f)
	m := engine.Meta{At: time.Unix(1, 0), Actor: engine.Actor{ID: "local"}}
	s, records, _, err := engine.Start(g, m, engine.StartOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	for s.RunState() == engine.RunRunning {
		runs++
		rs, _, err := engine.Step(g, s, m, engine.Result{Node: "a", Epoch: uint64(runs), Answer: contract.Answer{Status: contract.StatusSucceeded}})
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, rs...)
	}
	v := s.View()
	if runs != engine.MaxReruns+1 || v.State != engine.RunBlocked || v.Nodes["a"].Failure.Code != engine.FailRerunLimit || v.Nodes["a"].Failure.Origin != contract.OriginFlow {
		t.Errorf("%d runs, %s, %+v", runs, v.State, v.Nodes["a"].Failure)
	}
	if err := engine.CheckHistory(g, records); err != nil {
		t.Error(err)
	}
}

// TestCommandsAreRememberedWithinBounds: the same command has one effect, also after
// a thousand others and a restart; what is remembered does not grow without end.
func TestCommandsAreRememberedWithinBounds(t *testing.T) {
	t.Parallel()
	g := mustCompile(t, serialFlow(1))
	m := engine.Meta{At: time.Unix(1, 0), Actor: engine.Actor{ID: "local"}}
	s, records, _, err := engine.Start(g, m, engine.StartOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	do := func(id string, e engine.Event) int {
		m.CommandID = id
		rs, _, err := engine.Step(g, s, m, e)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		records = append(records, rs...)
		return len(rs)
	}
	for i := range 1023 {
		if i%2 == 0 {
			do(fmt.Sprintf("c%d", i), engine.Pause{})
		} else {
			do(fmt.Sprintf("c%d", i), engine.Resume{})
		}
	}
	if s, err = engine.Replay(g, records); err != nil {
		t.Fatal(err)
	}
	if n := do("c0", engine.Pause{}); n != 0 {
		t.Errorf("the first command had a second effect: %d records", n)
	}
	do("c1023", engine.Resume{})
	do("c1024", engine.Pause{}) // the 1025th takes the place of the first
	m.CommandID = "c0"
	if _, _, err := engine.Step(g, s, m, engine.Pause{}); err == nil {
		t.Error("a command of long ago is remembered still: what is remembered grows")
	}
}

// TestGraphIsShared: runs of one graph go on at the same time, with expressions
// compiled anew by operators.
func TestGraphIsShared(t *testing.T) {
	t.Parallel()
	g := mustCompile(t, nestedFlow(5))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			m := engine.Meta{At: time.Unix(int64(i), 0), Actor: engine.Actor{ID: "local"}}
			s, records, todo, err := engine.Start(g, m, engine.StartOptions{Run: fmt.Sprintf("r%d", i)})
			if err != nil {
				t.Error(err)
				return
			}
			step := func(e engine.Event) {
				rs, cmds, err := engine.Step(g, s, m, e)
				if err != nil {
					t.Error(err)
				}
				records, todo = append(records, rs...), append(todo, cmds...)
			}
			for len(todo) > 0 {
				d, ok := todo[0].(engine.Dispatch)
				if todo = todo[1:]; !ok {
					continue
				}
				if d.Attempt == 1 {
					step(engine.Result{Node: d.Node, Epoch: d.Epoch, Answer: contract.Answer{Status: contract.StatusFailed}})
					step(engine.Retry{Node: d.Node, Inputs: map[string]json.RawMessage{"v": jsonRaw(fmt.Sprintf(`"${n + %d}"`, i))}})
					continue
				}
				if want := fmt.Sprintf(`{"v":%d}`, 3+i); string(d.Inputs) != want {
					t.Errorf("%s got %s, want %s", d.Node, d.Inputs, want)
				}
				step(engine.Result{Node: d.Node, Epoch: d.Epoch, Answer: contract.Answer{Status: contract.StatusSucceeded}})
			}
			if s.RunState() != engine.RunSucceeded {
				t.Errorf("run is %s", s.RunState())
			}
			if err := engine.CheckHistory(g, records); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func BenchmarkDecodeRecord(b *testing.B) {
	line := engine.AppendRecord(nil, engine.Record{
		Seq: 17, At: time.Unix(1, 0), Kind: engine.KindNodeState, Actor: engine.Actor{ID: "local"}, Node: "t17",
		Data: engine.NodeChanged{From: engine.NodeIdle, To: engine.NodeRunning, Epoch: 1, Attempt: 1, Reason: contract.ReasonExecute, Inputs: jsonRaw(`{"count":3,"message":"hello"}`)},
	})
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if _, err := engine.DecodeRecord(line); err != nil {
			b.Fatal(err)
		}
	}
}
