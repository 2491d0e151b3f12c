package simulate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
)

// sketch draws random flows of blocks, one line a chain.
type sketch struct {
	rt    *rapid.T
	lines []string
	tasks []string
	count int
}

func (k *sketch) node(kind string) string {
	k.count++
	id := fmt.Sprintf("n%d", k.count)
	if kind == "task" {
		k.tasks = append(k.tasks, id)
		if option := rapid.SampledFrom([]string{
			"", "", "", `"ignore_failure":true`, `"retry":{"max":2,"delay_ms":5000}`, `"timeout":{"after_ms":30000,"action":"skip"}`, `"repeat":{"times":2,"continue_on_failure":true}`,
		}).Draw(k.rt, "option"); option != "" {
			k.lines = append(k.lines, fmt.Sprintf("%s: {%s}", id, option))
		}
	} else {
		k.lines = append(k.lines, id+": "+kind)
	}
	return id
}

// block draws a block behind a node, and returns the node in which it ends.
func (k *sketch) block(last string, depth int) string {
	switch kind := rapid.IntRange(0, 6).Draw(k.rt, "block"); {
	case kind < 3 || depth == 0 || k.count > 25:
		id := k.node("task")
		k.lines = append(k.lines, last+" -> "+id)
		return id
	case kind == 3:
		fork, join := k.node("parallel"), k.node("join")
		k.lines = append(k.lines, last+" -> "+fork)
		for range 2 {
			k.lines = append(k.lines, k.block(fork, depth-1)+" -> "+join)
		}
		return join
	case kind == 6:
		k.count++
		id := fmt.Sprintf("n%d", k.count)
		k.tasks = append(k.tasks, id+".c", id+".d")
		k.lines = append(k.lines, id+": "+rapid.SampledFrom([]string{independent, strings.Replace(inline, "leaf", "child", 1)}).Draw(k.rt, "mode"), last+" -> "+id)
		return id
	case kind == 4:
		g, join := k.node(rapid.SampledFrom([]string{"exclusive", "inclusive"}).Draw(k.rt, "gateway")), k.node("join")
		a, b := k.node("task"), k.node("task")
		k.lines = append(k.lines, last+" -> "+g, g+" -> "+a+" if x % 2 == 0", g+" -> "+b+" else", k.block(a, depth-1)+" -> "+join, b+" -> "+join)
		return join
	default:
		first, g, out := k.node("task"), k.node("exclusive"), k.node("task")
		k.lines = append(k.lines, first+`: {"outputs":{"x":"x"}}`, last+" -> "+first, k.block(first, depth-1)+" -> "+g, g+" -> "+first+" if x > 9 && x % 3 == 0", g+" -> "+out+" else")
		return out
	}
}

// results draws what the calls of one node answer.
func (k *sketch) results() []simulate.Result {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) simulate.Result {
		r := simulate.Result{
			After: rapid.SampledFrom([]simulate.Duration{"", "0s", "3s", "40s"}).Draw(rt, "after"),
			Late:  rapid.Bool().Draw(rt, "late"),
		}
		for _, kind := range rapid.SliceOfN(rapid.SampledFrom([]string{`{"kind":"poll","times":2}`, `{"kind":"timer","after":"9s"}`, `{"kind":"human"}`, `{"kind":"callback","after":"20s"}`}), 0, 2).Draw(rt, "waits") {
			var w simulate.Wait
			if err := json.Unmarshal([]byte(kind), &w); err != nil {
				rt.Fatal(err)
			}
			r.Waits = append(r.Waits, w)
		}
		switch rapid.IntRange(0, 4).Draw(rt, "end") {
		case 0:
			r.Fail = &simulate.Failure{Code: "X"}
		case 1:
			r.Unknown = &simulate.Failure{Code: "U"}
		default:
			r.Succeed = json.RawMessage(fmt.Sprintf(`{"x":%d}`, rapid.IntRange(7, 20).Draw(rt, "x")))
		}
		return r
	}), 0, 3).Draw(k.rt, "results")
}

// action draws what an operator does, sensible or not.
func (k *sketch) action() simulate.Action {
	node := rapid.SampledFrom(k.tasks).Draw(k.rt, "node")
	a := simulate.Action{Do: rapid.SampledFrom([]simulate.Do{
		simulate.DoPause, simulate.DoResume, simulate.DoRetry, simulate.DoSkip, simulate.DoForceFail, simulate.DoResolve, simulate.DoCallback,
		simulate.DoSetVariables, simulate.DoReschedule, simulate.DoRollback, simulate.DoRetry, simulate.DoCallback,
	}).Draw(k.rt, "do")}
	switch a.Do {
	case simulate.DoRetry, simulate.DoSkip, simulate.DoForceFail, simulate.DoCallback:
		a.Node = node
	case simulate.DoResolve:
		a.Node, a.As = node, rapid.SampledFrom([]engine.Resolution{engine.ResolveDone, engine.ResolveRetry, engine.ResolveFail}).Draw(k.rt, "as")
	case simulate.DoReschedule:
		a.Node, a.Delay = node, "2s"
	case simulate.DoSetVariables:
		a.Values = map[string]json.RawMessage{"x": json.RawMessage("8")}
	case simulate.DoRollback:
		a.From, a.To = node, rapid.SampledFrom(k.tasks).Draw(k.rt, "to")
		a.Mode = rapid.SampledFrom([]engine.RollbackMode{engine.RollbackAny, engine.RollbackCompensate}).Draw(k.rt, "mode")
	default:
	}
	switch rapid.IntRange(0, 2).Draw(k.rt, "trigger") {
	case 0:
		a.At = rapid.SampledFrom([]simulate.Duration{"0s", "1s", "5s", "50s", "5m"}).Draw(k.rt, "at")
	case 1:
		a.When = &simulate.When{Idle: true}
	default:
		a.When = &simulate.When{Node: node, State: rapid.SampledFrom([]engine.NodeState{engine.NodeFailed, engine.NodeWaiting, engine.NodeUnknown, engine.NodeRunning}).Draw(k.rt, "state")}
	}
	return a
}

// TestRandomSimulations is the property: whatever a script says of whatever flow, the
// history is sound, and the same comes out again.
func TestRandomSimulations(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		k := &sketch{rt: rt}
		last := "start"
		for range rapid.IntRange(1, 3).Draw(rt, "blocks") {
			last = k.block(last, 2)
		}
		k.lines = append(k.lines, last+" -> end", `flow {"variables":[{"name":"x","source":"node","schema":{"type":"integer"},"value":8}]}`)
		s := &simulate.Script{Format: simulate.ScriptFormat, Nodes: map[string][]simulate.Result{}}
		for _, id := range k.tasks {
			if rs := k.results(); len(rs) > 0 {
				s.Nodes[id] = rs
			}
		}
		for range rapid.IntRange(0, 8).Draw(rt, "actions") {
			s.Actions = append(s.Actions, k.action())
		}
		text := strings.Join(k.lines, "\n")
		play := func() string {
			f := flow(t, text)
			f.Subflows = map[string]*engine.Flow{"child": flow(t, "start -> c -> d -> end")}
			r, err := simulate.Run(t.Context(), simulate.Request{Flow: f, Catalogue: catalogue{}, Script: s, Limits: simulate.Limits{Steps: 3000}})
			var e *simulate.Error
			if err != nil && (!errors.As(err, &e) || !e.Limit()) {
				rt.Fatalf("%v\n%s\n%s", err, text, encode(t, s))
			}
			return encode(t, r)
		}
		if a, b := play(), play(); a != b {
			rt.Fatalf("the same simulation differs:\n%s\n%s", a, b)
		}
	})
}
