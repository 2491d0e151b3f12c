package layout

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The document of faults has a row for every fault that the engine withstands, and every
// test that a row names is there.
func TestEveryFaultNamesItsTests(t *testing.T) {
	t.Parallel()
	const root = "../.."
	text, err := os.ReadFile(filepath.Join(root, "docs", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`^\| (F\d\d) \|`)
	name := regexp.MustCompile("`([a-z/]+)\\.(Test[A-Za-z0-9]+)`")
	shown := map[string]int{}
	sources := map[string]string{}
	for line := range strings.Lines(string(text)) {
		m := row.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for _, n := range name.FindAllStringSubmatch(line, -1) {
			pkg, test := n[1], n[2]
			if _, ok := sources[pkg]; !ok {
				sources[pkg] = testSources(t, filepath.Join(root, pkg))
			}
			if !strings.Contains(sources[pkg], "func "+test+"(t *testing.T)") {
				t.Errorf("%s names the test %s, which package %s does not have", m[1], test, pkg)
			}
			shown[m[1]]++
		}
	}
	for f := range strings.FieldsSeq("F01 F02 F05 F06 F08 F09 F11 F23 F24 F25 F26 F27 F28 F29 F30 F32 F37 F40 F45") {
		if shown[f] == 0 {
			t.Errorf("no test is named for %s", f)
		}
	}
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
