package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/idempotency"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/projects"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/secrets"
)

func TestWhatWasStoredIsThereAfterARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "culm.db")
	at := time.Date(2026, 11, 22, 9, 0, 0, 123000, time.UTC)
	system := registry.Stored{Project: "demo", ID: "calc", Version: 1, Document: json.RawMessage(`{"a":1}`), Digest: "d", UpdatedAt: at, UpdatedBy: "me"}
	draft := flows.Draft{
		Project: "demo", ID: "f", Document: json.RawMessage(`{}`), Nodes: 3, Valid: true, Revision: 1, UpdatedAt: at, UpdatedBy: "me",
	}
	t.Run("before", func(t *testing.T) {
		s := hosttest.OpenAt(t, path).Store
		if ok, err := s.PutSystem(t.Context(), system, registry.Entry{Version: 1, Action: registry.ActionPut, At: at, Actor: "me", Document: system.Document}); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if _, err := s.CreateFlow(t.Context(), draft, nil); err != nil {
			t.Fatal(err)
		}
	})
	s := hosttest.OpenAt(t, path).Store
	gotSystem, err := s.System(t.Context(), "demo", "calc")
	if err != nil || !reflect.DeepEqual(gotSystem, system) {
		t.Errorf("system %+v, %v, want %+v", gotSystem, err, system)
	}
	gotDraft, err := s.Flow(t.Context(), "demo", "f")
	if err != nil || !reflect.DeepEqual(gotDraft, draft) {
		t.Errorf("flow %+v, %v, want %+v", gotDraft, err, draft)
	}
}

func TestSystemsOfAProject(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Store
	for _, id := range []string{"c", "a", "b"} {
		for _, project := range []string{"demo", "other"} {
			ok, err := s.PutSystem(t.Context(), registry.Stored{Project: project, ID: id, Version: 1, Document: json.RawMessage(`{}`), Digest: project}, registry.Entry{Version: 1})
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
		}
	}
	again := registry.Stored{Project: "demo", ID: "b", Version: 2, Document: json.RawMessage(`{"new":true}`)}
	if ok, err := s.PutSystem(t.Context(), again, registry.Entry{Version: 2}); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if ok, err := s.PutSystem(t.Context(), again, registry.Entry{Version: 2}); err != nil || ok {
		t.Fatal(err)
	}
	got, err := s.Systems(t.Context(), "demo", "a", 5)
	if err != nil || len(got) != 2 || got[0].ID != "b" || string(got[0].Document) != `{"new":true}` || got[1].ID != "c" {
		t.Errorf("systems %+v, %v", got, err)
	}
	if _, err := s.System(t.Context(), "demo", "d"); !fault.Is(err, fault.NotFound) {
		t.Errorf("error %v", err)
	}
}

