package build_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/pdk/contract"
)

func TestTwoBuildsInTwoPlacesGiveOneDigest(t *testing.T) {
	t.Parallel()
	var digests []string
	for range 2 {
		dir := tree(t)
		p, err := build.Build(t.Context(), filepath.Join(dir, "plugins-src", "tiny"), filepath.Join(dir, "tiny.wasm"), build.Options{})
		if err != nil {
			t.Fatal(err)
		}
		module, err := os.ReadFile(filepath.Join(dir, "tiny.wasm"))
		if err != nil {
			t.Fatal(err)
		}
		if build.Digest(module) != p.Digest || int64(len(module)) != p.Bytes {
			t.Fatalf("the package %+v is not that of the file", p)
		}
		digests = append(digests, p.Digest)
	}
	if digests[0] != digests[1] {
		t.Fatalf("digests %v", digests)
	}
}

func TestAllBuildsOnceUntilSomethingChanges(t *testing.T) {
	t.Parallel()
	dir := tree(t)
	module := filepath.Join(dir, "plugins-wasm", "tiny.wasm")
	stat := func() os.FileInfo {
		t.Helper()
		info, err := os.Stat(module)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}

	first := mustAll(t.Context(), t, dir)
	built := stat()
	raw, err := os.ReadFile(filepath.Join(dir, "plugins-wasm", build.IndexFile))
	if err != nil {
		t.Fatal(err)
	}
	written, err := build.ReadIndex(raw)
	if err != nil || len(written.Plugins) != 1 || written.Plugins[0] != first.Plugins[0] || written.Plugins[0].ID != "tiny" {
		t.Fatalf("index %+v (%v), want %+v", written, err, first)
	}

	if again := mustAll(t.Context(), t, dir); again.Plugins[0] != first.Plugins[0] || !os.SameFile(built, stat()) {
		t.Fatal("built again although nothing changed")
	}

	put(t, filepath.Join(dir, "plugins-src", "tiny", "main_test.go"), "package main\n")
	if mustAll(t.Context(), t, dir); !os.SameFile(built, stat()) {
		t.Fatal("built again because of a test")
	}

	put(t, module, "broken")
	if again := mustAll(t.Context(), t, dir); again.Plugins[0].Digest != first.Plugins[0].Digest || stat().Size() != first.Plugins[0].Bytes {
		t.Fatal("a module that is not what was built was left in place")
	}

	put(t, filepath.Join(dir, "plugins-src", "tiny", "main.go"), strings.Replace(tiny, `"1.0.0"`, `"1.1.0"`, 1))
	if again := mustAll(t.Context(), t, dir); again.Plugins[0].Version != "1.1.0" || again.Plugins[0].Digest == first.Plugins[0].Digest {
		t.Fatalf("index %+v after a change", again)
	}
}

func TestBuildRefusals(t *testing.T) {
	t.Parallel()
	dir := tree(t)
	src := filepath.Join(dir, "plugins-src", "tiny")
	out := filepath.Join(dir, "tiny.wasm")
	for name, c := range map[string]struct{ old, replacement, says string }{
		"does not compile":       {"return in, nil", "return in", "main.go"},
		"version":                {`"1.0.0"`, `"v1"`, "/version"},
		"a field that is a func": {"Text string", "Text func()", "is not JSON"},
		"unknown widget":         {`jsonschema:\"maxLength=10\"`, "", ""},
	} {
		source := strings.Replace(tiny, c.old, c.replacement, 1)
		if name == "unknown widget" {
			source = strings.Replace(tiny, `jsonschema:"maxLength=10"`, `ui:"widget=sparkle"`, 1)
			c.says = "/actions/0/inputs/properties/text/ui:widget"
		}
		put(t, filepath.Join(src, "main.go"), source)
		_, err := build.Build(t.Context(), src, out, build.Options{})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v does not say %q", name, err, c.says)
		}
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a refused build left a module: %v", err)
	}
}

func TestAllRefusesAPluginWithAnotherNameThanItsDirectory(t *testing.T) {
	t.Parallel()
	dir := tree(t)
	put(t, filepath.Join(dir, "plugins-src", "tiny", "main.go"), strings.Replace(tiny, `ID: "tiny"`, `ID: "small"`, 1))
	if _, err := build.All(t.Context(), dir, build.Options{}); err == nil || !strings.Contains(err.Error(), "small") {
		t.Fatalf("error %v", err)
	}
}

