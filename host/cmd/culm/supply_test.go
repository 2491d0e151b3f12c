package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/pdk/contract"
	shipped "github.com/culmhq/culm/plugins-wasm"
)

// cli runs commands against one server.
type cli struct {
	t       *testing.T
	environ []string
}

// ok runs a command that must succeed and returns what it printed.
func (c cli) ok(args ...string) string {
	c.t.Helper()
	code, out, errOut := try(c.t, c.environ, args...)
	if code != exitOK {
		c.t.Fatalf("%v: exit %d: %s%s", args, code, out, errOut)
	}
	return out
}

// refused runs a command that must be refused, and say so.
func (c cli) refused(says string, args ...string) {
	c.t.Helper()
	code, out, errOut := try(c.t, c.environ, args...)
	if code != exitRefused || !strings.Contains(errOut, says) {
		c.t.Fatalf("%v: exit %d: %s%s; want a refusal that says %q", args, code, out, errOut, says)
	}
}

// ticket writes a plugin "ticket" in a version: the shipped plugin "core" under another
// name, which was compiled before.
func ticket(t *testing.T, file, version string, needs ...contract.Need) {
	t.Helper()
	named(t, file, "ticket", version, needs...)
}

// named is ticket with another name.
func named(t *testing.T, file, id, version string, needs ...contract.Need) {
	t.Helper()
	code, err := shipped.Files.ReadFile("core.wasm")
	if err != nil {
		t.Skip(err)
	}
	m, err := build.ReadManifest(code)
	if err != nil {
		t.Fatal(err)
	}
	m.ID, m.Version, m.Needs = id, version, needs
	if code, err = build.Pack(code, m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAPluginGoesFromItsAuthorThroughARegistryIntoAServer is the whole way: keys, a
// signature, a registry, a server that takes signed plugins only, versions, a review, a
// block, a key that is revoked.
func TestAPluginGoesFromItsAuthorThroughARegistryIntoAServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	ticket(t, in("v1.wasm"), "1.0.0")
	ticket(t, in("v2.wasm"), "2.0.0", contract.Need{System: "cmdb", Operation: "list"})
	prepare(t, in("data"))
	c := cli{t: t}
	c.ok("plugin", "keygen", in("acme"))
	c.ok("plugin", "trust", in("acme.pub"), "--publisher", "Acme", "--plugins", "ticket*", "--data", in("data"))
	srv := startServer(t, in("data"), "--trust-policy", "required")
	c.environ = []string{"CULM_SERVER=" + srv.base}

	c.refused("not a DSSE envelope", "plugin", "install", in("v2.wasm"), "--signature", os.DevNull)
	c.refused("belongs to a publisher who did not sign", "plugin", "install", in("v1.wasm"))
	c.ok("plugin", "sign", in("v1.wasm"), "--key", in("acme.key"))
	if out := c.ok("plugin", "install", in("v1.wasm")); !strings.Contains(out, "active, latest") || !strings.Contains(out, "signed by Acme") {
		t.Errorf("install printed %s", out)
	}

	repo := hosttest.Registry(t, "") + "/acme/ticket"
	c.ok("plugin", "sign", in("v2.wasm"), "--key", in("acme.key"))
	var pushed shippedPlugin
	if err := json.Unmarshal([]byte(c.ok("plugin", "push", in("v2.wasm"), repo, "--json")), &pushed); err != nil || pushed.Signatures != 1 {
		t.Fatalf("pushed %+v, %v", pushed, err)
	}
	if out := c.ok("plugin", "ls", repo); !strings.Contains(out, "2.0.0") || !strings.Contains(out, pushed.Digest) {
		t.Errorf("ls printed %s", out)
	}
	c.ok("plugin", "pull", repo+":2.0.0", "-o", in("again.wasm"))
	if out := c.ok("plugin", "verify", in("again.wasm"), "--data", in("data")); !strings.Contains(out, "signed by Acme") {
		t.Errorf("verify printed %s", out)
	}
	c.refused("not found", "plugin", "pull", repo+":3.0.0", "-o", in("none.wasm"))

	out := c.ok("plugin", "install", pushed.Reference)
	if !strings.Contains(out, "waits for a review") || !strings.Contains(out, "asks for cmdb/list") {
		t.Errorf("an upgrade that asks for more printed %s", out)
	}
	if out := c.ok("plugin", "approve", "ticket", "2.0.0", "--reason", "read it"); !strings.Contains(out, "active, latest") {
		t.Errorf("approve printed %s", out)
	}
	c.refused("not ask for cmdb/delete: it asks for cmdb/list", "plugin", "grant", "ticket", "cmdb/delete")
	c.refused("was not granted cmdb/list", "plugin", "grant", "ticket", "cmdb/list", "--remove")
	if out := c.ok("plugin", "grant", "ticket", "cmdb/list"); !strings.Contains(out, "cmdb/list  granted") {
		t.Errorf("grant printed %s", out)
	}
	if out := c.ok("plugin", "grant", "ticket", "cmdb/list", "--remove"); !strings.Contains(out, "asks for  cmdb/list  not granted") {
		t.Errorf("grant --remove printed %s", out)
	}
	if out := c.ok("plugin", "list"); !strings.Contains(out, "2.0.0  active, latest  signed by Acme") {
		t.Errorf("list printed %s", out)
	}
	if out := c.ok("plugin", "disable", "ticket"); !strings.Contains(out, "switched off there") {
		t.Errorf("disable printed %s", out)
	}
	if out := c.ok("plugin", "enable", "ticket"); strings.Contains(out, "switched off") {
		t.Errorf("enable printed %s", out)
	}
	c.refused("SYSTEM/OPERATION", "plugin", "grant", "ticket", "cmdb")
	c.ok("plugin", "block", "ticket", pushed.Digest[:20], "--reason", "steals")
	c.refused("older version", "plugin", "activate", "ticket", "1.0.0")
	c.ok("plugin", "activate", "ticket", "1.0.0", "--override")
	var versions []plugins.Module
	if err := json.Unmarshal([]byte(c.ok("plugin", "versions", "ticket", "--json")), &versions); err != nil || len(versions) != 2 ||
		versions[0].State != plugins.StateBlocked || !versions[1].Latest {
		t.Errorf("versions %+v, %v", versions, err)
	}
	if out := c.ok("plugin", "history", "ticket"); !strings.Contains(out, "rolled back") || !strings.Contains(out, "steals") || !strings.Contains(out, "refused") {
		t.Errorf("history printed %s", out)
	}
	var keys plugins.TrustView
	if err := json.Unmarshal([]byte(c.ok("plugin", "keys", "--json")), &keys); err != nil || len(keys.Keys) != 1 {
		t.Fatalf("keys %+v, %v", keys, err)
	}
	c.aVersionBuiltTwice(in)
	c.ok("plugin", "revoke", keys.Keys[0].ID, "--reason", "lost")
	c.refused("refused by the signature policy", "plugin", "approve", "ticket", "2.0.0")
	c.refused("not found", "plugin", "versions", "nothing")
	c.refused("a server is a URL", "plugin", "versions", "ticket", "--server", "localhost")
}

// aVersionBuiltTwice is the life of a plugin under culm plugin dev: one version number,
// many modules. Commands say which there are, and what comes next.
func (c cli) aVersionBuiltTwice(in func(string) string) {
	c.t.Helper()
	for _, b := range []struct {
		file  string
		needs []contract.Need
	}{{"a.wasm", nil}, {"b.wasm", []contract.Need{{System: "cmdb", Operation: "list"}}}} {
		named(c.t, in(b.file), "ticket-twice", "1.0.0", b.needs...)
		c.ok("plugin", "sign", in(b.file), "--key", in("acme.key"))
	}
	c.says("", "plugin", "install", in("a.wasm"))
	c.says("next: culm plugin approve ticket-twice 1.0.0", "plugin", "install", in("b.wasm"))
	c.refused("has 2 builds of 1.0.0; name one by its digest:\n  sha256:", "plugin", "approve", "ticket-twice", "1.0.0")
	c.refused(`has no version "3.0.0"; it has 1.0.0`, "plugin", "block", "ticket-twice", "3.0.0")
	var versions []plugins.Module
	if err := json.Unmarshal([]byte(c.ok("plugin", "versions", "ticket-twice", "--json")), &versions); err != nil || len(versions) != 2 {
		c.t.Fatalf("versions %+v, %v", versions, err)
	}
	c.says("no version of ticket-twice is in use now", "plugin", "block", "ticket-twice", "latest")
	c.refused(`no version of plugin "ticket-twice" is in use: approve or activate one`, "plugin", "grant", "ticket-twice")
	for _, v := range versions {
		if v.State == plugins.StatePending {
			c.says("next: culm plugin grant ticket-twice", "plugin", "approve", "ticket-twice", v.Digest[:shortDigest])
		}
	}
	c.says("next: culm plugin grant ticket-twice cmdb/list --project ", "plugin", "grant", "ticket-twice")
}

// says runs a command that must succeed and say something beside what it prints.
func (c cli) says(text string, args ...string) {
	c.t.Helper()
	code, out, errOut := try(c.t, c.environ, args...)
	if code != exitOK || !strings.Contains(errOut, text) || text == "" && errOut != "" {
		c.t.Errorf("%v: exit %d: %s%s; want it to say %q", args, code, out, errOut, text)
	}
}

// TestALockedServerTellsWhoWouldInstallAPluginWhatToDo takes both rights away, by a flag that
// is repeated: what is refused, and the way that is left, are told in both languages. The way
// that is left is open.
func TestALockedServerTellsWhoWouldInstallAPluginWhatToDo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Mkdir(in("plugins"), 0o700); err != nil {
		t.Fatal(err)
	}
	named(t, in("plugins/laid.wasm"), "laid", "1.0.0")
	ticket(t, in("v1.wasm"), "1.0.0")
	prepare(t, in("data"))
	srv := startServer(t, in("data"), "--plugins", in("plugins"), "--deny", "plugin:publish", "--deny", "plugin:approve")
	en := cli{t: t, environ: []string{"CULM_SERVER=" + srv.base}}
	zh := cli{t: t, environ: []string{"CULM_SERVER=" + srv.base, "LANG=zh_CN.UTF-8"}}
	en.refused("forbidden: this needs the right plugin:publish, which local does not have on this server\n"+
		"  what to do: ask an administrator of the server to put the module into the directory of --plugins and start it again,"+
		" or to start it without --deny plugin:publish\n", "plugin", "install", in("v1.wasm"))
	zh.refused("禁止：这需要权限 plugin:publish，local 在这台服务器上没有\n"+
		"  怎么办：请服务器管理员把模块放进 --plugins 指定的目录并重新启动，或启动时去掉 --deny plugin:publish\n", "plugin", "install", in("v1.wasm"))
	en.refused("  what to do: ask an administrator of the server to start it without --deny plugin:approve\n", "plugin", "block", "laid", "1.0.0")
	zh.refused("  怎么办：请服务器管理员启动时去掉 --deny plugin:approve\n", "plugin", "block", "laid", "1.0.0")
	if out := en.ok("plugin", "versions", "laid"); !strings.Contains(out, "active, latest") {
		t.Errorf("versions printed %s", out)
	}
	en.refused("not found", "plugin", "versions", "ticket")
}

