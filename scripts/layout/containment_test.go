package layout

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The document of containment has every row of the threat model, and every test that a
// row names is there.
func TestEveryThreatNamesItsTests(t *testing.T) {
	t.Parallel()
	const root = "../.."
	text, err := os.ReadFile(filepath.Join(root, "docs", "containment.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`^\| (P\d\d) \|`)
	goTest := regexp.MustCompile("`([a-z/]+)\\.(Test[A-Za-z0-9]+)`")
	browser := regexp.MustCompile("`(frontend/e2e/[a-z]+\\.spec\\.ts)`")
	shown := map[string]int{}
	for line := range strings.Lines(string(text)) {
		m := row.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for _, n := range goTest.FindAllStringSubmatch(line, -1) {
			if !strings.Contains(testSources(t, filepath.Join(root, n[1])), "func "+n[2]+"(t *testing.T)") {
				t.Errorf("%s names the test %s, which package %s does not have", m[1], n[2], n[1])
			}
			shown[m[1]]++
		}
		for _, n := range browser.FindAllStringSubmatch(line, -1) {
			if _, err := os.Stat(filepath.Join(root, n[1])); err != nil {
				t.Errorf("%s: %v", m[1], err)
			}
		}
	}
	for i := 1; i <= 28; i++ {
		if id := fmt.Sprintf("P%02d", i); shown[id] == 0 {
			t.Errorf("no test is named for %s", id)
		}
	}
}
