package build_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/wasm"
)

// root is the repository, seen from this package.
const root = "../../.."

// TestMain lets the test binary be the compiler process of a plugin host.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "__compile" {
		os.Exit(wasm.CompilerMain(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// tiny is the source of a small plugin.
const tiny = `// The plugin tiny is for tests.
package main

import "github.com/culmhq/culm/pdk"

// EchoIn says something.
type EchoIn struct {
	// What to say.
	Text string ` + "`json:\"text\" jsonschema:\"maxLength=10\"`" + `
}

var plugin = pdk.Register(pdk.Plugin{
	ID: "tiny", Version: "1.0.0", Title: pdk.Text{En: "Tiny"},
	Actions: []pdk.Actor{pdk.Action[EchoIn, EchoIn]{
		ID: "echo", Title: pdk.Text{En: "Echo"},
		Execute: func(_ *pdk.Ctx, in EchoIn) (EchoIn, error) { return in, nil },
	}},
})

func main() { plugin.Main() }
`

// tree makes a repository in another place with the kit and one plugin, tiny.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range []string{"go.mod", "go.sum", "pdk", "host/plugins/build"} {
		err := filepath.WalkDir(filepath.Join(root, p), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			put(t, filepath.Join(dir, rel), string(content))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "plugins-src", "tiny", "main.go"), tiny)
	return dir
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustAll(ctx context.Context, t *testing.T, dir string) build.Index {
	t.Helper()
	x, err := build.All(ctx, dir, build.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}
