package app_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/config"
)

// TestThePublishedLimitsAreThoseOfTheProgram: docs/limits.md has every limit that can be
// set, with the default that it has, a code that exists, and nothing else.
func TestThePublishedLimitsAreThoseOfTheProgram(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "limits.md"))
	if err != nil {
		t.Fatal(err)
	}
	codes, err := os.ReadFile(filepath.Join("..", "wasm", "failure.go"))
	if err != nil {
		t.Fatal(err)
	}
	published := map[string]string{}
	row := regexp.MustCompile("^\\| `(limits\\.[a-z_]+)` \\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\|$")
	for line := range strings.Lines(string(text)) {
		m := row.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		published[m[1]] = m[2]
		for _, code := range regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(m[4], -1) {
			if !strings.Contains(string(codes), `"`+code[1]+`"`) {
				t.Errorf("%s names the code %s, which there is not", m[1], code[1])
			}
		}
	}
	def := config.Default()
	for _, s := range config.Settings() {
		if !s.Limit {
			continue
		}
		if got, want := published[s.Field], s.Value(&def); got != want {
			t.Errorf("%s is published with %q, its default is %q", s.Field, got, want)
		}
		delete(published, s.Field)
	}
	for field := range published {
		t.Errorf("%s is published and cannot be set", field)
	}
}
