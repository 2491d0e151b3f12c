// Command compiler is the compiler process of the plugin host and nothing else.
// Tests use it so that the process is not slowed down by the race detector.
package main

import (
	"os"

	"github.com/culmhq/culm/host/wasm"
)

func main() { os.Exit(wasm.CompilerMain(os.Stdin, os.Stdout)) }
