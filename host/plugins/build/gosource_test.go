package build_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/culmhq/culm/host/plugins/build"
)

const goAuthor = `package main

import "github.com/culmhq/culm/pdk"

type Host struct {
	Name string
}

type In struct {
	Hosts []Host ` + "`json:\"hosts\"`" + `
	Port  int    ` + "`json:\"port\" jsonschema:\"minimum=1\"`" + `
}

type Out struct{}

var plugin = pdk.Register(pdk.Plugin{
	ID: "a", Title: pdk.Text{En: "A"},
	Needs: []pdk.Need{
		{System: "one", Operation: "*"},
		{System: "two", Operation: "*"},
	},
	Actions: []pdk.Actor{
		pdk.Action[In, Out]{
			ID: "b", Title: pdk.Text{En: "B"},
		},
	},
})
`

func TestAFieldOfAGoPluginsManifestIsFoundInItsSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "main.go", goAuthor)
	place := build.GoPlaces(dir, manifest())
	for _, c := range []struct{ field, want string }{
		{"/title", "main.go:17:18"},
		{"/doc", "main.go:16:27"},
		{"/needs/1/operation", "main.go:20:3"},
		{"/actions/0/title", "main.go:24:20"},
		{"/actions/0/doc", "main.go:23:3"},
		{"/actions/0/outputs", "main.go:23:18"},
		{"/actions/0/inputs/additionalProperties", "main.go:23:14"},
		{"/actions/0/inputs/properties/port", "main.go:11:2"},
		{"/actions/0/inputs/properties/port/maximum", "main.go:11:15"},
		{"/actions/0/inputs/properties/hosts/items/properties/Name", "main.go:6:2"},
		{"/actions/7/title", "main.go:22:11"},
	} {
		at := place(c.field)
		if got := fmt.Sprintf("%s:%d:%d", filepath.Base(at.Filename), at.Line, at.Column); got != c.want {
			t.Errorf("%s is at %s, want %s", c.field, got, c.want)
		}
	}
	if at := build.GoPlaces(t.TempDir(), manifest())("/title"); at.Line != 0 {
		t.Errorf("no source, and yet a place: %v", at)
	}
}
