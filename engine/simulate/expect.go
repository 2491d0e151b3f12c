package simulate

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culmhq/culm/engine"
)

// Unmet is something that the script expected and that did not come.
type Unmet struct {
	// Pointer is the JSON Pointer of the expectation in the script.
	Pointer string `json:"pointer"`
	// What says for people what was looked at, Want and Got how it should be and is.
	What string `json:"what"`
	Want string `json:"want"`
	Got  string `json:"got"`
	// Detail says more, where there is more to say.
	Detail string `json:"detail,omitempty"`
}

// absent stands for a value that is not there.
const absent = "(absent)"

// judge holds what came out against what the script expects.
type judge struct {
	sim   *Simulation
	paths *paths
	spans []Span
	views map[string]engine.RunView
	unmet []Unmet
}

func (j *judge) miss(pointer, what, want, got string) {
	j.unmet = append(j.unmet, Unmet{Pointer: pointer, What: what, Want: want, Got: got})
}

// expect looks at every expectation.
func (j *judge) expect(e *Expect, elapsed time.Duration) {
	root := j.view("")
	if e.Run != "" && e.Run != root.State {
		j.miss("/expect/run", "the run", string(e.Run), string(root.State))
	}
	for _, path := range slices.Sorted(maps.Keys(e.Nodes)) {
		if got := j.node(path).State; got != e.Nodes[path] {
			j.miss("/expect/nodes/"+escape(path), "node "+path, string(e.Nodes[path]), orAbsent(string(got)))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(e.Failures)) {
		got := absent
		if f := j.node(path).Failure; f != nil {
			got = f.Code
		}
		if got != e.Failures[path] {
			j.miss("/expect/failures/"+escape(path), "the failure of node "+path, e.Failures[path], got)
		}
	}
	j.values("/expect/outputs/", "output", e.Outputs, root.Outputs)
	j.values("/expect/variables/", "variable", e.Variables, root.Variables)
	j.reached(e)
	if e.Elapsed != "" && e.Elapsed.or(0) != elapsed {
		j.miss("/expect/elapsed", "the virtual time", e.Elapsed.or(0).String(), elapsed.String())
	}
}

// reached looks at which nodes were tried, and how often.
func (j *judge) reached(e *Expect) {
	count := map[string]int{}
	for _, sp := range j.spans {
		count[sp.Node]++
	}
	for _, path := range slices.Sorted(maps.Keys(e.Attempts)) {
		if count[path] != e.Attempts[path] {
			j.miss("/expect/attempts/"+escape(path), "the attempts of node "+path, strconv.Itoa(e.Attempts[path]), strconv.Itoa(count[path]))
		}
	}
	for i, path := range e.Executed {
		if count[path] == 0 {
			j.miss("/expect/executed/"+strconv.Itoa(i), "node "+path, "executed", "not executed")
		}
	}
	for i, path := range e.NotExecuted {
		if count[path] > 0 {
			j.miss("/expect/not_executed/"+strconv.Itoa(i), "node "+path, "not executed", "executed")
		}
	}
}

func (j *judge) values(pointer, what string, want, got map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !sameJSON(want[name], got[name]) {
			j.miss(pointer+escape(name), what+" "+name, string(want[name]), orAbsent(string(got[name])))
		}
	}
}

func (j *judge) view(run string) engine.RunView {
	if v, ok := j.views[run]; ok {
		return v
	}
	v, _ := j.sim.View(run)
	j.views[run] = v
	return v
}

func (j *judge) node(path string) engine.NodeView {
	at, ok := j.paths.find(path)
	if !ok {
		return engine.NodeView{}
	}
	return j.view(at.run).Nodes[at.id]
}

func orAbsent(s string) string {
	if s == "" {
		return absent
	}
	return s
}

// sameJSON reports whether two texts hold the same JSON value: order of fields, white
// space and the notation of numbers do not matter.
func sameJSON(a, b json.RawMessage) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	x, ok1 := decoded(a)
	y, ok2 := decoded(b)
	return ok1 && ok2 && reflect.DeepEqual(x, y)
}

func decoded(raw json.RawMessage) (any, bool) {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	return normal(v), true
}

// normal writes every number the same way. A whole number keeps all its digits.
func normal(v any) any {
	switch v := v.(type) {
	case json.Number:
		if _, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return v.String()
		}
		if f, err := v.Float64(); err == nil {
			if f == float64(int64(f)) {
				return strconv.FormatInt(int64(f), 10)
			}
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
		return v.String()
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = normal(v[k])
		}
	}
	return v
}
