package engine_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
)

// TestEveryProblemIsShown: every code that Compile can report is in the scenarios of
// problems, but for those that need a very large flow or text, which are here and in
// TestNotes.
func TestEveryProblemIsShown(t *testing.T) {
	t.Parallel()
	var shown strings.Builder
	files, err := filepath.Glob("testdata/scenarios/problems*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		shown.Write(b)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(v.Names[0].Name, "Problem") {
			return true
		}
		lit, ok := v.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		code, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Error(err)
		}
		if codes++; code != engine.ProblemFlowTooLarge && code != engine.ProblemNoteText && !strings.Contains(shown.String(), " "+code+" ") {
			t.Errorf("no scenario shows %s", code)
		}
		return true
	})
	if codes < 40 {
		t.Errorf("%d codes found", codes)
	}
	f := serialFlow(engine.MaxNodes)
	_, problems := engine.Compile(f, catalogue{})
	if len(problems) != 1 || problems[0].Code != engine.ProblemFlowTooLarge || problems[0].Args["what"] != "nodes" {
		t.Errorf("%d nodes: %v", len(f.Nodes), problems)
	}
}

// TestLargeFlows: shapes that are hard on a compiler, at the size limit. A quadratic
// step would take minutes.
func TestLargeFlows(t *testing.T) {
	t.Parallel()
	deep := &engine.Flow{Format: engine.FlowFormat}
	add := func(id string, typ engine.NodeType) { deep.Nodes = append(deep.Nodes, engine.Node{ID: id, Type: typ}) }
	edge := func(from, to string) {
		deep.Edges = append(deep.Edges, engine.Edge{ID: fmt.Sprintf("e%d", len(deep.Edges)), From: from, To: to})
	}
	const n = 3300 // parallel gateways inside of each other
	add("start", engine.TypeStart)
	last := "start"
	for i := range n {
		add(fmt.Sprintf("p%d", i), engine.TypeParallel)
		edge(last, fmt.Sprintf("p%d", i))
		last = fmt.Sprintf("p%d", i)
	}
	for i := n - 1; i >= 0; i-- {
		add(fmt.Sprintf("t%d", i), engine.TypeTask)
		deep.Nodes[len(deep.Nodes)-1].Plugin, deep.Nodes[len(deep.Nodes)-1].Action = "test", "any"
		edge(last, fmt.Sprintf("t%d", i))
		add(fmt.Sprintf("j%d", i), engine.TypeJoin)
		edge(fmt.Sprintf("t%d", i), fmt.Sprintf("j%d", i))
		edge(fmt.Sprintf("p%d", i), fmt.Sprintf("j%d", i))
		last = fmt.Sprintf("j%d", i)
	}
	add("end", engine.TypeEnd)
	edge(last, "end")
	g := mustCompile(t, deep)
	if join, ok := g.Join("p7"); !ok || join != "j7" {
		t.Errorf("p7 is matched with %q", join)
	}
	if tasks, _ := runToEnd(t, g); tasks != n {
		t.Errorf("%d tasks ran", tasks)
	}
}
