package wasm_test

import (
	"encoding/json"
	"testing"

	"github.com/culmhq/culm/host/wasm"
)

// TestGoPluginRandom: nothing random is the same in two calls, although both start
// from one memory image.
func TestGoPluginRandom(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	m := load(t, h, goPlugin(t))
	if !m.FromImage() {
		t.Error("the Go plugin is initialised in every call: its generators were not found")
	}
	const calls = 10
	seen := map[string]map[string]bool{}
	for range calls {
		var got map[string]any
		out := output(t, m, wasm.Call{Export: "random"})
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v in %q", err, out)
		}
		for k := range got {
			b, _ := json.Marshal(got[k])
			if seen[k] == nil {
				seen[k] = map[string]bool{}
			}
			seen[k][string(b)] = true
		}
	}
	for k, values := range seen {
		// A map that is made once has only some dozens of orders, in any Go program.
		if want := map[bool]int{false: calls, true: 2}[k == "old"]; len(values) < want {
			t.Errorf("%s had %d different values in %d calls: %v", k, len(values), calls, values)
		}
	}
}
