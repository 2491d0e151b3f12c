package registry_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/systems"
)

const shop = `
openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: "https://shop.example/api"}]
paths:
  /orders:
    get: {operationId: list, tags: [orders], summary: List orders}
    post:
      operationId: create
      tags: [orders]
      requestBody: {content: {application/json: {schema: {type: object, required: [name]}}}}
  /stock: {get: {operationId: stock, tags: [stock]}}
`

func importing(t *testing.T, s *registry.Service, tweak func(*registry.ImportRequest)) (registry.ImportResult, error) {
	t.Helper()
	r := registry.ImportRequest{Project: "ops", Actor: engine.Actor{ID: "ada"}, ID: "shop", Document: shop, Enable: registry.EnableAll}
	if tweak != nil {
		tweak(&r)
	}
	return s.Import(t.Context(), r)
}

func apply(version int) func(*registry.ImportRequest) {
	return func(r *registry.ImportRequest) { r.Apply, r.Version = true, version }
}

func states(t *testing.T, s *registry.Service) map[string]string {
	t.Helper()
	all, err := s.Operations(t.Context(), registry.OperationQuery{Project: "ops", System: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, o := range all.Items {
		out[o.ID] = "off " + string(o.DisabledBy)
		if o.Enabled {
			out[o.ID] = "on"
		}
	}
	return out
}

func TestImportShowsFirstAndStoresWhatWasShown(t *testing.T) {
	t.Parallel()
	s := newService(t)
	got, err := importing(t, s, nil)
	if err != nil || got.Applied || len(got.Changes) != 3 || got.Document.Operations != 3 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if _, err := s.Get(t.Context(), "ops", "shop"); !fault.Is(err, fault.NotFound) {
		t.Fatalf("a look stored it: %v", err)
	}
	if got, err = importing(t, s, apply(0)); err != nil || !got.Applied || got.Version != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if _, err = importing(t, s, apply(0)); !fault.Is(err, fault.Conflict) {
		t.Fatalf("against a version that is not stored: %v", err)
	}
	if got, err = importing(t, s, nil); err != nil || len(got.Changes) != 0 || got.Unchanged != 3 {
		t.Fatalf("the same again: %+v, %v", got, err)
	}
	v, err := s.Get(t.Context(), "ops", "shop")
	if err != nil || v.BaseURL != "https://shop.example/api" || len(v.Groups) != 2 || v.Groups[0] != (registry.Group{Name: "orders", Operations: 2, Enabled: 2}) {
		t.Fatalf("got %+v, %v", v, err)
	}
}

func TestReimportSwitchesOffWhatBecomesWiderUntilItIsEnabledAgain(t *testing.T) {
	t.Parallel()
	s := newService(t)
	if _, err := importing(t, s, apply(0)); err != nil {
		t.Fatal(err)
	}
	wider := func(r *registry.ImportRequest) {
		apply(1)(r)
		r.Document = strings.NewReplacer("required: [name]", "properties: {}", "  /stock: ", "  /v2/stock: ").Replace(shop)
	}
	if _, err := importing(t, s, wider); err != nil {
		t.Fatal(err)
	}
	if got := states(t, s); got["list"] != "on" || got["create"] != "off change" || got["stock"] != "off change" {
		t.Fatalf("got %v", got)
	}
	changed, err := s.Operations(t.Context(), registry.OperationQuery{Project: "ops", System: "shop", State: "changed", Search: "STOCK v2"})
	if err != nil || len(changed.Items) != 1 || changed.Items[0].ID != "stock" {
		t.Fatalf("got %+v, %v", changed, err)
	}
	// The same document again, or the stored one put again, switches nothing on.
	if _, err := importing(t, s, func(r *registry.ImportRequest) { wider(r); r.Version = 2 }); err != nil {
		t.Fatal(err)
	}
	enable := registry.EnableRequest{Project: "ops", System: "shop", Actor: engine.Actor{ID: "ada"}, Operations: []string{"stock"}, Enabled: true}
	if _, err := s.Enable(t.Context(), enable); err != nil {
		t.Fatal(err)
	}
	if got := states(t, s); got["create"] != "off change" || got["stock"] != "on" {
		t.Fatalf("got %v", got)
	}
	enable.Operations = []string{"create", "nothing"}
	var f *fault.Error
	if _, err := s.Enable(t.Context(), enable); !errors.As(err, &f) || f.Field != "/operations/1" || states(t, s)["create"] == "on" {
		t.Fatalf("got %v", err)
	}
	history, err := s.History(t.Context(), "ops", "shop", page.Query{})
	if err != nil || len(history.Items) != 4 || history.Items[0].Action != registry.ActionEnable || len(history.Items[2].Summary.Disabled) != 2 {
		t.Fatalf("got %+v, %v", history, err)
	}
	first, err := s.Version(t.Context(), "ops", "shop", 1)
	if err != nil || !strings.Contains(string(first.Document), `"/stock"`) {
		t.Fatalf("got %s, %v", first.Document, err)
	}
}

func TestReimportKeepsWhatPeopleSetAndWrote(t *testing.T) {
	t.Parallel()
	s := newService(t)
	if _, err := importing(t, s, apply(0)); err != nil {
		t.Fatal(err)
	}
	doc, err := s.Document(t.Context(), "ops", "shop")
	if err != nil {
		t.Fatal(err)
	}
	own := *doc
	own.Operations = append([]systems.Operation(nil), doc.Operations...)
	own.Success = systems.Success{Rule: "body.ok"}
	for i := range own.Operations {
		if own.Operations[i].ID == "create" {
			own.Operations[i].Retry = systems.RetryKeyed
		}
	}
	hand := own.Operations[0]
	hand.ID, hand.Imported, hand.Path = "by_hand", false, "/hand"
	hand.Body = nil
	hand.Method = "GET"
	own.Operations = append(own.Operations, hand)
	if _, err := s.Put(t.Context(), put("ops", "shop", jsonOf(t, own))); err != nil {
		t.Fatal(err)
	}
	less := func(removed string, version int) func(*registry.ImportRequest) {
		return func(r *registry.ImportRequest) {
			apply(version)(r)
			r.Removed, r.Document = removed, strings.Split(shop, "  /stock")[0]
		}
	}
	if _, err := importing(t, s, less("", 2)); err != nil {
		t.Fatal(err)
	}
	if got := states(t, s); got["stock"] != "off removal" || !strings.HasPrefix(got["by_hand"], "o") || got["by_hand"] == "off removal" {
		t.Fatalf("got %v", got)
	}
	d, err := s.Operation(t.Context(), "ops", "shop", "create")
	if err != nil || d.Retry != systems.RetryKeyed || d.Success.Rule != "body.ok" || !strings.Contains(string(d.Form), `"body"`) {
		t.Fatalf("got %+v, %v", d, err)
	}
	if _, err := importing(t, s, less(registry.RemovedDelete, 3)); err != nil {
		t.Fatal(err)
	}
	if got := states(t, s); got["stock"] != "" || got["by_hand"] == "" {
		t.Fatalf("got %v", got)
	}
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for name, c := range map[string]struct {
		tweak func(*registry.ImportRequest)
		field string
	}{
		"nothing":        {func(r *registry.ImportRequest) { r.Document = "" }, "/document"},
		"both":           {func(r *registry.ImportRequest) { r.Contract = "bk-job" }, "/document"},
		"no contract":    {func(r *registry.ImportRequest) { r.Document, r.Contract = "", "../data" }, "/contract"},
		"no document":    {func(r *registry.ImportRequest) { r.Document = "swagger: '2.0'" }, "/document"},
		"another choice": {func(r *registry.ImportRequest) { r.Enable = "some" }, "/enable"},
		"another end":    {func(r *registry.ImportRequest) { r.Removed = "keep" }, "/removed"},
		"no id":          {func(r *registry.ImportRequest) { r.ID = "" }, "/id"},
		"a wrong id":     {func(r *registry.ImportRequest) { r.ID = "Shop" }, "/id"},
		"a wrong URL":    {func(r *registry.ImportRequest) { r.BaseURL = "file:///etc" }, "/base_url"},
	} {
		var f *fault.Error
		if _, err := importing(t, s, c.tweak); !errors.As(err, &f) || f.Code != fault.Invalid || f.Field != c.field {
			t.Errorf("%s: %v", name, err)
		} else if choice := c.field == "/enable" || c.field == "/removed"; !choice && (len(f.Problems) == 0 || f.Problems[0].Code == "" || f.Problems[0].Field != c.field) {
			t.Errorf("%s: the problems %+v have no code for clients", name, f.Problems)
		}
	}
	// The line of a text is told apart: a client names it in its own language.
	_, err := importing(t, s, func(r *registry.ImportRequest) { r.Document = "openapi: 3.0.3\npaths: &a {}\n" })
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Problems) != 1 || f.Problems[0].Code != "DOC_ANCHOR" || f.Problems[0].Args["line"] != "2" || f.Problems[0].Field != "/document" {
		t.Errorf("an anchor: %v", err)
	}
	if _, err := s.Import(context.Background(), registry.ImportRequest{Project: "nowhere", ID: "a", Document: shop}); !fault.Is(err, fault.NotFound) {
		t.Errorf("no project: %v", err)
	}
}

func TestDeletedSystemGoesOnCounting(t *testing.T) {
	t.Parallel()
	s := newService(t)
	if _, err := importing(t, s, apply(0)); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), registry.DeleteRequest{Project: "ops", ID: "shop", Actor: engine.Actor{ID: "ada"}}); err != nil {
		t.Fatal(err)
	}
	got, err := importing(t, s, apply(0))
	if err != nil || got.Version != 3 {
		t.Fatalf("got %+v, %v", got, err)
	}
}
