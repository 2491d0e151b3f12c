package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"

	"github.com/culmhq/culm/engine"
)

// expectation is the block that a run case compares.
type expectation struct {
	RootState             string                      `json:"root_state"`
	NodeStates            map[string]map[string]any   `json:"node_states"`
	NotExecuted           []string                    `json:"not_executed"`
	ExecutionData         map[string]map[string]any   `json:"execution_data"`
	Context               map[string]map[string]any   `json:"context"`
	Histories             map[string][]map[string]any `json:"histories"`
	Schedules             map[string][]map[string]any `json:"schedules"`
	ExecuteCounts         map[string]int              `json:"execute_counts"`
	MustFinishBeforeStart [][2]string                 `json:"must_finish_before_start"`
	OperationResults      []map[string]any            `json:"operation_results"`
}

// differences compares a run with what was recorded.
type differences struct{ all []string }

func (d *differences) add(format string, args ...any) {
	d.all = append(d.all, fmt.Sprintf(format, args...))
}

// equal compares two values at a place.
func (d *differences) equal(at string, want, have any) {
	if !same(want, have) {
		d.add("%s is %s, want %s", at, short(have), short(want))
	}
}

func short(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// same compares JSON values. Numbers are compared by value.
func same(a, b any) bool {
	a, b = plain(a), plain(b)
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for key, v := range x {
			if w, ok := y[key]; !ok || key != "ex_data" && !same(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, same)
	case float64:
		y, ok := b.(float64)
		return ok && math.Abs(x-y) < 1e-9
	}
	return a == b
}

// plain makes a JSON value of any.
func plain(v any) any {
	switch v.(type) {
	case nil, bool, float64, string, []any, map[string]any:
		return v
	}
	var out any
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		panic(err)
	}
	return out
}

func (w *world) compare(want *expectation, ops []operation, results []outcome) []string {
	d := &differences{}
	d.equal("root_state", want.RootState, rootState(w.watch.root))
	w.compareStates(d, want)
	w.compareData(d, want)
	d.equal("context", nonEmpty(want.Context), nonEmpty(w.context()))
	w.compareLists(d, want)
	counts := map[string]any{}
	for id, n := range w.plugin.counts {
		if w.t.node[id].Type == "activity" {
			counts[id] = float64(n)
		}
	}
	d.equal("execute_counts", want.ExecuteCounts, counts)
	for _, p := range want.MustFinishBeforeStart {
		a, b := w.watch.nodes[p[0]], w.watch.nodes[p[1]]
		if a == nil || b == nil || a.ended == 0 || a.ended > b.first {
			d.add("%s did not finish before %s began", p[0], p[1])
		}
	}
	w.compareResults(d, want, ops, results)
	return d.all
}

func nonEmpty(m map[string]map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if len(v) > 0 {
			out[k] = v
		}
	}
	return out
}

func (w *world) compareStates(d *differences, want *expectation) {
	not := []string{}
	for id := range w.t.node {
		s := w.watch.nodes[id]
		if s == nil || s.state == "" {
			not = append(not, id)
			if _, ok := want.NodeStates[id]; ok {
				d.add("node_states.%s is missing", id)
			}
			continue
		}
		have := map[string]any{
			"state": s.state, "loop": float64(s.loop), "inner_loop": float64(s.inner), "retry": float64(s.retry), "skip": s.skip, "error_ignored": s.ignored,
		}
		d.equal("node_states."+id, want.NodeStates[id], have)
	}
	sort.Strings(not)
	wanted := slices.Clone(want.NotExecuted)
	sort.Strings(wanted)
	d.equal("not_executed", wanted, not)
}

func (w *world) compareData(d *differences, want *expectation) {
	have := map[string]map[string]any{}
	for id, s := range w.watch.nodes {
		if s.data != nil {
			have[id] = map[string]any{"inputs": s.data.inputs, "outputs": s.data.outputs}
		}
	}
	rootInputs := w.t.options.RootData
	if rootInputs == nil {
		rootInputs = map[string]any{}
	}
	if w.watch.ended != nil || len(rootInputs) > 0 {
		have["root"] = map[string]any{"inputs": rootInputs, "outputs": w.outputs()}
	}
	for _, id := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want.ExecutionData[id]; !ok {
			d.add("execution_data.%s is %s, want nothing", id, short(have[id]))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(want.ExecutionData)) {
		d.equal("execution_data."+id, want.ExecutionData[id], have[id])
		forced, _ := have[id]["outputs"].(map[string]any)
		if _, ok := forced["_forced_failed"]; ok { // the text is the operator's own
			out, _ := want.ExecutionData[id]["outputs"].(map[string]any)
			d.equal("execution_data."+id+".outputs.ex_data", out["ex_data"], forced["ex_data"])
		}
	}
}

