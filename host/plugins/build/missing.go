package build

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Missing says which tool of a language this machine lacks, or nil. It runs the compilers
// to ask them, and builds nothing.
func Missing(ctx context.Context, l Language) *ToolError {
	var o Options
	tool := map[Language]string{
		Go: o.goCommand(), Rust: o.tool("CARGO", "cargo"), C: o.tool("CC", "clang"),
		AssemblyScript: o.tool("NPM", "npm"), JavaScript: o.tool("NPM", "npm"), Zig: o.tool("ZIG", "zig"),
	}[l]
	if tool == "" {
		return nil
	}
	if _, err := exec.LookPath(tool); err != nil {
		return &ToolError{Tool: tool, Language: l, Install: l.Install()}
	}
	switch l {
	case Rust:
		var t *ToolError
		if _, err := o.rustc(ctx, "."); errors.As(err, &t) {
			return t
		}
	case C:
		return o.missingC(ctx, tool)
	case Go, AssemblyScript, Zig, JavaScript:
	}
	return nil
}

// missingC asks clang for the parts that Debian has in packages of their own.
func (o Options) missingC(ctx context.Context, clang string) *ToolError {
	for _, part := range []struct{ name, question string }{
		{"the C library of WASI", "-print-file-name=crt1-reactor.o"},
		{"clang's runtime library for WebAssembly", "-print-libgcc-file-name"},
		{"wasm-ld", "-print-prog-name=wasm-ld"},
	} {
		raw, err := o.run(ctx, C, ".", nil, clang, "--target=wasm32-wasi", part.question)
		path := strings.TrimSpace(string(raw))
		if err == nil && filepath.IsAbs(path) {
			_, err = os.Stat(path)
		} else if err == nil {
			_, err = exec.LookPath(path)
		}
		if err != nil {
			return &ToolError{Tool: part.name, Language: C, Install: C.Install()}
		}
	}
	return nil
}
