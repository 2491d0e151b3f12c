package registry_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/projects"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/store"
	"github.com/culmhq/culm/host/systems"
)

const document = `
format: culm.system/v1
id: cmdb
title: {en: CMDB, zh: 配置库}
base_url: https://cmdb.example/api
auth: {type: bearer}
operations:
  - {id: hosts, title: Hosts, method: GET, path: /hosts, retry: safe, risk: read}
`

const canary = "c4nary-token"

type clock struct{}

func (clock) Now() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) }

type ungranted struct{}

func (ungranted) GrantsChanged() {}

func newService(t *testing.T) *registry.Service {
	t.Helper()
	s, _ := newServiceAndStore(t)
	return s
}

func newServiceAndStore(t *testing.T) (*registry.Service, *store.Store) {
	t.Helper()
	dir := t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "db", "culm.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	st, err := store.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	vault, err := secrets.Open(t.Context(), filepath.Join(dir, "key"), st.Secrets(), clock{})
	if err != nil {
		t.Fatal(err)
	}
	p := projects.New(st)
	for _, id := range []string{"ops", "other"} {
		if err := p.Ensure(t.Context(), projects.Project{ID: id, Name: id, Zone: "UTC"}); err != nil {
			t.Fatal(err)
		}
	}
	return registry.New(registry.Options{Repository: st, Credentials: vault, Secrets: vault, Projects: p, Grants: ungranted{}, Traffic: gateway.NewTraffic(0, slog.New(slog.DiscardHandler)), Clock: clock{}}), st
}

func put(project, id, text string) registry.PutRequest {
	return registry.PutRequest{Project: project, ID: id, Actor: engine.Actor{ID: "ada"}, Document: []byte(text)}
}

