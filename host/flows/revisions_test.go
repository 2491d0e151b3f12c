package flows_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/pdk/contract"
)

func rename(t *testing.T, s *flows.Service, d flows.Detail, name string) flows.Detail {
	t.Helper()
	doc := *d.Document
	doc.Name = contract.T(name)
	out, err := s.Save(t.Context(), flows.SaveRequest{Project: hosttest.Project, Actor: actor, Flow: d.ID, Revision: d.Revision, Document: &doc})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryRecentSaveCanBeReadBack(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	d := create(t, s, hosttest.Flow(t, hosttest.AddFlow))
	for i := range 5 {
		d = rename(t, s, d, fmt.Sprintf("name %d", i+2))
	}
	list, err := s.Revisions(t.Context(), hosttest.Project, d.ID, page.Query{Limit: 4})
	if err != nil || len(list.Items) != 4 || list.Items[0].Number != 6 || list.Items[3].Number != 3 || list.Next == "" {
		t.Fatalf("listed %+v, %v", list, err)
	}
	rest, err := s.Revisions(t.Context(), hosttest.Project, d.ID, page.Query{Cursor: list.Next})
	if err != nil || len(rest.Items) != 2 || rest.Items[1].Number != 1 || rest.Items[1].SavedBy != hosttest.Actor || rest.Items[1].Nodes == 0 {
		t.Fatalf("listed %+v, %v", rest, err)
	}
	for number := 2; number <= 6; number++ {
		r, err := s.Revision(t.Context(), hosttest.Project, d.ID, number)
		if err != nil {
			t.Fatal(err)
		}
		var f engine.Flow
		if err := json.Unmarshal(r.Document, &f); err != nil || f.Name.En != fmt.Sprintf("name %d", number) {
			t.Errorf("revision %d is %+v, %v", number, f.Name, err)
		}
	}
	_, err = s.Revision(t.Context(), hosttest.Project, d.ID, 7)
	wantFault(t, err, fault.NotFound, "")
	_, err = s.Revision(t.Context(), hosttest.Project, d.ID, 0)
	wantFault(t, err, fault.Invalid, "/revision")
	_, err = s.Revisions(t.Context(), hosttest.Project, "none", page.Query{})
	wantFault(t, err, fault.NotFound, "")
}

// A save that came too late, or that lost the race, leaves no revision behind.
func TestARefusedSaveKeepsNothing(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	d := rename(t, s, create(t, s, hosttest.Flow(t, hosttest.AddFlow)), "second")
	_, err := s.Save(t.Context(), flows.SaveRequest{Project: hosttest.Project, Actor: actor, Flow: d.ID, Revision: 1, Document: d.Document})
	wantFault(t, err, fault.Conflict, "")
	list, err := s.Revisions(t.Context(), hosttest.Project, d.ID, page.Query{})
	if err != nil || len(list.Items) != 2 {
		t.Fatalf("listed %+v, %v", list, err)
	}
}

func TestRevisionsStayBounded(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	s := p.Flows(nil)
	d := create(t, s, hosttest.Flow(t, hosttest.AddFlow))
	// A person who edits for three hours, saved every 20 seconds.
	for i := range 540 {
		p.Clock.Advance(20 * time.Second)
		if i%2 == 0 {
			d = rename(t, s, d, fmt.Sprintf("name %d", i))
		}
	}
	list, err := s.Revisions(t.Context(), hosttest.Project, d.ID, page.Query{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(list.Items); n < flows.RevisionsRecent+10 || n > flows.RevisionsRecent+20 {
		t.Errorf("%d revisions are kept", n)
	}
	oldest := list.Items[len(list.Items)-1].SavedAt
	if kept := list.Items[0].SavedAt.Sub(oldest); kept < 170*time.Minute {
		t.Errorf("the oldest is only %s old", kept)
	}
}

func TestSuperfluousKeepsTheNewestAndTheLastOfEachStretch(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	revision := func(number int, by string, age time.Duration, size int) flows.Revision {
		return flows.Revision{Number: number, SavedBy: by, SavedAt: at.Add(-age), Bytes: size}
	}
	recent := func(n, size int) []flows.Revision {
		var out []flows.Revision
		for i := range n {
			out = append(out, revision(1000-i, "me", 0, size))
		}
		return out
	}
	for name, tt := range map[string]struct {
		rs   []flows.Revision
		want []int
	}{
		"few":               {recent(flows.RevisionsRecent, 1), nil},
		"one of a stretch":  {append(recent(20, 1), revision(9, "me", 61*time.Minute, 1), revision(8, "me", 62*time.Minute, 1)), []int{8}},
		"each person's":     {append(recent(20, 1), revision(9, "me", 61*time.Minute, 1), revision(8, "you", 62*time.Minute, 1)), nil},
		"large":             {append(recent(20, flows.RevisionsBytesMax/20+1), revision(9, "me", time.Hour, 1)), []int{9}},
		"recent, but large": {recent(20, flows.RevisionsBytesMax), nil},
	} {
		if got := flows.Superfluous(tt.rs); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v may go, want %v", name, got, tt.want)
		}
	}
	many := recent(20, 1)
	for i := range 400 {
		many = append(many, revision(500-i, "me", time.Duration(i+1)*time.Hour, 1))
	}
	if got := len(many) - len(flows.Superfluous(many)); got != flows.RevisionsMax {
		t.Errorf("%d are kept, want %d", got, flows.RevisionsMax)
	}
}

func TestRevisionsGoWithTheFlow(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	d := rename(t, s, create(t, s, hosttest.Flow(t, hosttest.AddFlow)), "second")
	if err := s.Delete(t.Context(), hosttest.Project, d.ID, actor); err != nil {
		t.Fatal(err)
	}
	again := create(t, s, hosttest.Flow(t, hosttest.AddFlow))
	list, err := s.Revisions(t.Context(), hosttest.Project, again.ID, page.Query{})
	if err != nil || len(list.Items) != 1 {
		t.Errorf("listed %+v, %v", list, err)
	}
	first, err := s.Revision(t.Context(), hosttest.Project, again.ID, 1)
	if err != nil || bytes.Contains(first.Document, []byte("second")) {
		t.Errorf("read %s, %v", first.Document, err)
	}
}
