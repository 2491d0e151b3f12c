package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testCase is a recorded case, of any kind.
type testCase struct {
	file, kind     string
	Tree           tree                `json:"tree"`
	Operations     []operation         `json:"operations"`
	Faults         []json.RawMessage   `json:"faults"`
	RunOptions     runOptions          `json:"run_options"`
	EngineSettings map[string]any      `json:"engine_settings"`
	Expected       json.RawMessage     `json:"expected"`
	Mode           string              `json:"mode"`
	StartNode      string              `json:"start_node"`
	TargetNode     string              `json:"target_node"`
	StatesBefore   map[string]string   `json:"node_states_before"`
	Behaviour      map[string]behavior `json:"behaviour"`
}

type runOptions struct {
	CycleTolerate     bool           `json:"cycle_tolerate"`
	StartNodeID       string         `json:"start_node_id"`
	RootData          map[string]any `json:"root_data"`
	RootContext       map[string]any `json:"root_context"`
	SubprocessContext map[string]any `json:"subprocess_context"`
}

type tree struct {
	Nodes         []treeNode           `json:"nodes"`
	Edges         []treeEdge           `json:"edges"`
	Variables     map[string]*variable `json:"variables"`
	Outputs       []string             `json:"outputs"`
	PreRenderKeys []string             `json:"pre_render_keys"`
}

type treeNode struct {
	ID         string               `json:"id"`
	Type       string               `json:"type"`
	Event      string               `json:"event"`
	Behavior   behavior             `json:"behavior"`
	Inputs     map[string]*variable `json:"inputs"`
	Params     map[string]*variable `json:"params"`
	Options    options              `json:"options"`
	Tree       *tree                `json:"tree"`
	Conditions map[string]string    `json:"conditions"`
	Default    string               `json:"default"`
}

type treeEdge struct{ ID, From, To string }

type variable struct {
	Type       string          `json:"type"`
	Value      json.RawMessage `json:"value"`
	CustomType string          `json:"custom_type"`
	NeedRender *bool           `json:"need_render"`
	Source     []source        `json:"source"`
	Initial    json.RawMessage `json:"initial"`
}

type source struct{ Node, Key string }

// behavior is how a plugin of the original's tests acts: its kind, and parameters.
type behavior map[string]any

func (b behavior) text(key string) string { s, _ := b[key].(string); return s }

func (b behavior) number(key string) float64 { n, _ := b[key].(float64); return n }

func (b behavior) numbers(key string) []float64 {
	list, _ := b[key].([]any)
	var out []float64
	for _, v := range list {
		n, _ := v.(float64)
		out = append(out, n)
	}
	return out
}

type options struct {
	ErrorIgnorable bool  `json:"error_ignorable"`
	Skippable      *bool `json:"skippable"`
	Retryable      *bool `json:"retryable"`
	Loop           *loop `json:"loop"`
}

type loop struct {
	LoopTimes  int    `json:"loop_times"`
	FailSkip   bool   `json:"fail_skip"`
	Retryable  *bool  `json:"retryable"`
	Skippable  *bool  `json:"skippable"`
	OutputsKey string `json:"outputs_key"`
}

type operation struct {
	When   map[string]json.RawMessage `json:"when"`
	Op     string                     `json:"op"`
	Target string                     `json:"target"`
	Args   struct {
		Inputs    map[string]json.RawMessage `json:"inputs"`
		LoopRetry bool                       `json:"loop_retry"`
		LoopSkip  bool                       `json:"loop_skip"`
		Flow      string                     `json:"flow"`
		Flows     []string                   `json:"flows"`
		Converge  string                     `json:"converge"`
		ExData    string                     `json:"ex_data"`
		Data      json.RawMessage            `json:"data"`
		Version   json.RawMessage            `json:"version"`
	} `json:"args"`
}

// The kinds of cases, in the order in which they are reported.
func kinds() []string {
	return []string{"run", "derived", "invalid", "invalid-nocycles", "valid-graph", "token", "rollback"}
}

// kindOf tells a case's kind by the name of its file.
func kindOf(name string) string {
	for _, k := range []string{"derived", "invalid-nocycles", "invalid", "valid-graph", "token", "rollback"} {
		if strings.HasPrefix(name, k+"-") {
			return k
		}
	}
	return "run"
}

// load reads the cases of a directory, sorted by name.
func load(tb testing.TB, dir string) []*testCase {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		tb.Fatal(err)
	}
	if len(files) == 0 {
		tb.Fatalf("no cases in %s", dir)
	}
	slices.Sort(files)
	cases := make([]*testCase, 0, len(files))
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(f), ".json")
		c := &testCase{file: name, kind: kindOf(name)}
		if err := json.Unmarshal(raw, c); err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		cases = append(cases, c)
	}
	return cases
}
