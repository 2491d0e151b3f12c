package app_test

import (
	"strings"
	"testing"

	"github.com/culmhq/culm/host/plugins/build"
	shipped "github.com/culmhq/culm/plugins-wasm"
)

// courier is the shipped plugin "http" under another name, which nobody signed.
func courier(t *testing.T) []byte {
	t.Helper()
	code, err := shipped.Files.ReadFile("http.wasm")
	if err != nil {
		t.Skip(err)
	}
	m, err := build.ReadManifest(code)
	if err != nil {
		t.Fatal(err)
	}
	m.ID, m.Version = "courier", "1.0.0"
	out, err := build.Pack(code, m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// K03: a plugin that nobody vouches for is handed no secret, not even a handle, so that it
// cannot have a system turn one into something that nobody recognises. The configuration
// approves single digests.
func TestAPluginThatNobodyApprovedIsHandedNoSecret(t *testing.T) {
	t.Parallel()
	s, e, _ := secretServer(t)
	m, _ := s.upload(courier(t), "", 201)
	want[map[string]any](s, 200, "PUT", s.in("/plugins/courier/grants"), `{"grants":[{"system":"echo","operation":"login"}]}`)
	s.publish(strings.Replace(drawn("login", `{"token":"${token}"}`, `{"user":"ada","password":"${password}"}`), `"plugin":"http"`, `"plugin":"courier"`, 1))
	inputs := map[string]any{"password": runCanary}
	run := s.run("login", inputs)
	s.published.wait(t, run, "a failed")
	_, _, text := s.do("GET", s.in("/runs/%s/nodes/a", run), nil, nil)
	if !strings.Contains(text, "SIGNATURE_POLICY") || !strings.Contains(text, "secrets.approved does not name "+m.Digest) {
		t.Errorf("the node says %s", text)
	}
	if bodies, _ := e.calls(); len(bodies) != 0 {
		t.Errorf("the system received %q", bodies)
	}
	s.stop()
	s.cfg.Secrets.Approved = []string{m.Digest}
	s.start()
	run = s.run("login", inputs)
	s.published.wait(t, run, "run succeeded")
	if bodies, _ := e.calls(); len(bodies) != 1 || !strings.Contains(bodies[0], "hunter2") {
		t.Errorf("the system received %q", bodies)
	}
}
