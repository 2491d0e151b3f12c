package api

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/culmhq/culm/host/fault"
)

// K13: what a server of Go might show of itself is not there, not even as the page of the
// application, whoever asks: neither profiles nor dumps, nor the metrics where they are off.
func TestNothingOfTheInsideIsShown(t *testing.T) {
	t.Parallel()
	s := bare(t, Options{Assets: fstest.MapFS{"index.html": {Data: []byte("<page>")}}})
	for _, path := range []string{
		"/debug", "/debug/", "/debug/pprof", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline", "/debug/pprof/profile?seconds=1",
		"/debug/pprof/symbol", "/debug/pprof/trace", "/debug/vars", "/debug/requests", "/debug/events", "/debug/fgprof", "/metrics", "/metrics/", "/healthz/x", "/readyz/x",
		"/api", "/api/", "/api/v1", "/api/v1/debug/pprof", "/api/v1/debug/pprof/heap", "/api/v2/meta", "/assets/", "/assets/../debug/pprof", "/p/../debug/pprof", "/callbacks", "/callbacks/",
		"/.env", "/.git/config", "/culm.db", "/p.db", "/x/../culm.db", "/server-status.html", "/favicon.ico", "//debug/pprof", "/%64ebug/pprof",
	} {
		for _, accept := range []string{"", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Host = "localhost"
			r.Header.Set("Accept", accept)
			resp, body := do(t, s, r)
			if resp.StatusCode != http.StatusNotFound || code(body) != fault.NotFound || strings.Contains(body, "<page>") {
				t.Errorf("%s (%s): %d %.200s", path, accept, resp.StatusCode, body)
			}
		}
	}
}

// A person who mistyped a path sees the application, which says so; a program is told.
func TestAnUnknownPathIsNotFoundForPeopleAndPrograms(t *testing.T) {
	t.Parallel()
	s := bare(t, Options{Assets: fstest.MapFS{"index.html": {Data: []byte("<page>")}}})
	for _, tc := range []struct {
		path, accept string
		status       int
		page         bool
	}{
		{"/", "", 200, true},
		{"/p/default/flows/a", "*/*", 200, true},
		{"/p", "text/html", 200, true},
		{"/projects", "text/html", 404, true},
		{"/projects", "application/json", 404, false},
		{"/projects", "", 404, false},
	} {
		r := httptest.NewRequest(http.MethodGet, tc.path, nil)
		r.Host = "localhost"
		r.Header.Set("Accept", tc.accept)
		if resp, body := do(t, s, r); resp.StatusCode != tc.status || (body == "<page>") != tc.page {
			t.Errorf("%s (%s): %d %s", tc.path, tc.accept, resp.StatusCode, body)
		}
	}
}

// C08, K15: the log tells of a request that failed without what lets in: the token of a
// callback in its path, or a header.
func TestTheLogOfAFailureHoldsNoTokenAndNoHeader(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := bare(t, Options{}) // no use cases: every handler that needs one panics
	s.o.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	const canary = "c4nary-that-lets-in"
	for _, path := range []string{CallbackPath + canary, "/api/v1/projects/p/flows"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "localhost"
		for _, name := range []string{"Authorization", "Cookie", "X-Api-Key", "Referer"} {
			r.Header.Set(name, canary)
		}
		if resp, body := do(t, s, r); resp.StatusCode != 500 || strings.Contains(body, canary) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	if n := strings.Count(log.String(), "request failed"); n != 2 || strings.Contains(log.String(), canary) {
		t.Errorf("the log tells of %d failures: %s", n, log.String())
	}
}
