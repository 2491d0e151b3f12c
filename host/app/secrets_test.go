package app_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/culmhq/culm/host/secrets"
)

// The canaries: what they stand for must be nowhere but on the wire to the system.
const (
	runCanary     = `c4nary/"run"+hunter2 é`
	projectCanary = "c4nary-project-correct-horse"
)

// vaultDocument is a system that takes secrets in a header, a body and a signature, and
// sends back what it got.
const vaultDocument = `
format: culm.system/v1
id: echo
title: Echo
base_url: BASE
auth: {type: none}
operations:
  - id: login
    title: Log in
    method: POST
    path: /login
    retry: keyed
    risk: write
    body_required: true
    body:
      type: object
      required: [user, password]
      properties: {user: {type: string}, password: {type: string, maxLength: 40, x-secret: true}, note: {type: string}}
    parameters:
      - {name: token, in: header, wire: X-Token, secret: true}
      - {name: signature, in: header, wire: X-Signature, secret: true, compute: {function: hmac_sha256_hex, of: "@body", prefix: "sha256="}}
      - {name: user, in: compute}
      - {name: basic, in: header, wire: Authorization, secret: true, compute: {function: basic_auth, of: user}}
  - id: other
    title: Other
    method: POST
    path: /other
    retry: safe
    risk: write
    body: {type: object, properties: {password: {type: string, x-secret: true}, note: {type: string}}}
`

// echo is the system: it answers with everything that it was sent, in many encodings.
type echo struct {
	mu       sync.Mutex
	bodies   []string
	headers  []http.Header
	hold     chan struct{} // when set, the first call waits for it
	received chan struct{}
}

// told returns a header of the last request.
func (e *echo) told(name string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.headers[len(e.headers)-1].Get(name)
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	e.bodies, e.headers = append(e.bodies, string(b)), append(e.headers, r.Header.Clone())
	hold := e.hold
	e.hold = nil
	e.mu.Unlock()
	if hold != nil {
		close(e.received)
		<-hold
	}
	var in struct{ Password string }
	_ = json.Unmarshal(b, &in)
	token := r.Header.Get("X-Token")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Set-Cookie", "t="+token)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"body": string(b), "headers": r.Header, "password": in.Password,
		"forms": encodingsOf(in.Password), "token": encodingsOf(token),
	})
}

func (e *echo) calls() ([]string, []http.Header) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string{}, e.bodies...), append([]http.Header{}, e.headers...)
}

// encodingsOf are the forms in which a secret may turn up.
func encodingsOf(s string) []string {
	js, _ := json.Marshal(s)
	return []string{
		s, strings.Trim(string(js), `"`), base64.StdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte("x:" + s)),
		base64.StdEncoding.EncodeToString([]byte("ab" + s + "tail")), hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))),
		url.QueryEscape(s), url.PathEscape(s),
	}
}

// clean fails when a text holds a canary in one of its forms.
func clean(t *testing.T, where string, text []byte) {
	t.Helper()
	for _, canary := range []string{runCanary, projectCanary} {
		for _, form := range encodingsOf(canary) {
			// Of a base64 text that was cut out of a longer one the middle is telling.
			if len(form) > 16 {
				form = form[4 : len(form)-4]
			}
			if bytes.Contains(text, []byte(form)) {
				t.Errorf("%s holds a secret, as %s", where, form)
			}
		}
	}
}

// secretFlow draws one node that logs in with both secrets.
const secretFlow = `{"format":"culm.flow/v1","id":"login","name":"Log in","variables":[
	{"name":"password","source":"input","secret":true,"required":true,"uses":[{"system":"echo","operation":"login"}]},
	{"name":"token","source":"computed","secret":true,"expression":"secrets.API_TOKEN","uses":[{"system":"echo","operation":"login"}]},
	{"name":"answer","source":"node","schema":{},"output":true}],
	"nodes":[{"id":"start","type":"start"},{"id":"a","type":"task","plugin":"http","action":"call",
		"inputs":{"system":"echo","operation":"OPERATION","params":PARAMS,"body":BODY},"outputs":{"answer":"body"}},{"id":"end","type":"end"}],
	"edges":[{"id":"e1","from":"start","to":"a"},{"id":"e2","from":"a","to":"end"}]}`

func drawn(operation, params, body string) string {
	return strings.NewReplacer("OPERATION", operation, "PARAMS", params, "BODY", body).Replace(secretFlow)
}

