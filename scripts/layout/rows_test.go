package layout

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each document of what goes wrong has its rows, and every test that a row names is there.
func TestEveryRowNamesItsTests(t *testing.T) {
	t.Parallel()
	for document, rows := range map[string][]string{
		"faults.md":       strings.Fields("F01 F02 F05 F06 F08 F09 F11 F23 F24 F25 F26 F27 F28 F29 F30 F32 F37 F40 F45"),
		"containment.md":  numbered("P%02d", 28),
		"supply-chain.md": numbered("S%02d", 13),
		"callbacks.md":    numbered("C%02d", 11),
		"gateway.md":      numbered("G%02d", 26),
		"secrets.md":      numbered("K%02d", 16),
	} {
		t.Run(document, func(t *testing.T) {
			t.Parallel()
			shown := namedTests(t, document)
			for _, id := range rows {
				if shown[id] == 0 {
					t.Errorf("no test is named for %s", id)
				}
			}
		})
	}
}

func numbered(format string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf(format, i+1)
	}
	return ids
}

// namedTests counts the tests that each row of a document names, and checks that they exist.
// A story of the browser is named by its file, and does not stand for a row alone.
func namedTests(t *testing.T, document string) map[string]int {
	t.Helper()
	const root = "../.."
	text, err := os.ReadFile(filepath.Join(root, "docs", document))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`^\| ([A-Z]\d\d) \|`)
	goTest := regexp.MustCompile("`([a-z/]+)\\.(Test[A-Za-z0-9]+)`")
	story := regexp.MustCompile("`(frontend/e2e/[a-z]+\\.spec\\.ts)`")
	shown := map[string]int{}
	sources := map[string]string{}
	for line := range strings.Lines(string(text)) {
		m := row.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for _, n := range goTest.FindAllStringSubmatch(line, -1) {
			pkg, test := n[1], n[2]
			if _, ok := sources[pkg]; !ok {
				sources[pkg] = testSources(t, filepath.Join(root, pkg))
			}
			if !strings.Contains(sources[pkg], "func "+test+"(t *testing.T)") {
				t.Errorf("%s names the test %s, which package %s does not have", m[1], test, pkg)
			}
			shown[m[1]]++
		}
		for _, n := range story.FindAllStringSubmatch(line, -1) {
			if _, err := os.Stat(filepath.Join(root, n[1])); err != nil {
				t.Errorf("%s: %v", m[1], err)
			}
		}
	}
	return shown
}

// testSources returns the test files of a directory, one after the other.
func testSources(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	return b.String()
}
