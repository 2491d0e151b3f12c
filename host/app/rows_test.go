package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/api"
	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/tryout"
	"github.com/culmhq/culm/pdk/contract"
)

// G11 through a whole server: a system that is pointed elsewhere loses its credential there,
// nothing is sent until one is set again, and the audit tells who did what.
func TestASystemThatIsPointedElsewhereLosesItsCredential(t *testing.T) {
	t.Parallel()
	got := map[string][]string{}
	listen := func(name string) string {
		up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got[name] = append(got[name], r.Header.Get("Authorization"))
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{}`)
		}))
		t.Cleanup(up.Close)
		return up.URL
	}
	good, evil := listen("good"), listen("evil")
	s := unstarted(t, false)
	s.cfg.Allow = []string{strings.TrimPrefix(good, "http://"), strings.TrimPrefix(evil, "http://")}
	s.start()
	type view struct {
		Set bool `json:"credential_set"`
	}
	point := func(base string) view {
		return want[view](s, 200, "PUT", s.in("/systems/things"), systemJSON(t, strings.Replace(thingsDocument, "BASE", base, 1)))
	}
	call := func() *contract.Failure {
		return want[tryout.Answer](s, 200, "POST", s.in("/systems/things/operations/read/call"), `{"params":{"id":"7"}}`).Failure
	}
	point(good)
	want[any](s, 200, "PUT", s.in("/systems/things/credential"), `{"token":"of-the-good-one"}`)
	if f := call(); f != nil {
		t.Fatalf("with its credential: %+v", f)
	}
	if point(evil).Set {
		t.Error("the credential is said to be set at the new address")
	}
	if f := call(); f == nil || f.Code != "CREDENTIAL_MISSING" {
		t.Errorf("at the new address: %+v", f)
	}
	if len(got["evil"]) != 0 {
		t.Errorf("the new address received %q", got["evil"])
	}
	want[any](s, 200, "PUT", s.in("/systems/things/credential"), `{"token":"typed-again"}`)
	if f := call(); f != nil || fmt.Sprint(got) != "map[evil:[Bearer typed-again] good:[Bearer of-the-good-one]]" {
		t.Errorf("typed again: %+v; the systems received %v", f, got)
	}

	var told []string
	for _, e := range want[page.Of[audit.Entry]](s, 200, "GET", s.in("/audit?limit=200"), nil).Items {
		var d struct {
			Base string `json:"base_url"`
		}
		_ = json.Unmarshal(e.Detail, &d)
		told = append(told, strings.TrimSpace(fmt.Sprintf("%s %s %s %s%s", e.Actor, e.Action, e.Outcome, e.Code, d.Base)))
	}
	all := strings.Join(told, "\n")
	for _, one := range []string{"local systems.put ok " + good, "local systems.put ok " + evil, "local systems.credential.put ok", "CREDENTIAL_MISSING"} {
		if !strings.Contains(all, one) {
			t.Errorf("%q is not in the audit:\n%s", one, all)
		}
	}
}

// K04 through a whole server: whoever reads a secret, or adds to it, has a draft that says so
// and is neither published nor started.
func TestAFlowThatReadsASecretIsNotPublished(t *testing.T) {
	t.Parallel()
	s := start(t, false, "http", "core")
	const doc = `{"format":"culm.flow/v1","id":"ID","name":"F","variables":[
		{"name":"password","source":"input","secret":true,"required":true,"uses":[{"system":"echo","operation":"login"}]}MORE],
		"nodes":[{"id":"start","type":"start"},{"id":"a","type":"task","name":"NAME","plugin":"core","action":"confirm","inputs":{"prompt":"PROMPT"}},
			{"id":"g","type":"exclusive"},{"id":"end","type":"end"}],
		"edges":[{"id":"e1","from":"start","to":"a"},{"id":"e2","from":"a","to":"g"},{"id":"e3","from":"g","to":"end","condition":"COND"},{"id":"e4","from":"g","to":"end","default":true}]}`
	for id, c := range map[string]struct{ more, prompt, cond string }{
		"plain":     {"", "Go on?", "1 == 1"},
		"added":     {`,{"name":"made","source":"computed","expression":"password + 'x'"}`, "Go on?", "1 == 1"},
		"condition": {"", "Go on?", "password == 'x'"},
		"size":      {"", "Go on?", "size(password) > 3"},
		"text":      {"", "with ${password}", "1 == 1"},
		"whole":     {"", "${password}", "1 == 1"},
		"project":   {"", "${secrets.API_TOKEN}", "1 == 1"},
	} {
		text := strings.NewReplacer("ID", id, "MORE", c.more, "NAME", "a ${password}", "PROMPT", c.prompt, "COND", c.cond).Replace(doc)
		draft := want[struct {
			Problems []struct{ Code, Level string }
		}](s, 201, "POST", s.in("/flows"), `{"document":`+text+`}`)
		status, _, answer := s.do("POST", s.in("/flows/%s/versions", id), nil, `{"revision":1,"note":""}`)
		if id == "plain" { // else the others were refused for something else; and a name is a mere text
			if status != 201 {
				t.Errorf("%s: %+v, published: %d %s", id, draft.Problems, status, answer)
			}
			continue
		}
		if len(draft.Problems) != 1 || draft.Problems[0].Code != "EXPR_SECRET" && draft.Problems[0].Code != "SECRET_PLACE" || draft.Problems[0].Level != "error" || status != 422 {
			t.Errorf("%s: %+v, published: %d %s", id, draft.Problems, status, answer)
		}
		if status, _, text := s.do("POST", s.in("/flows/%s/runs", id), nil, `{"inputs":{"password":"hunter2"}}`); status < 400 {
			t.Errorf("%s was started: %d %s", id, status, text)
		}
	}
}

// innards is what a defect of the host knows and nobody else may.
const innards = "index out of range: c4nary at /root/inside/ring.go:7, goroutine 12 [running]"

// faulty is a log whose handler has a defect: it panics where the gateway tells of a call,
// which is in the middle of a host function.
type faulty struct{ slog.Handler }

func (f faulty) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "gateway: call" {
		panic(innards)
	}
	return f.Handler.Handle(ctx, r)
}

// P17 through a whole server: plugins trap in every way, and a host function panics. What
// the API answers, what the live stream sends, and the logs and recordings of the nodes name
// the failure, and show no stack, path or text from inside the host.
func TestFaultsOfGuestsAndOfTheHostShowNothingOfTheInside(t *testing.T) {
	t.Parallel()
	log := &lockedLog{}
	s, _, _ := secretServer(t)
	s.stop()
	s.deps.Logger = slog.New(faulty{slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})})
	s.start()
	guests := map[string]string{
		"divide": "PLUGIN_TRAP", "outside": "PLUGIN_TRAP", "unreachable": "PLUGIN_TRAP", "indirect": "PLUGIN_TRAP", "exits": "PLUGIN_TRAP",
		"failing": "PLUGIN_FAILED", "recursion": "PLUGIN_RESOURCE", "output-huge": "OUTPUT_LIMIT", "deep-json": "OUTPUT_INVALID",
	}
	nodes := []string{
		`{"id":"start","type":"start"},{"id":"fork","type":"parallel"},{"id":"join","type":"join"},{"id":"end","type":"end"}`,
		`{"id":"host","type":"task","plugin":"http","action":"call","inputs":{"system":"echo","operation":"other","body":{"note":"x"}}}`,
	}
	edges := []string{`{"id":"s","from":"start","to":"fork"},{"id":"e","from":"join","to":"end"},{"id":"ha","from":"fork","to":"host"},{"id":"hb","from":"host","to":"join"}`}
	for name := range guests {
		s.upload(stranger(t, name), "", http.StatusCreated)
		node := nodeOf(name)
		nodes = append(nodes, fmt.Sprintf(`{"id":%q,"type":"task","plugin":"p-%s","action":"go","inputs":{}}`, node, name))
		edges = append(edges, fmt.Sprintf(`{"id":"a_%[1]s","from":"fork","to":%[1]q},{"id":"b_%[1]s","from":%[1]q,"to":"join"}`, node))
	}
	s.publish(fmt.Sprintf(`{"format":"culm.flow/v1","id":"faults","name":"Faults","nodes":[%s],"edges":[%s]}`, strings.Join(nodes, ","), strings.Join(edges, ",")))
	run := s.run("faults", nil)
	frames := s.frames(run)
	s.published.wait(t, run, "run blocked")
	texts := map[string]string{}
	look := func(path string) string {
		status, h, text := s.do("GET", path, nil, nil)
		if status != 200 {
			t.Errorf("%s: %d %s", path, status, text)
		}
		texts[path] = fmt.Sprint(h) + text
		return text
	}
	codes := map[string]string{"host": "GATEWAY_UNAVAILABLE"}
	for name, code := range guests {
		codes[nodeOf(name)] = code
	}
	for node, code := range codes {
		if text := look(s.in("/runs/%s/nodes/%s", run, node)); !strings.Contains(text, code) {
			t.Errorf("%s does not say %s: %s", node, code, text)
		}
		list := look(s.in("/runs/%s/nodes/%s/recordings", run, node))
		var all struct{ Items []struct{ ID string } }
		if err := json.Unmarshal([]byte(list), &all); err != nil || len(all.Items) == 0 {
			t.Errorf("%s has no recording: %v %s", node, err, list)
		}
		for _, r := range all.Items {
			look(s.in("/runs/%s/nodes/%s/recordings/%s", run, node, r.ID))
		}
		want[any](s, 200, "POST", s.in("/runs/%s/nodes/%s/commands", run, node), `{"command":"skip"}`)
	}
	s.published.wait(t, run, "run succeeded")
	texts["the live stream"] = string(frames())
	for _, path := range []string{
		s.in("/runs/%s", run), s.in("/runs/%s/records?limit=1000", run), s.in("/runs"), s.in("/audit?limit=200"), s.in("/calls?limit=200"),
		"/api/v1/audit/export", "/api/v1/plugins",
	} {
		look(path)
	}
	if text := texts["the live stream"]; !strings.Contains(text, "PLUGIN_TRAP") || !strings.Contains(text, "GATEWAY_UNAVAILABLE") {
		t.Errorf("the live stream does not tell of the failures: %s", text)
	}
	if !strings.Contains(log.String(), "c4nary") {
		t.Error("nothing panicked, or the log of the server does not tell of it")
	}
	for where, text := range texts {
		for _, leak := range []string{"c4nary", "index out of range", "goroutine", ".go:", "/root", "wazero", "wasm stack", s.cfg.Data} {
			if at := strings.Index(text, leak); at >= 0 {
				t.Errorf("%s shows %q: …%s…", where, leak, text[max(0, at-120):min(len(text), at+120)])
			}
		}
	}
}

// nodeOf is the id of the node that runs a hostile module.
func nodeOf(module string) string { return "n_" + strings.ReplaceAll(module, "-", "_") }

// stranger is a hostile module as a plugin with one action, "go".
func stranger(t *testing.T, name string) []byte {
	t.Helper()
	code, err := os.ReadFile(filepath.Join("..", "wasm", "testdata", "evil", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	object := json.RawMessage(`{"type":"object"}`)
	out, err := build.Pack(code, contract.Manifest{
		Format: contract.ManifestFormat, ID: "p-" + name, Version: "1.0.0", Title: contract.T("Stranger"),
		Actions: []contract.Action{{ID: "go", Title: contract.T("Go"), Inputs: object, Outputs: object}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// P09: a body that does not say how long it is is read up to the limit of its route, and takes
// no more memory than that allows, however long it is.
func TestABodyInChunksIsTakenUpToTheLimitOnly(t *testing.T) { //nolint:paralleltest // weighs the process
	s := start(t, false, "core")
	for path, c := range map[string]struct {
		media string
		limit int64
	}{
		"/api/v1/plugins": {"application/wasm", plugins.CodeBytesMax},
		s.in("/flows"):    {"application/json", api.BodyMaxBytes},
	} {
		before := allocated()
		body := &counted{left: 1 << 30}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = -1
		req.Header.Set("Content-Type", c.media)
		res, err := new(http.Transport).RoundTrip(req)
		if err == nil { // else it had sent more than is dropped before it read the answer
			_ = res.Body.Close()
			if res.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: %d", path, res.StatusCode)
			}
		}
		took := allocated() - before
		t.Logf("%s: of a gigabyte %d KiB were taken (%v), with %d KiB of memory", path, body.sent.Load()>>10, err, took>>10)
		// What is behind the limit was dropped while the client read the answer, or lies in buffers of the sockets.
		const dropped, sockets = 16 << 20, 16 << 20
		if sent := body.sent.Load(); sent <= c.limit/2 || sent > c.limit+dropped+sockets {
			t.Errorf("%s: %d bytes were taken, the limit is %d", path, sent, c.limit)
		}
		// The buffer doubles as it grows: all of them together are twice the last one.
		if took > 2*c.limit+sockets/4 {
			t.Errorf("%s: %d KiB of memory were taken", path, took>>10)
		}
	}
}

// allocated is how many bytes of memory the process ever asked for.
func allocated() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.TotalAlloc) //nolint:gosec // far below
}
