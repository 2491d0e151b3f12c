package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// graphs compiles flows and finds them by digest.
type graphs map[string]*engine.Graph

var errNoGraph = errors.New("no such graph")

// Graph implements runner.Graphs.
func (g graphs) Graph(_ context.Context, digest string, _ []byte, _ map[string]string) (*engine.Graph, error) {
	if x := g[digest]; x != nil {
		return x, nil
	}
	return nil, errNoGraph
}

func (g graphs) compile(t testing.TB, f *engine.Flow) *engine.Graph {
	t.Helper()
	x, problems := engine.Compile(f, catalogue{})
	if x == nil {
		t.Fatalf("flow %s: %v", f.ID, problems)
	}
	g[x.Digest()] = x
	return x
}

type catalogue struct{}

// Action implements engine.Catalogue.
func (catalogue) Action(_, action string) (contract.Action, bool) {
	return contract.Action{ID: action, Inputs: json.RawMessage(`{"type":"object"}`), Outputs: json.RawMessage(`{"type":"object"}`)}, true
}

func task(id string) engine.Node {
	return engine.Node{ID: id, Type: engine.TypeTask, Plugin: "test", Action: "do"}
}

// serial is a flow of tasks one after the other.
func serial(ids ...string) *engine.Flow {
	f := &engine.Flow{Format: engine.FlowFormat, ID: "serial", Name: contract.Text{En: "serial"}}
	f.Nodes = append(f.Nodes, engine.Node{ID: "start", Type: engine.TypeStart})
	for _, id := range ids {
		f.Nodes = append(f.Nodes, task(id))
	}
	f.Nodes = append(f.Nodes, engine.Node{ID: "end", Type: engine.TypeEnd})
	for i := 1; i < len(f.Nodes); i++ {
		f.Edges = append(f.Edges, edge(f.Nodes[i-1].ID, f.Nodes[i].ID))
	}
	return f
}

// steps is a serial flow of n tasks.
func steps(n int) *engine.Flow {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("n%d", i)
	}
	return serial(ids...)
}

// wide is a flow of tasks side by side.
func wide(ids ...string) *engine.Flow {
	f := &engine.Flow{Format: engine.FlowFormat, ID: "wide", Name: contract.Text{En: "wide"}}
	f.Nodes = []engine.Node{{ID: "start", Type: engine.TypeStart}, {ID: "fork", Type: engine.TypeParallel}}
	f.Edges = []engine.Edge{edge("start", "fork")}
	for _, id := range ids {
		f.Nodes = append(f.Nodes, task(id))
		f.Edges = append(f.Edges, edge("fork", id), edge(id, "join"))
	}
	f.Nodes = append(f.Nodes, engine.Node{ID: "join", Type: engine.TypeJoin}, engine.Node{ID: "end", Type: engine.TypeEnd})
	f.Edges = append(f.Edges, edge("join", "end"))
	return f
}

func edge(from, to string) engine.Edge { return engine.Edge{ID: from + "_" + to, From: from, To: to} }