func TestSystemIsPutReadAndReplaced(t *testing.T) {
	t.Parallel()
	s, ctx := newService(t), t.Context()
	v, err := s.Put(ctx, put("ops", "cmdb", document))
	if err != nil || v.BaseURL != "https://cmdb.example/api" || v.CredentialSet || len(v.Operations) != 1 || v.Operations[0].Path != "/hosts" {
		t.Fatalf("got %+v, %v", v, err)
	}
	doc, err := s.Document(ctx, "ops", "cmdb")
	if err != nil || doc.Title.Zh != "配置库" {
		t.Fatalf("got %+v, %v", doc, err)
	}
	// What is read can be put again, and a change is seen by the next call.
	js, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(ctx, put("ops", "cmdb", strings.Replace(string(js), "/api", "/v2", 1))); err != nil {
		t.Fatal(err)
	}
	c, err := registry.ForGateway{Service: s}.System(ctx, "ops", "cmdb")
	if err != nil || c.Base.Path != "/v2" {
		t.Fatalf("the gateway sees %+v, %v", c, err)
	}
	if _, err := (registry.ForGateway{Service: s}).System(ctx, "other", "cmdb"); !errors.Is(err, gateway.ErrNotFound) {
		t.Fatalf("another project: %v", err)
	}
	if _, err := s.Get(ctx, "other", "cmdb"); !fault.Is(err, fault.NotFound) {
		t.Fatalf("another project: %v", err)
	}
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for name, c := range map[string]struct {
		req   registry.PutRequest
		code  fault.Code
		field string
	}{
		"another id":    {put("ops", "other", document), fault.Invalid, "/id"},
		"no project":    {put("nowhere", "cmdb", document), fault.NotFound, ""},
		"a wrong field": {put("ops", "cmdb", strings.Replace(document, "risk: read", "risk: none", 1)), fault.Invalid, "/operations/0/risk"},
		"not a system":  {put("ops", "cmdb", "[]"), fault.Invalid, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := s.Put(t.Context(), c.req)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != c.code || (c.field != "" && f.Field != c.field) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestCredentialIsSetNeverReadAndGoneWithTheAddress(t *testing.T) {
	t.Parallel()
	s, ctx := newService(t), t.Context()
	if _, err := s.Put(ctx, put("ops", "cmdb", document)); err != nil {
		t.Fatal(err)
	}
	set := func(in secrets.Input) error {
		_, err := s.SetCredential(ctx, registry.CredentialRequest{
			CredentialRef: registry.CredentialRef{Project: "ops", System: "cmdb"}, Actor: engine.Actor{ID: "ada"}, Input: in,
		})
		return err
	}
	var f *fault.Error
	if err := set(secrets.Input{Username: "a", Password: secrets.NewSecret(canary)}); !errors.As(err, &f) || f.Field != "/username" || strings.Contains(err.Error(), canary) {
		t.Fatalf("a password for a token: %v", err)
	}
	if err := set(secrets.Input{Token: secrets.NewSecret(canary)}); err != nil {
		t.Fatal(err)
	}
	v, err := s.Get(ctx, "ops", "cmdb")
	text, _ := json.Marshal(v)
	if err != nil || !v.CredentialSet || strings.Contains(string(text), canary) {
		t.Fatalf("got %s, %v", text, err)
	}
	v, err = s.Put(ctx, put("ops", "cmdb", strings.Replace(document, "cmdb.example", "evil.example", 1)))
	if err != nil || v.CredentialSet {
		t.Fatalf("at another address: %+v, %v", v, err)
	}
}

func TestEnsureLeavesWhatIsThereAlone(t *testing.T) {
	t.Parallel()
	s, ctx := newService(t), t.Context()
	shipped, err := systems.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ensure(ctx, "ops", engine.Actor{ID: "ada"}, shipped); err != nil {
		t.Fatal(err)
	}
	doc, err := s.Document(ctx, "ops", "etcd")
	if err != nil {
		t.Fatal(err)
	}
	doc.BaseURL = "https://etcd.example"
	js, _ := json.Marshal(doc)
	if _, err := s.Put(ctx, put("ops", "etcd", string(js))); err != nil {
		t.Fatal(err)
	}
	if err := s.Ensure(ctx, "ops", engine.Actor{ID: "ada"}, shipped); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for q := (page.Query{Limit: 3}); ; {
		p, err := s.List(ctx, "ops", q)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range p.Items {
			ids = append(ids, v.ID)
			if v.ID == "etcd" && v.BaseURL != "https://etcd.example" {
				t.Errorf("the changed system was overwritten: %+v", v)
			}
		}
		if q.Cursor = p.Next; q.Cursor == "" {
			break
		}
	}
	if strings.Join(ids, " ") != "alertmanager demo etcd prometheus" {
		t.Fatalf("got %v", ids)
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	js, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(js)
}

// What a form can change is a difference: a page stores only what it has shown.
func TestEveryFieldOfTheHeadIsInTheDifference(t *testing.T) {
	t.Parallel()
	s := newService(t)
	put := registry.PutRequest{Project: "ops", ID: "cmdb", Actor: engine.Actor{ID: "ada"}, Document: []byte(document)}
	if _, err := s.Put(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	for line, field := range map[string]string{
		"title: {en: CMDB, zh: 资产库}":             "title",
		"doc: {zh: 说明}":                          "doc",
		"auth: {type: basic}":                    "auth",
		"limits: {timeout_ms: 5}":                "limits",
		"success: {rule: body.ok}":               "success",
		"tls: {server_name: other.example}":      "tls",
		"trace: true":                            "trace",
		"callbacks: {signature: {secret: KEYS}}": "callbacks",
	} {
		name, _, _ := strings.Cut(line, ":")
		var kept []string
		for _, l := range strings.Split(document, "\n") {
			if !strings.HasPrefix(l, name+":") {
				kept = append(kept, l)
			}
		}
		put.Document = []byte(line + "\n" + strings.TrimSpace(strings.Join(kept, "\n")) + "\n")
		d, err := s.Diff(t.Context(), put)
		if err != nil || len(d.Fields) != 1 || d.Fields[0].Field != field || len(d.Changes) != 0 {
			t.Errorf("%s: %+v, %v", line, d, err)
		}
	}
	put.Document = []byte(strings.Replace(document, "title: Hosts", "title: {en: Hosts, zh: 主机}", 1))
	if d, err := s.Diff(t.Context(), put); err != nil || len(d.Changes) != 1 || d.Changes[0].Fields[0].Field != "title" {
		t.Errorf("the Chinese title of an operation: %+v, %v", d, err)
	}
}
