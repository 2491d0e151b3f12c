package conformance

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine"
)

// verdict is what the original's validator says.
type verdict struct {
	Accepted         bool              `json:"accepted"`
	ConvergeMatching map[string]string `json:"converge_matching"`
}

// graphCase compiles a tree that the original's validator accepts or refuses, with and
// without tolerance for loops.
func graphCase(c *testCase) ([]string, error) {
	var want map[string]verdict
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return nil, err
	}
	t, g, problems, err := compiled(c)
	if err != nil {
		return nil, err
	}
	d := &differences{}
	accepted := g != nil
	if accepted && c.RunOptions.StartNodeID != "" {
		accepted = canStartAt(g, t.path[c.RunOptions.StartNodeID])
	}
	for tolerance, v := range map[string]bool{"cycle_tolerate=true": accepted, "cycle_tolerate=false": accepted && !g.Cyclic()} {
		if v != want[tolerance].Accepted {
			b, _ := json.Marshal(problems)
			d.add("%s: accepted is %v, want %v; %s", tolerance, v, want[tolerance].Accepted, b)
		}
	}
	if !accepted && g == nil && !slices.ContainsFunc(problems, structural) {
		d.add("refused for what is not its shape: %v", problems)
	}
	if accepted {
		matching(d, t, g, want["cycle_tolerate=true"].ConvergeMatching)
	}
	return d.all, nil
}

// structural reports whether a problem is one of the drawing's shape.
func structural(p engine.Problem) bool {
	return p.Level == engine.SeverityError && !strings.HasPrefix(p.Code, "EXPR_") && !strings.HasPrefix(p.Code, "VARIABLE_")
}

// matching compares the joins of the gateways that fork. The original also matches
// exclusive gateways with a join, which says nothing about how a run goes.
func matching(d *differences, t *translated, g *engine.Graph, want map[string]string) {
	for id, n := range t.node {
		if n.Type != "parallel" && n.Type != "conditional_parallel" {
			continue
		}
		join, _ := g.Join(t.path[id])
		d.equal("converge_matching."+id, t.path[want[id]], join)
	}
}

// tokenCase compares the groups of nodes that share a token.
func tokenCase(c *testCase) ([]string, error) {
	var want struct {
		TokenGroups [][]string `json:"token_groups"`
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return nil, err
	}
	c.RunOptions.CycleTolerate = true
	t, g, err := mustCompile(c)
	if err != nil {
		return nil, err
	}
	d := &differences{}
	d.equal("token_groups", want.TokenGroups, groups(t, g))
	return d.all, nil
}

func groups(t *translated, g *engine.Graph) [][]string {
	local := map[string]string{}
	for id, path := range t.path {
		local[path] = id
	}
	var out [][]string
	for _, group := range engine.TokenGroups(g) {
		ids := make([]string, len(group))
		for i, path := range group {
			ids[i] = local[path]
		}
		slices.Sort(ids)
		out = append(out, ids)
	}
	slices.SortFunc(out, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return out
}

// canStartAt asks the core whether a run may begin at a node.
func canStartAt(g *engine.Graph, node string) bool {
	_, _, _, err := engine.Start(g, engine.Meta{At: epoch}, engine.StartOptions{Run: "01980000-0000-7000-8000-000000000001", StartAt: node})
	return err == nil
}

// sortedKeys lists the keys of a map.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