// secretServer is a server with the echo system, its grant and a secret of the project.
func secretServer(t *testing.T, tweak ...func(*server)) (*server, *echo, *lockedLog) {
	t.Helper()
	e := &echo{}
	up := httptest.NewServer(e)
	t.Cleanup(up.Close)
	log := &lockedLog{}
	s := unstarted(t, false, "http", "core")
	s.cfg.Allow = []string{strings.TrimPrefix(up.URL, "http://")}
	s.cfg.Record.Mode = "all"
	for _, f := range tweak {
		f(s)
	}
	s.deps.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.start()
	code, _, text := s.do("PUT", s.in("/systems/echo"), nil, systemJSON(t, strings.Replace(vaultDocument, "BASE", up.URL, 1)))
	if code != 200 {
		t.Fatal(code, text)
	}
	want[map[string]any](s, 200, "PUT", s.in("/plugins/http/grants"), `{"grants":[{"system":"echo","operation":"login"},{"system":"echo","operation":"other"}]}`)
	if code, _, text := s.do("PUT", s.in("/secrets/API_TOKEN"), nil, map[string]string{"value": projectCanary}); code != 200 || strings.Contains(text, projectCanary) {
		t.Fatal(code, text)
	}
	return s, e, log
}

// K01, K02, K03, K06, K07, G18: a secret that is typed in at start and one of the project
// reach the system, which sends them back in many encodings; nothing that Culm keeps,
// shows, logs or sends anywhere else holds them.
func TestSecretsReachTheSystemAndNothingElse(t *testing.T) {
	t.Parallel()
	s, e, log := secretServer(t)
	s.publish(drawn("login", `{"token":"${token}","signature":"${token}","basic":"${password}","user":"ada"}`, `{"user":"ada","password":"${password}"}`))
	status, _, text := s.do("POST", s.in("/flows/login/runs"), header{"Idempotency-Key": "once"}, map[string]any{"inputs": map[string]string{"password": runCanary}})
	if status != 201 {
		t.Fatal(status, text)
	}
	clean(t, "the answer to the start", []byte(text))
	run := idOf(t, text)
	frames := s.frames(run)
	s.published.wait(t, run, "run succeeded")
	bodies, headers := e.calls()
	if len(bodies) != 1 || !strings.Contains(bodies[0], `"password":"c4nary/\"run\"+hunter2 é"`) || headers[0].Get("X-Token") != projectCanary {
		t.Fatalf("the system got %q %v", bodies, headers)
	}
	if user, password, ok := (&http.Request{Header: headers[0]}).BasicAuth(); !ok || user != "ada" || password != runCanary {
		t.Errorf("the system got the user %q", user)
	}
	if got, want := headers[0].Get("X-Signature"), "sha256="+hmacHex(projectCanary, bodies[0]); got != want {
		t.Errorf("the signature is %s, want %s", got, want)
	}
	for _, path := range []string{
		s.in("/runs/%s", run), s.in("/runs/%s/records", run), s.in("/runs/%s/nodes/a", run), s.in("/runs/%s/nodes/a/recordings", run),
		s.in("/secrets"), s.in("/flows/login"), s.in("/runs"), "/api/v1/projects", s.in("/systems"),
	} {
		code, _, text := s.do("GET", path, nil, nil)
		if code != 200 {
			t.Errorf("%s: %d %s", path, code, text)
		}
		clean(t, path, []byte(text))
	}
	again, _, text := s.do("POST", s.in("/flows/login/runs"), header{"Idempotency-Key": "once"}, map[string]any{"inputs": map[string]string{"password": runCanary}})
	if again != 201 || idOf(t, text) != run {
		t.Errorf("the start made again: %d %s", again, text)
	}
	_, _, text = s.do("GET", s.in("/runs/%s/nodes/a", run), nil, nil)
	if !strings.Contains(text, `"secret_echo":true`) || !strings.Contains(text, secrets.Mask) {
		t.Errorf("the audit does not tell that a secret came back: %s", text)
	}
	clean(t, "the live stream", frames())
	s.stop()
	clean(t, "the log", []byte(log.String()))
	scan(t, s.cfg.Data)
}

// scan looks through every file of a data directory.
func scan(t *testing.T, dir string) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		n++
		clean(t, path, b)
		return err
	})
	if err != nil || n < 2 {
		t.Fatalf("%d files looked through, %v", n, err)
	}
}

