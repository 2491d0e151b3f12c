package flows_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/idempotency"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/pdk/contract"
)

var actor = engine.Actor{ID: hosttest.Actor}

func create(t *testing.T, s *flows.Service, f *engine.Flow) flows.Detail {
	t.Helper()
	d, err := s.Create(t.Context(), flows.CreateRequest{Project: hosttest.Project, Actor: actor, Document: f})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func wantFault(t *testing.T, err error, code fault.Code, field string) *fault.Error {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want a fault %s", err, code)
	}
	if e.Code != code || e.Field != field {
		t.Fatalf("fault %s at %q (%v), want %s at %q", e.Code, e.Field, e, code, field)
	}
	return e
}

func TestDraftIsCreatedAndSaved(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	s := p.Flows(nil)
	d := create(t, s, hosttest.Flow(t, hosttest.AddFlow))
	if d.ID != "add-up" || d.Revision != 1 || d.Version != 0 || len(d.Problems) != 0 || d.UpdatedBy != hosttest.Actor {
		t.Fatalf("created %+v", d)
	}
	doc := d.Document
	doc.Name = contract.T("Sum")
	d2, err := s.Save(t.Context(), flows.SaveRequest{Project: hosttest.Project, Actor: actor, Flow: d.ID, Revision: 1, Document: doc})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(t.Context(), hosttest.Project, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, d2) {
		t.Errorf("save answered\n%+v\nread\n%+v", d2, got)
	}
	if got.Revision != 2 || got.Document.Name.En != "Sum" || got.Document.ID != "add-up" {
		t.Errorf("read %+v", got)
	}
}

func TestIDsAreMadeOfNames(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	var got []string
	for _, name := range []contract.Text{
		contract.T("Roll out!  v2"), contract.T("roll out v2"), contract.T("发布"), {Zh: "发布", En: "Release"}, contract.T("9 lives"), contract.T("发布"),
	} {
		f := hosttest.Flow(t, hosttest.AddFlow)
		f.Name = name
		got = append(got, create(t, s, f).ID)
	}
	if want := []string{"roll-out-v2", "roll-out-v2-2", "flow", "release", "lives", "flow-2"}; !slices.Equal(got, want) {
		t.Errorf("ids %q, want %q", got, want)
	}
}

func TestGivenIDs(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	f := hosttest.Flow(t, hosttest.AddFlow)
	f.ID = "mine"
	create(t, s, f)
	_, err := s.Create(t.Context(), flows.CreateRequest{Project: hosttest.Project, Actor: actor, Document: f})
	wantFault(t, err, fault.Exists, "")
	f.ID = "Not an id"
	_, err = s.Create(t.Context(), flows.CreateRequest{Project: hosttest.Project, Actor: actor, Document: f})
	wantFault(t, err, fault.Invalid, "/document/id")
	f.ID = ""
	_, err = s.Create(t.Context(), flows.CreateRequest{Project: "other", Actor: actor, Document: f})
	wantFault(t, err, fault.NotFound, "")
}

func TestSaveOfAnOldRevisionConflicts(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	d := create(t, s, hosttest.Flow(t, hosttest.AddFlow))
	save := func(revision int, name string) error {
		f := *d.Document
		f.Name = contract.T(name)
		_, err := s.Save(t.Context(), flows.SaveRequest{Project: hosttest.Project, Actor: actor, Flow: d.ID, Revision: revision, Document: &f})
		return err
	}
	if err := save(1, "first"); err != nil {
		t.Fatal(err)
	}
	e := wantFault(t, save(1, "second"), fault.Conflict, "")
	current, ok := e.Current.(flows.Detail)
	if !ok || current.Revision != 2 || current.Document.Name.En != "first" {
		t.Errorf("current is %+v", e.Current)
	}
	wantFault(t, save(3, "third"), fault.Conflict, "")
}

// Of many who save the same revision at once, one wins.
func TestOneOfManySavesWins(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	d := create(t, s, hosttest.Flow(t, hosttest.AddFlow))
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			f := *d.Document
			f.Name = contract.T(fmt.Sprint("name ", i))
			_, errs[i] = s.Save(t.Context(), flows.SaveRequest{Project: hosttest.Project, Actor: actor, Flow: d.ID, Revision: 1, Document: &f})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !fault.Is(err, fault.Conflict) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d saves won, want 1", won)
	}
}

