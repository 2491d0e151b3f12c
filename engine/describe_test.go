package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// catalogue knows the plugin test. Its action any takes and gives everything, sum is
// typed.
type catalogue struct{}

func (catalogue) Action(plugin, action string) (contract.Action, bool) {
	if plugin == "broken" {
		return contract.Action{ID: action, Inputs: []byte(`{"type":"text"}`), Outputs: []byte(`{}`)}, true
	}
	if plugin != "test" {
		return contract.Action{}, false
	}
	switch action {
	case "any":
		return contract.Action{ID: action, Inputs: []byte(`{"type":"object"}`), Outputs: []byte(`{"type":"object"}`)}, true
	case "secret":
		return contract.Action{
			ID: action, Rollback: true,
			Inputs: []byte(`{"type":"object","properties":{"token":{"type":"string","x-secret":true,"maxLength":20},"password":{"type":"string","format":"password"},
				"body":{"x-secret":"inside"},"note":{"type":"string"}}}`),
			Outputs: []byte(`{"type":"object"}`),
		}, true
	case "undo":
		return contract.Action{ID: action, Inputs: []byte(`{"type":"object"}`), Outputs: []byte(`{"type":"object"}`), Rollback: true}, true
	case "sum":
		return contract.Action{
			ID: action,
			Inputs: []byte(`{"type":"object","required":["left"],"properties":{"left":{"type":"integer"},"right":{"type":"number","maximum":100},
				"note":{"type":"string","maxLength":20},"tags":{"type":"array","items":{"type":"string"}}}}`),
			Outputs: []byte(`{"type":"object","properties":{"total":{"type":"integer"},"detail":{"type":"object","properties":{"unit":{"type":"string"}}}}}`),
		}, true
	}
	return contract.Action{}, false
}

// checkReplay reads every record back from its bytes and compares the state after
// each prefix that ends where a step ended, through what the outside sees.
func checkReplay(t *testing.T, g *engine.Graph, live *engine.State, rs []engine.Record) {
	t.Helper()
	read := make([]engine.Record, len(rs))
	for i, r := range rs {
		b := engine.AppendRecord(nil, r)
		var err error
		if read[i], err = engine.DecodeRecord(b); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if again := engine.AppendRecord(nil, read[i]); string(again) != string(b) {
			t.Fatalf("record changed:\n%s\n%s", b, again)
		}
	}
	s, err := engine.Replay(g, read)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := compact(s.View()), compact(live.View()); got != want {
		t.Fatalf("replayed state differs:\n%s\n%s", got, want)
	}
	if got, want := fmt.Sprintf("%+v", engine.Outstanding(g, s)), fmt.Sprintf("%+v", engine.Outstanding(g, live)); got != want && !strings.Contains(want, "0x") {
		t.Fatalf("outstanding differs:\n%s\n%s", got, want)
	}
}

func prefix(p, s string) string {
	if s == "" {
		return ""
	}
	return p + s
}

func describe(r engine.Record) string {
	switch d := r.Data.(type) {
	case engine.RunStarted:
		if len(d.Variables) == 0 {
			return "run.started"
		}
		return "run.started " + compact(d.Variables)
	case engine.RunChanged:
		s := fmt.Sprintf("run %s -> %s%s", d.From, d.To, prefix(" because ", d.Reason))
		if d.Outputs != nil {
			s += " " + compact(d.Outputs)
		}
		return s
	case engine.VariableSet:
		if r.Node == "" {
			r.Node = "an operator"
		}
		return fmt.Sprintf("variable %s = %s by %s", strings.TrimPrefix(d.Scope+"."+d.Name, "."), d.Value, r.Node)
	case engine.NodeChanged:
		return describeNode(r.Node, d)
	case engine.NodeNoted:
		return fmt.Sprintf("note %s %d lines", r.Node, len(d.Log))
	case engine.NodeLate:
		return fmt.Sprintf("late %s %s epoch=%d attempt=%d", d.What, r.Node, d.Epoch, d.Attempt)
	case engine.CallbackKept:
		return fmt.Sprintf("kept callback %s attempt=%d %s", r.Node, d.Attempt, d.Data)
	case engine.NodeTimer:
		return fmt.Sprintf("timer %s#%d moved to %s", r.Node, d.Epoch, d.Due.Format(time.TimeOnly))
	case engine.TokenMoved:
		return describeToken(d)
	case engine.GatewayDecided:
		return fmt.Sprintf("gateway %s takes %s%s", r.Node, strings.Join(d.Edges, " "), prefix(" by ", d.By))
	case engine.RollbackChanged:
		s := fmt.Sprintf("rollback %s %s from %s to %s", d.Mode, d.Phase, d.From, d.To)
		return s + prefix(" undoes ", strings.Join(d.Undone, " ")) + prefix(" edges ", strings.Join(d.Edges, " "))
	case engine.ScopeEntered:
		return fmt.Sprintf("scope %s%s", r.Node, prefix(" ", strings.TrimPrefix(compact(d.Variables), "null")))
	case engine.NodeHeld:
		return fmt.Sprintf("node %s held=%t", r.Node, d.Held)
	}
	return fmt.Sprintf("%T", r.Data)
}

