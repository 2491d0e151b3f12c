package app_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/oci"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/pdk/contract"
)

// try is a request that a right lets through, or the lack of it refuses.
type try struct {
	method, path string
	header       header
	body         string
}

// refused sends requests that must all be refused for want of a right.
func (s *server) refused(right string, tries map[string]try) {
	s.t.Helper()
	for name, r := range tries {
		status, h, text := s.do(r.method, r.path, r.header, r.body)
		var p struct {
			Status               int
			Code, Reason, Detail string
			Args                 map[string]string
		}
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			s.t.Errorf("%s: %v in %s", name, err, text)
		}
		if status != http.StatusForbidden || p.Status != status || h.Get("Content-Type") != "application/problem+json" || p.Code != "FORBIDDEN" || p.Reason != "RIGHT" ||
			!reflect.DeepEqual(p.Args, map[string]string{"a": right, "b": "local"}) || !strings.Contains(p.Detail, right) {
			s.t.Errorf("%s: %d %s", name, status, text)
		}
	}
}

// denials are the entries of the audit about a right that was missing, as "action right".
func (s *server) denials() []string {
	s.t.Helper()
	var out []string
	for _, e := range want[page.Of[audit.Entry]](s, 200, "GET", "/api/v1/audit?outcome=refused&limit=200", nil).Items {
		var d struct{ Right string }
		if err := json.Unmarshal(e.Detail, &d); err != nil || e.Kind != audit.KindAdmin || e.Code != "FORBIDDEN" || e.Actor != "local" || e.Source == nil || e.Source.Address != "127.0.0.1" {
			s.t.Errorf("entry %+v, %v", e, err)
		}
		out = append(out, e.Action+" "+d.Right)
	}
	slices.Sort(out)
	return out
}

