package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// askingForSecret is the flow of secretFlow that asks a person before it logs in.
func askingForSecret(plugin string) string {
	doc := strings.Replace(drawn("login", `{"token":"${token}"}`, `{"user":"ada","password":"${password}"}`), `"plugin":"http"`, `"plugin":"`+plugin+`"`, 1)
	return strings.NewReplacer(
		`{"id":"start","type":"start"}`, `{"id":"start","type":"start"},{"id":"ask","type":"task","plugin":"core","action":"confirm","inputs":{"prompt":"Go on?"}}`,
		`"from":"start","to":"a"`, `"from":"start","to":"ask"},{"id":"e3","from":"ask","to":"a"`,
	).Replace(doc)
}

// withCore lets the server of secretServer have the plugin that asks.
func withCore(s *server) {
	files, err := shippedPlugins("http", "core")
	if err != nil {
		s.t.Fatal(err)
	}
	s.deps.Plugins = files
}

func (s *server) answer(run, node string) {
	s.t.Helper()
	want[map[string]any](s, 200, "POST", s.in("/runs/%s/nodes/%s/commands", run, node), `{"command":"callback","data":{"approved":true}}`)
}

// The values of a run's secrets are gone from the database once secrets.keep has passed
// after its end; a run that waits keeps them, and uses them when it goes on.
func TestSecretsAreKeptForAsLongAsTheirRunNeedsThem(t *testing.T) {
	t.Parallel()
	s, e, _ := secretServer(t, withCore, func(s *server) { s.cfg.Secrets.Keep = 0 })
	s.publish(askingForSecret("http"))
	over, waits := s.run("login", map[string]any{"password": runCanary}), s.run("login", map[string]any{"password": runCanary + " 2"})
	s.published.wait(t, over, "ask waiting")
	s.published.wait(t, waits, "ask waiting")
	s.answer(over, "ask")
	s.published.wait(t, over, "run succeeded")
	before := len(s.sealed())
	if n, err := s.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("swept the secrets of %d runs, %v", n, err)
	}
	if after := len(s.sealed()); after != before-1 {
		t.Errorf("%d values are left of %d", after, before)
	}
	s.answer(waits, "ask")
	s.published.wait(t, waits, "run succeeded")
	if bodies, _ := e.calls(); len(bodies) != 2 || !strings.Contains(bodies[1], "é 2") {
		t.Errorf("the system got %q", bodies)
	}
	// What is left of the run is a name that stands for nothing.
	_, _, text := s.do("GET", s.in("/runs/%s/records?limit=1000", over), nil, nil)
	if !strings.Contains(text, "culm-secret://run/"+over+"/password/1") {
		t.Errorf("the records are %s", text)
	}
	clean(t, "the records", []byte(text))
}

// A secret that is passed to an independent subflow, which is a run of its own, reaches the
// system from there, also when the server dies in between; what the system sends back is
// scrubbed in both runs, and a sweep takes nothing from a run whose child is at work.
func TestAnIndependentSubflowIsHandedASecret(t *testing.T) {
	t.Parallel()
	s, e, log := secretServer(t, withCore, func(s *server) { s.cfg.Secrets.Keep = 0 })
	inner := strings.Replace(askingForSecret("http"), `"id":"login"`, `"id":"inner"`, 1)
	s.publish(inner)
	s.publish(`{"format":"culm.flow/v1","id":"outer","name":"Outer","variables":[
		{"name":"pass","source":"input","secret":true,"required":true,"uses":[{"system":"echo","operation":"login"}]},
		{"name":"answer","source":"node","schema":{},"output":true}],
		"nodes":[{"id":"start","type":"start"},{"id":"sub","type":"subflow","flow":"inner","mode":"independent","inputs":{"password":"${pass}"},"outputs":{"answer":"answer"}},{"id":"end","type":"end"}],
		"edges":[{"id":"e1","from":"start","to":"sub"},{"id":"e2","from":"sub","to":"end"}]}`)
	run := s.run("outer", map[string]any{"pass": runCanary})
	s.published.wait(t, run, "sub waiting")
	child := want[struct {
		Nodes map[string]struct{ Child string }
	}](s, 200, "GET", s.in("/runs/%s", run), nil).Nodes["sub"].Child
	s.published.wait(t, child, "ask waiting")
	if n, err := s.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("swept the secrets of %d runs, %v", n, err)
	}
	s.die()
	s.start()
	s.answer(child, "ask")
	s.published.wait(t, child, "run succeeded")
	s.published.wait(t, run, "run succeeded")
	bodies, headers := e.calls()
	if len(bodies) != 1 || !strings.Contains(bodies[0], "hunter2") || headers[0].Get("X-Token") != projectCanary {
		t.Fatalf("the system got %q", bodies)
	}
	for _, id := range []string{run, child} {
		for _, path := range []string{"", "/records?limit=1000"} {
			_, _, text := s.do("GET", s.in("/runs/%s%s", id, path), nil, nil)
			clean(t, id+path, []byte(text))
		}
	}
	if n, err := s.Sweep(t.Context()); n == 0 || err != nil {
		t.Errorf("after the end, swept the secrets of %d runs, %v", n, err)
	}
	s.stop()
	clean(t, "the log", []byte(log.String()))
	scan(t, s.cfg.Data)
}

