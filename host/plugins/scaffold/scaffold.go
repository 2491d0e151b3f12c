// Package scaffold writes the first version of a plugin: source that builds, a manifest
// with a form, and cases that pass, in each language that package build knows.
package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/culmhq/culm/host/plugins/build"
)

// templates has a directory for each language, and shared for what is the same in
// several of them.
//
//go:embed templates
var templates embed.FS

// Options say what is written, and where.
type Options struct {
	// Name is the id of the plugin: a lower-case letter, then up to 63 of a-z, 0-9 and -.
	Name     string
	Language build.Language
	// Dir is the directory to write; it must not exist, or be empty.
	Dir string
	// PDK holds the library of Go plugins: the directory pdk and the go.mod and go.sum of
	// its module. It is not needed for other languages.
	PDK fs.FS
}

// The reasons why nothing is written.
var (
	ErrName     = errors.New("a plugin's name is a lower-case letter, then up to 63 of a-z, 0-9 and -")
	ErrLanguage = errors.New("there is no such language")
	ErrNotEmpty = errors.New("the directory is not empty")
)

// file is one file to be written.
type file struct {
	path    string // slash-separated, below the directory
	content []byte
}

// Write writes the plugin and returns the paths that it wrote, below Dir, in order. It
// writes all or nothing but for a failure of the disk. The error wraps one of the reasons
// above, or is that of the file system.
func Write(o Options) ([]string, error) {
	if !regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`).MatchString(o.Name) {
		return nil, fmt.Errorf("%q: %w", o.Name, ErrName)
	}
	if !slices.Contains(build.Languages(), o.Language) {
		return nil, fmt.Errorf("%q: %w; there are %s", o.Language, ErrLanguage, languages())
	}
	if entries, err := os.ReadDir(o.Dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s: %w", o.Dir, ErrNotEmpty)
	}
	files, err := o.files()
	if err != nil {
		return nil, err
	}
	var written []string
	for _, f := range files {
		at := filepath.Join(o.Dir, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return written, err
		}
		if err := os.WriteFile(at, f.content, 0o644); err != nil { //nolint:gosec // source that others may read
			return written, err
		}
		written = append(written, f.path)
	}
	return written, nil
}

// files makes everything that is written.
func (o Options) files() ([]file, error) {
	roots := []string{"shared", string(o.Language)}
	if o.Language == build.Go {
		roots = []string{"shared-go", "go"}
	}
	fill := strings.NewReplacer(
		"{{.ID}}", o.Name, "{{.Title}}", title(o.Name), "{{.Language}}", languageName(o.Language), "{{.Install}}", o.Language.Install(),
		"{{.Source}}", source(o.Language),
	)
	var files []file
	for _, root := range append([]string{"all"}, roots...) {
		base := path.Join("templates", root)
		err := fs.WalkDir(templates, base, func(at string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) && at == base {
				return nil // nothing is shared
			}
			if err != nil || d.IsDir() {
				return err
			}
			content, err := templates.ReadFile(at)
			if err != nil {
				return err
			}
			name := strings.TrimPrefix(at, base+"/")
			if name == "gitignore" {
				name = ".gitignore"
			}
			files = append(files, file{name, []byte(fill.Replace(string(content)))})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if o.Language != build.Go {
		return files, nil
	}
	module, err := o.goModule()
	return append(files, module...), err
}

// title makes a title of an id: "restart-web" becomes "Restart web".
func title(id string) string {
	words := strings.ReplaceAll(id, "-", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

// languageName is how people write the language.
func languageName(l build.Language) string {
	switch l {
	case build.Go:
		return "Go"
	case build.Rust:
		return "Rust"
	case build.C:
		return "C"
	case build.AssemblyScript:
		return "AssemblyScript"
	case build.Zig:
		return "Zig"
	case build.JavaScript:
		return "JavaScript"
	}
	return string(l)
}

// source says which files an author edits, and which he takes as they are.
func source(l build.Language) string {
	switch l {
	case build.Go:
		return "`main.go` says what the plugin is; `greet.go` and `hosts.go` are its actions, with their forms as types. " +
			"`locale/zh.json` holds the Chinese texts. `culm/` is the library; take it as it is."
	case build.Rust:
		return "`src/lib.rs` has the actions, `manifest.json` their forms. `src/culm.rs` is the library; take it as it is."
	case build.C:
		return "`plugin.c` has the actions, `manifest.json` their forms. `culm.h` and `culm.c` are the library; take them as they are."
	case build.AssemblyScript:
		return "`plugin.ts` has the actions, `manifest.json` their forms. `culm.ts` is the library; take it as it is."
	case build.Zig:
		return "`main.zig` has the actions, `manifest.json` their forms. `culm.zig` is the library; take it as it is."
	case build.JavaScript:
		return "`plugin.js` has the actions, `manifest.json` their forms. `culm.js` and `engine/` are the library; take them as they are."
	}
	return ""
}

// languages names the languages for people.
func languages() string {
	var names []string
	for _, l := range build.Languages() {
		names = append(names, string(l))
	}
	return strings.Join(names, ", ")
}
