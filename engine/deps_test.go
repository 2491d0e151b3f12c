package engine_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestDependencies holds what the core depends on, besides the standard library,
// against a list: the expression package, the boundary types, and CEL with what CEL
// itself needs. Nothing that does I/O comes in unseen.
func TestDependencies(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(out))
	slices.Sort(lines)
	out = []byte(strings.Join(lines, "\n") + "\n")
	const golden = "testdata/dependencies.txt"
	if *update {
		if err := os.WriteFile(golden, out, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != string(want) {
		t.Errorf("engine depends on other packages than %s says:\n%s", golden, lineDiff(string(want), string(out)))
	}
	for _, line := range lines {
		if rest, ours := strings.CutPrefix(line, "github.com/culmhq/culm/"); ours &&
			rest != "engine" && rest != "engine/expr" && rest != "engine/expr/python" && rest != "pdk/contract" {
			t.Errorf("engine depends on %s", line)
		}
	}
}