// A system that answers 200 and says in the body that it refused: by the rule of the system
// the node of the shipped http plugin fails, tells whose fault it is and what the system
// said, and keeps the answer.
func TestAnErrorEnvelopeFailsTheNode(t *testing.T) {
	t.Parallel()
	answers := []string{`{"result":false,"code":1306201,"message":"no such host","data":null}`, `{"result":true,"data":{"id":7}}`}
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "req-1")
		_, _ = w.Write([]byte(answers[0]))
		answers = answers[1:]
	}))
	t.Cleanup(up.Close)
	s := unstarted(t, false, "http")
	s.cfg.Allow = []string{strings.TrimPrefix(up.URL, "http://")}
	s.start()
	want[map[string]any](s, 200, "PUT", s.in("/systems/cmdb"), systemJSON(t, `
format: culm.system/v1
id: cmdb
title: CMDB
base_url: `+up.URL+`
auth: {type: none}
success: {rule: body.result == true, message: body.message}
operations:
  - {id: find, title: Find, method: POST, path: /find, retry: never, risk: write}
`))
	want[map[string]any](s, 200, "PUT", s.in("/plugins/http/grants"), `{"grants":[{"system":"cmdb","operation":"find"}]}`)
	s.publish(`{"format":"culm.flow/v1","id":"find","name":"Find","variables":[{"name":"found","source":"node","schema":{},"output":true}],
		"nodes":[{"id":"start","type":"start"},{"id":"a","type":"task","plugin":"http","action":"call","inputs":{"system":"cmdb","operation":"find"},"outputs":{"found":"body"}},{"id":"end","type":"end"}],
		"edges":[{"id":"e1","from":"start","to":"a"},{"id":"e2","from":"a","to":"end"}]}`)
	run := s.run("find", nil)
	s.published.wait(t, run, "a failed")
	node := want[struct {
		Attempts []struct {
			Outputs map[string]any
			Failure struct {
				Code, Origin, Message, System, Operation string
				RequestID                                string `json:"request_id"`
				HTTPStatus                               int    `json:"http_status"`
			}
		}
	}](s, 200, "GET", s.in("/runs/%s/nodes/a", run), nil)
	f := node.Attempts[0].Failure
	if f.Code != "UPSTREAM_REFUSED" || f.Origin != "system" || !strings.Contains(f.Message, "no such host") || f.System != "cmdb" || f.Operation != "find" || f.HTTPStatus != 200 || f.RequestID != "req-1" {
		t.Errorf("the failure is %+v", f)
	}
	if body, ok := node.Attempts[0].Outputs["body"].(map[string]any); !ok || body["code"] != 1306201.0 {
		t.Errorf("the answer is %v", node.Attempts[0].Outputs)
	}
	calls := want[struct {
		Items []struct{ Outcome, Code string }
	}](s, 200, "GET", s.in("/calls"), nil)
	if len(calls.Items) != 1 || calls.Items[0].Code != "UPSTREAM_REFUSED" {
		t.Errorf("the log of calls says %+v", calls.Items)
	}
	want[map[string]any](s, 200, "POST", s.in("/runs/%s/nodes/a/commands", run), `{"command":"retry"}`)
	s.published.wait(t, run, "run succeeded")
}
