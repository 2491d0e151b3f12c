package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	shipped "github.com/culmhq/culm/plugins-wasm"
)

// canaryToken is a credential that must never be seen outside the vault.
const canaryToken = "c4nary-hunter2-secret"

// reflecting is a system that sends back what it got, the credential in several
// encodings, and one of another system besides.
func reflecting(t *testing.T, other string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth := r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"echo": auth, "b64": base64.StdEncoding.EncodeToString([]byte(auth)), "other": other, "at": time.Now().String(), "ok": false,
		})
	}))
	t.Cleanup(s.Close)
	return s
}

// replayRun runs culm plugin replay and returns its exit code and output.
func replayRun(t *testing.T, args ...string) (int, string) {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bin, append([]string{"plugin", "replay"}, args...)...)
	cmd.Env = append(os.Environ(), "LANG=C.UTF-8", "XDG_CACHE_HOME="+filepath.Join(os.Getenv(envDir), "replay"))
	out, _ := cmd.CombinedOutput()
	return cmd.ProcessState.ExitCode(), string(out)
}

// A node fails on a server; its attempt is made again elsewhere from the recording,
// without the system; a changed build is shown where it first goes another way; and no
// secret is in anything that leaves the server.
func TestAFailedAttemptIsReplayedElsewhere(t *testing.T) {
	t.Parallel()
	module, err := fs.ReadFile(shipped.Files, "http.wasm")
	if err != nil {
		t.Skip("the plugins are not built")
	}
	const otherToken = "another-canary-0815"
	system := reflecting(t, otherToken)
	dir := filepath.Join(t.TempDir(), "data")
	prepare(t, dir)
	srv := startServer(t, dir, "--allow", strings.TrimPrefix(system.URL, "http://"))
	for id, token := range map[string]string{"mirror": canaryToken, "unused": otherToken} {
		srv.must(http.MethodPut, project+"/systems/"+id, map[string]any{
			"format": "culm.system/v1", "id": id, "title": id, "base_url": system.URL, "auth": map[string]any{"type": "bearer"},
			"operations": []any{map[string]any{"id": "look", "title": "Look", "method": "GET", "path": "/look", "retry": "safe", "risk": "read"}},
		}, nil)
		srv.must(http.MethodPut, project+"/systems/"+id+"/credential", map[string]any{"token": token}, nil)
	}
	srv.must(http.MethodPut, project+"/plugins/http/grants", map[string]any{"grants": []need{{"mirror", "look"}}}, nil)
	run := srv.startFlow(t, "looking", map[string]any{
		"format": "culm.flow/v1", "id": "looking", "name": "Looking",
		"nodes": []any{
			map[string]any{"id": "start", "type": "start"},
			map[string]any{"id": "look", "type": "task", "plugin": "http", "action": "call", "inputs": map[string]any{
				"system": "mirror", "operation": "look", "success": "body.ok",
			}},
			map[string]any{"id": "end", "type": "end"},
		},
		"edges": []any{map[string]any{"id": "a", "from": "start", "to": "look"}, map[string]any{"id": "b", "from": "look", "to": "end"}},
	}, nil)
	srv.awaitState(t, run, "blocked")

	work := t.TempDir()
	saved, changed := filepath.Join(work, "saved.json"), filepath.Join(work, "changed.wasm")
	was, is := []byte("answered with status"), []byte("ANSWERED with status")
	if !bytes.Contains(module, was) {
		t.Fatal("the plugin does not say what it said")
	}
	if err := os.WriteFile(changed, bytes.ReplaceAll(module, was, is), 0o600); err != nil {
		t.Fatal(err)
	}
	at := []string{run, "look", "--server", srv.base}
	var seen []string
	check := func(code int, args []string, want ...string) {
		t.Helper()
		got, out := replayRun(t, args...)
		seen = append(seen, out)
		if got != code {
			t.Errorf("culm plugin replay %v: exit %d, want %d\n%s", args, got, code, out)
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("culm plugin replay %v does not say %q:\n%s", args, w, out)
			}
		}
	}
	check(0, append(at, "--save", saved))
	check(0, append(at, "--events"), "CONDITION_FAILED", "mirror/look", "the same")
	check(2, []string{run, "nowhere", "--server", srv.base}, `no node "nowhere"`)
	check(2, []string{run[:8], "look", "--server", srv.base}, `no run "`+run[:8]+`"`)
	if err := srv.stop(); err != nil {
		t.Fatal(err)
	}
	system.Close()
	check(0, []string{"--recording", saved}, "the same")
	check(0, []string{run, "look", "--data", dir, "--json"}, `"result": "same"`)
	check(1, []string{"--recording", saved, "--module", changed},
		"another module than the recorded sha256:", "differs: at event", "mirror look answered with status 200", "mirror look ANSWERED with status 200")
	check(2, []string{"--recording", filepath.Join(work, "absent.json")}, "absent.json")
	check(2, []string{run, "nowhere", "--data", dir}, "no recording")

	b, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append(seen, string(b), srv.logs.String()) {
		for _, secret := range []string{canaryToken, "hunter2", otherToken, base64.RawStdEncoding.EncodeToString([]byte(canaryToken))[2:20]} {
			if strings.Contains(s, secret) {
				t.Errorf("%s is in\n%s", secret, s)
			}
		}
	}
}

// What a person saw while a form was filled in is made again elsewhere: choices that could
// not be had, because nothing is granted.
func TestChoicesThatCouldNotBeHadAreReplayedElsewhere(t *testing.T) {
	t.Parallel()
	if _, err := fs.ReadFile(shipped.Files, "demo.wasm"); err != nil {
		t.Skip("the plugins are not built")
	}
	dir := filepath.Join(t.TempDir(), "data")
	prepare(t, dir)
	srv := startServer(t, dir)
	var got struct{ Failure struct{ Code string } }
	srv.must(http.MethodPost, project+"/plugins/demo/options", map[string]any{
		"action": "deploy_service", "source": "hosts", "form": map[string]any{"service": "checkout"},
	}, &got)
	if got.Failure.Code == "" {
		t.Fatalf("choices without a grant: %+v", got)
	}
	at := []string{"--options", "demo/deploy_service/hosts"}
	code, out := replayRun(t, append(at, "--server", srv.base, "--events")...)
	if code != 0 || !strings.Contains(out, got.Failure.Code) || !strings.Contains(out, "the same") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if err := srv.stop(); err != nil {
		t.Fatal(err)
	}
	if code, out := replayRun(t, append(at, "--data", dir, "--json")...); code != 0 || !strings.Contains(out, `"result": "same"`) {
		t.Errorf("from the data: exit %d\n%s", code, out)
	}
	if code, out := replayRun(t, "--options", "demo/deploy_service", "--data", dir); code != 2 || !strings.Contains(out, "PLUGIN/ACTION/SOURCE") {
		t.Errorf("half a field: exit %d\n%s", code, out)
	}
}
