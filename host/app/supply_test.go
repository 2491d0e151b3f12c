package app_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/oci"
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

// S13: five runs use a plugin that is withdrawn. They end well; a new one is refused,
// and told why.
func TestAWithdrawnPluginServesTheRunsThatHaveIt(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	m, _ := s.upload(variant(t, "ticket", "1.0.0"), "", http.StatusCreated)
	s.publish(using("ticket"))
	var runs []string
	for range 5 {
		runs = append(runs, s.run("using", nil))
	}
	for _, run := range runs {
		s.published.wait(t, run, "ask waiting")
	}
	s.command(m, "withdraw", "")
	s.stop()
	s.start() // nothing of it is only in memory
	status, _, text := s.do(http.MethodPost, s.in("/flows/using/runs"), nil, `{"inputs":{}}`)
	if status != http.StatusUnprocessableEntity || !strings.Contains(text, "PLUGIN_OUT_OF_USE") || !strings.Contains(text, `"first"`) {
		t.Errorf("a new run: %d %s", status, text)
	}
	for _, run := range runs {
		s.approveAsk(run)
		s.published.wait(t, run, "second succeeded", "run succeeded")
		if d := digestOf(s, run, "second"); d != m.Digest {
			t.Errorf("the run went on with %s", d)
		}
	}
}