// stored is what a stopped server has stored, a digest for each table. What grows at every
// start and refusal, the audit, is left out.
func (s *server) stored() map[string]string {
	s.t.Helper()
	db, err := sqlite.Open(s.t.Context(), filepath.Join(s.cfg.Data, "culm.db"), sqlite.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]string{}
	err = db.Write(s.t.Context(), func(ctx context.Context, tx *sqlite.Tx) error {
		tables, err := texts(ctx, tx, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'audit%'`)
		for _, table := range tables {
			columns, columnsErr := texts(ctx, tx, `SELECT 'quote("' || name || '")' FROM pragma_table_info('`+table+`')`)
			rows, rowsErr := texts(ctx, tx, `SELECT `+strings.Join(columns, "||','||")+` FROM "`+table+`" ORDER BY 1`)
			if err = errors.Join(err, columnsErr, rowsErr); err != nil {
				return err
			}
			out[table] = fmt.Sprintf("%d rows, %x", len(rows), sha256.Sum256([]byte(strings.Join(rows, "\n"))))
		}
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil || len(out) < 5 {
		s.t.Fatalf("%d tables, %v", len(out), err)
	}
	return out
}

// texts are the rows of a query with one column.
func texts(ctx context.Context, tx *sqlite.Tx, query string) (out []string, err error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// files are the names of all files of a directory and below it.
func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		out = append(out, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// S12: who has not the right to publish plugins uploads one, and has one pulled. Nothing
// comes of it but the entry in the audit. What the administrator laid into the directory of
// plugins is installed at the start all the same; and with the right both ways are open.
func TestAPluginIsNotPublishedWithoutTheRightToIt(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	held := registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true))
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1); held.ServeHTTP(w, r) }))
	t.Cleanup(hub.Close)
	reference := strings.TrimPrefix(hub.URL, "http://") + "/acme/pulled:1.0.0"
	ref, err := oci.Parse(reference)
	if err != nil {
		t.Fatal(err)
	}
	s := unstarted(t, false, "core")
	if _, err := oci.New(oci.Options{}).Push(t.Context(), ref, oci.Artifact{Plugin: "pulled", Version: "1.0.0", Code: variant(t, "pulled", "1.0.0")}); err != nil {
		t.Fatal(err)
	}
	asked.Store(0)
	s.cfg.Registries, s.cfg.Plugins, s.cfg.Deny = []string{hub.URL}, t.TempDir(), []string{"plugin:publish"}
	if err := os.WriteFile(filepath.Join(s.cfg.Plugins, "ticket.wasm"), variant(t, "ticket", "1.0.0"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	brought := want[struct{ Items []plugins.Module }](s, 200, "GET", "/api/v1/plugins/ticket/versions", nil).Items
	if len(brought) != 1 || !brought[0].Latest {
		t.Fatalf("of the directory: %+v", brought)
	}
	s.publish(using("ticket"))
	s.stop()
	before, laid := s.stored(), files(t, s.cfg.Data)

	s.start()
	if m := want[struct{ Rights []string }](s, 200, "GET", "/api/v1/meta", nil); !reflect.DeepEqual(m.Rights, []string{"plugin:approve"}) {
		t.Errorf("meta %+v", m)
	}
	wasm, signature := header{"Content-Type": "application/wasm"}, base64.StdEncoding.EncodeToString([]byte("{}"))
	signed := header{"Content-Type": "application/wasm", "Plugin-Signature": signature}
	module := string(variant(t, "uploaded", "1.0.0"))
	s.refused("plugin:publish", map[string]try{
		"an upload":                  {"POST", "/api/v1/plugins", wasm, module},
		"an upload with a signature": {"POST", "/api/v1/plugins", signed, module},
		"an upload of an older one":  {"POST", "/api/v1/plugins?override=true", wasm, string(variant(t, "ticket", "0.9.0"))},
		"an upload that is no good":  {"POST", "/api/v1/plugins?nonsense=1", header{"Content-Type": "text/plain"}, "no module"},
		"a pull":                     {"POST", "/api/v1/plugin-pulls", nil, `{"reference":"` + reference + `"}`},
		"a pull of nonsense":         {"POST", "/api/v1/plugin-pulls", nil, `{"reference":`},
		"a signature":                {"POST", "/api/v1/plugins/ticket/versions/" + brought[0].Digest + "/signatures", nil, `{"envelope":"{}"}`},
	})
	if got, want := s.denials(), []string{
		"plugin-pulls.post plugin:publish", "plugin-pulls.post plugin:publish", "plugins.post plugin:publish", "plugins.post plugin:publish",
		"plugins.post plugin:publish", "plugins.post plugin:publish", "plugins.versions.signatures.post plugin:publish",
	}; !slices.Equal(got, want) {
		t.Errorf("audit %q", got)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the registry was asked %d times", n)
	}
	for _, plugin := range []string{"uploaded", "pulled"} {
		if status, _, text := s.do("GET", "/api/v1/plugins/"+plugin+"/versions", nil, nil); status != http.StatusNotFound {
			t.Errorf("%s is there: %d %s", plugin, status, text)
		}
	}
	s.stop()
	if after := s.stored(); !reflect.DeepEqual(after, before) {
		t.Errorf("stored %v, before %v", after, before)
	}
	if left := files(t, s.cfg.Data); !slices.Equal(left, laid) {
		t.Errorf("files %v, before %v", left, laid)
	}

	s.cfg.Deny = nil
	s.start()
	if m, _ := s.upload([]byte(module), "", http.StatusCreated); m.Plugin != "uploaded" {
		t.Errorf("uploaded %+v", m)
	}
	if m := want[plugins.Module](s, http.StatusCreated, "POST", "/api/v1/plugin-pulls", `{"reference":"`+reference+`"}`); m.Plugin != "pulled" {
		t.Errorf("pulled %+v", m)
	}
	run := s.run("using", nil)
	s.published.wait(t, run, "first succeeded", "ask waiting")
}

// Who may publish and not approve brings in a version that asks for more: it waits, and he
// can neither let it in, nor grant it anything, nor put another in its place.
func TestWhatPluginsMayDoIsNotDecidedWithoutTheRightToIt(t *testing.T) {
	t.Parallel()
	s := unstarted(t, false, "core")
	s.cfg.Deny = []string{"plugin:approve"}
	s.start()
	first, _ := s.upload(variant(t, "ticket", "1.0.0"), "", http.StatusCreated)
	more, _ := s.upload(variant(t, "ticket", "2.0.0", contract.Need{System: "cmdb", Operation: "list"}), "", http.StatusCreated)
	if more.State != plugins.StatePending {
		t.Fatalf("%+v", more)
	}
	commands := "/api/v1/plugins/ticket/versions/" + first.Digest + "/commands"
	s.refused("plugin:approve", map[string]try{
		"approve":  {"POST", "/api/v1/plugins/ticket/versions/" + more.Digest + "/commands", nil, `{"command":"approve"}`},
		"withdraw": {"POST", commands, nil, `{"command":"withdraw"}`},
		"block":    {"POST", commands, nil, `{"command":"block"}`},
		"grant":    {"PUT", s.in("/plugins/ticket/grants"), nil, `{"grants":[]}`},
		"disable":  {"PUT", s.in("/plugins/ticket/enabled"), nil, `{"enabled":false}`},
		"revoke":   {"POST", "/api/v1/trust/keys/0/revoke", nil, `{}`},
	})
	if got, want := s.denials(), []string{
		"plugins.enabled.put plugin:approve", "plugins.grants.put plugin:approve", "plugins.versions.commands.post plugin:approve",
		"plugins.versions.commands.post plugin:approve", "plugins.versions.commands.post plugin:approve", "trust.keys.revoke.post plugin:approve",
	}; !slices.Equal(got, want) {
		t.Errorf("audit %q", got)
	}
	if p := want[plugins.Plugin](s, 200, "GET", s.in("/plugins/ticket"), nil); p.Digest != first.Digest || !p.Enabled {
		t.Errorf("in use is %+v", p)
	}
	s.stop()
	s.cfg.Deny = nil
	s.start()
	if m := s.command(more, "approve", ""); !m.Latest {
		t.Errorf("approved %+v", m)
	}
}

// A name with a slip in it must not leave a server open that was meant to be locked.
func TestAServerDoesNotStartWithARightThatIsNone(t *testing.T) {
	t.Parallel()
	s := unstarted(t, false, "core")
	s.cfg.Deny = []string{"plugin:publsh"}
	if err := app.New(s.cfg, s.deps).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "deny[0]") || !strings.Contains(err.Error(), "plugin:publish, plugin:approve") {
		t.Errorf("%v", err)
	}
}
