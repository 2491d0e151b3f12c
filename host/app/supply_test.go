package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/pdk/contract"
	shipped "github.com/culmhq/culm/plugins-wasm"
)

// variant is the shipped plugin "core" under another name and version, asking for some
// operations: a module that was compiled before and differs in its manifest only.
func variant(t *testing.T, id, version string, needs ...contract.Need) []byte {
	t.Helper()
	code, err := shipped.Files.ReadFile("core.wasm")
	if err != nil {
		t.Skip(err)
	}
	m, err := build.ReadManifest(code)
	if err != nil {
		t.Fatal(err)
	}
	m.ID, m.Version, m.Needs = id, version, needs
	out, err := build.Pack(code, m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// upload sends a module to the server.
func (s *server) upload(code []byte, query string, status int) (plugins.Module, string) {
	s.t.Helper()
	got, _, text := s.do(http.MethodPost, "/api/v1/plugins"+query, header{"Content-Type": "application/wasm"}, string(code))
	if got != status {
		s.t.Fatalf("upload: %d %s, want %d", got, text, status)
	}
	var m plugins.Module
	if status == http.StatusCreated {
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			s.t.Fatal(err)
		}
	}
	return m, text
}

// command changes a version of a plugin.
func (s *server) command(m plugins.Module, command string, more string) plugins.Module {
	s.t.Helper()
	return want[plugins.Module](s, 200, "POST", "/api/v1/plugins/"+m.Plugin+"/versions/"+m.Digest+"/commands", `{"command":"`+command+`"`+more+`}`)
}

// using is a flow with one node of a plugin, and one that asks a person before a second.
func using(plugin string) string { return strings.ReplaceAll(usingOf, "PLUGIN", plugin) }

const usingOf = `{"format":"culm.flow/v1","id":"using","name":"Using",
"nodes":[{"id":"start","type":"start"},
 {"id":"first","type":"task","plugin":"PLUGIN","action":"wait_for","inputs":{"duration":"1ms"}},
 {"id":"ask","type":"task","plugin":"core","action":"confirm","inputs":{"prompt":"Go on?"}},
 {"id":"second","type":"task","plugin":"PLUGIN","action":"wait_for","inputs":{"duration":"1ms"}},
 {"id":"end","type":"end"}],
"edges":[{"id":"a","from":"start","to":"first"},{"id":"b","from":"first","to":"ask"},{"id":"c","from":"ask","to":"second"},{"id":"d","from":"second","to":"end"}]}`

func (s *server) approveAsk(run string) {
	s.t.Helper()
	want[map[string]any](s, 200, "POST", s.in("/runs/%s/nodes/ask/commands", run), `{"command":"callback","data":{"approved":true}}`)
}

// S06 and S13 with runs: an upgrade leaves a run its version, a withdrawn version still
// serves the run, and a blocked one ends it at its next node.
func TestARunKeepsItsVersionUntilItIsBlocked(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	first, _ := s.upload(variant(t, "ticket", "1.0.0"), "", http.StatusCreated)
	if first.State != plugins.StateActive || !first.Latest || first.Trusted || first.Shipped {
		t.Fatalf("installed %+v", first)
	}
	s.publish(using("ticket"))
	kept, stopped := s.run("using", nil), s.run("using", nil)
	s.published.wait(t, kept, "first succeeded", "ask waiting")
	s.published.wait(t, stopped, "first succeeded", "ask waiting")

	more, _ := s.upload(variant(t, "ticket", "2.0.0", contract.Need{System: "cmdb", Operation: "list"}), "", http.StatusCreated)
	if more.State != plugins.StatePending || len(more.Held) != 1 {
		t.Fatalf("an upgrade that asks for more: %+v", more)
	}
	before := s.run("using", nil)
	s.published.wait(t, before, "ask waiting")
	s.command(more, "approve", "")
	s.command(first, "withdraw", "")
	s.approveAsk(kept)
	s.published.wait(t, kept, "second succeeded", "run succeeded")
	if d := digestOf(s, kept, "second"); d != first.Digest {
		t.Errorf("the run went on with %s", d)
	}

	s.command(first, "block", `,"reason":"steals"`)
	s.approveAsk(stopped)
	s.published.wait(t, stopped, "second failed")
	if text := nodeText(s, stopped, "second"); !strings.Contains(text, plugins.CodeBlocked) {
		t.Errorf("node %s", text)
	}
	h := want[struct{ Items []plugins.Event }](s, 200, "GET", "/api/v1/plugins/ticket/history", nil)
	var kinds []string
	for _, e := range h.Items {
		kinds = append(kinds, string(e.Kind))
	}
	if got := fmt.Sprint(kinds); got != "[blocked withdrawn approved held installed]" {
		t.Errorf("history %s", got)
	}
}

func digestOf(s *server, run, node string) string {
	n := want[struct {
		Attempts []struct{ Digest string }
	}](s, 200, "GET", s.in("/runs/%s/nodes/%s", run, node), nil)
	return n.Attempts[len(n.Attempts)-1].Digest
}

func nodeText(s *server, run, node string) string {
	_, _, text := s.do(http.MethodGet, s.in("/runs/%s/nodes/%s", run, node), nil, nil)
	return text
}

func TestUploadsAreBounded(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	// What is too large is refused for its header: nothing of the body was sent.
	if text := s.announce("/api/v1/plugins", "application/wasm", plugins.CodeBytesMax+1); !strings.Contains(text, " 413 ") || !strings.Contains(text, "TOO_LARGE") {
		t.Error(text)
	}
	if _, text := s.upload([]byte("no module"), "", http.StatusUnprocessableEntity); !strings.Contains(text, `"/module"`) {
		t.Error(text)
	}
	if got, _, text := s.do(http.MethodPost, "/api/v1/plugins", nil, "{}"); got != http.StatusUnsupportedMediaType {
		t.Errorf("%d %s", got, text)
	}
	if got, _, text := s.do(http.MethodPost, "/api/v1/plugins?override=perhaps", header{"Content-Type": "application/wasm"}, "x"); got != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", got, text)
	}
	// Every other route keeps its limit.
	if text := s.announce(s.in("/flows"), "application/json", 5<<20); !strings.Contains(text, " 413 ") {
		t.Error(text)
	}
}

// announce sends the header of a request, with the size of a body that does not follow,
// and returns the answer.
func (s *server) announce(path, media string, size int) string {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", path, s.Addr(), media, size)
	answer, err := io.ReadAll(conn)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(answer)
}
