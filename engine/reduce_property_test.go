package engine

import (
	"testing"
)

// TestReducedFlowsCompile: what is left of a random flow compiles, whatever is left out;
// a flow of which nothing is left and expressions that read what is left out are said.
func TestReducedFlowsCompile(t *testing.T) {
	t.Parallel()
	reduced := 0
	for seed := range uint64(400) {
		d := &dice{data: uniform(seed, 3, 600)}
		f := drawFlow(t, d).flow
		part := 1 + d.roll(4)
		var without []string
		for i := range f.Nodes {
			n := &f.Nodes[i]
			n.Optional = optionsOf(n).optional
			if n.Optional && d.roll(4) < part {
				without = append(without, n.ID)
			}
		}
		before := string(Canonical(f))
		left, problems := Reduce(f, without)
		if string(Canonical(f)) != before {
			t.Fatalf("the flow changed:\n%s", before)
		}
		if left == nil {
			for _, p := range problems {
				if p.Code != ProblemFlowEmpty && p.Code != ProblemLeftOutRead {
					t.Fatalf("without %v: %v\n%s", without, p, before)
				}
			}
			continue
		}
		if g, problems := Compile(left, openCatalogue{}); g == nil {
			t.Fatalf("without %v: %v\n%s\n%s", without, problems, before, Canonical(left))
		}
		if reduced++; len(left.Nodes) > len(f.Nodes)-len(without) {
			t.Fatalf("%d of %d nodes are left without %d", len(left.Nodes), len(f.Nodes), len(without))
		}
	}
	if reduced < 60 {
		t.Errorf("%d flows only were reduced", reduced)
	}
}
