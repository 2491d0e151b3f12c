package layout

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The document of the supply chain has a row for every attack, S01 to S13, and every test
// that a row names is there.
func TestEveryAttackOnTheSupplyChainNamesItsTests(t *testing.T) {
	t.Parallel()
	const root = "../.."
	text, err := os.ReadFile(filepath.Join(root, "docs", "supply-chain.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`^\| (S\d\d) \|`)
	name := regexp.MustCompile("`([a-z/]+)\\.(Test[A-Za-z0-9]+)`")
	shown := map[string]int{}
	for line := range strings.Lines(string(text)) {
		m := row.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for _, n := range name.FindAllStringSubmatch(line, -1) {
			if !strings.Contains(testSources(t, filepath.Join(root, n[1])), "func "+n[2]+"(t *testing.T)") {
				t.Errorf("%s names the test %s, which package %s does not have", m[1], n[2], n[1])
			}
			shown[m[1]]++
		}
	}
	for i := range 13 {
		if id := fmt.Sprintf("S%02d", i+1); shown[id] == 0 {
			t.Errorf("no test is named for %s", id)
		}
	}
}
