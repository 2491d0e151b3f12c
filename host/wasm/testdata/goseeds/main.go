//go:build wasip1

// Command goseeds is a plugin that draws random numbers while it is initialised and
// keeps them: the host must initialise it in every call.
package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/extism/go-pdk"
)

var (
	id     = rand.Uint64()
	source = rand.New(rand.NewPCG(rand.Uint64(), 1))
)

//go:wasmexport show
func show() int32 {
	pdk.OutputString(fmt.Sprint(id, source.Uint64()))
	return 0
}

func main() {}