// A refused creation leaves no key behind: the same call may succeed later.
func TestAKeyCommitsWithWhatItCreated(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Store
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	entry := func(body string) *idempotency.Entry {
		k, err := idempotency.New("key", []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return &idempotency.Entry{Scope: idempotency.Scope{Project: "demo", Actor: engine.Actor{ID: "me"}, Route: "flows"}, Key: k, At: at}
	}
	d := flows.Draft{Project: "demo", ID: "f", Document: json.RawMessage(`{}`), Revision: 1, UpdatedAt: at}
	if _, err := s.CreateFlow(t.Context(), d, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateFlow(t.Context(), d, entry("one")); !fault.Is(err, fault.Exists) {
		t.Fatalf("error %v", err)
	}
	d.ID = "g"
	if got, err := s.CreateFlow(t.Context(), d, entry("two")); err != nil || got.ID != "g" {
		t.Fatalf("created %+v, %v: the refused call kept the key", got, err)
	}
	d.ID = "h"
	if got, err := s.CreateFlow(t.Context(), d, entry("two")); err != nil || got.ID != "g" {
		t.Errorf("created %+v, %v, want the first answer", got, err)
	}
	if _, err := s.Flow(t.Context(), "demo", "h"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the repeated call created too: %v", err)
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"two words", "new\nline", "schlüssel", string(make([]byte, 300))} {
		if _, err := idempotency.New(header, nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: error %v", header, err)
		}
	}
	if k, err := idempotency.New("", []byte("x")); err != nil || !k.IsZero() {
		t.Errorf("no header gave %+v, %v", k, err)
	}
	// Parts of a scope do not run together.
	a := idempotency.Scope{Project: "a", Route: "bc"}
	b := idempotency.Scope{Project: "ab", Route: "c"}
	if a.Digest("k") == b.Digest("k") {
		t.Error("two scopes have one digest")
	}
}

func TestProjects(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	for id, field := range map[string]string{"Demo": "/id", "": "/id"} {
		var e *fault.Error
		err := p.Projects.Put(t.Context(), projects.Project{ID: id, Name: "n", Zone: "UTC"})
		if !errors.As(err, &e) || e.Field != field {
			t.Errorf("id %q: %v", id, err)
		}
	}
	for field, bad := range map[string]projects.Project{
		"/zone":    {ID: "x", Name: "n", Zone: "Mars/North"},
		"/name":    {ID: "x", Zone: "UTC"},
		"/env/1":   {ID: "x", Name: "n", Zone: "UTC", Env: map[string]json.RawMessage{"1": json.RawMessage(`1`)}},
		"/env/one": {ID: "x", Name: "n", Zone: "UTC", Env: map[string]json.RawMessage{"one": json.RawMessage(`{`)}},
	} {
		var e *fault.Error
		if err := p.Projects.Put(t.Context(), bad); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	other := projects.Project{ID: "other", Name: "Other", Zone: "UTC", Env: map[string]json.RawMessage{}}
	if err := p.Projects.Ensure(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	changed := other
	changed.Name = "Changed"
	if err := p.Projects.Ensure(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	got, err := p.Projects.Get(t.Context(), "other")
	if err != nil || !reflect.DeepEqual(got, other) {
		t.Errorf("project %+v, %v: ensuring changed it", got, err)
	}
	var ids []string
	q := page.Query{Limit: 1}
	for {
		l, err := p.Projects.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range l.Items {
			ids = append(ids, x.ID)
		}
		if q.Cursor = l.Next; l.Next == "" {
			break
		}
	}
	if !slices.Equal(ids, []string{"demo", "other"}) {
		t.Errorf("projects %q", ids)
	}
}

func TestGrantsOfAnOperationThatGoesGoWithIt(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Store
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for _, project := range []string{"demo", "other"} {
		grants := []plugins.Grant{{System: "a", Operation: "x"}, {System: "a", Operation: "y"}, {System: "b", Operation: "x"}}
		if err := s.PutGrants(t.Context(), plugins.GrantsRequest{Project: project, Plugin: "p", Grants: grants}, at); err != nil {
			t.Fatal(err)
		}
	}
	left := func(project string) string {
		got, err := s.Grants(t.Context(), project, "p")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(got)
	}
	row := registry.Stored{Project: "demo", ID: "a", Version: 1, Document: json.RawMessage(`{}`), UpdatedAt: at}
	if ok, err := s.PutSystem(t.Context(), row, registry.Entry{Version: 1, At: at, Revoke: []string{"x"}}); err != nil || !ok || left("demo") != "[{a y} {b x}]" {
		t.Fatalf("left %s, %v %v", left("demo"), ok, err)
	}
	row.Version = 2
	if ok, err := s.DeleteSystem(t.Context(), row, registry.Entry{Version: 2, At: at}); err != nil || !ok || left("demo") != "[{b x}]" || left("other") != "[{a x} {a y} {b x}]" {
		t.Fatalf("left %s, %v %v", left("demo"), ok, err)
	}
}

// Who makes a system anew under the name of one that was deleted gets no credential that
// somebody set for that.
func TestACredentialGoesWithItsSystem(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Store
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	rows := s.Secrets()
	seal := func(secrets.Sealed) ([]byte, error) { return []byte("sealed"), nil }
	for _, system := range []string{"a", "b"} {
		if _, err := rows.AddCredential(t.Context(), secrets.Sealed{ID: system, Project: "demo", System: system, SetAt: at}, false, seal); err != nil {
			t.Fatal(err)
		}
	}
	row := registry.Stored{Project: "demo", ID: "a", Version: 1, Document: json.RawMessage(`{}`), UpdatedAt: at}
	if ok, err := s.PutSystem(t.Context(), row, registry.Entry{Version: 1, At: at}); err != nil || !ok {
		t.Fatal(ok, err)
	}
	row.Version = 2
	if ok, err := s.DeleteSystem(t.Context(), row, registry.Entry{Version: 2, At: at}); err != nil || !ok {
		t.Fatal(ok, err)
	}
	left, err := rows.ProjectCredentials(t.Context(), "demo")
	if err != nil || len(left) != 1 || left[0].System != "b" {
		t.Fatalf("left %v, %v", left, err)
	}
}
