package wasm

import (
	"context"

	"github.com/tetratelabs/wazero/api"
)

// extismBlocks returns the functions of extism:host/env on memory blocks. They are
// those of Extism's kernel, with the same types; "block" is the offset of a block.
//
//	alloc(n i64) -> (block i64)        a zeroed block of n bytes; never 0: at the limit the call ends
//	free(block i64)                    gives a block back; unknown offsets are ignored
//	length(block i64) -> (n i64)       its size, 0 for no block
//	length_unsafe(block i64) -> (n i64)  the same: this host always checks
//	load_u8(offset i64) -> (value i32)   one byte of the area that the blocks lie in
//	load_u64(offset i64) -> (value i64)  eight bytes, little-endian; any alignment
//	store_u8(offset i64, value i32)
//	store_u64(offset i64, value i64)
//
// An offset outside what was allocated ends the call with PLUGIN_TRAP.
func extismBlocks() []hostFunc {
	length := func(_ context.Context, v *invocation, _ api.Module, s []uint64) { s[0] = v.blocks.sizes[s[0]] }
	return []hostFunc{
		{"alloc", "I>I", func(_ context.Context, v *invocation, _ api.Module, s []uint64) { s[0] = v.alloc(s[0]) }},
		{"free", "I>", func(_ context.Context, v *invocation, _ api.Module, s []uint64) { v.blocks.free(s[0]) }},
		{"length", "I>I", length},
		{"length_unsafe", "I>I", length},
		{"load_u8", "I>i", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			s[0] = uint64(v.at("load_u8", s[0])[0])
		}},
		{"load_u64", "I>I", func(_ context.Context, v *invocation, _ api.Module, s []uint64) { s[0] = v.load64(s[0]) }},
		{"store_u8", "Ii>", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			v.at("store_u8", s[0])[0] = byte(s[1])
		}},
		{"store_u64", "II>", func(_ context.Context, v *invocation, _ api.Module, s []uint64) { v.store64(s[0], s[1]) }},
	}
}

// at returns the one byte at offset, or ends the call.
func (v *invocation) at(what string, offset uint64) []byte {
	b, ok := v.blocks.span(offset, 1)
	if !ok {
		v.misuse("%s: %d lies outside the memory blocks", what, offset)
	}
	return b
}
