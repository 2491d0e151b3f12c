package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// A credential is set, tried and rotated in a running server: the new version is used only
// when the system takes it.
func TestACredentialIsRotatedInARunningServer(t *testing.T) {
	t.Parallel()
	takes := map[string]bool{"Bearer first-token-of-the-system": true, "Bearer second-token-of-the-system": true}
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !takes[r.Header.Get("Authorization")] {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(up.Close)
	dir := filepath.Join(t.TempDir(), "data")
	prepare(t, dir)
	srv := startServer(t, dir, "--allow", strings.TrimPrefix(up.URL, "http://"))
	srv.must(http.MethodPut, project+"/systems/desk", map[string]any{
		"format": "culm.system/v1", "id": "desk", "title": "Desk", "base_url": up.URL, "auth": map[string]any{"type": "bearer"},
		"operations": []any{map[string]any{"id": "me", "title": "Me", "method": "GET", "path": "/me", "retry": "safe", "risk": "read"}},
	}, nil)
	says := func(code int, in string, args []string, want ...string) {
		t.Helper()
		var out, err bytes.Buffer
		got := run(t.Context(), append(append([]string{"credential"}, args...), "--server", srv.base), outside{in: strings.NewReader(in), out: &out, err: &err})
		text := out.String() + err.String()
		if got != code || strings.Contains(text, "-token-of-the-system") {
			t.Fatalf("%v ended with %d:\n%s", args, got, text)
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%v does not say %q:\n%s", args, w, text)
			}
		}
	}
	says(exitOK, "first-token-of-the-system\n", []string{"set", "desk"}, "version 1  primary")
	says(exitOK, "", []string{"test", "desk"}, "auth     ok", "called me · HTTP 200")
	says(exitOK, "second-token-of-the-system\n", []string{"rotate", "desk"}, "version 2  primary", "version 1  standby")
	says(exitFailed, "a-wrong-token-of-the-system\n", []string{"rotate", "desk"}, "auth     failed", "version 3 does not work")
	says(exitOK, "", []string{"ls", "desk"}, "version 2  primary", "version 3  standby", "last used")
	says(exitOK, "", []string{"rm", "desk", "--version", "3"}, "version 2  primary")
	says(exitRefused, "", []string{"rotate", "desk", "--to", "9"}, "not found")
}
