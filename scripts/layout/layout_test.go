// Package layout holds the test of who may import whom.
package layout

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/culmhq/culm/"

// rules say which of our own packages a package may reach, directly or not. A
// name that ends in /... stands for the package and all below it.
func rules() map[string][]string {
	boundary := "pdk/contract"
	return map[string][]string{
		"pdk/contract":      {},
		"pdk":               {boundary, "pdk/manifest"},
		"pdk/manifest":      {boundary},
		"engine/expr":       {boundary, "engine/expr/python"},
		"engine":            {boundary, "engine/expr", "engine/expr/python"},
		"engine/runner":     {boundary, "engine", "engine/expr", "engine/expr/python"},
		"engine/simulate":   {boundary, "engine", "engine/expr", "engine/expr/python"},
		"engine/memory":     {boundary, "engine", "engine/expr", "engine/expr/python", "engine/runner"},
		"engine/sqlite":     {boundary, "engine", "engine/expr", "engine/expr/python", "engine/runner"},
		"host/wasm":         {boundary, "host/wasm/binary", "host/wasm/confine", "host/wasm/lane", "host/wasm/wire", "host/foreign", "host/replay", "host/strict"},
		"host/wasm/confine": {},
		"host/wasm/lane":    {},
		"host/wasm/wire":    {},
		"host/replay":       {boundary},
		"host/gateway":      {boundary, "engine/expr", "engine/expr/python", "host/systems", "host/secrets", "host/document", "host/effort"},
		"host/systems":      {boundary, "engine/expr", "engine/expr/python", "host/document", "host/effort"},
		"host/effort":       {"host/document"},
		"host/document":     {},
		"host/strict":       {boundary},
		"host/foreign":      {boundary},
		"host/secrets":      {boundary},
		"plugins-src/core":  {boundary, "pdk", "pdk/manifest"},

		"host/plugins/build":    {boundary, "host/foreign", "host/forms", "host/document", "host/effort"},
		"host/plugins/cases":    {boundary, "host/document", "host/effort", "host/forms"},
		"host/plugins/scaffold": {boundary, "host/plugins/build", "host/foreign", "host/forms", "host/document", "host/effort"},
	}
}

func TestPackagesReachOnlyWhatTheLayoutAllows(t *testing.T) {
	t.Parallel()
	for pkg, allowed := range rules() {
		t.Run(pkg, func(t *testing.T) {
			t.Parallel()
			for _, dep := range ownDeps(t, pkg) {
				if dep != pkg && !contains(allowed, dep) {
					t.Errorf("%s reaches %s", pkg, dep)
				}
			}
		})
	}
}

// Nothing but the program itself may know the composition root, and nothing below
// the API may know HTTP.
func TestNobodyReachesUpwards(t *testing.T) {
	t.Parallel()
	for _, pkg := range []string{"host/flows", "host/runs", "host/projects", "host/plugins", "host/health", "host/recordings", "host/tryout", "host/callbacks", "host/auth"} {
		for _, dep := range deps(t, pkg) {
			for _, bad := range []string{"github.com/gofiber/fiber", "github.com/tetratelabs/wazero", module + "host/app", module + "host/api", module + "host/store"} {
				if strings.HasPrefix(dep, bad) {
					t.Errorf("%s reaches %s", pkg, dep)
				}
			}
		}
	}
}

func ownDeps(t *testing.T, pkg string) []string {
	t.Helper()
	var own []string
	for _, dep := range deps(t, pkg) {
		if rest, ok := strings.CutPrefix(dep, module); ok {
			own = append(own, rest)
		}
	}
	return own
}

func deps(t *testing.T, pkg string) []string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", module+pkg)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v: %s", pkg, err, stderr.String())
	}
	return strings.Fields(string(out))
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
