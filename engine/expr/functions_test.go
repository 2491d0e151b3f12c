package expr

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestFunctionsOfTheLanguage: testdata/functions.json lists the functions that a person can
// call, for the editor of expressions, which says what each does. Run it with
// -update when the language gets another one.
func TestFunctionsOfTheLanguage(t *testing.T) {
	t.Parallel()
	env, err := NewEnv(Config{})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`^[A-Za-z][A-Za-z.]*$`)
	functions := map[string]bool{}
	for name := range env.cel.Functions() {
		// Operators are written with signs; those with a dot serve imported flows.
		if named.MatchString(name) && !strings.Contains(name, ".") {
			functions[name] = true
		}
	}
	for _, m := range env.cel.Macros() {
		functions[m.Function()] = true
	}
	got, err := json.MarshalIndent(slices.Sorted(maps.Keys(functions)), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/functions.json"
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got)+"\n" {
		t.Errorf("the functions of the language are\n%s\nand %s has\n%s", got, file, want)
	}
}
