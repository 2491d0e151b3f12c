package wasm

import (
	"context"

	"github.com/tetratelabs/wazero/api"
)

// culmBulk returns the functions of culm:host/v1 that move bytes between the
// guest's own memory and the host in one go. The Extism libraries move eight bytes
// a call, which is 30 to 70 times slower for a megabyte. All numbers are unsigned.
//
//	input_read(offset i32, ptr i32, len i32) -> (n i32)
//	    copies input[offset:offset+n] to ptr, n = min(len, rest of the input)
//	output_write(ptr i32, len i32)
//	    those bytes become the output
//	block_read(block i64, ptr i32, len i32) -> (n i32)
//	    copies the first n = min(len, its size) bytes of a block to ptr
//	block_write(ptr i32, len i32) -> (block i64)
//	    a new block with those bytes
//
// Bytes outside the guest's memory end the call with PLUGIN_TRAP, an output over
// the limit with OUTPUT_LIMIT.
func culmBulk() []hostFunc {
	return []hostFunc{
		{"input_read", "iii>i", func(_ context.Context, v *invocation, guest api.Module, s []uint64) {
			offset := min(uint64(uint32(s[0])), uint64(len(v.input)))
			s[0] = v.copyOut(guest, "input_read", v.input[offset:], uint32(s[1]), uint32(s[2]))
		}},
		{"output_write", "ii>", func(_ context.Context, v *invocation, guest api.Module, s []uint64) {
			v.checkOutput(uint64(uint32(s[1])))
			v.output = append([]byte{}, v.guestBytes(guest, "output_write", uint32(s[0]), uint32(s[1]))...)
		}},
		{"block_read", "Iii>i", func(_ context.Context, v *invocation, guest api.Module, s []uint64) {
			s[0] = v.copyOut(guest, "block_read", v.block("block_read", s[0]), uint32(s[1]), uint32(s[2]))
		}},
		{"block_write", "ii>I", func(_ context.Context, v *invocation, guest api.Module, s []uint64) {
			s[0] = v.put(v.guestBytes(guest, "block_write", uint32(s[0]), uint32(s[1])))
		}},
	}
}

// copyOut copies at most n bytes of data to the guest's ptr and returns how many.
func (v *invocation) copyOut(guest api.Module, what string, data []byte, ptr, n uint32) uint64 {
	v.touch.blocks = true
	n = uint32(min(uint64(n), uint64(len(data))))
	return uint64(copy(v.guestBytes(guest, what, ptr, n), data))
}
