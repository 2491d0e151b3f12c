package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// serialFlow is start, n tasks in a row, end.
func serialFlow(n int) *engine.Flow {
	f := &engine.Flow{Format: engine.FlowFormat, Name: contract.T("serial")}
	f.Nodes = append(f.Nodes, engine.Node{ID: "start", Type: engine.TypeStart})
	last := "start"
	for i := range n {
		id := fmt.Sprintf("t%d", i)
		f.Nodes = append(f.Nodes, engine.Node{
			ID: id, Type: engine.TypeTask, Plugin: "test", Action: "any",
			Inputs: map[string]jsonRaw{"message": jsonRaw(`"hello"`), "count": jsonRaw(`3`)},
		})
		f.Edges = append(f.Edges, engine.Edge{ID: "e" + id, From: last, To: id})
		last = id
	}
	f.Nodes = append(f.Nodes, engine.Node{ID: "end", Type: engine.TypeEnd})
	f.Edges = append(f.Edges, engine.Edge{ID: "last", From: last, To: "end"})
	return f
}

// parallelFlow is a fork of n tasks and their join.
func parallelFlow(n int) *engine.Flow {
	f := &engine.Flow{Format: engine.FlowFormat, Name: contract.T("parallel")}
	f.Nodes = append(f.Nodes,
		engine.Node{ID: "start", Type: engine.TypeStart}, engine.Node{ID: "p", Type: engine.TypeParallel},
		engine.Node{ID: "j", Type: engine.TypeJoin}, engine.Node{ID: "end", Type: engine.TypeEnd})
	f.Edges = append(f.Edges, engine.Edge{ID: "first", From: "start", To: "p"}, engine.Edge{ID: "last", From: "j", To: "end"})
	for i := range n {
		id := fmt.Sprintf("t%d", i)
		f.Nodes = append(f.Nodes, engine.Node{ID: id, Type: engine.TypeTask, Plugin: "test", Action: "any"})
		f.Edges = append(f.Edges, engine.Edge{ID: "i" + id, From: "p", To: id}, engine.Edge{ID: "o" + id, From: id, To: "j"})
	}
	return f
}

// runToEnd answers every dispatch with success and returns the number of tasks and
// the bytes of the records.
func runToEnd(b testing.TB, g *engine.Graph) (tasks, size int) {
	m := engine.Meta{At: time.Date(2026, 1, 2, 3, 4, 5, 678900000, time.UTC), Actor: engine.Actor{ID: "local"}}
	s, rs, todo, err := engine.Start(g, m, engine.StartOptions{Run: "r", Project: "demo", Flow: "f", Version: 1})
	if err != nil {
		b.Fatal(err)
	}
	answer := contract.Answer{Status: contract.StatusSucceeded, Outputs: jsonRaw(`{"message":"hello","count":3}`)}
	buf := make([]byte, 0, 64<<10)
	for len(todo) > 0 {
		for _, r := range rs {
			buf = engine.AppendRecord(buf, r)
		}
		size, buf = size+len(buf), buf[:0]
		c := todo[0]
		todo = todo[1:]
		d, ok := c.(engine.Dispatch)
		if !ok {
			continue
		}
		tasks++
		var cmds []engine.Command
		rs, cmds, err = engine.Step(g, s, m, engine.Result{Node: d.Node, Epoch: d.Epoch, Answer: answer, Digest: "sha256:0123456789abcdef"})
		if err != nil {
			b.Fatal(err)
		}
		todo = append(todo, cmds...)
	}
	if s.RunState() != engine.RunSucceeded {
		b.Fatalf("run is %s", s.RunState())
	}
	return tasks, size
}

func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		name string
		flow *engine.Flow
	}{
		{"serial-1000", serialFlow(1000)}, {"serial-9990", serialFlow(9990)}, {"parallel-1000", parallelFlow(1000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			g := mustCompile(b, c.flow)
			b.ReportAllocs()
			tasks, size := 0, 0
			for b.Loop() {
				n, bytes := runToEnd(b, g)
				tasks, size = tasks+n, size+bytes
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(tasks), "ns/node")
			b.ReportMetric(float64(size)/float64(tasks), "record-B/node")
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, c := range []struct {
		name string
		flow *engine.Flow
	}{{"serial-1000", serialFlow(1000)}, {"serial-10000", serialFlow(engine.MaxNodes - 2)}, {"nested-9992", nestedFlow(1110)}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustCompile(b, c.flow)
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms")
		})
	}
}

// nestedFlow is n blocks of a gateway with a condition inside of a parallel one, one
// behind the other: nine nodes each.
func nestedFlow(n int) *engine.Flow {
	f := &engine.Flow{Format: engine.FlowFormat, Name: contract.T("nested")}
	f.Variables = []engine.Variable{{Name: "n", Source: engine.SourceConstant, Schema: jsonRaw(`{"type":"integer"}`), Value: jsonRaw(`3`)}}
	node := func(id string, t engine.NodeType) {
		nd := engine.Node{ID: id, Type: t}
		if t == engine.TypeTask {
			nd.Plugin, nd.Action = "test", "any"
			nd.Inputs = map[string]jsonRaw{"v": jsonRaw(`"n is ${n}"`)}
		}
		f.Nodes = append(f.Nodes, nd)
	}
	edge := func(from, to, condition string, byDefault bool) {
		f.Edges = append(f.Edges, engine.Edge{ID: fmt.Sprintf("e%d", len(f.Edges)), From: from, To: to, Condition: condition, Default: byDefault})
	}
	node("start", engine.TypeStart)
	last := "start"
	for i := range n {
		id := func(s string) string { return fmt.Sprintf("%s%d", s, i) }
		node(id("p"), engine.TypeParallel)
		node(id("g"), engine.TypeExclusive)
		node(id("m"), engine.TypeJoin)
		node(id("j"), engine.TypeJoin)
		for _, t := range []string{"a", "b", "c", "d", "e"} {
			node(id(t), engine.TypeTask)
		}
		edge(last, id("p"), "", false)
		edge(id("p"), id("g"), "", false)
		edge(id("p"), id("a"), "", false)
		edge(id("g"), id("b"), "n > 2", false)
		edge(id("g"), id("c"), "", true)
		edge(id("b"), id("m"), "", false)
		edge(id("c"), id("m"), "", false)
		edge(id("m"), id("d"), "", false)
		edge(id("d"), id("j"), "", false)
		edge(id("a"), id("j"), "", false)
		edge(id("j"), id("e"), "", false)
		last = id("e")
	}
	node("end", engine.TypeEnd)
	edge(last, "end", "", false)
	return f
}
