package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/auth"
	"github.com/culmhq/culm/host/config"
)

func TestDefaultIsValid(t *testing.T) {
	t.Parallel()
	c := config.Default()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := config.Load(config.Sources{})
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Fatalf("Load of nothing = %+v, %v; want the defaults", got, err)
	}
}

func TestPrecedenceFlagOverEnvironmentOverFile(t *testing.T) {
	t.Parallel()
	file := write(t, "listen: 127.0.0.1:1\ndata: from-file\ndrain: 3s\nlog:\n  level: debug\nallow: [db.local:5432]\n")
	c, err := config.Load(config.Sources{
		File:    file,
		Environ: []string{"PATH=/bin", "CULM_LISTEN=127.0.0.1:2", "CULM_LOG_FORMAT=json", "CULM_DEMO=true"},
		Flags:   map[string]string{"listen": "127.0.0.1:3", "allow": "a:1, [::1]:2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		Listen: "127.0.0.1:3", Data: "from-file", Demo: true, Allow: []string{"a:1", "[::1]:2"},
		Drain: 3 * time.Second, Trust: config.Trust{Policy: "warn", Uncontained: "refuse"},
		Limits: config.Default().Limits, Log: config.Log{Level: "debug", Format: "json"},
		Callbacks: config.Default().Callbacks, Record: config.Default().Record, Audit: config.Default().Audit, Trace: config.Default().Trace,
		Secrets: config.Default().Secrets,
	}
	if !reflect.DeepEqual(c, want) {
		t.Fatalf("got  %+v\nwant %+v", c, want)
	}
}

func TestEveryProblemIsNamedWithItsSource(t *testing.T) {
	t.Parallel()
	file := write(t, "listen: 0.0.0.0:8080\nlog:\n  level: loud\nallow: [\"10.0.0.1\"]\n")
	_, err := config.Load(config.Sources{
		File:    file,
		Environ: []string{"CULM_DRAIN=1h", "CULM_PORT=tcp://10.0.0.1:80", "CULM_LOG_FORMAT=xml"},
		Flags:   map[string]string{"demo": "perhaps", "data": ""},
	})
	var e *config.Error
	if !errors.As(err, &e) {
		t.Fatalf("error = %v", err)
	}
	want := map[string]string{
		"listen": file + ":1", "log.level": file + ":3", "allow[0]": file + ":4", "drain": "CULM_DRAIN",
		"log.format": "CULM_LOG_FORMAT", "demo": "flag --demo", "data": "flag --data",
	}
	got := map[string]string{}
	for _, p := range e.Problems {
		got[p.Field] = p.Source
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %v\nwant %v\n%v", got, want, err)
	}
}

func TestOnlyLoopbackIsListenedOn(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		listen string
		ok     bool
	}{
		{"127.0.0.1:8080", true},
		{"127.9.9.9:0", true},
		{"[::1]:8080", true},
		{"localhost:8080", true},
		{":8080", false},
		{"0.0.0.0:8080", false},
		{"[::]:8080", false},
		{"192.0.2.1:8080", false},
		{"example.org:8080", false},
		{"localhost.example.org:8080", false},
		{"127.0.0.1", false},
		{"127.0.0.1:http", false},
		{"127.0.0.1:70000", false},
		{"", false},
	} {
		c := config.Default()
		c.Listen = tc.listen
		err := c.Validate()
		if (err == nil) != tc.ok {
			t.Errorf("listen %q: %v", tc.listen, err)
		}
		if err != nil && !strings.Contains(err.Error(), "listen: ") {
			t.Errorf("listen %q: the error does not name the field: %v", tc.listen, err)
		}
	}
}

func TestFilesAreReadStrictly(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"unknown field":  "lisen: 127.0.0.1:1\n",
		"wrong type":     "demo: [1]\n",
		"two documents":  "demo: true\n---\ndemo: false\n",
		"duplicate keys": "demo: true\ndemo: false\n",
	} {
		if _, err := config.Load(config.Sources{File: write(t, text)}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := config.Load(config.Sources{File: write(t, "")}); err != nil {
		t.Errorf("an empty file was refused: %v", err)
	}
	if _, err := config.Load(config.Sources{File: filepath.Join(t.TempDir(), "absent")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestEverySettingCanBeSetAndReadBack(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"listen": "[::1]:9", "data": "d", "demo": "true", "allow": "a:1,b:2", "plugins": "p", "drain": "1s", "registries": "registry.example.com,http://127.0.0.1:5000", "registry_logins": "logins.json", "trust.policy": "required", "trust.uncontained": "run", "trust.keys": "k", "deny": "plugin:publish,plugin:approve",
		"log.level": "warn", "log.format": "json",
		"callbacks.url": "https://culm.example.com/x", "callbacks.expire": "2h0m0s", "record.mode": "all", "record.call_bytes": "4096", "record.total_bytes": "2000000", "record.keep": "1h0m0s",
		"audit.keep": "48h0m0s", "audit.anchors": "an", "audit.anchor_every": "1m0s", "trace.endpoint": "https://collector.example.com/v1/traces", "trace.sample": "0.25",
		"secrets.key_file": "k", "secrets.master_key": "env:MASTER", "secrets.former_master_key": "credential:former", "secrets.keep": "2h0m0s", "secrets.approved": "any",
	}
	for _, s := range config.Settings() {
		v, ok := values[s.Field]
		if s.Limit {
			v, ok = doubled(t, s), true
		}
		if !ok {
			t.Errorf("no value for setting %s", s.Field)
			continue
		}
		for _, src := range []config.Sources{{Environ: []string{s.Env + "=" + v}}, {Flags: map[string]string{s.Flag: v}}} {
			c, err := config.Load(src)
			if err != nil || s.Value(&c) != v {
				t.Errorf("%s = %q, %v; want %q", s.Field, s.Value(&c), err, v)
			}
		}
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "culm.yaml")
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCallbackSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for _, bad := range []map[string]string{
		{"callbacks-url": "culm.example.com"},
		{"callbacks-url": "https://u:p@culm.example.com"},
		{"callbacks-url": "https://culm.example.com?x=1"},
		{"callbacks-url": "ftp://culm.example.com"},
		{"callbacks-expire": "10s"},
		{"callbacks-expire": "9000h"},
	} {
		if _, err := config.Load(config.Sources{Flags: bad}); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

func TestRightsAreDeniedByNamesThatThereAre(t *testing.T) {
	t.Parallel()
	file := write(t, "deny: [plugin:approve, plugin:delete]\n")
	_, err := config.Load(config.Sources{File: file})
	var e *config.Error
	if !errors.As(err, &e) || len(e.Problems) != 1 || e.Problems[0].Field != "deny[1]" || e.Problems[0].Source != file+":1" ||
		e.Problems[0].Message != `"plugin:delete" is none of plugin:publish, plugin:approve` {
		t.Errorf("%+v", err)
	}
	c, err := config.Load(config.Sources{File: write(t, "deny: [plugin:approve]\n"), Environ: []string{"CULM_DENY=plugin:publish"}})
	if err != nil || !slices.Equal(c.Deny, []string{"plugin:publish"}) {
		t.Errorf("the environment over the file: %v, %v", c.Deny, err)
	}
	for _, s := range config.Settings() {
		for _, right := range auth.Names() {
			if s.Field == "deny" && !strings.Contains(s.Doc, right) {
				t.Errorf("the help of --%s does not name %s", s.Flag, right)
			}
		}
	}
}

func TestAShareOfTracesIsBetweenNoneAndAll(t *testing.T) {
	t.Parallel()
	for v, ok := range map[string]bool{"0": true, "1": true, "0.01": true, "-0.1": false, "1.5": false, "NaN": false, "some": false} {
		if _, err := config.Load(config.Sources{Flags: map[string]string{"trace-sample": v}}); (err == nil) != ok {
			t.Errorf("%s: %v", v, err)
		}
	}
}
