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
// cannot have a system turn one into something that nobody recognises. The draft says so,
// neither it nor a flow that contains it can be published or started, and a run that is
// under way is stopped there. The configuration approves single digests.
func TestAPluginThatNobodyApprovedIsHandedNoSecret(t *testing.T) {
	t.Parallel()
	s, e, _ := secretServer(t, withCore)
	m, _ := s.upload(courier(t), "", 201)
	want[map[string]any](s, 200, "PUT", s.in("/plugins/courier/grants"), `{"grants":[{"system":"echo","operation":"login"}]}`)
	doc := askingForSecret("courier")
	draft := want[struct {
		Problems []struct{ Code, Node, Field, Level string }
	}](s, 201, "POST", s.in("/flows"), `{"document":`+doc+`}`)
	if len(draft.Problems) != 1 || draft.Problems[0].Code != "SECRET_PLUGIN" || draft.Problems[0].Node != "a" || draft.Problems[0].Field != "/plugin" || draft.Problems[0].Level != "error" {
		t.Errorf("problems of the draft: %+v", draft.Problems)
	}
	if status, _, text := s.do("POST", s.in("/flows/login/versions"), nil, `{"revision":1,"note":""}`); status != 422 || !strings.Contains(text, "SECRET_PLUGIN") {
		t.Errorf("published: %d %s", status, text)
	}
	approve := func(digests ...string) {
		s.stop()
		s.cfg.Secrets.Approved = digests
		s.start()
	}
	approve(m.Digest)
	want[any](s, 201, "POST", s.in("/flows/login/versions"), `{"revision":1,"note":""}`)
	outer := `{"format":"culm.flow/v1","id":"outer","name":"Outer","variables":[{"name":"pass","source":"input","secret":true,"required":true,"uses":[{"system":"echo","operation":"login"}]}],
		"nodes":[{"id":"start","type":"start"},{"id":"sub","type":"subflow","flow":"login","inputs":{"password":"${pass}"}},{"id":"end","type":"end"}],
		"edges":[{"id":"e1","from":"start","to":"sub"},{"id":"e2","from":"sub","to":"end"}]}`
	s.publish(outer)
	inputs := map[string]any{"password": runCanary}
	run := s.run("login", inputs)
	s.published.wait(t, run, "ask waiting")
	approve() // the approval is taken back while a run waits
	for flow, input := range map[string]string{"login": "password", "outer": "pass"} {
		if status, _, text := s.do("POST", s.in("/flows/%s/runs", flow), nil, map[string]any{"inputs": map[string]any{input: runCanary}}); status != 422 || !strings.Contains(text, "SECRET_PLUGIN") {
			t.Errorf("start of %s: %d %s", flow, status, text)
		}
	}
	s.answer(run, "ask")
	s.published.wait(t, run, "a failed")
	_, _, text := s.do("GET", s.in("/runs/%s/nodes/a", run), nil, nil)
	if !strings.Contains(text, "SIGNATURE_POLICY") || !strings.Contains(text, "secrets.approved does not name "+m.Digest) {
		t.Errorf("the node says %s", text)
	}
	if bodies, _ := e.calls(); len(bodies) != 0 {
		t.Errorf("the system received %q", bodies)
	}
	approve(m.Digest)
	want[map[string]any](s, 200, "POST", s.in("/runs/%s/nodes/a/commands", run), `{"command":"retry"}`)
	s.published.wait(t, run, "run succeeded")
	if bodies, _ := e.calls(); len(bodies) != 1 || !strings.Contains(bodies[0], "hunter2") {
		t.Errorf("the system received %q", bodies)
	}
}
