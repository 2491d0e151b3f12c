package app_test

import (
	"bytes"
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/culmhq/culm/host/hosttest"
)

// The secrets of the whole-system search, by what they are: each has characters that
// change in the usual encodings.
func wholeCanaries() hosttest.Canaries {
	all := hosttest.Canaries{}
	for _, name := range []string{
		"bearer token", "basic password", "key in a query", "client secret", "access token", "signing key", "project secret", "run secret", "secret set later",
	} {
		all[name] = fmt.Sprintf(`c4nary of the %s/"+é`, name)
	}
	// What HTTP puts into headers is plain.
	for _, name := range []string{"bearer token", "basic password", "key in a query", "client secret", "access token", "signing key", "project secret"} {
		all[name] = "c4nary+of/the=" + strings.ReplaceAll(name, " ", "-")
	}
	return all
}

// mirror is a system that sends back everything it gets, in many encodings, also where it
// refuses; and a token server.
type mirror struct {
	mu   sync.Mutex
	got  map[string]bool // canaries that arrived
	want hosttest.Canaries
	hook string
	all  map[string][]string // everything that a system ever got
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	user, password, _ := r.BasicAuth()
	system, operation, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if operation == "recall" { // as a system does that tells of what it was sent before
		m.mu.Lock()
		defer m.mu.Unlock()
		_ = json.NewEncoder(w).Encode(m.all[system])
		return
	}
	if r.URL.Path == "/token" {
		password, _ = url.QueryUnescape(password) // RFC 6749 §2.3.1
		m.arrived("", password)
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": m.want["access token"], "token_type": "Bearer", "expires_in": 3600})
		return
	}
	var in map[string]any
	_ = json.Unmarshal(body, &in)
	texts := []string{user, password, string(body), r.URL.Query().Get("key"), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")}
	for _, v := range in {
		if text, ok := v.(string); ok {
			texts = append(texts, text)
		}
	}
	for _, h := range r.Header {
		texts = append(texts, h...)
	}
	m.arrived(system, texts...)
	m.mu.Lock()
	if hook, ok := in["hook"].(string); ok {
		m.hook = hook
	}
	m.mu.Unlock()
	w.Header().Set("Set-Cookie", "t="+r.Header.Get("Authorization"))
	w.Header().Set("X-Request-Id", "r-1")
	if operation == "refuse" {
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
	var forms [][]string
	for _, text := range texts {
		forms = append(forms, encodingsOf(text))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"headers": r.Header, "body": string(body), "query": r.URL.RawQuery, "forms": forms, "in": in})
}

func (m *mirror) arrived(system string, texts ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all[system] = append(m.all[system], texts...)
	for name, value := range m.want {
		if slices.Contains(texts, value) {
			m.got[name] = true
		}
	}
}

// mirrors are the systems: one for each way to authenticate.
func mirrors(base string) map[string]string {
	auth := map[string]string{
		"plain": "{type: none}", "bearer": "{type: bearer}", "basic": "{type: basic}", "query": "{type: api_key, query: key}",
		"oauth": "{type: oauth2, token_url: \"" + base + "/token\", client_auth: basic}",
		"hmac":  "{type: hmac, header: X-Sign, algorithm: sha256, encoding: hex, signed: [method, path, body]}",
	}
	out := map[string]string{}
	for id, a := range auth {
		out[id] = fmt.Sprintf(`
format: culm.system/v1
id: %s
title: Mirror
base_url: %s/%[1]s
auth: %[3]s
limits: {timeout_ms: 20000}
operations:
  - {id: send, title: Send, method: POST, path: /send, retry: safe, risk: write,
     body: {type: object, properties: {password: {type: string, x-secret: true}, more: {type: string, x-secret: true}, hook: {type: string}, note: {type: string}}},
     parameters: [{name: token, in: header, wire: X-Token, secret: true}]}
  - {id: refuse, title: Refuse, method: POST, path: /refuse, retry: keyed, risk: write,
     body: {type: object, properties: {password: {type: string, x-secret: true}, note: {type: string}}}}
  - {id: recall, title: Recall, method: GET, path: /recall, retry: safe, risk: read}
`, id, base, a)
	}
	return out
}

// wholeFlow sends the secrets to every system, is refused with them, and waits for a
// callback that brings them back.
const wholeFlow = `{"format":"culm.flow/v1","id":"whole","name":"Whole","variables":[
	{"name":"password","source":"input","secret":true,"required":true,"uses":[USES]},
	{"name":"later","source":"input","secret":true,"required":true,"uses":[USES]},
	{"name":"token","source":"computed","secret":true,"expression":"secrets.API_TOKEN","uses":[USES]},
	{"name":"note","source":"input","schema":{"type":"string"}},
	{"name":"answer","source":"node","schema":{},"output":true}],
	"nodes":[{"id":"start","type":"start"},
		{"id":"ask","type":"task","plugin":"core","action":"confirm","inputs":{"prompt":"Go on with ${note}?"}},
		NODES,
		{"id":"recall","type":"task","plugin":"http","action":"call","inputs":{"system":"plain","operation":"recall"}},
		{"id":"refused","type":"task","plugin":"http","action":"call","inputs":{"system":"plain","operation":"refuse","body":{"password":"${password}","note":"${note}"}}},
		{"id":"hook","type":"task","plugin":"http","action":"call_and_wait","inputs":{"system":"plain","operation":"send","body":{"hook":"{callback_url}","password":"${password}"}},"outputs":{"answer":"callback"}},
		{"id":"end","type":"end"}],
	"edges":[EDGES]}`

// drawWhole draws the flow for some systems.
func drawWhole(systems []string) string {
	var uses, nodes, edges []string
	path := []string{"start", "ask"}
	for _, id := range systems {
		uses = append(uses, `{"system":"`+id+`","operation":"send"},{"system":"`+id+`","operation":"refuse"}`)
		nodes = append(nodes, `{"id":"to_`+id+`","type":"task","plugin":"http","action":"call","inputs":{"system":"`+id+
			`","operation":"send","params":{"token":"${token}"},"body":{"password":"${password}","more":"${later}","note":"${note}"}}}`)
		path = append(path, "to_"+id)
	}
	path = append(path, "recall", "refused", "hook", "end")
	for i := range len(path) - 1 {
		edges = append(edges, fmt.Sprintf(`{"id":"e%d","from":%q,"to":%q}`, i, path[i], path[i+1]))
	}
	return strings.NewReplacer("USES", strings.Join(uses, ","), "NODES", strings.Join(nodes, ","), "EDGES", strings.Join(edges, ",")).Replace(wholeFlow)
}

// whole is a server with everything that could hold a secret, and what came out of it.
type whole struct {
	*server
	mirror  *mirror
	log     *lockedLog
	spans   *spans
	systems []string
	texts   map[string][]byte // what was shown, by where
	copies  string            // the data directory as it was while the server ran, and backups
}

func newWhole(t *testing.T, canaries hosttest.Canaries) *whole {
	t.Helper()
	w := &whole{
		mirror: &mirror{want: canaries, got: map[string]bool{}, all: map[string][]string{}}, log: &lockedLog{},
		spans: &spans{names: map[string]string{}, parents: map[string]string{}}, texts: map[string][]byte{}, copies: t.TempDir(),
	}
	up, traces := httptest.NewServer(w.mirror), httptest.NewServer(w.spans)
	t.Cleanup(up.Close)
	t.Cleanup(traces.Close)
	w.server = unstarted(t, false, "http", "core")
	w.cfg.Allow = []string{strings.TrimPrefix(up.URL, "http://")}
	w.cfg.Record.Mode, w.cfg.Trace.Endpoint = "all", traces.URL+"/v1/traces"
	w.deps.Logger = slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.start()
	grants := []string{}
	for id, doc := range mirrors(up.URL) {
		w.put("/systems/"+id, systemJSON(t, doc))
		grants = append(grants, `{"system":"`+id+`","operation":"send"},{"system":"`+id+`","operation":"refuse"},{"system":"`+id+`","operation":"recall"}`)
		w.systems = append(w.systems, id)
	}
	slices.Sort(w.systems)
	w.put("/plugins/http/grants", `{"grants":[`+strings.Join(grants, ",")+`]}`)
	for id, c := range map[string]any{
		"bearer": map[string]string{"token": canaries["bearer token"]}, "query": map[string]string{"token": canaries["key in a query"]},
		"basic": map[string]string{"username": "ada", "password": canaries["basic password"]},
		"oauth": map[string]string{"client_id": "culm", "secret": canaries["client secret"]}, "hmac": map[string]string{"secret": canaries["signing key"]},
	} {
		w.put("/systems/"+id+"/credential", c)
		w.show("POST", w.in("/systems/%s/credential/test", id), `{}`)
	}
	w.put("/secrets/API_TOKEN", map[string]string{"value": canaries["project secret"]})
	return w
}

// put sends a request that must succeed, and keeps what it shows.
func (w *whole) put(path string, body any) {
	w.t.Helper()
	status, _, text := w.do("PUT", w.in("%s", path), nil, body)
	if status != 200 {
		w.t.Fatalf("%s: %d %s", path, status, text)
	}
	w.texts["PUT "+path] = []byte(text)
}

// show sends a request and keeps what it shows, its headers too.
func (w *whole) show(method, path string, body any) (int, string) {
	w.t.Helper()
	status, h, text := w.do(method, path, nil, body)
	w.texts[method+" "+path] = []byte(fmt.Sprint(h) + text)
	return status, text
}

// play runs the flow to its end.
func (w *whole) play(canaries hosttest.Canaries, note string) {
	w.t.Helper()
	w.publish(drawWhole(w.systems))
	status, text := w.show("POST", w.in("/flows/whole/runs"), map[string]any{"inputs": map[string]string{
		"password": canaries["run secret"], "later": "set-before-the-later-one", "note": cmp.Or(note, "nothing"),
	}})
	if status != 201 {
		w.t.Fatal(status, text)
	}
	run := idOf(w.t, text)
	frames := w.frames(run)
	command := func(path string, body any) {
		w.t.Helper()
		if status, text := w.show("POST", w.in("/runs/%s%s", run, path), body); status != 200 {
			w.t.Fatal(path, status, text)
		}
	}
	w.published.wait(w.t, run, "ask waiting")
	command("/commands", map[string]any{"command": "set_variables", "values": map[string]string{"later": canaries["secret set later"]}})
	command("/nodes/ask/commands", map[string]any{"command": "callback", "data": map[string]any{"approved": true}})
	w.published.wait(w.t, run, "refused failed")
	w.keepCopies()
	command("/nodes/refused/commands", map[string]any{"command": "skip"})
	w.published.wait(w.t, run, "hook waiting")
	back, err := json.Marshal(map[string]any{"password": canaries["run secret"], "token": canaries["project secret"], "forms": encodingsOf(canaries["secret set later"]), "note": note})
	if err != nil {
		w.t.Fatal(err)
	}
	w.mirror.mu.Lock()
	hook := w.mirror.hook
	w.mirror.mu.Unlock()
	if status, text := callBack(w.t, hook, string(back)); status != http.StatusAccepted {
		w.t.Fatal(status, text)
	}
	w.published.wait(w.t, run, "run succeeded")
	w.texts["the live stream"] = frames()
	w.show("POST", w.in("/systems/bearer/operations/send/call"), map[string]any{"body": map[string]string{"note": note}})
	w.look(run)
	w.stop()
	w.texts["the log"] = []byte(w.log.String())
	w.texts["the traces"] = w.spans.text
}

// look reads every page that tells something.
func (w *whole) look(run string) {
	paths := []string{
		"/metrics", "/api/v1/openapi.json", "/api/v1/meta", "/api/v1/audit?limit=200", "/api/v1/projects", "/api/v1/keys", "/api/v1/keys/verify", "/api/v1/plugins",
		w.in("/audit?limit=200"), w.in("/secrets"), w.in("/flows"), w.in("/flows/whole"), w.in("/flows/whole/versions/1"), w.in("/runs"), w.in("/runs/%s", run),
		w.in("/runs/%s/records?limit=1000", run), w.in("/systems"), w.in("/calls?limit=200"),
	}
	for _, id := range w.systems {
		paths = append(paths, w.in("/systems/%s", id), w.in("/systems/%s/document", id), w.in("/systems/%s/credential", id), w.in("/systems/%s/versions", id), w.in("/systems/%s/state", id))
	}
	for _, node := range append([]string{"ask", "recall", "refused", "hook"}, w.systems...) {
		if slices.Contains(w.systems, node) {
			node = "to_" + node
		}
		paths = append(paths, w.in("/runs/%s/nodes/%s", run, node))
		_, text := w.show("GET", w.in("/runs/%s/nodes/%s/recordings", run, node), nil)
		var list struct {
			Items []struct{ ID json.RawMessage }
		}
		_ = json.Unmarshal([]byte(text), &list)
		for _, r := range list.Items {
			paths = append(paths, w.in("/runs/%s/nodes/%s/recordings/%s", run, node, strings.Trim(string(r.ID), `"`)))
		}
	}
	for _, path := range paths {
		if status, text := w.show("GET", path, nil); status != 200 {
			w.t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

// keepCopies copies the data directory while the server works, the log of the database
// included, and makes a backup as an administrator does.
func (w *whole) keepCopies() {
	w.t.Helper()
	if err := os.CopyFS(filepath.Join(w.copies, "while"), os.DirFS(w.cfg.Data)); err != nil {
		w.t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", filepath.Join(w.cfg.Data, "culm.db")) // as the sqlite3 of the command line
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`VACUUM INTO ?`, filepath.Join(w.copies, "backup.db")); err != nil {
		w.t.Fatal(err)
	}
}

// hits searches everything.
func (w *whole) hits(c hosttest.Canaries) map[string][]hosttest.Hit {
	w.t.Helper()
	found := map[string][]hosttest.Hit{}
	for where, text := range w.texts {
		if hits := c.Search(where, text); hits != nil {
			found[where] = hits
		}
	}
	for _, dir := range []string{w.cfg.Data, w.copies} {
		hits, n, err := c.SearchFiles(w.t.Context(), dir)
		if err != nil || n < 2 {
			w.t.Fatalf("%d files in %s: %v", n, dir, err)
		}
		for _, h := range hits {
			found[h.Where] = append(found[h.Where], h)
		}
	}
	return found
}

// recorded says whether a recording that was shown holds a text.
func (w *whole) recorded(text string) bool {
	for where, got := range w.texts {
		if strings.Contains(where, "/recordings/") && bytes.Contains(got, []byte(text)) {
			return true
		}
	}
	return false
}

// C08, K01, K02, K03, K06, K15: credentials of every kind and secrets of every kind are used in
// every way; nothing that Culm writes, shows, sends or logs holds one, in whatever form,
// while systems and callbacks send all of them back in many.
func TestNothingInTheWholeSystemHoldsASecret(t *testing.T) {
	t.Parallel()
	canaries := wholeCanaries()
	w := newWhole(t, canaries)
	w.play(canaries, "")
	for name := range canaries {
		if name != "signing key" && !w.mirror.got[name] {
			t.Errorf("the system never got the %s", name)
		}
	}
	// C08: the token of the URL that the system was given, and called.
	canaries["callback token"] = w.mirror.hook[strings.LastIndex(w.mirror.hook, "/")+1:]
	for where, hits := range w.hits(canaries) {
		t.Errorf("%s: %v", where, hits)
	}
	// K01: what the plugin was given, which the recordings hold as it was, are handles.
	for _, of := range []string{"password", "token"} {
		if !w.recorded(`\"` + of + `\":\"culm_secret_`) {
			t.Errorf("no recording shows that a plugin was given a handle as its %s", of)
		}
	}
	for _, where := range []string{"the log", "the traces", "the live stream", "GET /metrics"} {
		if len(w.texts[where]) < 1000 {
			t.Errorf("%s is %d bytes", where, len(w.texts[where]))
		}
	}
}

// The search would find a secret that was not kept as one: the same text as an ordinary
// value is found in every place that keeps or shows values.
func TestTheSearchOfTheWholeSystemFindsWhatIsNoSecret(t *testing.T) {
	t.Parallel()
	const note = `c4nary that is not a secret/"+é`
	w := newWhole(t, wholeCanaries())
	w.play(wholeCanaries(), note)
	found := w.hits(hosttest.Canaries{"note": note})
	for _, part := range []string{
		filepath.Join(w.cfg.Data, "culm.db"), filepath.Join(w.copies, "while", "culm.db-wal"), filepath.Join(w.copies, "backup.db"), "backup.db chunks.data",
		"the live stream", "/records?limit=1000", "/nodes/to_bearer", "/recordings/", "recordings.body (unpacked)",
	} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(found)), func(where string) bool { return strings.Contains(where, part) }) {
			t.Errorf("the note was not found in %s; found in %v", part, slices.Sorted(maps.Keys(found)))
		}
	}
}
