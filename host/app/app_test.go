package app_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/config"
)

// asking is a flow that waits a moment and then asks a person.
const asking = `{"format":"culm.flow/v1","id":"asking","name":"Asking",
"variables":[{"name":"who","source":"input","value":"world"},{"name":"greeting","source":"computed","expression":"'Hello, ' + who","output":true}],
"nodes":[{"id":"start","type":"start"},
 {"id":"pause","type":"task","plugin":"core","action":"wait_for","inputs":{"duration":"10ms"}},
 {"id":"ask","type":"task","plugin":"core","action":"confirm","inputs":{"prompt":"Hello ${who}?"}},
 {"id":"end","type":"end"}],
"edges":[{"id":"a","from":"start","to":"pause"},{"id":"b","from":"pause","to":"ask"},{"id":"c","from":"ask","to":"end"}]}`

func TestARunIsFollowedAnsweredAndEnds(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	s.publish(asking)
	run := s.run("asking", map[string]any{"who": "Ada"})
	c := s.follow(run, -1)
	c.until("ask waiting")

	v := want[engine.RunView](s, 200, "GET", s.in("/runs/%s", run), nil)
	if n := v.Nodes["ask"]; v.State != engine.RunRunning || n.Wait == nil || n.Wait.Prompt.En != "Hello Ada?" {
		t.Fatalf("view %+v", v)
	}
	want[map[string]any](s, 200, "POST", s.in("/runs/%s/nodes/ask/commands", run), `{"command":"callback","data":{"approved":true}}`)
	c.until("run succeeded")
	s.published.wait(t, run, "run running", "pause waiting", "pause succeeded", "ask running", "ask waiting", "ask running", "ask succeeded", "end succeeded", "run succeeded")

	v = want[engine.RunView](s, 200, "GET", s.in("/runs/%s", run), nil)
	if string(v.Outputs["greeting"]) != `"Hello, Ada"` || v.Seq != c.seq {
		t.Fatalf("outputs %s, seq %d, the stream ended at %d", v.Outputs, v.Seq, c.seq)
	}
	records := want[struct {
		Items []struct {
			Seq uint64 `json:"seq"`
		} `json:"items"`
	}](s, 200, "GET", s.in("/runs/%s/records?after=2&limit=1000", run), nil)
	if n := len(records.Items); uint64(n) != v.Seq-2 || records.Items[0].Seq != 3 {
		t.Fatalf("%d records after 2, the last is %d", n, v.Seq)
	}
	// Who comes late, or comes back, gets the rest of the history.
	late := s.follow(run, 5)
	late.until("run succeeded")
	if late.seq != v.Seq {
		t.Fatalf("ended at %d, want %d", late.seq, v.Seq)
	}
}

// TestDemoFlowFailsIsRetriedAndSucceeds goes through everything: plugins in wasm,
// gateway, credential, the demo platform, and an operator who corrects an input.
func TestDemoFlowFailsIsRetriedAndSucceeds(t *testing.T) {
	t.Parallel()
	s := start(t, true, "core", "demo", "http")
	run := s.run("health-patrol", nil)
	c := s.follow(run, -1)
	c.until("run blocked")
	node := want[struct {
		Attempts []struct {
			Failure struct{ Code, Origin string }
			Calls   []struct{ System, Operation string }
		}
	}](s, 200, "GET", s.in("/runs/%s/nodes/drain", run), nil)
	if len(node.Attempts) != 1 || node.Attempts[0].Failure.Code != "HOST_NOT_FOUND" || node.Attempts[0].Failure.Origin != "plugin" ||
		len(node.Attempts[0].Calls) == 0 || node.Attempts[0].Calls[0].System != "demo" {
		t.Fatalf("node %+v", node)
	}
	want[map[string]any](s, 200, "POST", s.in("/runs/%s/nodes/drain/commands", run), `{"command":"retry","inputs":{"host":"ledger-02"}}`)
	c.until("run succeeded")
	s.published.wait(t, run, "drain running", "drain failed", "run blocked", "drain running", "drain succeeded", "run succeeded")
}

