package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/fault"
)

// book keeps entries in memory.
type book struct {
	mu      sync.Mutex
	entries []audit.Entry
}

func (b *book) AppendAudit(_ context.Context, e audit.Entry) (audit.Head, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries = append(b.entries, e)
	return audit.Head{Seq: int64(len(b.entries))}, nil
}

func (b *book) AuditLines(context.Context, audit.Filter, int64, int) ([]audit.Line, error) {
	return nil, nil
}

func (b *book) AuditHead(context.Context) (audit.Head, error) { return audit.Head{Seq: 2}, nil }

func (b *book) AuditSpan(context.Context, audit.Filter) (after, through int64, err error) {
	return 0, 2, nil
}

// AuditAfter has two lines, and cannot read those of a system that is called broken.
func (b *book) AuditAfter(_ context.Context, f audit.Filter, _, _ int64, _ int) ([]audit.Line, error) {
	if f.System == "broken" {
		return nil, errors.New("disk")
	}
	return []audit.Line{{Entry: json.RawMessage(`{"seq":1}`), Hash: "a"}, {Entry: json.RawMessage(`{"seq":2}`), Hash: "b"}}, nil
}

func (b *book) Exists(_ context.Context, project string) error {
	if project != "demo" {
		return fault.Missing("project", project)
	}
	return nil
}

// TestWhatChangesSomethingIsAudited asks every route of the table that is no GET: each has
// exactly one entry, or says in the table why it has none.
func TestWhatChangesSomethingIsAudited(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, r := range routes() {
		name := actionOf(r)
		switch {
		case r.method == http.MethodGet:
			continue
		case r.quiet != "":
			if len(r.quiet) < 10 || r.told != nil || r.digest {
				t.Errorf("%s %s: not audited, because %q", r.method, r.path, r.quiet)
			}
			continue
		case names[name]:
			t.Errorf("%s %s: %s is the action of two routes", r.method, r.path, name)
		}
		names[name] = true
		b := &book{}
		s := &Server{o: Options{Audit: audit.NewService(b, b, time.Now)}}
		asked := r
		asked.handle = func(*Server, context.Context, *request) (answer, error) {
			return answer{}, fault.New(fault.Forbidden, "no")
		}
		_, err := s.perform(t.Context(), asked, &request{params: map[string]string{"project": "demo"}, body: []byte(`{}`)})
		if !fault.Is(err, fault.Forbidden) || len(b.entries) != 1 || b.entries[0].Action != name || b.entries[0].Outcome != audit.OutcomeRefused {
			t.Errorf("%s %s: %v, %+v", r.method, r.path, err, b.entries)
		}
	}
}

func TestEntriesTellNoSecretOfABody(t *testing.T) {
	t.Parallel()
	const canary = "correct-horse-battery"
	for _, r := range routes() {
		if !strings.Contains(r.path, "secret") && !strings.Contains(r.path, "credential") {
			continue
		}
		body := `{"value":"` + canary + `","token":"` + canary + `","password":"` + canary + `"}`
		if d := detailOf(r, &request{body: []byte(body)}); strings.Contains(string(d), canary) || strings.Contains(string(d), "sha256") {
			t.Errorf("%s %s tells %s", r.method, r.path, d)
		}
	}
}

func TestAnEntryTellsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	r := route{method: http.MethodPut, path: "/projects/{project}/plugins/{plugin}/versions/{version}/x", told: []string{"grants", "long"}}
	req := &request{
		params: map[string]string{"project": "demo", "plugin": "http", "version": "3"},
		body:   []byte(`{"grants":[{"system":"s"}],"other":1,"long":"` + strings.Repeat("x", toldBytesMax) + `"}`),
	}
	if got := actionOf(r); got != "plugins.versions.x.put" {
		t.Error(got)
	}
	if got := subjectOf(req); len(got) != 1 || got["version"] != "3" {
		t.Error(got)
	}
	var d map[string]json.RawMessage
	if err := json.Unmarshal(detailOf(r, req), &d); err != nil || string(d["grants"]) != `[{"system":"s"}]` || d["other"] != nil || string(d["long"]) != `{"$omitted":8194}` {
		t.Errorf("%s, %v", d, err)
	}
}

func TestTheCallLogRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	b := &book{}
	s := bare(t, Options{Audit: audit.NewService(b, b, time.Now)})
	for target, want := range map[string]string{
		"/projects/demo/calls": "",
		"/projects/demo/calls?outcome=ok&from=2026-11-22T09:00:00Z": "",
		"/projects/none/calls":                                                   "NOT_FOUND",
		"/projects/demo/calls?outcome=good":                                      "INVALID /outcome",
		"/projects/demo/calls?from=yesterday":                                    "INVALID /from",
		"/projects/demo/calls?from=2026-11-22T09:00:00Z&to=2026-11-21T09:00:00Z": "INVALID /to",
		"/projects/demo/calls?kind=call":                                         "INVALID /kind",
		"/projects/demo/audit?kind=admin&action=systems.put":                     "",
		"/projects/demo/audit?kind=all":                                          "INVALID /kind",
		"/audit?project=demo&kind=log&limit=3":                                   "",
		"/audit?cursor=x":                                                        "INVALID /cursor",
	} {
		r := httptest.NewRequest(http.MethodGet, prefix+target, nil)
		r.Host = "127.0.0.1"
		resp, body := do(t, s, r)
		var p problem
		_ = json.Unmarshal([]byte(body), &p)
		if got := strings.TrimSpace(string(p.Code) + " " + p.Field); got != want || (resp.StatusCode == 200) != (want == "") {
			t.Errorf("%s: %d %s, want %q", target, resp.StatusCode, body, want)
		}
	}
}

// TestAnExportIsSentAsLinesAndSaysWhereItEnds goes over a real connection: what breaks it must
// not look like its end.
func TestAnExportIsSentAsLinesAndSaysWhereItEnds(t *testing.T) {
	t.Parallel()
	b := &book{}
	s := bare(t, Options{Audit: audit.NewService(b, b, time.Now)})
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	get := func(target string) (*http.Response, string, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+prefix+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("User-Agent", "reader/1")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return &http.Response{}, "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return resp, string(body), err
	}
	resp, body, err := get("/projects/demo/audit/export?kind=call")
	if err != nil || resp.StatusCode != 200 || body != "{\"entry\":{\"seq\":1},\"hash\":\"a\"}\n{\"entry\":{\"seq\":2},\"hash\":\"b\"}\n" {
		t.Errorf("%d %s %v", resp.StatusCode, body, err)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/jsonl", "Culm-Audit-Through": "2", "Culm-Audit-Head": "2", "Cache-Control": "no-store",
		"Content-Disposition": `attachment; filename="audit-1-2.jsonl"`,
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if len(b.entries) != 1 || b.entries[0].Project != "demo" || b.entries[0].Action != audit.ActionExported ||
		*b.entries[0].Source != (audit.Source{Address: "127.0.0.1", Agent: "reader/1"}) {
		t.Errorf("%+v", b.entries)
	}
	for range 2 * audit.ExportsMax { // a broken one leaves its place
		if resp, body, err := get("/audit/export?system=broken"); err == nil {
			t.Errorf("an export that broke looks whole: %d %q", resp.StatusCode, body)
		}
	}
	for target, want := range map[string]string{"?after=x": "/after", "?after=5&through=4": "/through", "?limit=3": "/limit"} {
		if resp, body, err := get("/audit/export" + target); err != nil || resp.StatusCode != 422 || !strings.Contains(body, `"field":"`+want+`"`) {
			t.Errorf("%s: %d %s %v", target, resp.StatusCode, body, err)
		}
	}
}
