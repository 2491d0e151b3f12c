package compiler_test

import (
	"os"
	"testing"

	"github.com/culmhq/culm/host/wasm"
)

// TestMain is the compiler process when it is asked to be.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "__compile" {
		os.Exit(wasm.CompilerMain(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}
