package wasm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// goodManifest is a manifest without fault.
const goodManifest = `{"format":"culm.plugin/v1","id":"demo","version":"1.2.3-rc.1","title":{"en":"Demo","zh":"演示"},
"actions":[{"id":"a_1","title":"A","inputs":{"type":"object","properties":{"x":{"$ref":"#/$defs/x"}},"$defs":{"x":{"type":"string"}}},
"outputs":{"type":"object"},"waits":["poll","human"]}],"needs":[{"system":"cmdb","operation":"*"}]}`

// TestParseManifest refuses each fault with the field it is in.
func TestParseManifest(t *testing.T) {
	t.Parallel()
	if m, err := wasm.ParseManifest([]byte(goodManifest)); err != nil || m.Actions[0].ID != "a_1" {
		t.Fatalf("%+v, %v", m, err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"culm.plugin/v1"`, `"culm.plugin/v9"`, "format"},
		{`"demo"`, `"Demo"`, "id must"},
		{`"1.2.3-rc.1"`, `"v1"`, "version"},
		{`{"en":"Demo","zh":"演示"}`, `""`, "title"},
		{`{"en":"Demo","zh":"演示"}`, `{"fr":"x"}`, "unknown field"},
		{`"needs"`, `"wants"`, "unknown field"},
		{`"a_1"`, `"a-1"`, "actions[0].id"},
		{`"poll"`, `"moon"`, "actions[0].waits[0]"},
		{`"#/$defs/x"`, `"file:///etc/passwd"`, "actions[0].inputs refers to"},
		{`"#/$defs/x"`, `"https://example.org/s"`, "actions[0].inputs refers to"},
		{`"outputs":{"type":"object"}`, `"outputs":{"type":"string"}`, "actions[0].outputs must"},
		{`"outputs":{"type":"object"},`, ``, "actions[0].outputs is missing"},
		{`"operation":"*"`, `"operation":"a b"`, "needs[0].operation"},
		{`"id":"demo"`, `"id":"demo","id":"other"`, "twice"},
	} {
		_, err := wasm.ParseManifest([]byte(strings.Replace(goodManifest, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s instead of %s: %v, want %q", c.new, c.old, err, c.want)
		}
	}
	_, err := wasm.ParseManifest([]byte(`{"format":"x","id":"","version":"","title":"","actions":[]}`))
	for _, field := range []string{"format", "id", "version", "title", "actions"} {
		if err == nil || !strings.Contains(err.Error(), "manifest: "+field+" ") {
			t.Errorf("%s is not among the problems: %v", field, err)
		}
	}
}

// TestExportsPromised: a module without what its manifest promises is refused.
func TestExportsPromised(t *testing.T) {
	t.Parallel()
	var m contract.Manifest
	if err := json.Unmarshal([]byte(goodManifest), &m); err != nil {
		t.Fatal(err)
	}
	section := append(append([]byte{13}, "culm.manifest"...), goodManifest...)
	module := append(append(evil(t, "failing"), 0), append(uleb(len(section)), section...)...)
	_, err := newHost(t).Inspect(t.Context(), module)
	if f := wantFailure(t, err, wasm.CodeExportMissing, contract.OriginPlugin); !strings.Contains(f.Message, "resume") {
		t.Errorf("message %q", f.Message)
	}
}