// S01: the bytes in the store are not those of the digest. The node fails, and nothing
// of them is run.
func TestBytesThatAreNotThoseOfTheDigestAreNotRun(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	m, _ := s.upload(variant(t, "ticket", "1.0.0"), "", http.StatusCreated)
	s.publish(using("ticket"))
	s.stop()
	db, err := sqlite.Open(t.Context(), filepath.Join(s.cfg.Data, "culm.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE module_code SET code = ? WHERE digest = ?`, variant(t, "ticket", "6.6.6"), m.Digest)
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	s.start()
	run := s.run("using", nil)
	s.published.wait(t, run, "first failed")
	if text := nodeText(s, run, "first"); !strings.Contains(text, "DIGEST_MISMATCH") {
		t.Errorf("node %s", text)
	}
}

// S02: a tag that is moved after a plugin was installed changes nothing here.
func TestATagThatIsMovedChangesNothingThatIsInstalled(t *testing.T) {
	t.Parallel()
	host := hosttest.Registry(t, "")
	s := start(t, false, "core")
	s.stop()
	s.cfg.Registries = []string{"http://" + host}
	s.start()
	push := func(version string, needs ...contract.Need) {
		ref, err := oci.Parse(host + "/acme/ticket:stable")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := oci.New(oci.Options{}).Push(t.Context(), ref, oci.Artifact{Plugin: "ticket", Version: version, Code: variant(t, "ticket", version, needs...)}); err != nil {
			t.Fatal(err)
		}
	}
	pull := `{"reference":"` + host + `/acme/ticket:stable"}`
	push("1.0.0")
	first := want[plugins.Module](s, http.StatusCreated, "POST", "/api/v1/plugin-pulls", pull)
	s.publish(using("ticket"))
	run := s.run("using", nil)
	s.published.wait(t, run, "ask waiting")
	push("1.1.0", contract.Need{System: "cmdb", Operation: "list"})
	later := s.run("using", nil)
	s.published.wait(t, later, "ask waiting")
	for _, r := range []string{run, later} {
		s.approveAsk(r)
		s.published.wait(t, r, "second succeeded")
		if d := digestOf(s, r, "second"); d != first.Digest {
			t.Errorf("ran %s", d)
		}
	}
	if second := want[plugins.Module](s, http.StatusCreated, "POST", "/api/v1/plugin-pulls", pull); second.State != plugins.StatePending {
		t.Errorf("what the tag names now asks for more: %+v", second)
	}
	h := want[struct{ Items []plugins.Event }](s, 200, "GET", "/api/v1/plugins/ticket/history", nil)
	if !strings.HasPrefix(h.Items[0].Detail, "from "+host+"/acme/ticket@sha256:") {
		t.Errorf("the history says %q", h.Items[0].Detail)
	}
}

// S08: what is no registry, or none that the configuration names, is refused, and nothing
// is dialled or started.
func TestPullsGoToConfiguredRegistriesOnly(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 100)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	t.Cleanup(other.Close)
	s := start(t, false, "core")
	s.stop()
	s.cfg.Registries = []string{"registry.invalid", "http://127.0.0.1:1"}
	s.start()
	for _, ref := range []string{
		"file:///etc/passwd", "git ext::sh -c id", "http://127.0.0.1/a:1", strings.TrimPrefix(other.URL, "http://") + "/a:1",
		s.Addr().String() + "/a:1", "169.254.169.254/a:1", "localhost/a:1", "10.0.0.1/a:1", "--upload-pack=id/a:1", "",
	} {
		status, _, text := s.do(http.MethodPost, "/api/v1/plugin-pulls", nil, map[string]string{"reference": ref})
		if status != http.StatusBadRequest || !strings.Contains(text, `"REFERENCE_REFUSED"`) || !strings.Contains(text, `"/reference"`) {
			t.Errorf("%q: %d %s", ref, status, text)
		}
	}
	if status, _, text := s.do(http.MethodPost, "/api/v1/plugin-pulls", nil, `{"reference":"127.0.0.1:1/a:1"}`); status != http.StatusBadGateway || !strings.Contains(text, "REGISTRY_FAILED") {
		t.Errorf("a registry that is not there: %d %s", status, text)
	}
	if len(asked) > 0 {
		t.Errorf("somebody else was asked for %s", <-asked)
	}
}

// S10: no archive is opened, and no compressed body: a module is the only thing that is
// taken.
func TestNoArchiveIsOpened(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	var zipped, gzipped bytes.Buffer
	z := zip.NewWriter(&zipped)
	if f, err := z.Create("../../escaped.wasm"); err != nil || errors.Join(second(f.Write(make([]byte, 1<<20))), z.Close()) != nil {
		t.Fatal(err)
	}
	g := gzip.NewWriter(&gzipped)
	if err := errors.Join(second(g.Write(make([]byte, 8<<20))), g.Close()); err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{"zip": zipped.Bytes(), "gzip": gzipped.Bytes(), "tar": make([]byte, 1024)} {
		if _, text := s.upload(body, "", http.StatusUnprocessableEntity); !strings.Contains(text, "MODULE_INVALID") {
			t.Errorf("%s: %s", name, text)
		}
	}
	h := header{"Content-Type": "application/wasm", "Content-Encoding": "gzip"}
	if status, _, text := s.do(http.MethodPost, "/api/v1/plugins", h, gzipped.String()); status != http.StatusUnsupportedMediaType {
		t.Errorf("a compressed body: %d %s", status, text)
	}
	if left, err := filepath.Glob(filepath.Join(s.cfg.Data, "..", "*escaped*")); err != nil || len(left) > 0 {
		t.Errorf("written outside: %v, %v", left, err)
	}
}

func second(_ int, err error) error { return err }

// Nobody but a program of this machine, and a page of this server, can install anything;
// and those only with the right to it (rights_test.go).
func TestAnotherSiteCannotInstallAPlugin(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	h := header{"Content-Type": "application/wasm", "Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
	if status, _, text := s.do(http.MethodPost, "/api/v1/plugins", h, "x"); status != http.StatusForbidden {
		t.Errorf("%d %s", status, text)
	}
	if status, _, text := s.do(http.MethodPost, "/api/v1/plugin-pulls", header{"Origin": "http://evil.example"}, `{"reference":"a.b/c:1"}`); status != http.StatusForbidden {
		t.Errorf("%d %s", status, text)
	}
}

// S03 where it is answered: 403 with the code, and the module is not kept.
func TestAnUnsignedPluginIsForbiddenWhereSignaturesAreRequired(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	s.stop()
	s.cfg.Trust.Policy = "required"
	s.start()
	code := variant(t, "ticket", "1.0.0")
	if _, text := s.upload(code, "", http.StatusForbidden); !strings.Contains(text, `"code":"SIGNATURE_POLICY"`) {
		t.Error(text)
	}
	if status, _, _ := s.do(http.MethodGet, "/api/v1/plugins/ticket/versions", nil, nil); status != http.StatusNotFound {
		t.Errorf("a refused plugin is there: %d", status)
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
