package conformance

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/culmhq/culm/engine"
)

// undoing is the block that a rollback case compares.
type undoing struct {
	TokenGroups   [][]string `json:"token_groups"`
	RollbackGraph *struct {
		Edges   [][]string `json:"edges"`
		Cleaned []string   `json:"cleaned_but_not_rolled_back"`
	} `json:"rollback_graph"`
	CalledFor        *[]string         `json:"rollback_called_for"`
	NotCalledFor     []string          `json:"rollback_not_called_for"`
	OrderConstraints [][2]string       `json:"rollback_order_constraints"`
	RecordsDeleted   []string          `json:"records_deleted_for"`
	RestartsAt       string            `json:"restarts_at"`
	Refused          bool              `json:"refused"`
	AfterFirstRun    map[string]string `json:"after_first_run"`
	RetryAllowedFor  []string          `json:"retry_allowed_for"`
	AfterRetry       *struct {
		CalledFor  []string `json:"rollback_called_for"`
		RestartsAt string   `json:"restarts_at"`
	} `json:"after_retry"`
}

// rollbackCase brings a run to where the case begins, and rolls it back.
func rollbackCase(c *testCase) ([]string, error) {
	var want undoing
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return nil, err
	}
	stage(c)
	c.RunOptions.CycleTolerate = true
	t, g, err := mustCompile(c)
	if err != nil {
		return nil, err
	}
	w := newWorld(t, g)
	if err := w.reach(c); err != nil {
		return nil, err
	}
	d := &differences{}
	d.equal("token_groups", want.TokenGroups, groups(t, g))
	r := engine.Rollback{From: t.path[c.StartNode], To: t.path[c.TargetNode], Mode: engine.RollbackCompensate}
	if c.Mode == "ANY" {
		r.Mode = engine.RollbackAny
	}
	plan, planErr := engine.RollbackPlan(g, w.s, r)
	before := len(w.records)
	if err := w.step(w.meta(), r); err != nil || planErr != nil {
		if !want.Refused || err == nil || planErr == nil {
			d.add("the rollback: %v, the plan: %v; want refused: %v", err, planErr, want.Refused)
		}
		return d.all, nil
	}
	if want.Refused {
		d.add("the rollback was not refused")
		return d.all, nil
	}
	w.comparePlan(d, &want, plan)
	if err := w.idle(); err != nil {
		return nil, err
	}
	if err := w.undone(d, c, &want, before); err != nil {
		return nil, err
	}
	return d.all, engine.CheckHistory(g, w.records)
}

func rollingBack(c *testCase) bool { return c.StatesBefore["root"] == "ROLL_BACK_FAILED" }

// reach runs a case to where its rollback is asked for. Some of the states that the cases
// begin with cannot come to be in a run: then it goes as far as it can.
func (w *world) reach(c *testCase) error {
	if err := w.start(""); err != nil {
		return err
	}
	if err := w.hold(c); err != nil {
		return err
	}
	if err := w.idle(); err != nil {
		return err
	}
	for _, id := range sortedKeys(c.Behaviour) {
		if c.Behaviour[id]["skip"] != true {
			continue
		}
		if err := w.step(w.meta(), engine.Skip{Node: w.t.path[id]}); err != nil {
			return err
		}
		if err := w.idle(); err != nil {
			return err
		}
	}
	if c.StatesBefore["root"] == "SUSPENDED" {
		return w.step(w.meta(), engine.Pause{})
	}
	if !rollingBack(c) {
		return nil
	}
	r := engine.Rollback{From: w.t.path[c.StartNode], To: w.t.path[c.TargetNode], Mode: engine.RollbackCompensate}
	if err := w.step(w.meta(), r); err != nil {
		return err
	}
	return w.idle()
}

