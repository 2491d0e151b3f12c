package runs_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/runs"
)

// nesting runs the published flow "ask-first" as a run of its own.
const nesting = `
format: culm.flow/v1
id: nesting
name: Nesting
nodes:
  - {id: start, type: start}
  - {id: inner, type: subflow, flow: ask-first, mode: independent}
  - {id: end, type: end}
edges:
  - {id: e1, from: start, to: inner}
  - {id: e2, from: inner, to: end}
`

func TestSimulationsUseTheProjectsFlowsAndStoreNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	w.publish(askFlow)
	outer := w.publish(nesting)
	var script simulate.Script
	err := json.Unmarshal([]byte(`{"format":"culm.script/v1","nodes":{"inner.ask":[{"waits":[{"kind":"human"}],"succeed":{"answer":"yes"}}]},
		"actions":[{"when":{"node":"inner.ask","state":"waiting"},"after":"1h","do":"callback","data":"yes"}]}`), &script)
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.runs.Simulate(t.Context(), runs.SimulateRequest{Project: hosttest.Project, Flow: outer, Version: 1, Script: &script})
	if err != nil {
		t.Fatal(err)
	}
	if r.State != engine.RunSucceeded || r.ElapsedMS != 3_602_000 || len(r.Children) != 1 || r.Children[0].Path != "inner" || r.Children[0].Run.Version != 1 {
		t.Errorf("report %+v", r)
	}
	all, err := w.runs.List(t.Context(), runs.ListQuery{Project: hosttest.Project})
	if err != nil || len(all.Items) != 0 {
		t.Errorf("runs %+v, %v", all.Items, err)
	}
}

// TestManySimulationsWaitForEachOther starts more than are allowed at once; one that is
// not waited for any more is told so.
func TestManySimulationsWaitForEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	flow := w.publish(hosttest.AddFlow)
	script := &simulate.Script{Format: simulate.ScriptFormat, Inputs: object(t, `{"count":3}`)}
	var wg sync.WaitGroup
	for range 4 * runs.SimulateAtOnceMax {
		wg.Go(func() {
			r, err := w.runs.Simulate(t.Context(), runs.SimulateRequest{Project: hosttest.Project, Flow: flow, Script: script})
			if err != nil || r.State != engine.RunSucceeded {
				t.Errorf("%v %v", r.State, err)
			}
		})
	}
	wg.Wait()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	_, err := w.runs.Simulate(late, runs.SimulateRequest{Project: hosttest.Project, Flow: flow, Script: script})
	if err == nil || fault.Is(err, fault.Invalid) {
		t.Errorf("behind its deadline: %v", err)
	}
}
