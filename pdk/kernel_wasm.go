//go:build wasip1

package pdk

import extism "github.com/extism/go-pdk"

// This file is the only one that touches Extism's own PDK: it compiles for modules
// only, and what it offers beyond these functions (HTTP, configuration) a Culm plugin
// does without.

// hostInputLength imports the length of the input by hand: the PDK offers the input only
// as a whole, read eight bytes a call.
//
//go:wasmimport extism:host/env input_length
func hostInputLength() uint64

func inputLength() uint64 { return hostInputLength() }

func setError(text string) { extism.SetErrorString(text) }

func blockLength(block uint64) uint64 {
	m := extism.FindMemory(block)
	return m.Length()
}

// freeBlock releases a block; zero is none.
func freeBlock(block uint64) {
	if block == 0 {
		return
	}
	m := extism.FindMemory(block)
	m.Free()
}
