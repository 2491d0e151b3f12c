package compiler_test

import (
	"os"
	"testing"

	"github.com/culmhq/culm/host/wasm"
)

// TestMain is the compiler process when it is asked to be.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 {
		switch os.Args[1] {
		case "__compile":
			os.Exit(wasm.CompilerMain(os.Stdin, os.Stdout))
		case "__worker":
			os.Exit(wasm.WorkerMain(os.Stdin, os.Stdout))
		}
	}
	os.Exit(m.Run())
}