func describeToken(d engine.TokenMoved) string {
	s := fmt.Sprintf("token %d %s -> %s", d.Token, d.From, d.To)
	if d.Parent != 0 {
		s = fmt.Sprintf("token %d of %d %s -> %s", d.Token, d.Parent, d.From, d.To)
	}
	if d.To == "" {
		s = strings.TrimSuffix(s, " -> ") + " ends"
	}
	return s + prefix(" on ", d.Edge)
}

func describeNode(id string, d engine.NodeChanged) string {
	from := string(d.From)
	if from == "" {
		from = "idle"
	}
	to := string(d.To)
	if to == "" {
		to = "idle"
	}
	s := fmt.Sprintf("node %s %s -> %s %d.%d", id, from, to, d.Iteration, d.Attempt)
	if d.Epoch > 0 {
		s += fmt.Sprintf("#%d", d.Epoch)
	}
	s += prefix(" ", string(d.Reason)) + prefix(" by ", d.By) + prefix(" in ", string(d.Inputs)) + prefix(" out ", string(d.Outputs))
	if d.Failure != nil {
		s += fmt.Sprintf(" %s/%s %s", d.Failure.Origin, d.Failure.Code, d.Failure.Message)
	}
	if d.Wait != nil {
		s += " for " + string(d.Wait.Kind)
	}
	if d.Due != nil {
		s += " until " + d.Due.Format(time.TimeOnly)
	}
	if d.Repeat > 0 {
		s += fmt.Sprintf(" repeat %d", d.Repeat)
	}
	if d.Deadline != nil {
		s += " deadline " + d.Deadline.Format(time.TimeOnly)
	}
	return s + prefix(" child ", d.Child) + prefix(" callback ", string(d.Callback))
}

func (sc *scenario) describeCommand(c engine.Command) string {
	switch c := c.(type) {
	case engine.Dispatch:
		s := fmt.Sprintf("dispatch %s#%d %d.%d call %d %s", c.Node, c.Epoch, c.Iteration, c.Attempt, c.Call, c.Reason)
		s += prefix(" state ", string(c.PluginState)) + prefix(" callback ", string(c.Callback)) + prefix(" out ", string(c.Outputs))
		if c.Reason == contract.ReasonPoll {
			s += fmt.Sprintf(" polls %d", c.Polls)
		}
		if c.Auto {
			s += " auto"
		}
		if c.Recovered {
			s += " recovered"
		}
		return s
	case engine.Cancel:
		return fmt.Sprintf("cancel %s#%d %s", c.Node, c.Epoch, c.Dispatch.Reason)
	case engine.SetTimer:
		return fmt.Sprintf("timer %s#%d at %s", c.Node, c.Epoch, c.Due.Format(time.TimeOnly))
	case engine.ClearTimer:
		return fmt.Sprintf("clear timer %s#%d", c.Node, c.Epoch)
	case engine.Finish:
		return fmt.Sprintf("finish %s", c.State)
	case engine.StartChild:
		s := fmt.Sprintf("start %s for %s#%d: %s version %d depth %d %s", c.Run, c.Node, c.Epoch, c.Reference, c.Version, c.Parent.Depth, compact(c.Inputs))
		if c.Recovered {
			s += " recovered"
		}
		return s
	case engine.ControlChild:
		return fmt.Sprintf("control %s %s", c.Run, strings.TrimPrefix(fmt.Sprintf("%T", c.Event), "engine."))
	}
	return fmt.Sprintf("%T", c)
}

// describeOptions says what the options of a node show.
func describeOptions(n *engine.NodeView) string {
	s := prefix(" by ", n.By)
	if n.Repeat > 0 {
		s += fmt.Sprintf(" repeat %d", n.Repeat)
	}
	if n.Failure != nil {
		s += " " + n.Failure.Code
	}
	if n.Due != nil {
		s += " until " + n.Due.Format(time.TimeOnly)
	}
	if n.Deadline != nil {
		s += " deadline " + n.Deadline.Format(time.TimeOnly)
	}
	return s
}

// childEnded reads: STATE [{outputs}] or STATE {failure}; the state - is none, and a last
// word is the id of another run.
func (sc *scenario) childEnded(node string, epoch uint64, arg string) engine.Event {
	state, data, _ := strings.Cut(arg, " ")
	e := engine.ChildEnded{Node: node, Epoch: epoch, Run: sc.state.View().Nodes[node].Child, State: engine.RunState(state)}
	switch {
	case state == "-":
		e.Run, e.State = "", ""
		sc.json(data, &e.Failure)
	case strings.HasPrefix(data, "{"):
		sc.json(data, &e.Outputs)
	case data != "":
		e.Run = data
	}
	return e
}
