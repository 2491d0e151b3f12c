package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/culmhq/culm/host/plugins/build"
	shipped "github.com/culmhq/culm/plugins-wasm"
)

var update = flag.Bool("update", false, "write the expected output in the scripts anew")

// TestScripts runs the program itself, as it is built for people: with the race
// detector its compiler process would take minutes.
func TestScripts(t *testing.T) {
	t.Parallel()
	bin, cache := t.TempDir(), t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "culm"), ".").CombinedOutput(); err != nil {
		t.Fatalf("build culm: %v: %s", err, out)
	}
	wasmDir, err := filepath.Abs("../../../plugins-wasm")
	if err != nil {
		t.Fatal(err)
	}
	tools := compilerEnv(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			// Compiled plugins are shared between the scripts, as between the runs of
			// one user.
			e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("XDG_CACHE_HOME", cache)
			e.Setenv("LANG", "C.UTF-8")
			e.Setenv("SHIPPED", wasmDir)
			e.Vars = append(e.Vars, tools...)
			// A module that exports execute, which returns 0.
			const module = "\x00asm\x01\x00\x00\x00" + "\x01\x05\x01\x60\x00\x01\x7f" + "\x03\x02\x01\x00" +
				"\x07\x0b\x01\x07execute\x00\x00" + "\x0a\x06\x01\x04\x00\x41\x00\x0b"
			return os.WriteFile(filepath.Join(e.WorkDir, "empty.wasm"), []byte(module), 0o600)
		},
		Condition: func(cond string) (bool, error) {
			if lang, ok := strings.CutPrefix(cond, "lang:"); ok {
				return hasTools(t.Context(), build.Language(lang))
			}
			// plugins: they were built before this test binary (make plugins).
			_, err := fs.Stat(shipped.Files, "core.wasm")
			return cond == "plugins" && err == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// compilerEnv is what compilers need of the environment of whoever runs the tests: where
// they keep what they fetched and built. A script's own home is empty.
func compilerEnv(t *testing.T) []string {
	t.Helper()
	raw, err := exec.CommandContext(t.Context(), "go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOFLAGS").Output()
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{}
	if err := json.Unmarshal(raw, &vars); err != nil {
		t.Fatal(err)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	vars["CARGO_HOME"], vars["RUSTUP_HOME"] = filepath.Join(home, ".cargo"), filepath.Join(home, ".rustup")
	vars["npm_config_cache"] = filepath.Join(home, ".npm")
	vars["npm_config_userconfig"] = filepath.Join(home, ".npmrc")
	vars["ZIG"], vars["ZIG_GLOBAL_CACHE_DIR"] = os.Getenv("ZIG"), filepath.Join(t.TempDir(), "zig")
	var env []string
	for name, usual := range vars {
		if set, ok := os.LookupEnv(name); ok {
			usual = set
		}
		env = append(env, name+"="+usual)
	}
	return env
}

// hasTools reports whether a plugin in a language can be built here. On the build machine
// it must be possible: scripts/deps.sh and the Makefile bring what is needed.
func hasTools(ctx context.Context, l build.Language) (bool, error) {
	missing := build.Missing(ctx, l)
	if missing != nil && os.Getenv("CI") != "" {
		return false, missing
	}
	return missing == nil, nil
}

// exits runs a program and checks its exit code: exits CODE PROGRAM ARG...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = strconv.Itoa(exit.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}