// outputs are the run's, by key. One without a value is its own key in the original.
func (w *world) outputs() map[string]any {
	out := map[string]any{}
	if w.watch.ended == nil {
		return out
	}
	sc := w.t.scopes["root"]
	for _, key := range sc.Outputs {
		if v, ok := w.watch.ended[sc.names[key]]; ok {
			out[key] = v
		} else {
			out[key] = key
		}
	}
	return out
}

// context are the variables of all scopes: those with a value, and those that are
// rendered when they are read.
func (w *world) context() map[string]map[string]any {
	out := map[string]map[string]any{}
	for owner, sc := range w.t.scopes {
		out[owner] = map[string]any{}
		for key, name := range sc.names {
			if v := w.contextValue(sc, key, name); v != nil {
				out[owner][key] = v
			}
		}
	}
	return out
}

func (w *world) contextValue(sc *scopeTree, key, name string) map[string]any {
	plainValue := func(v any) map[string]any { return map[string]any{"type": "plain", "value": v} }
	if lazy := sc.lazies[key]; lazy != nil {
		return map[string]any{"type": "compute", "value": value(lazy.Value)}
	}
	if raw, ok := w.variable(sc, name); ok {
		return plainValue(value(raw))
	}
	d := sc.Variables[key]
	if d == nil {
		return nil
	}
	entered := sc.owner == "root" || w.watch.entered[sc.owner] > 0
	counted := w.watch.nodes[sc.counters[key]]
	switch {
	case counted != nil && counted.data != nil:
		return plainValue(counted.loop)
	case d.Type == "splice":
		return map[string]any{"type": "splice", "value": value(d.Value)}
	case d.Type == "lazy":
		return map[string]any{"type": "compute", "value": value(d.Value)}
	case sc.counters[key] != "" && d.Initial != nil:
		return plainValue(value(d.Initial))
	case d.Type == "plain" && !entered:
		return plainValue(value(d.Value))
	case d.Initial != nil && !entered:
		return plainValue(value(d.Initial))
	}
	return nil
}

// variable finds the last value of a variable in the records.
func (w *world) variable(sc *scopeTree, name string) (json.RawMessage, bool) {
	var found json.RawMessage
	path := w.t.path[sc.owner]
	for i := range w.records {
		switch p := w.records[i].Data.(type) {
		case engine.RunStarted:
			if path == "" {
				found = p.Variables[name]
			}
		case engine.ScopeEntered:
			if w.records[i].Node == path && p.Variables[name] != nil {
				found = p.Variables[name]
			}
		case engine.VariableSet:
			if p.Scope == path && p.Name == name {
				found = p.Value
			}
		default:
		}
	}
	return found, found != nil
}

func (w *world) compareLists(d *differences, want *expectation) {
	histories, schedules := map[string]any{}, map[string]any{}
	for id, s := range w.watch.nodes {
		if len(s.history) > 0 {
			histories[id] = s.history
		}
		var list []any
		for _, sch := range s.schedules {
			list = append(list, map[string]any{"finished": sch.finished, "expired": sch.expired, "type": sch.kind})
		}
		if len(list) > 0 {
			schedules[id] = list
		}
	}
	for _, l := range want.Schedules {
		for _, sch := range l {
			delete(sch, "times")
		}
	}
	for at, pair := range map[string][2]map[string]any{
		"histories": {widen(want.Histories), histories}, "schedules": {widen(want.Schedules), schedules},
	} {
		for _, id := range slices.Sorted(maps.Keys(pair[1])) {
			if _, ok := pair[0][id]; !ok {
				d.add("%s.%s is %s, want nothing", at, id, short(pair[1][id]))
			}
		}
		for _, id := range slices.Sorted(maps.Keys(pair[0])) {
			d.equal(at+"."+id, pair[0][id], pair[1][id])
		}
	}
}

func widen(m map[string][]map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func (w *world) compareResults(d *differences, want *expectation, ops []operation, results []outcome) {
	if len(want.OperationResults) != len(results) {
		d.add("%d of %d operations were done, want %d", len(results), len(ops), len(want.OperationResults))
		return
	}
	for i, r := range results {
		at := fmt.Sprintf("operation_results[%d] (%s %s)", i, r.op, r.target)
		expected := want.OperationResults[i]
		d.equal(at+".op", expected["op"], r.op)
		if t, ok := expected["t"].(float64); ok && !w.recovered {
			d.equal(at+".t", t, r.t)
		}
		refused := expected["result"] == "error"
		if refused != (r.err != nil) {
			d.add("%s: %v, want %v %v", at, r.err, expected["result"], expected["error"])
		}
		if states, ok := expected["states"]; ok {
			d.equal(at+".states", states, r.states)
		}
	}
}
