package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// compile turns the source in dir, in a language other than Go, into a module without a
// manifest and returns it.
func (o Options) compile(ctx context.Context, l Language, dir, tmp string) ([]byte, error) {
	module := filepath.Join(tmp, "module.wasm")
	var err error
	switch l {
	case C:
		err = o.compileC(ctx, dir, module)
	case Rust:
		module, err = o.compileRust(ctx, dir)
	case AssemblyScript:
		module, err = o.compileNode(ctx, l, dir, "assemblyscript")
	case JavaScript:
		module, err = o.compileNode(ctx, l, dir, "quickjs-wasi")
	case Zig:
		err = o.compileZig(ctx, dir, tmp, module)
	case Go:
		return nil, fmt.Errorf("%w: Go is built by Build", errors.ErrUnsupported)
	default:
		return nil, fmt.Errorf("%w: language %q", errors.ErrUnsupported, l)
	}
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", dir, err)
	}
	return os.ReadFile(module)
}

// compileC compiles every C file of the directory and of src/ in it into a reactor.
func (o Options) compileC(ctx context.Context, dir, out string) error {
	cc := o.tool("CC", "clang")
	var sources []string
	for _, pattern := range []string{"*.c", filepath.Join("src", "*.c")} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, f := range found {
			rel, err := filepath.Rel(dir, f)
			if err != nil {
				return err
			}
			sources = append(sources, rel)
		}
	}
	args := []string{
		"--target=wasm32-wasi", "-mexec-model=reactor", "-std=c11", "-Os", "-flto", "-Wall", "-Wextra",
		"-ffile-prefix-map=" + dir + "=.", "-Wl,--gc-sections", "-Wl,--strip-debug", "-o", out,
	}
	_, err := o.run(ctx, C, dir, nil, cc, append(args, sources...)...)
	return err
}

// rustTarget has no WASI: a plugin has nothing that it could use of it.
const rustTarget = "wasm32-unknown-unknown"

// compileRust lets cargo build, and returns the module that it reports.
func (o Options) compileRust(ctx context.Context, dir string) (string, error) {
	rustc, err := o.rustc(ctx, dir)
	if err != nil {
		return "", err
	}
	cargo := o.tool("CARGO", "cargo")
	// A compiler of Debian is not that of rustup's cargo, which would ask for its own.
	if filepath.Dir(rustc) == "/usr/bin" {
		if _, err := os.Stat("/usr/bin/cargo"); err == nil {
			cargo = o.tool("CARGO", "/usr/bin/cargo")
		}
	}
	raw, err := o.run(ctx, Rust, dir, []string{"RUSTC=" + rustc}, cargo,
		"build", "--release", "--quiet", "--target", rustTarget, "--message-format=json-render-diagnostics")
	if err != nil {
		return "", err
	}
	module := ""
	for line := range bytes.Lines(raw) {
		var m struct {
			Reason    string   `json:"reason"`
			Filenames []string `json:"filenames"`
		}
		if json.Unmarshal(line, &m) != nil || m.Reason != "compiler-artifact" {
			continue
		}
		for _, f := range m.Filenames {
			if strings.HasSuffix(f, ".wasm") {
				module = f // the last one is that of the package itself
			}
		}
	}
	if module == "" {
		return "", errors.New(`cargo made no module: Cargo.toml needs [lib] with crate-type = ["cdylib"]`)
	}
	return module, nil
}

// rustc finds a compiler that has the target: that of the path, or Debian's, which lives
// beside one of rustup.
func (o Options) rustc(ctx context.Context, dir string) (string, error) {
	for _, name := range []string{o.tool("RUSTC", "rustc"), "/usr/bin/rustc"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		lib, err := o.run(ctx, Rust, dir, nil, path, "--print", "target-libdir", "--target", rustTarget)
		if err != nil {
			continue
		}
		if _, err := os.Stat(strings.TrimSpace(string(lib))); err == nil {
			return path, nil
		}
	}
	return "", &ToolError{Tool: "rustc with the target " + rustTarget, Language: Rust, Install: Rust.Install()}
}

// compileNode installs what package.json asks for, where the package that the language
// cannot do without is not there yet, and runs its script "build", which writes
// build/module.wasm.
func (o Options) compileNode(ctx context.Context, l Language, dir, wanted string) (string, error) {
	npm := o.tool("NPM", "npm")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", wanted)); errors.Is(err, fs.ErrNotExist) {
		install := "install"
		if _, err := os.Stat(filepath.Join(dir, "package-lock.json")); err == nil {
			install = "ci"
		}
		if _, err := o.run(ctx, l, dir, nil, npm, install, "--no-audit", "--no-fund", "--prefer-offline"); err != nil {
			return "", err
		}
	}
	module := filepath.Join(dir, "build", "module.wasm")
	if err := os.Remove(module); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if _, err := o.run(ctx, l, dir, nil, npm, "run", "--silent", "build"); err != nil {
		return "", err
	}
	return module, nil
}

// compileZig compiles main.zig.
func (o Options) compileZig(ctx context.Context, dir, tmp, out string) error {
	cache := filepath.Join(tmp, "zig-cache")
	_, err := o.run(ctx, Zig, dir, nil, o.tool("ZIG", "zig"), "build-lib", "main.zig", "-target", "wasm32-freestanding",
		"-dynamic", "-rdynamic", "-O", "ReleaseSmall", "--cache-dir", cache, "-femit-bin="+out)
	return err
}

// tool is the command that a variable of the environment names, or the usual one.
func (o Options) tool(variable, usual string) string {
	if v := os.Getenv(variable); v != "" {
		return v
	}
	return usual
}

// run runs a command in dir and returns what it printed. What the command has to say
// is part of the error.
func (o Options) run(ctx context.Context, l Language, dir string, env []string, name string, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), env...), &stdout, &stderr
	err := cmd.Run()
	switch {
	case err == nil:
		return stdout.Bytes(), nil
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return nil, &ToolError{Tool: name, Language: l, Install: l.Install()}
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	said := strings.TrimSpace(stderr.String())
	if slices.Contains([]Language{AssemblyScript, JavaScript}, l) && said == "" {
		said = strings.TrimSpace(stdout.String())
	}
	said = strings.TrimSuffix(said, "\nexit status 1") // of go run: how it ended is said already
	return nil, &CompileError{Tool: filepath.Base(name), Output: said, Cause: err}
}

// CompileError says what a compiler had to say.
type CompileError struct {
	Tool   string
	Output string
	Cause  error
}

// Error is the compiler's own text, which says where.
func (e *CompileError) Error() string {
	if e.Output == "" {
		return e.Tool + ": " + e.Cause.Error()
	}
	return e.Tool + ": " + e.Cause.Error() + "\n" + e.Output
}

// Unwrap returns how the command ended.
func (e *CompileError) Unwrap() error { return e.Cause }