func TestDraftsMayHaveProblemsButVersionsNot(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	f := hosttest.Flow(t, hosttest.AddFlow)
	f.Nodes[1].Inputs["a"] = json.RawMessage(`-1`)
	f.Nodes[1].Inputs["note"] = json.RawMessage(`"much too long a note"`)
	delete(f.Nodes[1].Inputs, "b")
	d := create(t, s, f)
	var fields []string
	for _, x := range d.Problems {
		if x.Node != "add" || x.Level != engine.SeverityError {
			t.Errorf("problem %+v", x)
		}
		fields = append(fields, x.Field)
	}
	slices.Sort(fields)
	if want := []string{"/inputs/a", "/inputs/note"}; !slices.Equal(fields, want) {
		t.Errorf("problems at %q, want %q", fields, want)
	}
	_, err := s.Publish(t.Context(), flows.PublishRequest{Project: hosttest.Project, Actor: actor, Flow: d.ID, Revision: 1})
	if e := wantFault(t, err, fault.Invalid, ""); len(e.Problems) != 2 {
		t.Errorf("problems %+v", e.Problems)
	}
	list, err := s.List(t.Context(), flows.ListQuery{Project: hosttest.Project})
	if err != nil {
		t.Fatal(err)
	}
	if list.Items[0].Valid {
		t.Error("the list says that a draft with errors is valid")
	}
}