// frames collects what the live stream sends, and returns it once the run has ended.
func (s *server) frames(run string) func() []byte {
	s.t.Helper()
	c, resp, err := websocket.DefaultDialer.DialContext(s.t.Context(), "ws"+strings.TrimPrefix(s.URL(), "http")+s.in("/runs/%s/events", run), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	done := make(chan []byte, 1)
	go func() {
		var all []byte
		for {
			_, b, err := c.ReadMessage()
			all = append(all, b...)
			if err != nil || bytes.Contains(b, []byte(`"to":"succeeded"`)) && bytes.Contains(b, []byte(`"run.state"`)) || bytes.Contains(b, []byte(`"state":"succeeded","seq"`)) {
				done <- all
				_ = c.Close()
				return
			}
		}
	}()
	return func() []byte { return <-done }
}

// What the gateway refuses is refused before anything is sent, with the code and the
// reason: a place that is not marked, an operation that the variable does not name.
func TestASecretInAnotherPlaceIsRefused(t *testing.T) {
	t.Parallel()
	s, e, _ := secretServer(t)
	for flow, c := range map[string]struct{ operation, params, body, why string }{
		"unmarked":  {"login", `{}`, `{"user":"ada","password":"plain-pass","note":"${password}"}`, "does not declare that a secret may stand there"},
		"elsewhere": {"other", `{}`, `{"password":"${password}"}`, "may not be sent to echo/other"},
		"parameter": {"login", `{"user":"${token}"}`, `{"user":"ada","password":"plain-pass"}`, "does not declare"},
	} {
		doc := strings.Replace(drawn(c.operation, c.params, c.body), `"id":"login"`, `"id":"`+flow+`"`, 1)
		doc = strings.Replace(doc, `"params":{},`, "", 1) // one of the operations has none
		s.publish(doc)
		run := s.run(flow, map[string]any{"password": runCanary})
		s.published.wait(t, run, "a failed")
		_, _, text := s.do("GET", s.in("/runs/%s/nodes/a", run), nil, nil)
		if !strings.Contains(text, "SECRET_REFUSED") || !strings.Contains(text, c.why) {
			t.Errorf("%s: %s", flow, text)
		}
	}
	if bodies, _ := e.calls(); len(bodies) != 0 {
		t.Errorf("the system received %q", bodies)
	}
}

// A crash in the middle of a call with a secret: the attempt is made again after the
// restart, with the same handle and under the same key, and the values are still
// nowhere.
//
//nolint:paralleltest // other tests start processes, which for a moment hold the lock of the database that is opened again
func TestACrashInTheMiddleOfACallWithASecret(t *testing.T) {
	s, e, log := secretServer(t)
	e.hold, e.received = make(chan struct{}), make(chan struct{})
	hold := e.hold
	s.publish(drawn("login", `{"token":"${token}"}`, `{"user":"ada","password":"${password}"}`))
	run := s.run("login", map[string]any{"password": runCanary})
	<-e.received
	s.die()
	close(hold)
	s.start()
	s.published.wait(t, run, "run succeeded")
	bodies, headers := e.calls()
	if len(bodies) != 2 || bodies[0] != bodies[1] || !strings.Contains(bodies[1], "hunter2") {
		t.Fatalf("the system got %q", bodies)
	}
	if a, b := headers[0].Get("Idempotency-Key"), headers[1].Get("Idempotency-Key"); a == "" || a != b {
		t.Errorf("the keys are %q and %q", a, b)
	}
	s.stop()
	clean(t, "the log", []byte(log.String()))
	scan(t, s.cfg.Data)
}

// K08: a name is looked up in the flow's own project, when the draft is saved and when a
// run starts; K07: nothing reads a value back.
func TestSecretsOfAnotherProjectAreNotThere(t *testing.T) {
	t.Parallel()
	s, _, _ := secretServer(t)
	doc := strings.Replace(drawn("login", `{"token":"${token}"}`, `{"user":"ada","password":"${password}"}`), "secrets.API_TOKEN", "secrets.OTHERS", 1)
	got := want[struct {
		Problems []struct{ Code, Variable, Field string }
	}](s, 201, "POST", s.in("/flows"), `{"document":`+doc+`}`)
	if len(got.Problems) != 1 || got.Problems[0].Code != "SECRET_UNKNOWN" || got.Problems[0].Variable != "token" || got.Problems[0].Field != "/expression" {
		t.Errorf("problems %+v", got.Problems)
	}
	s.publish(strings.Replace(drawn("login", `{"token":"${token}"}`, `{"user":"ada","password":"${password}"}`), `"id":"login"`, `"id":"gone"`, 1))
	want[any](s, 204, "DELETE", s.in("/secrets/API_TOKEN"), nil)
	if code, _, text := s.do("POST", s.in("/flows/gone/runs"), nil, map[string]any{"inputs": map[string]string{"password": runCanary}}); code != 422 || !strings.Contains(text, "SECRET_UNKNOWN") {
		t.Errorf("start: %d %s", code, text)
	}
	for _, path := range []string{"/secrets/API_TOKEN", "/secrets/API_TOKEN/value"} {
		if code, _, _ := s.do("GET", s.in("%s", path), nil, nil); code != 404 && code != 405 {
			t.Errorf("GET %s: %d", path, code)
		}
	}
	// K05: what is said of a bad value shows nothing of it, and a draft with one is not stored.
	bad := strings.Replace(doc, `"required":true`, `"value":"c4nary-project-correct-horse"`, 1)
	code, _, text := s.do("POST", s.in("/flows"), nil, `{"document":`+bad+`}`)
	if code != 422 || !strings.Contains(text, "SECRET_VALUE") {
		t.Errorf("a draft with a value: %d %s", code, text)
	}
	clean(t, "the refusal", []byte(text))
	for _, value := range []any{"short", 17, strings.Repeat(projectCanary, 1000), projectCanary + "\x00"} {
		code, _, text := s.do("PUT", s.in("/secrets/API_TOKEN"), nil, map[string]any{"value": value})
		if code != 422 && code != 400 {
			t.Errorf("value of %T: %d %s", value, code, text)
		}
		clean(t, "the refusal", []byte(text))
	}
}