// empty is the smallest module; plain is one that exports execute and nothing else.
const (
	empty = "\x00asm\x01\x00\x00\x00"
	plain = empty + "\x01\x05\x01\x60\x00\x01\x7f" + "\x03\x02\x01\x00" + "\x07\x0b\x01\x07execute\x00\x00" + "\x0a\x06\x01\x04\x00\x41\x00\x0b"
)

func manifest() contract.Manifest {
	schema := json.RawMessage(`{"type":"object","properties":{}}`)
	return contract.Manifest{
		Format: contract.ManifestFormat, ID: "a", Version: "1.0.0", Title: contract.T("A"),
		Actions: []contract.Action{{ID: "b", Title: contract.T("B"), Inputs: schema, Outputs: schema}},
	}
}

func TestPackReplacesTheManifestAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	other := "\x00\x06\x04nameX" // a custom section called name
	once, err := build.Pack([]byte(plain+other), manifest())
	if err != nil {
		t.Fatal(err)
	}
	m := manifest()
	m.Version = "2.0.0"
	twice, err := build.Pack(once, m)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(twice), plain+other) || len(twice) != len(once) {
		t.Fatalf("module %q", twice)
	}
	got, err := build.ReadManifest(twice)
	if err != nil || got.Version != "2.0.0" {
		t.Fatalf("manifest %+v (%v)", got, err)
	}
	if _, err := build.ReadManifest([]byte(plain + other)); !errors.Is(err, build.ErrNoManifest) {
		t.Fatalf("error %v, want ErrNoManifest", err)
	}
	if _, err := build.ReadManifest(append(once, once[len(plain)+len(other):]...)); err == nil {
		t.Fatal("two manifests were accepted")
	}
}

func TestPackRefusesPromisesThatTheModuleDoesNotKeep(t *testing.T) {
	t.Parallel()
	m := manifest()
	a := &m.Actions[0]
	a.Waits, a.Cancel, a.Rollback, a.Options = []contract.WaitKind{contract.WaitPoll}, true, true, true
	_, err := build.Pack([]byte(plain), m)
	for _, field := range []string{"waits", "cancel", "rollback", "options"} {
		if err == nil || !strings.Contains(err.Error(), "/actions/0/"+field+":") {
			t.Errorf("error %v does not name %s", err, field)
		}
	}
	if _, err := build.Pack([]byte(empty), manifest()); err == nil || !strings.Contains(err.Error(), "execute") {
		t.Errorf("error %v does not name execute", err)
	}
}

func TestPackFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	raw, err := json.Marshal(manifest())
	if err != nil {
		t.Fatal(err)
	}
	module, side, out := filepath.Join(dir, "m.wasm"), filepath.Join(dir, "m.json"), filepath.Join(dir, "sub", "out.wasm")
	put(t, module, plain)
	put(t, side, string(raw))
	p, err := build.PackFile(module, side, out)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile(out)
	if err != nil || build.Digest(packed) != p.Digest {
		t.Fatalf("package %+v (%v)", p, err)
	}
	put(t, side, strings.Replace(string(raw), `"id":"a"`, `"id":"a","colour":"red"`, 1))
	if _, err := build.PackFile(module, side, out); err == nil || !strings.Contains(err.Error(), "colour") {
		t.Errorf("an unknown field was accepted: %v", err)
	}
	put(t, side, string(raw))
	put(t, module, "no module")
	if _, err := build.PackFile(module, side, out); err == nil || !strings.Contains(err.Error(), "m.wasm") {
		t.Errorf("error %v does not name the file", err)
	}
}

func FuzzReadManifest(f *testing.F) {
	packed, err := build.Pack([]byte(plain), manifest())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add([]byte(empty + "\x00\xff\xff\xff\xff\x0f"))
	f.Add([]byte(empty + "\x00"))
	f.Fuzz(func(t *testing.T, module []byte) {
		m, err := build.ReadManifest(module)
		if err != nil {
			return
		}
		again, err := build.Pack(module, m)
		if err != nil {
			return // it promises what the module does not export
		}
		if _, err := build.ReadManifest(again); err != nil {
			t.Fatalf("what was packed cannot be read: %v", err)
		}
	})
}

func TestReadIndexRefusesAnotherFormat(t *testing.T) {
	t.Parallel()
	if _, err := build.ReadIndex([]byte(`{"format":"culm.plugins/v9"}`)); err == nil || !strings.Contains(err.Error(), "v9") {
		t.Fatalf("error %v", err)
	}
}
