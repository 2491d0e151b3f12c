package wasm

import (
	"context"
	"encoding/binary"

	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/pdk/contract"
)

// extismInput returns the functions of extism:host/env on the input, the output and
// the error of a call.
//
//	input_length() -> (n i64)
//	input_offset() -> (block i64)              the input as a block
//	input_load_u8(index i64) -> (value i32)    the input's byte at index
//	input_load_u64(index i64) -> (value i64)   eight of its bytes, little-endian
//	output_set(offset i64, n i64)              those bytes of the blocks' area become the output
//	output_offset() -> (i64), output_length() -> (i64)   a block with the output so far
//	error_set(block i64)                       the text of the error; 0 takes it back
//	error_get() -> (block i64)                 0 when none is set
//
// Reading outside the input, or naming what is no block, ends the call with
// PLUGIN_TRAP; an output over the limit ends it with OUTPUT_LIMIT before a byte is
// copied.
func extismInput() []hostFunc {
	return []hostFunc{
		{"input_length", ">I", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			s[0] = uint64(len(v.input))
		}},
		{"input_offset", ">I", func(_ context.Context, v *invocation, _ api.Module, s []uint64) { s[0] = v.put(v.input) }},
		{"input_load_u8", "I>i", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			s[0] = uint64(v.inputAt(s[0], 1)[0])
		}},
		{"input_load_u64", "I>I", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			s[0] = binary.LittleEndian.Uint64(v.inputAt(s[0], 8))
		}},
		{"output_set", "II>", outputSet},
		{"output_offset", ">I", func(_ context.Context, v *invocation, _ api.Module, s []uint64) { s[0] = v.put(v.output) }},
		{"output_length", ">I", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			s[0] = uint64(len(v.output))
		}},
		{"error_set", "I>", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			v.errSet = ""
			if s[0] != 0 {
				v.errSet = clean(string(v.block("error_set", s[0])), errorBytesMax)
			}
		}},
		{"error_get", ">I", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			s[0] = 0
			if v.errSet != "" {
				s[0] = v.put([]byte(v.errSet))
			}
		}},
	}
}

// errorBytesMax bounds the text of a plugin's error.
const errorBytesMax = 4 << 10

// inputAt returns n bytes of the input.
func (v *invocation) inputAt(index, n uint64) []byte {
	size := uint64(len(v.input))
	if index > size || n > size-index {
		v.misuse("input_load: %d bytes at %d lie outside the input of %d bytes", n, index, size)
	}
	return v.input[index : index+n]
}

func outputSet(_ context.Context, v *invocation, _ api.Module, s []uint64) {
	v.checkOutput(s[1])
	if s[1] == 0 {
		v.output = []byte{}
		return
	}
	b, ok := v.blocks.span(s[0], s[1])
	if !ok {
		v.misuse("output_set: %d bytes at %d lie outside the memory blocks", s[1], s[0])
	}
	v.output = append([]byte{}, b...)
}

// checkOutput ends the call when an output of n bytes is too large.
func (v *invocation) checkOutput(n uint64) {
	if n > uint64(v.limits.OutputBytes) {
		v.abort(failure(contract.OriginLimit, CodeOutputLimit,
			"the plugin's output is %d bytes, the limit is %d", n, v.limits.OutputBytes))
	}
}
