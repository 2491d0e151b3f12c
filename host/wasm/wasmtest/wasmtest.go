// Package wasmtest helps tests that run plugins.
package wasmtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Compiler returns a value for wasm.Config.Compiler. It builds the compiler process
// once for the test binary, without the race detector: a test binary that was built
// with it can compile a Go plugin too (by calling wasm.CompilerMain in TestMain), but
// takes ten times as long. Call Remove in TestMain when the tests are done.
func Compiler(tb testing.TB) func(context.Context) *exec.Cmd {
	return program(tb, "__compile")
}

// Worker returns a value for wasm.Config.Worker: the program that Compiler builds, as a
// worker process.
func Worker(tb testing.TB) func(context.Context) *exec.Cmd { return program(tb, "__worker") }

// program runs the program that is built once, with one argument.
func program(tb testing.TB, argument string) func(context.Context) *exec.Cmd {
	tb.Helper()
	path, err := build()
	if err != nil {
		tb.Fatal(err)
	}
	return func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, path, argument) }
}

// Scratch returns a directory that lives until Remove.
func Scratch(tb testing.TB) string {
	tb.Helper()
	dir, err := scratch()
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

// Remove removes what Compiler and Scratch made.
func Remove() error {
	dir, err := scratch()
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// scratch makes the directory, once.
//
//nolint:gochecknoglobals // one directory a test binary
var scratch = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "culm-wasmtest-") })

// build builds the compiler process, once.
//
//nolint:gochecknoglobals // one program a test binary
var build = sync.OnceValues(func() (string, error) {
	dir, err := scratch()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "compiler")
	cmd := exec.Command("go", "test", "-c", "-race=false", "-o", path, "github.com/culmhq/culm/host/wasm/wasmtest/compiler")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the compiler process: %w: %s", err, text)
	}
	return path, nil
})
