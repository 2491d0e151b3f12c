package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// fan is a flow whose nodes all run one action at once, and one that asks a person.
func fan(t *testing.T, id, plugin, action, inputs string, n int) string {
	t.Helper()
	nodes := []string{`{"id":"start","type":"start"}`, `{"id":"fork","type":"parallel"}`, `{"id":"join","type":"join"}`, `{"id":"end","type":"end"}`}
	edges := []string{`{"id":"s","from":"start","to":"fork"}`, `{"id":"e","from":"join","to":"end"}`}
	for i := range n {
		nodes = append(nodes, fmt.Sprintf(`{"id":"n%d","type":"task","plugin":%q,"action":%q,"inputs":%s}`, i, plugin, action, inputs))
		edges = append(edges, fmt.Sprintf(`{"id":"a%d","from":"fork","to":"n%d"}`, i, i), fmt.Sprintf(`{"id":"b%d","from":"n%d","to":"join"}`, i, i))
	}
	return fmt.Sprintf(`{"format":"culm.flow/v1","id":%q,"name":%q,"nodes":[%s],"edges":[%s]}`, id, id, strings.Join(nodes, ","), strings.Join(edges, ","))
}

// answers asks the API again and again while more says so, and returns how long the
// slowest hundredth waited.
func (s *server) answers(more func(asked int) bool) time.Duration {
	var all []time.Duration
	for n := 0; n == 0 || more(n); n++ {
		began := time.Now()
		if status, _, text := s.do(http.MethodGet, s.in("/flows?limit=20"), nil, nil); status != http.StatusOK {
			s.t.Errorf("%d %s", status, text)
		}
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all[len(all)*99/100]
}

// P03 in a whole server: 32 nodes of a plugin that recurses without end fail, and nothing
// else; meanwhile the API takes less than twice as long as before, or 10 ms, and the server does
// not grow.
func TestRecursionsOfAStrangerLeaveTheServerAsItIs(t *testing.T) { //nolint:paralleltest // weighs and times the process
	code, err := os.ReadFile(filepath.Join("..", "wasm", "testdata", "evil", "recursion.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	object := json.RawMessage(`{"type":"object"}`)
	deep, err := build.Pack(code, contract.Manifest{
		Format: contract.ManifestFormat, ID: "deep", Version: "1.0.0", Title: contract.T("Deep"),
		Actions: []contract.Action{{ID: "dive", Title: contract.T("Dive"), Inputs: object, Outputs: object}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, false, "core")
	s.upload(deep, "", http.StatusCreated)
	s.upload(variant(t, "ticket", "1.0.0"), "", http.StatusCreated)
	const n = 32
	s.publish(fan(t, "diving", "deep", "dive", `{}`, n))
	s.publish(using("ticket"))
	// slice is how long a process may have a processor before another one gets it: where
	// both processors compute, a quick answer may take that much longer.
	slice := hosttest.TakenAtMost(5 * time.Millisecond)
	before := hosttest.Resident(t)
	hosttest.InTime(t, "beyond twice as long as before, 99 of 100 answers", 0, func() time.Duration {
		idle := s.answers(func(asked int) bool { return asked < 1000 })
		diving, other := s.run("diving", nil), s.run("using", nil)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.published.wait(t, other, "first succeeded", "ask waiting")
			s.published.wait(t, diving, "run blocked")
		}()
		busy := s.answers(func(int) bool {
			select {
			case <-ended:
				return false
			default:
				return true
			}
		})
		for i := range n {
			if text := nodeText(s, diving, fmt.Sprintf("n%d", i)); !strings.Contains(text, wasm.CodeResource) {
				t.Errorf("node %d: %s", i, text)
			}
		}
		t.Logf("99 of 100 answers within %v, before within %v", busy, idle)
		return busy - 2*max(idle, slice)
	})
	grown := hosttest.Resident(t) - before
	t.Logf("the server grew by %d KiB", grown>>10)
	if grown > hosttest.HeldAtMost(100<<20) {
		t.Errorf("the server grew by %d MiB", grown>>20)
	}
}
