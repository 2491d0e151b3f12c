package wasmtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// Extism returns the module of that name ("count_vowels.wasm") from the test modules of
// Extism's own Go library, whose version and hash are pinned beside this file. Nobody
// wrote them with Culm in mind.
func Extism(tb testing.TB, name string) []byte {
	tb.Helper()
	dir, err := extism()
	if err != nil {
		tb.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "wasm", name)) //nolint:gosec // a name from the test's own source
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// extism finds the modules in the module cache, fetching them if need be, once.
//
//nolint:gochecknoglobals // one directory a test binary
var extism = sync.OnceValues(func() (string, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("wasmtest: where this file is cannot be found out")
	}
	cmd := exec.Command("go", "mod", "download", "-json", "github.com/extism/go-sdk")
	cmd.Dir = filepath.Join(filepath.Dir(here), "extism")
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	runErr := cmd.Run()
	var found struct{ Dir, Error string }
	if err := json.Unmarshal(stdout.Bytes(), &found); err != nil || found.Dir == "" {
		return "", fmt.Errorf("wasmtest: fetch Extism's test modules: %w: %s %s", errors.Join(runErr, err), found.Error, stderr.String())
	}
	return found.Dir, nil
})
