package api

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/auth"
)

// aboutPlugins reports whether a route is about plugins: its path says so, or its answer is
// of the package of the catalogue.
func aboutPlugins(r route) bool {
	if regexp.MustCompile(`/(plugin|trust)`).MatchString(r.path) {
		return true
	}
	return r.out != nil && strings.HasSuffix(reflect.TypeOf(r.out).PkgPath(), "/host/plugins")
}

// TestWhatChangesPluginsNeedsARight walks the table: a route that changes plugins names its
// right, and what only reads, or only asks, names none.
func TestWhatChangesPluginsNeedsARight(t *testing.T) {
	t.Parallel()
	var needed []auth.Right
	for _, r := range routes() {
		changes := r.method != http.MethodGet && r.quiet != quietAsks
		switch {
		case aboutPlugins(r) && changes && r.right == "":
			t.Errorf("%s %s changes plugins and needs no right", r.method, r.path)
		case !changes && r.right != "":
			t.Errorf("%s %s changes nothing and needs %s", r.method, r.path, r.right)
		case r.right != "" && r.quiet != "":
			t.Errorf("%s %s needs %s and is not audited", r.method, r.path, r.right)
		case r.right != "" && !slices.Contains(auth.Rights(), r.right):
			t.Errorf("%s %s needs %s, which is no right", r.method, r.path, r.right)
		}
		needed = append(needed, r.right)
	}
	for _, right := range auth.Rights() {
		if !slices.Contains(needed, right) {
			t.Errorf("no route needs %s", right)
		}
	}
}

// requestTo makes a request with nothing in it that the route would take.
func requestTo(r route) *http.Request {
	path := regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(r.path, "x")
	req := httptest.NewRequest(r.method, prefix+path+"?nonsense=1", strings.NewReader("nonsense"))
	req.Host = "127.0.0.1"
	return req
}

// TestARightIsAskedForBeforeAnythingElse sends each route that needs a right a request that
// is wrong in every way: without the right only that is said, and entered.
func TestARightIsAskedForBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	everything, err := auth.NewPolicy(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range routes() {
		if r.right == "" {
			continue
		}
		b := &book{}
		s := bare(t, Options{Audit: audit.NewService(b, b, time.Now)})
		resp, body := do(t, s, requestTo(r))
		if resp.StatusCode != http.StatusForbidden || !strings.Contains(body, `"reason":"RIGHT","args":{"a":"`+string(r.right)+`","b":"local"}`) {
			t.Errorf("%s %s: %d %s", r.method, r.path, resp.StatusCode, body)
		}
		if len(b.entries) != 1 {
			t.Fatalf("%s %s: entries %+v", r.method, r.path, b.entries)
		}
		e := b.entries[0]
		if e.Action != actionOf(r) || e.Outcome != audit.OutcomeRefused || e.Code != "FORBIDDEN" || e.Actor != "local" || e.Source == nil ||
			string(e.Detail) != `{"right":"`+string(r.right)+`"}` || (e.Plugin == "x") != strings.Contains(r.path, "{plugin}") {
			t.Errorf("%s %s: entry %+v", r.method, r.path, e)
		}

		with := bare(t, Options{Audit: audit.NewService(&book{}, b, time.Now), Rights: everything})
		if resp, body := do(t, with, requestTo(r)); resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "/nonsense") {
			t.Errorf("%s %s, with the right: %d %s", r.method, r.path, resp.StatusCode, body)
		}
	}
}

// A page of another site must not be able to fill the audit with refusals.
func TestAnotherSiteIsRefusedBeforeRights(t *testing.T) {
	t.Parallel()
	b := &book{}
	s := bare(t, Options{Audit: audit.NewService(b, b, time.Now)})
	for _, r := range routes() {
		if r.right == "" {
			continue
		}
		req := requestTo(r)
		req.Header.Set("Origin", "http://evil.example")
		if resp, body := do(t, s, req); resp.StatusCode != http.StatusForbidden || code(body) != codeOrigin || len(b.entries) != 0 {
			t.Errorf("%s %s: %d %s, %+v", r.method, r.path, resp.StatusCode, body, b.entries)
		}
	}
}

// A client is told what it may do before it tries.
func TestMetaTellsTheRightsOfTheClient(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		denied []string
		want   string
	}{
		{nil, `"rights":["plugin:publish","plugin:approve"]`},
		{[]string{"plugin:publish"}, `"rights":["plugin:approve"]`},
		{auth.Names(), `"rights":[]`},
	} {
		p, err := auth.NewPolicy(tc.denied)
		if err != nil {
			t.Fatal(err)
		}
		req := httptest.NewRequest(http.MethodGet, prefix+"/meta", nil)
		req.Host = "127.0.0.1"
		if _, body := do(t, bare(t, Options{Rights: p}), req); !strings.Contains(body, `"actor":"local"`) || !strings.Contains(body, tc.want) {
			t.Errorf("%v denied: %s", tc.denied, body)
		}
	}
}
