package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/secrets"
)

// K11: the keys are changed, and the former ones retired, while a hundred runs send their
// secrets to a system. None of them fails, each value arrives, and after a restart what
// was sealed still opens.
func TestKeysAreChangedWhileAHundredRunsUseSecrets(t *testing.T) {
	t.Parallel()
	const runs = 100
	s, e, _ := secretServer(t)
	s.publish(drawn("login", `{"token":"${token}"}`, `{"user":"ada","password":"${password}"}`))
	first := want[secrets.KeyStatus](s, 200, "GET", "/api/v1/keys", nil)
	if len(first.Keys) != 1 || first.Encrypted {
		t.Fatalf("%+v", first)
	}
	ids := make([]string, runs)
	var started sync.WaitGroup
	for w := range 10 {
		started.Go(func() {
			for i := w; i < runs; i += 10 {
				status, _, text := s.do("POST", s.in("/flows/login/runs"), nil, map[string]any{"inputs": map[string]string{"password": fmt.Sprintf("password-of-%d", i)}})
				if status != 201 {
					t.Errorf("start %d: %d %s", i, status, text)
					return
				}
				ids[i] = idOf(t, text)
			}
		})
	}
	for range 5 {
		before := want[secrets.KeyStatus](s, 200, "GET", "/api/v1/keys", nil)
		after := want[secrets.KeyStatus](s, 200, "POST", "/api/v1/keys/commands", `{"command":"rotate"}`)
		if after.Pending != 0 || len(after.Keys) != len(before.Keys)+1 {
			t.Errorf("after a change %+v", after)
		}
		want[secrets.KeyStatus](s, 200, "POST", "/api/v1/keys/commands", fmt.Sprintf(`{"command":"retire","key":%q}`, before.Keys[0].ID))
	}
	started.Wait()
	for _, id := range ids {
		s.published.wait(t, id, "run succeeded")
	}
	got := map[string]int{}
	bodies, _ := e.calls()
	for _, b := range bodies {
		got[b]++
	}
	for i := range runs {
		if b := fmt.Sprintf(`{"password":"password-of-%d","user":"ada"}`, i); got[b] != 1 {
			t.Errorf("run %d: its password arrived %d times", i, got[b])
		}
	}
	for body, status := range map[string]int{
		`{"command":"retire","key":"1"}`: 404, `{"command":"retire"}`: 404, `{"command":"forget"}`: 422, `{"command":"rotate","key":"1"}`: 422,
	} {
		if code, _, text := s.do("POST", "/api/v1/keys/commands", nil, body); code != status {
			t.Errorf("%s: %d %s", body, code, text)
		}
	}
	now := want[secrets.KeyStatus](s, 200, "GET", "/api/v1/keys", nil)
	if code, _, text := s.do("POST", "/api/v1/keys/commands", nil, fmt.Sprintf(`{"command":"retire","key":%q}`, now.Keys[0].ID)); code != 409 || !strings.Contains(text, "IN_USE") {
		t.Errorf("the primary key is retired: %d %s", code, text)
	}
	_, _, trail := s.do("GET", "/api/v1/audit?action=keys.commands.post&limit=50", nil, nil)
	if n := strings.Count(trail, `"rotate"`); n < 5 {
		t.Errorf("the audit tells of %d changes of keys: %s", n, trail)
	}
	s.stop()
	s.start()
	if c := want[secrets.Checked](s, 200, "GET", "/api/v1/keys/verify", nil); c.Opened < runs+1 || len(c.Broken) != 0 {
		t.Errorf("%+v", c)
	}
}

// K10, K12: the server does not start without the keys of its database, and touches
// neither. With them it starts as before.
func TestAServerWithoutItsKeysDoesNotStart(t *testing.T) {
	t.Parallel()
	s, _, _ := secretServer(t)
	s.stop()
	key := filepath.Join(s.cfg.Data, "secrets.key")
	right, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	other := start(t, false, "core")
	other.stop()
	wrong, err := os.ReadFile(filepath.Join(other.cfg.Data, "secrets.key"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"missing": nil, "wrong": wrong, "empty": {}, "damaged": right[:len(right)/2]} {
		_ = os.Remove(key)
		if content != nil {
			if err := os.WriteFile(key, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := app.New(s.cfg, s.deps).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "key") {
			t.Fatalf("%s: %v", name, err)
		}
		if now, err := os.ReadFile(key); content != nil && string(now) != string(content) || content == nil && err == nil {
			t.Errorf("%s: the key file was touched: %v", name, err)
		}
	}
	if err := os.WriteFile(key, right, 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	if c := want[secrets.Checked](s, 200, "GET", "/api/v1/keys/verify", nil); c.Opened != 1 || len(c.Broken) != 0 {
		t.Errorf("%+v", c)
	}
}
