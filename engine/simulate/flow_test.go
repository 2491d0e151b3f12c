package simulate_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
	"github.com/culmhq/culm/pdk/contract"
)

// catalogue knows the plugin test: its action step waits for everything, ask for people.
type catalogue struct{}

func (catalogue) Action(plugin, action string) (contract.Action, bool) {
	if plugin != "test" {
		return contract.Action{}, false
	}
	a := contract.Action{ID: action, Inputs: []byte(`{"type":"object"}`), Rollback: true}
	switch action {
	case "step":
		a.Waits = []contract.WaitKind{contract.WaitPoll, contract.WaitTimer, contract.WaitCallback, contract.WaitHuman}
		a.Outputs = []byte(`{"type":"object","properties":{"x":{"type":"integer","minimum":7},"url":{"type":"string","format":"uri"}}}`)
	case "ask":
		a.Waits = []contract.WaitKind{contract.WaitHuman}
		a.Outputs = []byte(`{"type":"object","required":["approved"],"properties":{"approved":{"type":"boolean"}}}`)
	default:
		return contract.Action{}, false
	}
	return a, true
}

// flow draws a flow. Each line is a chain of nodes, "a -> b -> c", or declares a node
// ("p: parallel", "a: {...}") or an edge's condition ("g -> a if x > 1", "g -> b else").
// Nodes that are not declared are tasks of the action test/step.
func flow(t testing.TB, text string) *engine.Flow {
	t.Helper()
	f := &engine.Flow{Format: engine.FlowFormat, ID: "drawn", Name: contract.T("drawn")}
	d := &drawing{t: t, f: f, at: map[string]int{}}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			d.line(line)
		}
	}
	return f
}

type drawing struct {
	t  testing.TB
	f  *engine.Flow
	at map[string]int
}

func (d *drawing) line(line string) {
	if rest, ok := strings.CutPrefix(line, "flow "); ok {
		d.decode(rest, d.f)
		return
	}
	if id, what, ok := strings.Cut(line, ": "); ok && !strings.Contains(id, " ") {
		n := d.node(id)
		if strings.HasPrefix(what, "{") {
			d.decode(what, n)
		} else {
			*n = engine.Node{ID: id, Type: engine.NodeType(what)}
		}
		return
	}
	chain, condition, _ := strings.Cut(line, " if ")
	chain, other := strings.CutSuffix(chain, " else")
	ids := strings.Split(chain, " -> ")
	for i, id := range ids {
		d.node(id)
		if i > 0 {
			d.f.Edges = append(d.f.Edges, engine.Edge{
				ID: ids[i-1] + "_" + id, From: ids[i-1], To: id, Condition: condition, Default: other,
			})
		}
	}
}

// node finds or makes a node; start and end are what they are called.
func (d *drawing) node(id string) *engine.Node {
	i, ok := d.at[id]
	if !ok {
		n := engine.Node{ID: id, Type: engine.TypeTask, Plugin: "test", Action: "step"}
		if id == "start" || id == "end" {
			n = engine.Node{ID: id, Type: engine.NodeType(id)}
		}
		i = len(d.f.Nodes)
		d.at[id] = i
		d.f.Nodes = append(d.f.Nodes, n)
	}
	return &d.f.Nodes[i]
}

func (d *drawing) decode(text string, v any) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		d.t.Fatalf("%s: %v", text, err)
	}
}

// script reads a script, to which it adds the format.
func script(t testing.TB, text string) *simulate.Script {
	t.Helper()
	s, err := simulate.ParseScript([]byte(`{"format":"` + simulate.ScriptFormat + `"` + strings.Replace(strings.TrimSpace(text), "{", ",", 1)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run simulates; the simulation must take place.
func run(t testing.TB, f *engine.Flow, s *simulate.Script) *simulate.Report {
	t.Helper()
	r, err := simulate.Run(t.Context(), simulate.Request{Flow: f, Catalogue: catalogue{}, Script: s})
	if err != nil {
		t.Fatalf("%v %+v", err, err)
	}
	return r
}
