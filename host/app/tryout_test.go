package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/tryout"
	"github.com/culmhq/culm/pdk/contract"
)

const thingsDocument = `
format: culm.system/v1
id: things
title: Things
base_url: BASE
auth: {type: bearer}
limits: {timeout_ms: 5000}
operations:
  - {id: read, title: Read, method: GET, path: "/things/{id}", retry: safe, risk: read,
     parameters: [{name: id, in: path, required: true}]}
  - {id: create, title: Create, method: POST, path: /things, retry: keyed, key_header: X-Key, risk: write,
     body: {type: object, required: [name], properties: {name: {type: string}}}}
  - {id: drop, title: Drop, method: DELETE, path: "/things/{id}", retry: never, risk: destructive,
     parameters: [{name: id, in: path, required: true}]}
`

// A person calls an operation without any plugin or grant: with the credential, within the
// declared parameters, in the audit. What may destroy something is confirmed first.
func TestAPersonCallsAnOperation(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 10)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r.Clone(r.Context())
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "up-1")
		if r.URL.Path == "/things/gone" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte(`{"at":"` + r.URL.Path + `"}`))
	}))
	t.Cleanup(up.Close)
	s := unstarted(t, false)
	s.cfg.Allow = []string{strings.TrimPrefix(up.URL, "http://")}
	s.start()
	if code, _, text := s.do("PUT", s.in("/systems/things"), nil, systemJSON(t, strings.Replace(thingsDocument, "BASE", up.URL, 1))); code != 200 {
		t.Fatal(code, text)
	}
	at := func(op string) string { return s.in("/systems/things/operations/%s/call", op) }

	a := want[tryout.Answer](s, 200, "POST", at("read"), `{"params":{"id":"7"}}`)
	if a.Failure == nil || a.Failure.Code != "CREDENTIAL_MISSING" || a.Failure.Hint != contract.HintSetCredential || a.Failure.System != "things" || a.Failure.Operation != "read" {
		t.Fatalf("without a credential: %+v", a.Failure)
	}
	if code, _, text := s.do("PUT", s.in("/systems/things/credential"), nil, `{"token":"tok-of-the-tests"}`); code != 200 {
		t.Fatal(code, text)
	}

	a = want[tryout.Answer](s, 200, "POST", at("read"), `{"params":{"id":"a b"}}`)
	if got := <-requests; a.Status != 200 || string(a.Body) != `{"at":"/things/a b"}` || a.RequestID != "up-1" || a.Attempts != 1 || got.Header.Get("Authorization") != "Bearer tok-of-the-tests" {
		t.Errorf("got %+v for %v", a, got.Header)
	}
	a = want[tryout.Answer](s, 200, "POST", at("read"), `{"params":{"id":"gone"}}`)
	if <-requests; a.Status != 404 || a.Failure != nil {
		t.Errorf("an answer of the system is one whatever its status: %+v", a)
	}
	a = want[tryout.Answer](s, 200, "POST", at("create"), `{"body":{"name":7}}`)
	if a.Failure == nil || a.Failure.Code != "PARAM_INVALID" || a.Failure.Hint != contract.HintFixInputs || a.Failure.Attempts != 0 {
		t.Errorf("a wrong body: %+v", a.Failure)
	}
	keys := map[string]bool{}
	for range 2 {
		want[tryout.Answer](s, 200, "POST", at("create"), `{"body":{"name":"x"}}`)
		keys[(<-requests).Header.Get("X-Key")] = true
	}
	if len(keys) != 2 || keys[""] {
		t.Errorf("two calls went out under the keys %v", keys)
	}

	code, _, text := s.do("POST", at("drop"), nil, `{"params":{"id":"7"}}`)
	if code != 422 || !strings.Contains(text, `"field":"/confirm"`) {
		t.Errorf("not confirmed: %d %s", code, text)
	}
	a = want[tryout.Answer](s, 200, "POST", at("drop"), `{"params":{"id":"7"},"confirm":true}`)
	if got := <-requests; a.Status != 200 || got.Method != "DELETE" {
		t.Errorf("confirmed: %+v", a)
	}
	for _, path := range []string{at("none"), s.in("/systems/none/operations/read/call")} {
		if code, _, text := s.do("POST", path, nil, `{}`); code != 404 {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	if len(requests) != 0 {
		t.Errorf("%d requests more than there should be", len(requests))
	}
}
