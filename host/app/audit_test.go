package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/store"
)

// TestWhatAnAdministratorDoesIsInTheAudit goes through the API, and then verifies the files.
func TestWhatAnAdministratorDoesIsInTheAudit(t *testing.T) {
	t.Parallel()
	s, _, _ := secretServer(t)
	s.publish(drawn("login", `{"token":"${token}","signature":"${token}","basic":"${password}","user":"ada"}`, `{"user":"ada","password":"${password}"}`))
	run := s.run("login", map[string]any{"password": runCanary})
	s.published.wait(t, run, "run succeeded")
	if status, _, text := s.do("PUT", s.in("/systems/nowhere/credential"), nil, map[string]string{"token": projectCanary}); status != 404 {
		t.Fatal(status, text)
	}
	all := want[page.Of[audit.Entry]](s, 200, "GET", s.in("/audit"), nil)
	var done []string
	for _, e := range all.Items {
		if e.Kind == audit.KindAdmin {
			done = append(done, fmt.Sprintf("%s %s %s", e.Actor, e.Action, e.Outcome))
		}
	}
	for _, w := range []string{
		"local systems.put ok", "local secrets.put ok", "local plugins.grants.put ok", "local flows.versions.post ok",
		"local systems.credential.put refused",
	} {
		if !slices.Contains(done, w) {
			t.Errorf("%q is not in the audit: %q", w, done)
		}
	}
	calls := want[page.Of[audit.Entry]](s, 200, "GET", s.in("/calls?run=%s&outcome=ok", run), nil)
	if len(calls.Items) != 1 || calls.Items[0].Flow != "login" || calls.Items[0].Status != 200 || calls.Items[0].Plugin == "" {
		t.Errorf("calls %+v", calls.Items)
	}
	_, _, text := s.do("GET", "/api/v1/audit?limit=200", nil, nil)
	clean(t, "the audit", []byte(text))
	if !strings.Contains(text, `"body_sha256"`) || !strings.Contains(text, `"grants":[{`) {
		t.Errorf("what was asked for is missing: %s", text)
	}

	files := app.AuditFilesOf(config.Config{Data: s.cfg.Data})
	s.stop()
	anchors, err := audit.ReadAnchors(files.Anchors)
	if err != nil {
		t.Fatal(err)
	}
	key, err := audit.ReadPublic(files.Key + audit.PublicSuffix)
	if err != nil {
		t.Fatal(err)
	}
	places, bad := audit.CheckAnchors(anchors, key)
	r, err := audit.Verify(store.ReadAudit(t.Context(), files.Database), places)
	if err != nil || !r.OK() || len(bad) > 0 || r.Anchors == 0 || r.Entries < int64(len(all.Items)) {
		t.Errorf("%+v, %v, %v", r, bad, err)
	}
	if last := places[len(places)-1]; last != r.Head {
		t.Errorf("the last anchor is %+v, the log ends at %+v", last, r.Head)
	}
}
