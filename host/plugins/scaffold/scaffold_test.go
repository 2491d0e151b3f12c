package scaffold_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/culmhq/culm"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/plugins/cases"
	"github.com/culmhq/culm/host/plugins/scaffold"
)

func TestWhatIsWrittenIsFilledIn(t *testing.T) {
	t.Parallel()
	for _, l := range build.Languages() {
		t.Run(string(l), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "restart-web")
			files, err := scaffold.Write(scaffold.Options{Name: "restart-web", Language: l, Dir: dir, PDK: culm.PDK})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				text, err := os.ReadFile(filepath.Join(dir, f))
				if err != nil {
					t.Fatal(err)
				}
				if !strings.HasPrefix(f, "culm/") && strings.Contains(string(text), "{{.") {
					t.Errorf("%s has a placeholder left", f)
				}
			}
			if got, err := build.Detect(dir); err != nil || got != l {
				t.Errorf("the language is told as %q, %v", got, err)
			}
			text, err := os.ReadFile(filepath.Join(dir, cases.FileName))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := cases.Parse(text); err != nil {
				t.Error(err)
			}
			if l == build.Go {
				return
			}
			text, err = os.ReadFile(filepath.Join(dir, build.ManifestFile))
			if err != nil {
				t.Fatal(err)
			}
			m, err := build.ParseManifest(text)
			if err != nil {
				t.Fatal(err)
			}
			if m.ID != "restart-web" || m.Title.En != "Restart web" {
				t.Errorf("the manifest is that of %s %q", m.ID, m.Title.En)
			}
		})
	}
}

func TestNothingIsWrittenOverWhatIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[error]scaffold.Options{
		scaffold.ErrNotEmpty: {Name: "a", Language: build.C, Dir: dir},
		scaffold.ErrName:     {Name: "A!", Language: build.C, Dir: t.TempDir()},
		scaffold.ErrLanguage: {Name: "a", Language: "cobol", Dir: t.TempDir()},
	} {
		if _, err := scaffold.Write(o); !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
}

// A go.mod that lists too little sends the author to the network, and to an error.
func TestTheModuleOfAGoPluginListsWhatTheLibraryImports(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "hello")
	if _, err := scaffold.Write(scaffold.Options{Name: "hello", Language: build.Go, Dir: dir, PDK: culm.PDK}); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range [][]string{nil, {"GOOS=wasip1", "GOARCH=wasm"}} {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "./pdk/...")
		cmd.Dir, cmd.Env = "../../..", append(os.Environ(), target...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		imported := strings.Split(strings.TrimSpace(string(out)), "\n")
		slices.Sort(imported)
		for _, m := range slices.Compact(imported) {
			if m != "" && !strings.Contains(string(mod), "\t"+m+" // indirect\n") {
				t.Errorf("go.mod lacks %s", m)
			}
		}
	}
}

func TestAPluginInsideTheRepositoryNeedsNoModule(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp(".", "inside-") //nolint:usetesting // it must lie in the repository
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	files, err := scaffold.Write(scaffold.Options{Name: "hello", Language: build.Go, Dir: dir, PDK: culm.PDK})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(files, "go.mod") || !slices.Contains(files, "main.go") {
		t.Errorf("wrote %v", files)
	}
}
