package app_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/projects"
)

// otherProject makes a second project, and returns a server that is asked for that one.
func (s *server) otherProject(id string) *server {
	s.t.Helper()
	if err := s.Projects.Ensure(s.t.Context(), projects.Project{ID: id, Name: id, Zone: "UTC"}); err != nil {
		s.t.Fatal(err)
	}
	other := *s
	other.project = id
	return &other
}

// sealed returns every ciphertext of the database.
func (s *server) sealed() [][]byte {
	s.t.Helper()
	db, err := sqlite.OpenReadOnly(s.t.Context(), filepath.Join(s.cfg.Data, "culm.db"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(s.t.Context(), `SELECT cipher FROM project_secrets UNION ALL SELECT cipher FROM run_secrets UNION ALL SELECT cipher FROM secret_mac_key`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	var all [][]byte
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, b)
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	return all
}

// K14: a flow that leaves its project, as its draft, as a version, as the copy that a run
// keeps, names its secrets and holds neither values nor ciphertext. In another project the
// names are empty: nothing starts until that project has secrets of its own.
func TestAFlowThatLeavesItsProjectTakesNoSecretAlong(t *testing.T) {
	t.Parallel()
	s, e, _ := secretServer(t)
	s.publish(drawn("login", `{"token":"${token}"}`, `{"user":"ada","password":"${password}"}`))
	run := s.run("login", map[string]any{"password": runCanary})
	s.published.wait(t, run, "run succeeded")
	ciphers := s.sealed()
	if len(ciphers) < 3 {
		t.Fatalf("%d ciphertexts", len(ciphers))
	}
	draft := want[struct {
		Document json.RawMessage `json:"document"`
	}](s, 200, "GET", s.in("/flows/login"), nil).Document
	for _, path := range []string{"/flows/login", "/flows/login/versions/1", "/flows/login/revisions", "/flows/login/revisions/1", "/runs/" + run, "/runs/" + run + "/records?limit=1000"} {
		status, _, text := s.do("GET", s.in("%s", path), nil, nil)
		if status != 200 {
			t.Errorf("%s: %d %s", path, status, text)
		}
		clean(t, path, []byte(text))
		for _, c := range ciphers {
			for form, part := range map[string]string{"bytes": string(c[8:]), "hex": hex.EncodeToString(c[8:]), "base64": base64.StdEncoding.EncodeToString(c[9 : 9+(len(c)-9)/3*3])} {
				if strings.Contains(strings.ToLower(text), strings.ToLower(part)) {
					t.Errorf("%s holds a ciphertext as %s", path, form)
				}
			}
		}
	}
	if !bytes.Contains(draft, []byte("secrets.API_TOKEN")) {
		t.Errorf("the name of the secret is gone: %s", draft)
	}

	other := s.otherProject("other")
	there := want[struct {
		Problems []struct{ Code, Variable string }
	}](other, 201, "POST", other.in("/flows"), map[string]any{"document": draft})
	if len(there.Problems) == 0 || there.Problems[0].Code != "SECRET_UNKNOWN" || there.Problems[0].Variable != "token" {
		t.Errorf("problems in the other project: %+v", there.Problems)
	}
	if status, _, text := s.do("POST", other.in("/flows/login/versions"), nil, `{"revision":1,"note":""}`); status != 422 || !strings.Contains(text, "SECRET_UNKNOWN") {
		t.Errorf("published in the other project: %d %s", status, text)
	}
	want[any](other, 200, "PUT", other.in("/secrets/API_TOKEN"), map[string]string{"value": "of the other project"})
	want[any](other, 201, "POST", other.in("/flows/login/versions"), `{"revision":1,"note":""}`)
	// The reference of a secret of the first project is a text there, and opens nothing.
	stolen := other.run("login", map[string]any{"password": "culm-secret://run/" + run + "/password/1"})
	other.published.wait(t, stolen, "a failed") // the other project has no such system
	if bodies, _ := e.calls(); len(bodies) != 1 {
		t.Errorf("the system got %d calls", len(bodies))
	}
}

// K15: what programs authenticate to Culm with, as a reverse proxy passes it on, is in no
// log, trace, record or audit, whether the request succeeds or is refused.
func TestWhatRequestsAuthenticateWithIsWrittenNowhere(t *testing.T) {
	t.Parallel()
	canaries := hosttest.Canaries{}
	for _, name := range []string{"authorization", "proxy authorization", "cookie", "key", "query", "body", "referrer", "user of the URL"} {
		canaries[name] = "c4nary-of-the-" + strings.ReplaceAll(name, " ", "-")
	}
	sp := &spans{names: map[string]string{}, parents: map[string]string{}}
	traces := httptest.NewServer(sp)
	t.Cleanup(traces.Close)
	s, _, log := secretServer(t, func(s *server) { s.cfg.Trace.Endpoint = traces.URL + "/v1/traces" })
	s.publish(drawn("login", `{"token":"${token}"}`, `{"user":"ada","password":"${password}"}`))
	h := header{
		"Authorization": "Bearer " + canaries["authorization"], "Proxy-Authorization": "Basic " + canaries["proxy authorization"], "X-Api-Key": canaries["key"],
		"Referer": s.URL() + "/?code=" + canaries["referrer"], "X-Forwarded-Access-Token": canaries["key"],
	}
	shown := map[string]string{}
	ask := func(status int, method, path string, body any, more header) string {
		t.Helper()
		all := header{}
		maps.Copy(all, h)
		maps.Copy(all, more)
		got, answered, text := s.do(method, path, all, body)
		if got != status {
			t.Errorf("%s %s: %d %s, want %d", method, path, got, text, status)
		}
		shown[method+" "+path] = fmt.Sprint(answered) + text
		return text
	}
	run := idOf(t, ask(201, "POST", s.in("/flows/login/runs"), map[string]any{"inputs": map[string]string{"password": runCanary}}, nil))
	s.published.wait(t, run, "run succeeded")
	ask(200, "GET", s.in("/runs/%s", run), nil, header{"Cookie": "session=" + canaries["cookie"]})
	ask(403, "POST", s.in("/flows/login/runs"), `{}`, header{"Cookie": "session=" + canaries["cookie"]})
	ask(404, "GET", "/api/v1/nothing", nil, nil)
	ask(422, "GET", s.in("/runs?access_token=%s", canaries["query"]), nil, nil)
	ask(422, "POST", s.in("/flows/login/runs"), map[string]any{"inputs": map[string]string{"password": runCanary, "unknown": canaries["body"]}}, nil)
	ask(400, "POST", s.in("/flows/login/runs"), `{"inputs":"`+canaries["body"], nil)
	ask(404, "POST", "/callbacks/nothing", `{}`, nil)
	ask(200, "PUT", s.in("/secrets/API_TOKEN"), map[string]string{"value": projectCanary}, nil)
	hs := http.Header{}
	for name, value := range h {
		hs.Set(name, value)
	}
	c, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(s.URL(), "http")+s.in("/runs/%s/events", run), hs)
	if err != nil {
		t.Fatal(err)
	}
	_, first, err := c.ReadMessage()
	if err != nil {
		t.Error(err)
	}
	shown["the live stream"] = fmt.Sprint(resp.Header) + string(first)
	_ = c.Close()
	for _, path := range []string{"/metrics", "/api/v1/audit?limit=200", s.in("/audit?limit=200"), s.in("/runs/%s/records", run), s.in("/calls?limit=200")} {
		ask(200, "GET", path, nil, nil)
	}
	s.stop()
	shown["the log"], shown["the traces"] = log.String(), string(sp.text)
	if len(shown["the log"]) < 1000 || len(shown["the traces"]) < 1000 {
		t.Errorf("the log is %d bytes, the traces %d", len(shown["the log"]), len(shown["the traces"]))
	}
	for where, text := range shown {
		for _, hit := range canaries.Search(where, []byte(text)) {
			t.Error(hit)
		}
	}
	hits, n, err := canaries.SearchFiles(t.Context(), s.cfg.Data)
	if err != nil || n < 2 {
		t.Fatal(n, err)
	}
	for _, hit := range hits {
		t.Error(hit)
	}
}

// hiddenIDs are ids that no thing can have.
func hiddenIDs() []string {
	return []string{
		"%00", "%0a", "..%2f..%2fetc", "%2e%2e", "%5c", "%c3%28", "%ff", "%e4%b8%ad", "'%20OR%201=1--", "%25s%25n", "a%2fb", "-1", "9223372036854775808", "NaN",
		strings.Repeat("a", 129), strings.Repeat("9", 64), "%7b%7d", "%3cscript%3e", "sha256:", "culm-secret:%2f%2frun",
	}
}

// K16: nobody learns from an answer whether a thing exists where he is not: for every route
// and method, what another project has is answered exactly as what nobody has, and an id
// that cannot be one is refused like any other, never with a failure of the server.
func TestWhatIsElsewhereIsAnsweredAsWhatIsNowhere(t *testing.T) {
	t.Parallel()
	log := &lockedLog{}
	s := unstarted(t, true, "core", "demo", "http")
	s.deps.Logger = slog.New(slog.NewJSONHandler(log, nil))
	s.start()
	s.publish(asking)
	run := s.run("asking", nil)
	s.published.wait(t, run, "ask waiting")
	want[any](s, 200, "PUT", s.in("/secrets/API_TOKEN"), map[string]string{"value": projectCanary})
	view := want[struct{ ID string }](s, 201, "POST", s.in("/views"), `{"list":"runs","name":"Mine","query":"state=failed"}`)
	s.otherProject("other")
	routes := want[struct {
		Paths map[string]map[string]any
	}](s, 200, "GET", "/api/v1/openapi.json", nil).Paths
	here := map[string]string{
		"flow": "asking", "run": run, "node": "ask", "version": "1", "revision": "1", "system": "demo", "operation": "get_host", "secret": "API_TOKEN", "view": view.ID,
		"plugin": "core", "digest": "sha256:" + strings.Repeat("0", 64), "recording": "1", "key": "nobody",
	}
	n := 0
	for _, path := range slices.Sorted(maps.Keys(routes)) {
		if strings.HasSuffix(path, "/events") || strings.HasSuffix(path, "/presence") {
			continue // streams have a test of their own
		}
		for method := range routes[path] {
			method = strings.ToUpper(method)
			for _, name := range paramsOf(path) {
				if name == "project" {
					continue
				}
				n++
				s.elsewhere(method, path, name, here)
			}
			for _, name := range paramsOf(path) {
				for _, id := range hiddenIDs() {
					target := filled(path, map[string]string{"project": s.project, name: id}, here)
					if status, text := s.bare(method, target); status >= 500 || status < 300 && method == "GET" && strings.HasSuffix(path, "{"+name+"}") {
						t.Errorf("%s %s: %d %s", method, target, status, text)
					}
				}
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d parts of paths were tried", n)
	}
	if strings.Contains(log.String(), `"request failed"`) {
		t.Errorf("the log tells of a failure: %s", log.String())
	}
}

// elsewhere asks the other project for what the first one has, and for what nobody has.
func (s *server) elsewhere(method, path, name string, here map[string]string) {
	s.t.Helper()
	if !strings.Contains(path, "{project}") || name == "plugin" {
		return // plugins are those of the installation
	}
	nowhere := "nowhere"
	if name == "version" || name == "revision" || name == "recording" {
		nowhere = "999" // else it would be refused for being no number
	}
	status, text := s.bare(method, filled(path, map[string]string{"project": "other"}, here))
	none, without := s.bare(method, filled(path, map[string]string{"project": "other", name: nowhere}, here))
	if status != none || strings.ReplaceAll(text, here[name], nowhere) != strings.ReplaceAll(without, here[name], nowhere) {
		s.t.Errorf("%s %s: what is elsewhere is answered %d %s, what is nowhere %d %s", method, path, status, text, none, without)
	}
	if status < 300 && method == "GET" && strings.HasSuffix(path, "{"+name+"}") {
		s.t.Errorf("%s %s shows what another project has: %s", method, path, text)
	}
}

// bare sends a request with as little in it as may be.
func (s *server) bare(method, path string) (int, string) {
	s.t.Helper()
	var body any
	if method == "POST" || method == "PUT" {
		body = `{}`
	}
	status, _, text := s.do(method, path, header{"If-Match": `"1"`}, body)
	return status, text
}

func paramsOf(path string) []string {
	var names []string
	for _, part := range strings.Split(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

// filled puts ids into a path: those of first, else those of others.
func filled(path string, first, others map[string]string) string {
	for _, name := range paramsOf(path) {
		id, ok := first[name]
		if !ok {
			id = others[name]
		}
		path = strings.ReplaceAll(path, "{"+name+"}", id)
	}
	if !strings.HasPrefix(path, "/api/") {
		path = "/api/v1" + path
	}
	return path
}
