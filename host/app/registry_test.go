package app_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/oci"
	"github.com/culmhq/culm/host/plugins"
)

// locked is a registry that lets one login in, and sends everybody else back what they
// came with.
func locked(t *testing.T, password string) string {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, got, ok := r.BasicAuth(); !ok || user != "culm" || got != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"`+r.Header.Get("Authorization")+" "+got+`"}]}`)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// logins writes a file of logins.
func logins(t *testing.T, file, host, password string) {
	t.Helper()
	auth := base64.StdEncoding.EncodeToString([]byte("culm:" + password))
	if err := os.WriteFile(file, []byte(`{"auths":{"`+host+`":{"auth":"`+auth+`"}},"credsStore":"never-run"}`), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A server pulls from a registry that asks for a login, with the one of its file, which
// may change while it runs; the password is in no log and in no answer, even where the
// registry sends it back.
func TestAServerLogsInToItsRegistries(t *testing.T) {
	t.Parallel()
	const right, wrong = "c4nary-right-password", "c4nary-wrong-password"
	host := locked(t, right)
	s := unstarted(t, false, "core")
	said := new(lines)
	s.deps.Logger = slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.cfg.Registries = []string{"http://" + host}
	s.cfg.RegistryLogins = filepath.Join(t.TempDir(), "logins.json")
	logins(t, s.cfg.RegistryLogins, host, wrong)
	s.start()
	ref, err := oci.Parse(host + "/acme/ticket:1")
	if err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(t.TempDir(), "mine.json")
	logins(t, here, host, right)
	pushed := oci.Artifact{Plugin: "ticket", Version: "1.0.0", Code: variant(t, "ticket", "1.0.0")}
	if _, err := oci.New(oci.Options{Credential: oci.FileLogins(here).Login}).Push(t.Context(), ref, pushed); err != nil {
		t.Fatal(err)
	}

	pull := `{"reference":"` + ref.String() + `"}`
	status, _, text := s.do(http.MethodPost, "/api/v1/plugin-pulls", nil, pull)
	if status != http.StatusBadGateway || !strings.Contains(text, "does not let this login in") {
		t.Errorf("a wrong password: %d %s", status, text)
	}
	logins(t, s.cfg.RegistryLogins, host, right)
	if m := want[plugins.Module](s, http.StatusCreated, "POST", "/api/v1/plugin-pulls", pull); m.Plugin != "ticket" {
		t.Errorf("pulled %+v", m)
	}
	if err := os.WriteFile(s.cfg.RegistryLogins, []byte(`{"auths": c4nary`), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, broken := s.do(http.MethodPost, "/api/v1/plugin-pulls", nil, pull)
	if status < 500 {
		t.Errorf("a file that cannot be read: %d %s", status, broken)
	}
	s.stop()
	for _, secret := range []string{"c4nary", base64.StdEncoding.EncodeToString([]byte("culm:" + wrong)), base64.StdEncoding.EncodeToString([]byte("culm:" + right))} {
		if strings.Contains(said.String()+text+broken, secret) {
			t.Errorf("%s is in\n%s\n%s\n%s", secret, said, text, broken)
		}
	}
	if !strings.Contains(said.String(), "logins") {
		t.Errorf("nothing says that the logins cannot be read:\n%s", said)
	}
	if err := app.New(s.cfg, s.deps).Start(t.Context()); err == nil || strings.Contains(err.Error(), "c4nary") || !strings.Contains(err.Error(), "logins.json") {
		t.Errorf("started with logins that cannot be read: %v", err)
	}
}

// lines is a log that is read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