// comparePlan compares the preview with the original's reversed graph.
func (w *world) comparePlan(d *differences, want *undoing, plan engine.Plan) {
	local := w.level(plan.To)
	after := map[string][]string{}
	for _, st := range plan.Steps {
		after[st.Node] = st.After
	}
	edges, touched, reset := [][]string{}, []string{}, []string{}
	for _, st := range plan.Steps {
		if local[st.Node] == "" {
			continue
		}
		touched = append(touched, local[st.Node])
		for _, a := range w.before(st.Node, local, after) {
			edges = append(edges, []string{local[a], local[st.Node]})
		}
	}
	edges = append(edges, []string{"START", local[plan.From]}, []string{local[plan.To], "END"})
	slices.SortFunc(edges, slices.Compare)
	for _, r := range plan.Reset {
		if local[r] != "" {
			reset = append(reset, local[r])
		}
	}
	slices.Sort(reset)
	if want.RollbackGraph != nil {
		d.equal("rollback_graph.edges", want.RollbackGraph.Edges, edges)
		d.equal("rollback_graph.cleaned_but_not_rolled_back", want.RollbackGraph.Cleaned, reset)
	}
	if want.RecordsDeleted != nil {
		touched = append(touched, reset...)
		slices.Sort(touched)
		d.equal("records_deleted_for", want.RecordsDeleted, touched)
	}
}

// level maps the paths of the nodes that are in the same flow as one of them. The
// original does not look into the subprocesses in between; Culm undoes what is in them.
func (w *world) level(path string) map[string]string {
	owner := w.watch.owner(w.nodeAt(path))
	out := map[string]string{}
	for id, p := range w.t.path {
		if w.watch.owner(w.t.node[id]) == owner {
			out[p] = id
		}
	}
	return out
}

// before lists the steps of the same level that are undone right before one.
func (w *world) before(node string, local map[string]string, after map[string][]string) []string {
	var out []string
	for _, a := range after[node] {
		if local[a] != "" {
			out = append(out, a)
		} else {
			out = append(out, w.before(a, local, after)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// undone compares what the rollback did, and retries what it could not undo.
func (w *world) undone(d *differences, c *testCase, want *undoing, before int) error {
	if want.AfterFirstRun != nil {
		have := w.watch.checkpoint()
		for _, id := range sortedKeys(want.AfterFirstRun) {
			state := have[id]
			if id == "root" && w.watch.root == engine.RunBlocked && slices.Contains(sortedValues(have), "ROLL_BACK_FAILED") {
				state = "ROLL_BACK_FAILED"
			}
			d.equal("after_first_run."+id, want.AfterFirstRun[id], state)
		}
	}
	for id, n := range w.t.node {
		if want.RetryAllowedFor == nil || n.Type != "activity" || slices.Contains(want.RetryAllowedFor, id) {
			continue
		}
		if err := w.step(w.meta(), engine.Retry{Node: w.t.path[id]}); err == nil {
			d.add("a retry of %s is allowed", id)
		}
	}
	for _, id := range want.RetryAllowedFor {
		if err := w.step(w.meta(), engine.Retry{Node: w.t.path[id]}); err != nil {
			return fmt.Errorf("retry %s: %w", id, err)
		}
		if err := w.idle(); err != nil {
			return err
		}
	}
	called, restarts := want.CalledFor, want.RestartsAt
	if want.AfterRetry != nil {
		called, restarts = &want.AfterRetry.CalledFor, want.AfterRetry.RestartsAt
	}
	local := w.level(w.t.path[c.TargetNode])
	rolled := slices.DeleteFunc(append([]string{}, w.plugin.rolled...), func(id string) bool { return local[w.t.path[id]] == "" })
	if called != nil {
		d.equal("rollback_called_for", *called, rolled)
	}
	for _, id := range want.NotCalledFor {
		if slices.Contains(w.plugin.rolled, id) {
			d.add("the rollback of %s was called", id)
		}
	}
	for _, p := range want.OrderConstraints {
		if a, b := slices.Index(w.plugin.rolled, p[0]), slices.Index(w.plugin.rolled, p[1]); a < 0 || b < 0 || a > b {
			d.add("%s was not undone before %s: %v", p[0], p[1], w.plugin.rolled)
		}
	}
	d.equal("restarts_at", restarts, w.restarted(before))
	return nil
}

func sortedValues(m map[string]string) []string {
	var out []string
	for _, k := range sortedKeys(m) {
		out = append(out, m[k])
	}
	return out
}

// restarted is the node that is entered first when the rollback has ended.
func (w *world) restarted(before int) string {
	ended := false
	for _, r := range w.records[before:] {
		switch p := r.Data.(type) {
		case engine.RollbackChanged:
			ended = p.Phase == engine.RollbackEnded
		case engine.NodeChanged:
			if ended && p.To != engine.NodeIdle {
				return w.nodeAt(r.Node).ID
			}
		default:
		}
	}
	return ""
}
