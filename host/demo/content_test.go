package demo_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/demo"
	"github.com/culmhq/culm/pdk/contract"
)

// plugins are the manifests of the shipped plugins, from their source.
type plugins map[string]contract.Manifest

func readPlugins(t *testing.T) plugins {
	t.Helper()
	all := plugins{}
	for _, id := range []string{"alertmanager", "core", "demo", "etcd", "http", "prometheus"} {
		cmd := exec.CommandContext(t.Context(), "go", "run", ".", "manifest")
		cmd.Dir = filepath.Join("..", "..", "plugins-src", id)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("manifest of %s: %v: %s", id, err, stderr.String())
		}
		var m contract.Manifest
		if err := json.Unmarshal(out, &m); err != nil {
			t.Fatalf("manifest of %s: %v", id, err)
		}
		all[id] = m
	}
	return all
}

// Action implements engine.Catalogue.
func (p plugins) Action(plugin, action string) (contract.Action, bool) {
	m, ok := p[plugin]
	if !ok {
		return contract.Action{}, false
	}
	a, ok := m.Action(action)
	if !ok {
		return contract.Action{}, false
	}
	return *a, true
}

func TestContentFitsTheShippedPlugins(t *testing.T) {
	t.Parallel()
	all := readPlugins(t)
	content, err := demo.Project("127.0.0.1:8090")
	if err != nil {
		t.Fatal(err)
	}
	triage, err := demo.Flow("alert-triage")
	if err != nil {
		t.Fatal(err)
	}
	if len(content.Flows) != 2 {
		t.Fatalf("%d flows", len(content.Flows))
	}
	for _, f := range append(slices.Clone(content.Flows), triage) {
		g, problems := engine.Compile(f, all)
		if g == nil || len(problems) > 0 {
			t.Errorf("%s: %+v", f.ID, problems)
		}
		if f.Name.En == "" || f.Name.Zh == "" || f.Name.En == f.Name.Zh || f.Doc.Zh == "" {
			t.Errorf("%s is not named in both languages: %+v", f.ID, f.Name)
		}
		checkLayout(t, f)
	}
	for plugin, granted := range content.Grants {
		for _, g := range granted {
			asked := slices.ContainsFunc(all[plugin].Needs, func(n contract.Need) bool {
				return (n.System == g.System || n.System == "*") && (n.Operation == g.Operation || n.Operation == "*")
			})
			if !asked {
				t.Errorf("%s is granted %+v, which it does not ask for", plugin, g)
			}
		}
		for _, n := range all[plugin].Needs {
			if n.System != "*" && !slices.Contains(granted, demo.Grant{System: n.System, Operation: n.Operation}) {
				t.Errorf("%s asks for %+v, which it is not granted", plugin, n)
			}
		}
	}
}

// checkLayout makes sure that no two nodes overlap and that edges lead to the right.
func checkLayout(t *testing.T, f *engine.Flow) {
	t.Helper()
	type box struct{ x, y, w, h float64 }
	boxes := map[string]box{}
	for _, n := range f.Nodes {
		if n.Position == nil {
			t.Errorf("%s: %s has no place", f.ID, n.ID)
			continue
		}
		b := box{n.Position.X, n.Position.Y, 52, 52}
		switch n.Type {
		case engine.TypeTask:
			b.w, b.h = 216, 64
			if n.Name.En == "" || n.Name.Zh == "" {
				t.Errorf("%s: %s is not named in both languages", f.ID, n.ID)
			}
		case engine.TypeStart, engine.TypeEnd:
			b.w, b.h = 44, 44
		default:
		}
		for id, o := range boxes {
			if b.x < o.x+o.w+40 && o.x < b.x+b.w+40 && b.y < o.y+o.h+40 && o.y < b.y+b.h+40 {
				t.Errorf("%s: %s and %s are too close", f.ID, n.ID, id)
			}
		}
		boxes[n.ID] = b
	}
	for _, e := range f.Edges {
		if from, to := boxes[e.From], boxes[e.To]; to.x < from.x+from.w {
			t.Errorf("%s: %s leads to the left", f.ID, e.ID)
		}
	}
}