// What is wrong with a module that is installed is told in the language of the reader, each
// fault with its place: here of a module that was changed after it was packed.
func TestWhatIsWrongWithAModuleIsToldInTheLanguageOfTheReader(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "ticket.wasm")
	ticket(t, file, "1.0.0", contract.Need{System: "cmdb", Operation: "list"})
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for old, faulty := range map[string]string{`"system":"cmdb"`: `"system":"CMDB"`, `"id":"ticket"`: `"id":"Ticket"`} {
		code = bytes.Replace(code, []byte(old), []byte(faulty), 1)
	}
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
	prepare(t, filepath.Join(dir, "data"))
	srv := startServer(t, filepath.Join(dir, "data"))
	en := cli{t: t, environ: []string{"CULM_SERVER=" + srv.base}}
	zh := cli{t: t, environ: []string{"CULM_SERVER=" + srv.base, "LANG=zh_CN.UTF-8"}}
	en.refused(`of the manifest: "Ticket" is not a lower-case letter`, "plugin", "install", file)
	en.refused(`  /manifest/needs/0/system: "CMDB" is not the id of a system`, "plugin", "install", file)
	zh.refused("插件清单有 2 处错误\n  /manifest/id：\"Ticket\" 不能作为插件的 ID", "plugin", "install", file)
	zh.refused("\n  /manifest/needs/0/system：\"CMDB\" 不是系统的 ID，也不是 *", "plugin", "install", file)
}
