package build_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/plugins/build"
)

// write writes a file below a directory of the test and returns its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const authorJSON = `{
  "format": "culm.plugin/v1", "id": "pick", "version": "1.0.0", "title": "Pick",
  "actions": [{
    "id": "pick", "title": "Pick", "foreign": {"export": "nothing"},
    "inputs": {
      "type": "object",
      "properties": {
        "host": {"type": "string", "ui:widget": "knob"},
        "port": {"type": "integer", "x-source": {"name": "ports", "dependsOn": ["hots"]}}
      }
    },
    "outputs": {"type": "object"},
    "colour": "red"
  }]
}`

const authorYAML = `format: culm.plugin/v1
id: pick
version: 1.0.0
title: Pick
actions:
  - id: pick
    title: Pick
    inputs:
      type: object
      properties:
        host:
          type: string
          ui:widget: knob
    outputs: {type: object}
`

func TestPackPointsIntoTheAuthorsFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	module := write(t, dir, "m.wasm", "\x00asm\x01\x00\x00\x00")
	for name, c := range map[string]struct {
		file, text string
		says       []string
	}{
		"a member that is not known": {"a.json", authorJSON, []string{":13:5: /actions/0/colour: unknown field"}},
		"a schema that is wrong, all at once": {
			"b.json", strings.Replace(authorJSON, `,
    "colour": "red"`, "", 1),
			[]string{
				":8:49: /actions/0/inputs/properties/host/ui:widget: must be one of text",
				`:9:81: /actions/0/inputs/properties/port/x-source/dependsOn/0: there is no field "hots"`,
				":9:49: /actions/0/inputs/properties/port/x-source: the action offers no choices",
			},
		},
		"an export that is not there": {
			"c.json", `{"format":"culm.plugin/v1","id":"p","version":"1.0.0","title":"P","actions":[
  {"id":"a","title":"A","inputs":{"type":"object"},"outputs":{"type":"object"},
   "foreign":{"export":"nothing"}}]}`,
			[]string{":3:24: /actions/0/foreign/export: the module does not export nothing"},
		},
		"YAML":                {"d.yaml", authorYAML, []string{":13:22: /actions/0/inputs/properties/host/ui:widget: must be one of text"}},
		"what is no document": {"e.json", "{\n  \"format\": \n", []string{":2: a value is missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, dir, c.file, c.text)
			_, err := build.PackFile(module, path, filepath.Join(dir, c.file+".wasm"))
			if err == nil {
				t.Fatal("it was packed")
			}
			for _, says := range c.says {
				if strings.HasPrefix(says, ":") {
					says = path + says
				}
				if !strings.Contains(err.Error(), says) {
					t.Errorf("error\n%v\ndoes not say %s", err, says)
				}
			}
		})
	}
}

// A module carries the author's text as it is: what a host refuses later is still found
// in his file.
func TestAModuleCarriesTheAuthorsText(t *testing.T) {
	t.Parallel()
	const text = `{
  "format": "culm.plugin/v1", "id": "p", "version": "1.0.0", "title": "😀",
  "actions": [{"id": "a", "title": "A", "inputs": {"type": "object"}, "outputs": {"type": "object"}, "foreign": {"export": "f"}}]
}
`
	dir := t.TempDir()
	// A module that exports f, which does nothing.
	module := write(t, dir, "m.wasm", "\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x07\x05\x01\x01f\x00\x00\x0a\x04\x01\x02\x00\x0b")
	out := filepath.Join(dir, "out.wasm")
	p, err := build.PackFile(module, write(t, dir, "m.json", text), out)
	if err != nil || p.Manifest.Title.En != "😀" {
		t.Fatalf("%+v, %v", p, err)
	}
	code, err := os.ReadFile(out)
	if err != nil || !strings.HasSuffix(string(code), text) {
		t.Errorf("the module ends in %q, %v", code[len(code)-40:], err)
	}
	if m, err := build.ReadManifest(code); err != nil || m.ID != "p" {
		t.Errorf("%+v, %v", m, err)
	}
	// Surrogates in escapes are JSON and no YAML: they are read all the same.
	surrogates := strings.Replace(text, "😀", `\ud83d\ude00`, 1)
	if m, err := build.ParseManifest([]byte(surrogates)); err != nil || m.Title.En != "😀" {
		t.Errorf("%+v, %v", m, err)
	}
}

const goSource = `package main

import "github.com/culmhq/culm/pdk"

// PickIn is what to pick.
type PickIn struct {
	Common
	// The hosts.
	Hosts []Host ` + "`json:\"hosts\"`" + `
}

type Common struct {
	Zone string ` + "`json:\"zone\" ui:\"widget=knob\"`" + `
}

type Host struct {
	Port int ` + "`json:\"port\" x:\"source=ports;depends=zoen\"`" + `
}

type PickOut struct{}

var plugin = pdk.Register(pdk.Plugin{
	ID: "Pick", Version: "1.0.0", Title: pdk.Text{En: "Pick"},
	Needs: []pdk.Need{{System: "cmdb", Operation: "hosts"}, {System: "", Operation: "x"}},
	Actions: []pdk.Actor{pdk.Action[PickIn, PickOut]{
		ID: "pick", Title: pdk.Text{},
		Execute: func(*pdk.Ctx, PickIn) (PickOut, error) { return PickOut{}, nil },
	}},
})

func main() { plugin.Main() }
`

func TestBuildPointsIntoTheGoSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(mod), "module github.com/culmhq/culm", "module example.com/pick", 1)
	write(t, dir, "go.mod", text+"\nrequire github.com/culmhq/culm v0.0.0\nreplace github.com/culmhq/culm => "+root+"\n")
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "go.sum", string(sum))
	path := write(t, dir, "main.go", goSource)
	_, err = build.Build(t.Context(), dir, filepath.Join(dir, "out.wasm"), build.Options{Language: build.Go})
	if err == nil {
		t.Fatal("it was built")
	}
	for _, says := range []string{
		":23:6: /id: ",
		":24:58: /needs/1/system: ",
		":26:22: /actions/0/title: is required",
		":13:14: /actions/0/inputs/properties/zone/ui:widget: must be one of text",
		`:17:11: /actions/0/inputs/properties/hosts/items/properties/port/x-source/dependsOn/0: there is no field "zoen"`,
	} {
		if !strings.Contains(err.Error(), path+says) {
			t.Errorf("error\n%v\ndoes not say %s", err, path+says)
		}
	}
}
