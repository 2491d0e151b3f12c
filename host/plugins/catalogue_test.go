package plugins_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/pdk/contract"
)

var actor = engine.Actor{ID: hosttest.Actor}

func wantFault(t *testing.T, err error, code fault.Code, field string) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != code || e.Field != field {
		t.Fatalf("error %v, want a fault %s at %q", err, code, field)
	}
}

func install(t *testing.T, c *plugins.Catalogue, wasm []byte) plugins.Module {
	t.Helper()
	m, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: wasm, Override: true})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// named is the toy under another name.
func named(id string) []byte {
	return bytes.Replace(hosttest.Toy("1.0.0"), []byte(`"id": "toy"`), []byte(`"id": "`+id+`"`), 1)
}

func TestInstalledPluginsAreKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "culm.db")
	t.Run("install", func(t *testing.T) {
		c := hosttest.OpenAt(t, path).Plugins
		install(t, c, hosttest.Toy("1.1.0"))
	})
	p := hosttest.OpenAt(t, path) // installs 1.0.0 again: the digest is known, it becomes the latest
	m, ok := p.Plugins.Latest("toy")
	if !ok || m.Version != "1.0.0" || m.Digest != plugins.Digest(hosttest.Toy("1.0.0")) {
		t.Errorf("latest %+v", m)
	}
	old, ok := p.Plugins.Module(plugins.Digest(hosttest.Toy("1.1.0")))
	if !ok || old.Latest {
		t.Errorf("the other version: %+v", old)
	}
	code, err := p.Plugins.Code(t.Context(), old.Digest)
	if err != nil || !bytes.Equal(code, hosttest.Toy("1.1.0")) {
		t.Errorf("code %q, %v", code, err)
	}
	_, err = p.Plugins.Code(t.Context(), "sha256:00")
	wantFault(t, err, fault.NotFound, "")
}

func TestANewVersionLeavesRunsTheirs(t *testing.T) {
	t.Parallel()
	c := hosttest.Open(t).Plugins
	first, _ := c.Latest("toy")
	pinned := c.Pinned(map[string]string{"toy": first.Digest, "gone": "sha256:00", "alias": first.Digest})
	next := bytes.Replace(hosttest.Toy("2.0.0"), []byte(`"id": "add"`), []byte(`"id": "plus"`), 1)
	install(t, c, next)
	if _, ok := c.Action("toy", "add"); ok {
		t.Error("the latest version still has the old action")
	}
	if _, ok := c.Action("toy", "plus"); !ok {
		t.Error("the latest version lacks the new action")
	}
	if _, ok := pinned.Action("toy", "add"); !ok {
		t.Error("the pinned version lost its action")
	}
	for _, other := range []string{"gone", "alias"} {
		if _, ok := pinned.Action(other, "add"); ok {
			t.Errorf("a pin answers for plugin %s", other)
		}
	}
}

type shipped map[plugins.ShippedPlugin][]byte

func (s shipped) Index() ([]plugins.ShippedPlugin, error) {
	var out []plugins.ShippedPlugin
	for p := range s {
		out = append(out, p)
	}
	return out, nil
}

func (s shipped) Code(p plugins.ShippedPlugin) ([]byte, error) { return s[p], nil }

func ship(version string) shipped {
	wasm := hosttest.Toy(version)
	return shipped{{ID: "toy", Version: version, Digest: plugins.Digest(wasm)}: wasm}
}

func TestShippedPlugins(t *testing.T) {
	t.Parallel()
	c := hosttest.Open(t).Plugins // has 1.0.0
	for _, step := range []struct {
		version string
		install int
		latest  string
	}{
		{"0.9.0", 0, "1.0.0"}, // older: what is installed stays
		{"1.10.0", 1, "1.10.0"},
		{"1.10.0", 0, "1.10.0"},
		{"1.9.0", 0, "1.10.0"}, // older by number, not by text
	} {
		got, err := c.InstallShipped(t.Context(), ship(step.version))
		if err != nil || len(got) != step.install {
			t.Fatalf("%s: installed %v, %v", step.version, got, err)
		}
		if m, _ := c.Latest("toy"); m.Version != step.latest {
			t.Errorf("after %s the latest is %s, want %s", step.version, m.Version, step.latest)
		}
	}
	// Who goes back to an older version by hand keeps it through a restart.
	install(t, c, hosttest.Toy("1.0.0"))
	if got, err := c.InstallShipped(t.Context(), ship("1.10.0")); err != nil || len(got) != 0 {
		t.Errorf("installed %v, %v", got, err)
	}
}

func TestAShippedPluginMustMatchItsIndex(t *testing.T) {
	t.Parallel()
	c := hosttest.Open(t).Plugins
	wrong := shipped{{ID: "toy", Version: "3.0.0", Digest: "sha256:00"}: hosttest.Toy("3.0.0")}
	_, err := c.InstallShipped(t.Context(), wrong)
	wantFault(t, err, fault.Internal, "")
}