func TestValuesOfVariablesAreChecked(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	f := hosttest.Flow(t, hosttest.AddFlow)
	f.Variables = append(f.Variables,
		engine.Variable{Name: "level", Source: engine.SourceInput, Schema: json.RawMessage(`{"enum":["low","high"]}`), Value: json.RawMessage(`"middle"`)},
		engine.Variable{Name: "url", Source: engine.SourceConstant, Schema: json.RawMessage(`{"type":"string","format":"uri"}`), Value: json.RawMessage(`"https://x/${env.region}"`)},
		engine.Variable{Name: "broken", Source: engine.SourceInput, Schema: json.RawMessage(`{"type":"string","pattern":"("}`)},
	)
	got := map[string]string{}
	ps, err := s.Validate(t.Context(), hosttest.Project, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range ps {
		if x.Level == engine.SeverityError {
			got[x.Variable] = x.Field
		}
	}
	if got["level"] != "/value" || got["broken"] == "" || got["url"] != "" {
		t.Errorf("problems at %v", got)
	}
}

func TestPublishing(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	s := p.Flows(nil)
	d := create(t, s, hosttest.Flow(t, hosttest.AddFlow))
	publish := func(revision int) (flows.Version, error) {
		return s.Publish(t.Context(), flows.PublishRequest{Project: hosttest.Project, Actor: actor, Flow: d.ID, Revision: revision, Note: "n"})
	}
	v1, err := publish(1)
	if err != nil {
		t.Fatal(err)
	}
	again, err := publish(1)
	if err != nil || !reflect.DeepEqual(again, v1) || v1.Number != 1 {
		t.Errorf("an unchanged draft gave %+v, %v, want %+v", again, err, v1)
	}
	_, err = publish(2)
	wantFault(t, err, fault.Conflict, "")

	doc := *d.Document
	doc.Doc = contract.T("changed")
	if _, err := s.Save(t.Context(), flows.SaveRequest{Project: hosttest.Project, Actor: actor, Flow: d.ID, Revision: 1, Document: &doc}); err != nil {
		t.Fatal(err)
	}
	v2, err := publish(2)
	if err != nil || v2.Number != 2 || v2.Digest == v1.Digest {
		t.Fatalf("published %+v, %v", v2, err)
	}
	latest, err := s.Version(t.Context(), hosttest.Project, d.ID, 0)
	if err != nil || latest.Number != 2 || latest.Digest != engine.Digest(mustFlow(t, latest.Document)) {
		t.Errorf("latest %+v, %v", latest, err)
	}
	first, err := s.Version(t.Context(), hosttest.Project, d.ID, 1)
	if err != nil || mustFlow(t, first.Document).Doc.In("en") != "" {
		t.Errorf("version 1 changed: %+v, %v", first, err)
	}
	got, err := s.Get(t.Context(), hosttest.Project, d.ID)
	if err != nil || got.Version != 2 || got.PublishedRevision != 2 {
		t.Errorf("flow %+v, %v", got, err)
	}
	_, err = s.Version(t.Context(), hosttest.Project, d.ID, 3)
	wantFault(t, err, fault.NotFound, "")
}

func TestNumbersOfVersionsAreNotGivenTwice(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	for want := 1; want <= 2; want++ {
		d := create(t, s, hosttest.Flow(t, hosttest.AddFlow))
		v, err := s.Publish(t.Context(), flows.PublishRequest{Project: hosttest.Project, Actor: actor, Flow: d.ID, Revision: 1})
		if err != nil || v.Number != want {
			t.Fatalf("published %+v, %v, want number %d", v, err, want)
		}
		if err := s.Delete(t.Context(), hosttest.Project, d.ID, actor); err != nil {
			t.Fatal(err)
		}
		_, err = s.Get(t.Context(), hosttest.Project, d.ID)
		wantFault(t, err, fault.NotFound, "")
	}
	wantFault(t, s.Delete(t.Context(), hosttest.Project, "add-up", actor), fault.NotFound, "")
}

func TestIdempotentCreate(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	s := p.Flows(nil)
	call := func(who, value, body string) (flows.Detail, error) {
		key, err := idempotency.New(value, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return s.Create(t.Context(), flows.CreateRequest{
			Project: hosttest.Project, Actor: engine.Actor{ID: who}, Document: hosttest.Flow(t, hosttest.AddFlow), Key: key,
		})
	}
	first, err := call("a", "k1", "body")
	if err != nil {
		t.Fatal(err)
	}
	again, err := call("a", "k1", "body")
	if err != nil || !reflect.DeepEqual(first, again) {
		t.Errorf("the same call gave %+v, %v, want %+v", again, err, first)
	}
	_, err = call("a", "k1", "other body")
	wantFault(t, err, fault.KeyReused, "")
	other, err := call("b", "k1", "body")
	if err != nil || other.ID == first.ID {
		t.Errorf("another actor's key gave %+v, %v", other, err)
	}
	p.Clock.Advance(idempotency.Life + time.Hour)
	late, err := call("a", "k1", "other body")
	if err != nil || late.ID == first.ID {
		t.Errorf("after its life the key gave %+v, %v", late, err)
	}
}

func TestListPagesAndSearches(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	for i := range 7 {
		f := hosttest.Flow(t, hosttest.AddFlow)
		f.ID = fmt.Sprintf("f-%d", i)
		f.Name = contract.Text{En: fmt.Sprintf("Flow %d", i%2), Zh: "流程"}
		create(t, s, f)
	}
	var ids []string
	q := flows.ListQuery{Project: hosttest.Project, Page: page.Query{Limit: 3}}
	for {
		l, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range l.Items {
			ids = append(ids, x.ID)
		}
		if q.Page.Cursor = l.Next; l.Next == "" {
			break
		}
	}
	if want := []string{"f-6", "f-5", "f-4", "f-3", "f-2", "f-1", "f-0"}; !slices.Equal(ids, want) {
		t.Errorf("pages gave %q, want %q", ids, want)
	}
	for search, want := range map[string]int{"FLOW 1": 3, "流程": 7, "f-3": 1, "100%": 0} {
		l, err := s.List(t.Context(), flows.ListQuery{Project: hosttest.Project, Search: search})
		if err != nil || len(l.Items) != want {
			t.Errorf("search %q found %d, %v, want %d", search, len(l.Items), err, want)
		}
	}
	_, err := s.List(t.Context(), flows.ListQuery{Project: hosttest.Project, Page: page.Query{Limit: 201}})
	wantFault(t, err, fault.Invalid, "/limit")
	_, err = s.List(t.Context(), flows.ListQuery{Project: hosttest.Project, Page: page.Query{Cursor: "???"}})
	wantFault(t, err, fault.Invalid, "/cursor")
	_, err = s.List(t.Context(), flows.ListQuery{Project: "other"})
	wantFault(t, err, fault.NotFound, "")
}

func mustFlow(t *testing.T, document []byte) *engine.Flow {
	t.Helper()
	f, err := flows.Decode(document)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
