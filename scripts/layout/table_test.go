package layout

import (
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// row is one of the table of imports in ARCHITECTURE.md.
type row struct {
	packages []string
	imports  string
}

// allows reports whether a package of the row may import another one.
func (r row) allows(dep string, rows []row) bool {
	if strings.HasPrefix(r.imports, "everything") || slices.Contains(quoted(r.imports), dep) {
		return true
	}
	if strings.Contains(r.imports, "each other") && slices.Contains(r.packages, dep) {
		return true
	}
	if strings.Contains(r.imports, "the use cases") {
		return strings.HasPrefix(dep, "host/") && !slices.Contains(strings.Fields(
			"host/wasm host/store host/api host/live host/client host/app host/cmd/culm"), dep)
	}
	return slices.ContainsFunc(rows, func(of row) bool {
		named := strings.HasPrefix(of.imports, "the vocabularies") && strings.Contains(r.imports, "the vocabularies") ||
			slices.Contains(of.packages, "host/wasm/wire") && strings.Contains(r.imports, "the four above")
		return named && slices.Contains(of.packages, dep)
	})
}

func quoted(text string) []string {
	var out []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// Readers learn from the table who imports whom: it has every package and every import.
func TestTheTableOfImportsIsThatOfTheCode(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(strings.TrimSpace(line), " | "); len(cells) == 2 && strings.HasPrefix(line, "| `") {
			rows = append(rows, row{quoted(cells[0]), cells[1]})
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`,
		module+"engine/...", module+"host/...", module+"pdk/...", module+"plugins-src/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	// What only tests import, and what is written into a new plugin.
	others := regexp.MustCompile(`^(engine/conformance|host/hosttest|host/wasm/wasmtest.*|.*/templates/.*)$`)
	for line := range strings.Lines(string(out)) {
		pkg, imports, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), module), " ")
		if others.MatchString(pkg) {
			continue
		}
		at := slices.IndexFunc(rows, func(r row) bool {
			return slices.ContainsFunc(r.packages, func(p string) bool { ok, _ := path.Match(p, pkg); return ok })
		})
		if at < 0 {
			t.Errorf("%s is not in the table", pkg)
			continue
		}
		for _, dep := range strings.Fields(imports) {
			if own, ok := strings.CutPrefix(dep, module); ok && !rows[at].allows(own, rows) {
				t.Errorf("%s imports %s", pkg, own)
			}
		}
	}
}