func TestModulesThatAreRefused(t *testing.T) {
	t.Parallel()
	c := hosttest.Open(t).Plugins
	edit := func(change func(*contract.Manifest)) []byte {
		var m contract.Manifest
		if err := json.Unmarshal(hosttest.Toy("1.0.0"), &m); err != nil {
			t.Fatal(err)
		}
		change(&m)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for field, wasm := range map[string][]byte{
		"/module":                     []byte("\x00asm"),
		"/manifest/format":            edit(func(m *contract.Manifest) { m.Format = "culm.plugin/v2" }),
		"/manifest/id":                edit(func(m *contract.Manifest) { m.ID = "Toy" }),
		"/manifest/version":           edit(func(m *contract.Manifest) { m.Version = "v1" }),
		"/manifest/title":             edit(func(m *contract.Manifest) { m.Title = contract.Text{} }),
		"/manifest/actions":           edit(func(m *contract.Manifest) { m.Actions = nil }),
		"/manifest/actions/1/id":      edit(func(m *contract.Manifest) { m.Actions[1].ID = "add" }),
		"/manifest/actions/0/inputs":  edit(func(m *contract.Manifest) { m.Actions[0].Inputs = json.RawMessage(`{"type":"array"}`) }),
		"/manifest/actions/1/outputs": edit(func(m *contract.Manifest) { m.Actions[1].Outputs = json.RawMessage(`{"$ref":"http://x/"}`) }),
		"/manifest/actions/1/waits/0": edit(func(m *contract.Manifest) { m.Actions[1].Waits = []contract.WaitKind{"tea"} }),
		"/manifest/needs/0/operation": edit(func(m *contract.Manifest) { m.Needs[0].Operation = "" }),
	} {
		_, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: wasm})
		wantFault(t, err, fault.Invalid, field)
	}
	if m, _ := c.Latest("toy"); m.Version != "1.0.0" {
		t.Errorf("a refused module became the latest: %+v", m)
	}
}

func TestGrants(t *testing.T) {
	t.Parallel()
	c := hosttest.Open(t).Plugins
	set := func(grants ...plugins.Grant) (plugins.Plugin, error) {
		return c.SetGrants(t.Context(), plugins.GrantsRequest{Project: hosttest.Project, Actor: actor, Plugin: "toy", Grants: grants})
	}
	granted := func(project, operation string) bool {
		ok, err := c.Granted(t.Context(), project, "toy", "calc", operation)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if granted(hosttest.Project, "add") {
		t.Error("granted by naming it in the manifest")
	}
	p, err := set(plugins.Grant{System: "calc", Operation: "sub"}, plugins.Grant{System: "calc", Operation: "add"})
	if err != nil || !slices.Equal(p.Grants, []plugins.Grant{{System: "calc", Operation: "add"}, {System: "calc", Operation: "sub"}}) {
		t.Fatalf("granted %+v, %v", p.Grants, err)
	}
	if !granted(hosttest.Project, "add") || granted("other", "add") || granted(hosttest.Project, "mul") {
		t.Error("another grant than the one that was given")
	}
	_, err = set(plugins.Grant{System: "calc", Operation: "add"}, plugins.Grant{System: "mail", Operation: "send"})
	wantFault(t, err, fault.Invalid, "/grants/1")
	_, err = set(plugins.Grant{System: "calc", Operation: "*"})
	wantFault(t, err, fault.Invalid, "/grants/0/operation")
	if !granted(hosttest.Project, "sub") {
		t.Error("a refused change took a grant away")
	}
	if p, err = set(); err != nil || len(p.Grants) != 0 || granted(hosttest.Project, "add") {
		t.Errorf("after taking all away: %+v, %v", p.Grants, err)
	}
	_, err = c.SetGrants(t.Context(), plugins.GrantsRequest{Project: "other", Actor: actor, Plugin: "toy"})
	wantFault(t, err, fault.NotFound, "")
}

func TestUngranted(t *testing.T) {
	t.Parallel()
	c := hosttest.Open(t).Plugins
	alone := install(t, c, bytes.Replace(named("alone"), []byte(`"needs": [{"system": "calc", "operation": "*"}],`), nil, 1))
	toy, _ := c.Latest("toy")
	set := func(grants ...plugins.Grant) {
		t.Helper()
		if _, err := c.SetGrants(t.Context(), plugins.GrantsRequest{Project: hosttest.Project, Actor: actor, Plugin: "alone", Grants: grants}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, want bool, plugin, digest string) {
		t.Helper()
		for range 2 { // found out, and remembered
			if c.Ungranted(hosttest.Project, plugin, digest) != want {
				t.Errorf("%s: Ungranted = %v", what, !want)
			}
		}
	}
	want("needs nothing", true, "alone", alone.Digest)
	want("needs something", false, "toy", toy.Digest)
	want("another's module", false, "alone", toy.Digest)
	want("no module", false, "alone", "sha256:0")
	asks := install(t, c, named("alone")) // a version that needs something, to which it can be granted
	if _, err := c.Change(t.Context(), plugins.ChangeRequest{
		Actor: actor, Plugin: "alone", Digest: asks.Digest, Change: plugins.ChangeApprove,
	}); err != nil {
		t.Fatal(err)
	}
	want("an old version, no grant", true, "alone", alone.Digest)
	set(plugins.Grant{System: "calc", Operation: "add"})
	want("an old version, a grant", false, "alone", alone.Digest)
	set()
	want("no grant any more", true, "alone", alone.Digest)
}

func TestListPages(t *testing.T) {
	t.Parallel()
	c := hosttest.Open(t).Plugins
	for i := range 5 {
		install(t, c, named(fmt.Sprintf("p-%d", i)))
	}
	var ids []string
	q := page.Query{Limit: 2}
	for {
		l, err := c.List(t.Context(), plugins.ListQuery{Project: hosttest.Project, Page: q})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range l.Items {
			ids = append(ids, p.ID)
		}
		if q.Cursor = l.Next; l.Next == "" {
			break
		}
	}
	if want := []string{"p-0", "p-1", "p-2", "p-3", "p-4", "toy"}; !slices.Equal(ids, want) {
		t.Errorf("pages gave %q, want %q", ids, want)
	}
	_, err := c.Get(t.Context(), hosttest.Project, "none")
	wantFault(t, err, fault.NotFound, "")
}
