package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
)

// TestTheLifeOfACall follows a real plugin through its calls: execute begins a deployment
// in the demo system and waits, resume looks at it with the state that execute left and
// tells how far it is, and cancel stops it when the run is revoked. (Rollback:
// TestRollbackCallsThePlugin; options: TestChoicesOfAFormComeThroughTheGateway.)
func TestTheLifeOfACall(t *testing.T) {
	t.Parallel()
	s := start(t, true, "core", "demo", "http")
	deploy := func(id, service, host string) string {
		s.publish(`{"format":"culm.flow/v1","id":"` + id + `","name":"Deploy",
			"nodes":[{"id":"start","type":"start"},
				{"id":"deploy","type":"task","plugin":"demo","action":"deploy_service","inputs":{"service":"` + service + `","version":"9.9","hosts":["` + host + `"]}},
				{"id":"end","type":"end"}],
			"edges":[{"id":"e1","from":"start","to":"deploy"},{"id":"e2","from":"deploy","to":"end"}]}`)
		return s.run(id, nil)
	}
	type node struct {
		Attempts []struct {
			State string
			Calls []struct{ Operation string }
		}
	}
	calls := func(run string) []string {
		n := want[node](s, 200, "GET", s.in("/runs/%s/nodes/deploy", run), nil)
		var made []string
		for _, c := range n.Attempts[0].Calls {
			made = append(made, c.Operation)
		}
		return made
	}

	done := deploy("life-done", "ledger", "ledger-01")
	s.published.wait(t, done, "deploy waiting", "node.note", "deploy running", "deploy succeeded", "run succeeded")
	made := calls(done)
	if len(made) < 2 || made[0] != "start_deployment" || made[1] != "get_deployment" {
		t.Errorf("calls %v", made)
	}
	var percents []int
	for _, r := range want[struct {
		Items []struct {
			Kind string
			Data struct{ Progress *engine.Progress }
		}
	}](s, 200, "GET", s.in("/runs/%s/records", done), nil).Items {
		if r.Kind == string(engine.KindNodeNote) && r.Data.Progress != nil {
			percents = append(percents, r.Data.Progress.Percent)
		}
	}
	if len(percents) < 2 || percents[len(percents)-1] != 100 {
		t.Errorf("progress %v", percents)
	}

	// The slow service is revoked on its way.
	revoked := deploy("life-revoked", "search", "search-01")
	s.published.wait(t, revoked, "deploy waiting")
	want[map[string]any](s, 200, "POST", s.in("/runs/%s/commands", revoked), `{"command":"revoke","reason":"enough"}`)
	s.published.wait(t, revoked, "deploy cancelled", "run revoked")
	// Cancelling goes on after the run has ended: nobody waits for it.
	cancelled := false
	for end := time.Now().Add(patience / 4); !cancelled && time.Now().Before(end); {
		cancelled = slices.Contains(calls(revoked), "cancel_deployment")
	}
	if !cancelled {
		t.Fatalf("the deployment of the revoked run was not cancelled: %v", calls(revoked))
	}
}