// TestWhatWasAcknowledgedOutlivesTheServer stops the server while a person is asked,
// and goes on with another one on the same data.
func TestWhatWasAcknowledgedOutlivesTheServer(t *testing.T) {
	t.Parallel()
	s := start(t, true, "core", "demo", "http")
	s.publish(asking)
	run := s.run("asking", nil)
	c := s.follow(run, -1)
	c.until("ask waiting")
	s.stop()
	if _, _, err := c.conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Fatalf("the client of a server that stops got %v", err)
	}

	s.start()
	again := s.follow(run, int(c.seq))
	want[map[string]any](s, 200, "POST", s.in("/runs/%s/nodes/ask/commands", run), `{"command":"callback","data":{"approved":true}}`)
	again.until("run succeeded")
	// The demo system listens elsewhere now, and its content was not loaded twice.
	demo := want[struct {
		Items []struct {
			ID       string
			Revision int
		}
	}](s, 200, "GET", s.in("/flows"), nil)
	if len(demo.Items) != 3 {
		t.Fatalf("flows %+v", demo.Items)
	}
	for _, f := range demo.Items {
		if f.Revision != 1 {
			t.Errorf("flow %s was saved again at the second start", f.ID)
		}
	}
	patrol := s.run("health-patrol", nil)
	s.published.wait(t, patrol, "look succeeded", "drain failed")
}

func TestStreamRefuses(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	s.publish(asking)
	run := s.run("asking", nil)
	s.published.wait(t, run, "ask waiting")
	ws := "ws" + strings.TrimPrefix(s.URL(), "http")
	for name, tc := range map[string]struct {
		path   string
		origin string
		code   int // of the close frame, or the HTTP status below 1000
	}{
		"no such run":     {s.in("/runs/nope/events"), "", 4404},
		"another project": {"/api/v1/projects/other/runs/" + run + "/events", "", 4404},
		"beyond the end":  {s.in("/runs/%s/events?after=100000", run), "", 4409},
		"no number":       {s.in("/runs/%s/events?after=x", run), "", 422},
		"negative":        {s.in("/runs/%s/events?after=-1", run), "", 422},
		"another site":    {s.in("/runs/%s/events", run), "http://evil.example", 403},
		"null":            {s.in("/runs/%s/events", run), "null", 403},
		"own origin":      {s.in("/runs/nope/events"), s.URL(), 4404},
	} {
		h := http.Header{}
		if tc.origin != "" {
			h.Set("Origin", tc.origin)
		}
		c, resp, err := websocket.DefaultDialer.DialContext(t.Context(), ws+tc.path, h)
		if tc.code < 1000 {
			if err == nil || resp.StatusCode != tc.code {
				t.Errorf("%s: %v, want status %d", name, err, tc.code)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, tc.code) {
			t.Errorf("%s: %v, want close code %d", name, err, tc.code)
		}
		c.Close()
	}
}

func TestOnlyOneServerServesADataDirectory(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	second := app.New(s.cfg, s.deps)
	if err := second.Start(t.Context()); err == nil {
		t.Fatal("two servers run on one data directory")
	}
	cfg := s.cfg
	cfg.Listen = s.Addr().String()
	if err := app.New(cfg, s.deps).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "listen") {
		t.Fatalf("a taken port: %v", err)
	}
	cfg.Listen = "0.0.0.0:0"
	var refused *config.Error
	if err := app.New(cfg, s.deps).Start(t.Context()); !errors.As(err, &refused) || refused.Problems[0].Field != "listen" {
		t.Fatalf("another bind: %v", err)
	}
	if status, _, _ := s.do("GET", "/readyz", nil, nil); status != 200 {
		t.Fatalf("the first server answers %d", status)
	}
}

func TestStopWithoutPatienceStillCloses(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	s.publish(asking)
	s.published.wait(t, s.run("asking", nil), "ask waiting")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.Stop(ctx) // what it could not wait for is told or not; the data must be free
	s.App = nil
	s.start()
}
