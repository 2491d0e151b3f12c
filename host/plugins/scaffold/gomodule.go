package scaffold

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// libraries are the modules that the packages of the PDK import, the tests' included. A
// go.mod lists them so that the go command needs no network to find them out; a test
// compares the list with the real imports.
func libraries() map[string]bool {
	set := map[string]bool{}
	for path := range strings.FieldsSeq(`cel.dev/cel-go cel.dev/expr github.com/antlr4-go/antlr/v4
		github.com/bahlo/generic-list-go github.com/buger/jsonparser github.com/extism/go-pdk github.com/invopop/jsonschema
		github.com/pb33f/ordered-map/v2 github.com/santhosh-tekuri/jsonschema/v6 go.yaml.in/yaml/v3 go.yaml.in/yaml/v4
		golang.org/x/exp golang.org/x/text google.golang.org/genproto/googleapis/api
		google.golang.org/genproto/googleapis/rpc google.golang.org/protobuf`) {
		set[path] = true
	}
	return set
}

// libraryDir is where the library lies in the author's directory.
const libraryDir = "culm"

// goModule makes go.mod and go.sum, and a copy of the library as this program was built
// with it. A directory inside a checkout of the library's module needs none of them.
func (o Options) goModule() ([]file, error) {
	raw, err := fs.ReadFile(o.PDK, "go.mod")
	if err != nil {
		return nil, fmt.Errorf("the library of Go plugins: %w", err)
	}
	mod, err := modfile.Parse("go.mod", raw, nil)
	if err != nil {
		return nil, fmt.Errorf("the library of Go plugins: %w", err)
	}
	if inside(o.Dir, mod.Module.Mod.Path) {
		return nil, nil
	}
	sum, err := fs.ReadFile(o.PDK, "go.sum")
	if err != nil {
		return nil, fmt.Errorf("the library of Go plugins: %w", err)
	}
	files := []file{
		{"go.mod", own(mod, o.Name)},
		{"go.sum", sum},
		{libraryDir + "/go.mod", raw},
		{libraryDir + "/go.sum", sum},
	}
	err = fs.WalkDir(o.PDK, "pdk", func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(at, "_test.go") {
			return err
		}
		content, err := fs.ReadFile(o.PDK, at)
		files = append(files, file{libraryDir + "/" + at, content})
		return err
	})
	return files, err
}

// own makes the go.mod of the plugin.
func own(library *modfile.File, name string) []byte {
	var b strings.Builder
	path := library.Module.Mod.Path
	fmt.Fprintf(&b, "module %s\n\ngo %s\n\nrequire %s v0.0.0\n\n", name, library.Go.Version, path)
	fmt.Fprintf(&b, "// The library came with the program culm. Where its module can be fetched, require a version and remove this line.\n")
	fmt.Fprintf(&b, "replace %s => ./%s\n\nrequire (\n", path, libraryDir)
	for _, r := range library.Require {
		if libraries()[r.Mod.Path] {
			fmt.Fprintf(&b, "\t%s %s // indirect\n", r.Mod.Path, r.Mod.Version)
		}
	}
	b.WriteString(")\n")
	return []byte(b.String())
}

// inside reports whether a directory lies in a checkout of a module.
func inside(dir, module string) bool {
	at, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	for {
		raw, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil {
			return modfile.ModulePath(raw) == module
		}
		up := filepath.Dir(at)
		if up == at {
			return false
		}
		at = up
	}
}
