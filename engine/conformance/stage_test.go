package conformance

import (
	"slices"

	"github.com/culmhq/culm/engine"
)

// The cases of rollbacks say in which states the nodes are before. Their flows were not
// run, so that conditions and behaviours do not lead there: staging gives them others.

// stage gives the nodes of a case, and of its subprocesses, what brings them into the
// states before.
func stage(c *testCase) { stageTree(c, &c.Tree) }

func stageTree(c *testCase, t *tree) {
	for i := range t.Nodes {
		n := &t.Nodes[i]
		switch n.Type {
		case "activity":
			stageActivity(c, n)
		case "exclusive", "conditional_parallel":
			stageGateway(c, t, n)
		case "subprocess":
			stageTree(c, n.Tree)
		}
	}
}

func stageActivity(c *testCase, n *treeNode) {
	b := c.Behaviour[n.ID]
	kind := map[string]string{"FAILED": "fail", "ROLL_BACK_FAILED": "fail", "RUNNING": "callback"}[c.StatesBefore[n.ID]]
	if b["skip"] == true || b["error_ignored"] == true {
		kind = "fail"
	}
	if kind == "" {
		kind = "echo"
	}
	n.Behavior = behavior{"kind": kind, "rollback": b.text("rollback")}
	n.Options.ErrorIgnorable = b["error_ignored"] == true
	if rollingBack(c) { // somebody's rollback has failed
		n.Behavior["rollback"] = "fail first time"
	}
}

// stageGateway makes the conditions hold whose edges were taken. Of those of an exclusive
// gateway that is the one that leads on; the others are of rounds before.
func stageGateway(c *testCase, t *tree, n *treeNode) {
	var taken []string
	for _, e := range t.Edges {
		if e.From == n.ID && c.StatesBefore[e.To] != "" && c.StatesBefore[n.ID] != "FAILED" {
			taken = append(taken, e.ID)
		}
	}
	if on := slices.IndexFunc(taken, func(id string) bool { return t.leads(id, n.ID, c.StartNode) }); n.Type == "exclusive" && len(taken) > 0 {
		taken = taken[max(on, 0) : max(on, 0)+1]
	}
	if len(taken) == 0 && c.StatesBefore[n.ID] != "FAILED" && len(t.Edges) > 0 {
		for _, e := range t.Edges { // it stops right behind the gateway, wherever that is
			if e.From == n.ID {
				taken = []string{e.ID}
				break
			}
		}
	}
	n.Default = ""
	n.Conditions = map[string]string{}
	for _, e := range t.Edges {
		if e.From != n.ID {
			continue
		}
		n.Conditions[e.ID] = "1 == 2"
		if slices.Contains(taken, e.ID) {
			n.Conditions[e.ID] = "1 == 1"
		}
	}
}

// leads reports whether an edge leads to a node without coming back to where it begins.
func (t *tree) leads(edge, from, to string) bool {
	seen := map[string]bool{from: true}
	var todo []string
	for _, e := range t.Edges {
		if e.ID == edge {
			todo = append(todo, e.To)
		}
	}
	for len(todo) > 0 {
		id := todo[0]
		todo = todo[1:]
		if id == to {
			return true
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		for _, e := range t.Edges {
			if e.From == id {
				todo = append(todo, e.To)
			}
		}
	}
	return false
}

// hold stops the run before the nodes that have no state yet.
func (w *world) hold(c *testCase) error {
	for _, id := range sortedKeys(w.t.path) {
		if c.StatesBefore[id] != "" || w.s.View().Nodes[w.t.path[id]].State != engine.NodeIdle {
			continue
		}
		if err := w.step(w.meta(), engine.Pause{Node: w.t.path[id]}); err != nil {
			return err
		}
	}
	return nil
}
