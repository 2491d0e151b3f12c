package app_test

import (
	"strings"
	"testing"
)

// TestRollbackCallsThePlugin goes back over a real plugin, whose rollback restores in the
// demo system what its action changed.
func TestRollbackCallsThePlugin(t *testing.T) {
	t.Parallel()
	s := start(t, true, "core", "demo", "http")
	s.publish(`{"format":"culm.flow/v1","id":"undo","name":"Undo",
		"nodes":[{"id":"start","type":"start"},
			{"id":"drain","type":"task","plugin":"demo","action":"drain_host","inputs":{"host":"ledger-02"}},
			{"id":"lost","type":"task","plugin":"demo","action":"drain_host","inputs":{"host":"nowhere"}},
			{"id":"end","type":"end"}],
		"edges":[{"id":"e1","from":"start","to":"drain"},{"id":"e2","from":"drain","to":"lost"},{"id":"e3","from":"lost","to":"end"}]}`)
	run := s.run("undo", nil)
	s.published.wait(t, run, "drain succeeded", "lost failed", "run blocked")
	want[map[string]any](s, 200, "POST", s.in("/runs/%s/commands", run), `{"command":"rollback","mode":"compensate","from":"lost","to":"drain"}`)
	s.published.wait(t, run, "lost rolled_back", "drain rolling_back", "drain rolled_back", "drain running", "drain succeeded", "lost failed")

	node := want[struct {
		Attempts []struct {
			Number  int `json:"attempt"`
			State   string
			Outputs struct{ Before string }
			Calls   []struct{ Operation, Key string }
		}
	}](s, 200, "GET", s.in("/runs/%s/nodes/drain", run), nil)
	if len(node.Attempts) != 2 {
		t.Fatalf("node %+v", node)
	}
	first, second := node.Attempts[0], node.Attempts[1]
	if first.State != "rolled_back" || first.Outputs.Before != "in" || second.State != "succeeded" || second.Outputs.Before != "in" {
		t.Errorf("the first attempt is %+v, the second found %+v", first, second)
	}
	var made []string
	for _, c := range first.Calls {
		made = append(made, c.Operation)
	}
	if got := strings.Join(made, " "); !strings.HasSuffix(got, "set_host_state set_host_state") {
		t.Errorf("calls of the first attempt: %s", got)
	}
}
