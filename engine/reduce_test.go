package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
)

// reduce NODE... shows what is left of the flow without optional nodes, and whether that
// compiles; a start that follows runs it.
func (sc *scenario) reduce(without []string) {
	left, problems := engine.Reduce(&sc.flow, without)
	for _, p := range problems {
		fmt.Fprintf(&sc.out, "%s %s %s%s: %s\n", p.Level, p.Code, p.Node+p.Edge+p.Variable, p.Field, p.Message)
	}
	if left == nil {
		return
	}
	var nodes, variables []string
	for i := range left.Nodes {
		nodes = append(nodes, left.Nodes[i].ID)
	}
	for i := range left.Variables {
		variables = append(variables, left.Variables[i].Name)
	}
	fmt.Fprintf(&sc.out, "nodes %s\n", strings.Join(nodes, " "))
	if len(variables) > 0 {
		fmt.Fprintf(&sc.out, "variables %s\n", strings.Join(variables, " "))
	}
	for _, e := range left.Edges {
		s := fmt.Sprintf("%s: %s -> %s%s", e.ID, e.From, e.To, prefix(" if ", e.Condition))
		if e.Default {
			s += " default"
		}
		sc.out.WriteString(s + "\n")
	}
	for _, s := range left.Schemes {
		fmt.Fprintf(&sc.out, "scheme %s\n", strings.Join(append([]string{s.ID}, s.Without...), " "))
	}
	drawn, graph := sc.flow, sc.graph
	sc.flow = *left
	sc.compile()
	if sc.flow = drawn; sc.state != nil {
		sc.graph = graph // of the run that goes on
	}
}

// TestSchemeWithout: a node runs when one of the schemes runs it.
func TestSchemeWithout(t *testing.T) {
	t.Parallel()
	f := &engine.Flow{
		Nodes: []engine.Node{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d"}},
		Schemes: []engine.Scheme{
			{ID: "one", Without: []string{"c", "a", "c"}}, {ID: "two", Without: []string{"a", "b"}}, {ID: "all"},
		},
	}
	for ids, want := range map[string]string{"": "", "one": "a c", "two": "a b", "one two": "a", "two all": "", "one one": "a c"} {
		got, err := engine.SchemeWithout(f, strings.Fields(ids))
		if err != nil || !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q leaves out %v, want %q: %v", ids, got, want, err)
		}
	}
	var refusal *engine.Error
	if _, err := engine.SchemeWithout(f, []string{"one", "nosuch"}); !errors.As(err, &refusal) || refusal.Code != engine.CodeInvalid || refusal.Field != "/schemes/1" {
		t.Errorf("an unknown scheme: %v", err)
	}
}
