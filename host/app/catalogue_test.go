package app_test

import (
	"testing"
)

// TestThePlatformTellsHowPluginsDo runs a flow that fails and one that is switched off,
// and reads the figures, also after a restart.
func TestThePlatformTellsHowPluginsDo(t *testing.T) {
	t.Parallel()
	s := start(t, true, "core", "demo", "http")
	run := s.run("health-patrol", nil)
	c := s.follow(run, -1)
	c.until("run blocked")
	type figures struct {
		Calls, Failures uint64
		P99             float64                           `json:"p99_ms"`
		Last            *struct{ Code, Run, Node string } `json:"last_failure"`
	}
	type report struct {
		Total    figures
		Versions []struct {
			Digest string
			figures
		}
	}
	uses := want[struct {
		Flows []struct {
			Flow  string
			Draft bool
		}
		Runs []struct{ ID, Digest string }
		Live map[string]int
	}](s, 200, "GET", s.in("/plugins/demo/uses"), nil)
	if len(uses.Runs) != 1 || uses.Runs[0].ID != run || uses.Live[uses.Runs[0].Digest] != 1 || len(uses.Flows) == 0 {
		t.Errorf("uses %+v", uses)
	}
	before := want[report](s, 200, "GET", s.in("/plugins/demo/health"), nil)
	if before.Total.Failures != 1 || before.Total.P99 <= 0 || before.Total.Last == nil || before.Total.Last.Code != "HOST_NOT_FOUND" ||
		before.Total.Last.Run != run || before.Total.Last.Node != "drain" || len(before.Versions) != 1 || before.Versions[0].Digest != uses.Runs[0].Digest {
		t.Errorf("health %+v", before)
	}
	off := want[struct{ Enabled bool }](s, 200, "PUT", s.in("/plugins/demo/enabled"), `{"enabled":false}`)
	refused := want[struct {
		Problems []struct{ Code, Node, Field string }
	}](s, 422, "POST", s.in("/flows/health-patrol/runs"), `{"inputs":{}}`)
	if off.Enabled || len(refused.Problems) == 0 || refused.Problems[0].Code != "PLUGIN_DISABLED" || refused.Problems[0].Field != "/plugin" {
		t.Errorf("%+v, refused %+v", off, refused)
	}
	s.stop()
	s.start()
	after := want[report](s, 200, "GET", s.in("/plugins/demo/health?window=week"), nil)
	if after.Total.Calls != before.Total.Calls || after.Total.Failures != 1 {
		t.Errorf("health %+v after a restart, %+v before", after.Total, before.Total)
	}
	if p := want[struct{ Enabled bool }](s, 200, "GET", s.in("/plugins/demo"), nil); p.Enabled {
		t.Error("the plugin is on after a restart")
	}
}
