package store_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/views"
	"github.com/culmhq/culm/pdk/contract"
)

func TestFlowsAreNarrowedAndSorted(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Store
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for i, d := range []flows.Draft{
		{ID: "b", Name: contract.Text{En: "Alpha", Zh: "丙"}, Valid: true},
		{ID: "a", Name: contract.Text{En: "beta", Zh: "beta"}},
		{ID: "c", Name: contract.Text{En: "Gamma", Zh: "乙"}, Valid: true, UpdatedBy: "li"},
	} {
		d.Project, d.Document, d.Revision, d.UpdatedAt = "demo", json.RawMessage(`{}`), 1, at.Add(time.Duration(i)*time.Hour)
		if _, err := s.CreateFlow(t.Context(), d, nil); err != nil {
			t.Fatal(err)
		}
	}
	_, published, err := s.PublishFlow(t.Context(), flows.Publication{Project: "demo", Flow: "c", Revision: 1, Version: flows.Version{Digest: "d", Document: json.RawMessage(`{}`)}}, nil)
	if err != nil || !published {
		t.Fatal(published, err)
	}
	for name, c := range map[string]struct {
		q    flows.ListQuery
		want string
	}{
		"the newest change first": {flows.ListQuery{}, "c a b"},
		"the oldest":              {flows.ListQuery{Ascending: true}, "b a c"},
		"by name, en":             {flows.ListQuery{Sort: flows.SortNameEn, Ascending: true}, "b a c"},
		"by name, zh":             {flows.ListQuery{Sort: flows.SortNameZh, Ascending: true}, "a b c"},
		"by name, from the end":   {flows.ListQuery{Sort: flows.SortNameEn}, "c a b"},
		"drafts":                  {flows.ListQuery{Stage: flows.StageDraft}, "a b"},
		"published":               {flows.ListQuery{Stage: flows.StagePublished}, "c"},
		"changed":                 {flows.ListQuery{Stage: flows.StageChanged}, ""},
		"invalid":                 {flows.ListQuery{Stage: flows.StageInvalid}, "a"},
		"by somebody":             {flows.ListQuery{By: "li"}, "c"},
		"in a time":               {flows.ListQuery{From: at.Add(time.Hour), To: at.Add(2 * time.Hour)}, "a"},
	} {
		// One a page, so that every cursor is used.
		var got []string
		for c.q.Project, c.q.Page = "demo", (page.Query{Limit: 1}); ; {
			p, err := s.Flows(t.Context(), c.q)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for i := range p.Items {
				got = append(got, p.Items[i].ID)
			}
			if c.q.Page.Cursor = p.Next; p.Next == "" {
				break
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestViewsAreSavedChangedAndDeleted(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	s := views.New(p.Store, p.Projects, p.Clock)
	put := func(r views.PutRequest) (views.View, error) {
		r.Project, r.Actor = hosttest.Project, engine.Actor{ID: "me"}
		return s.Put(t.Context(), r)
	}
	night, err := put(views.PutRequest{List: views.ListRuns, Name: " Night ", Query: "state=failed"})
	if err != nil || night.ID == "" || night.Name != "Night" || night.UpdatedBy != "me" {
		t.Fatalf("view %+v, %v", night, err)
	}
	if _, err := put(views.PutRequest{List: views.ListRuns, Name: "Night"}); !fault.Is(err, fault.Exists) {
		t.Errorf("a name twice: %v", err)
	}
	if _, err := put(views.PutRequest{List: views.ListFlows, Name: "Night"}); err != nil {
		t.Errorf("the name in another list: %v", err)
	}
	if _, err := put(views.PutRequest{ID: night.ID, List: views.ListFlows, Name: "Night"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("into another list: %v", err)
	}
	if _, err := put(views.PutRequest{ID: night.ID, List: views.ListRuns, Name: "Late", Query: "state=blocked"}); err != nil {
		t.Fatal(err)
	}
	got, err := s.List(t.Context(), hosttest.Project, views.ListRuns)
	if err != nil || len(got) != 1 || got[0].Name != "Late" || got[0].Query != "state=blocked" {
		t.Errorf("views %+v, %v", got, err)
	}
	for name, r := range map[string]views.PutRequest{
		"no name":       {List: views.ListRuns, Name: "  "},
		"a long name":   {List: views.ListRuns, Name: strings.Repeat("长", views.NameMax+1)},
		"a long query":  {List: views.ListRuns, Name: "x", Query: strings.Repeat("q", views.QueryMax+1)},
		"a broken name": {List: views.ListRuns, Name: "x\ny"},
		"no list":       {List: "plugins", Name: "x"},
	} {
		if _, err := put(r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Delete(t.Context(), hosttest.Project, night.ID); err != nil {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), hosttest.Project, night.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	if _, err := s.List(t.Context(), "nowhere", views.ListRuns); !fault.Is(err, fault.NotFound) {
		t.Errorf("views of no project: %v", err)
	}
}
