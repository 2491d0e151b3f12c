package wasm

import (
	"context"

	"github.com/tetratelabs/wazero/api"
)

// wasiProcess returns the functions of WASI on the process. A plugin has no
// arguments and no environment.
//
//	args_sizes_get(count ptr i32, bytes ptr i32) -> (errno i32)      both 0
//	environ_sizes_get(count ptr i32, bytes ptr i32) -> (errno i32)   both 0
//	args_get(i32, i32) -> (errno i32), environ_get(i32, i32) -> (errno i32)   write nothing
//	proc_exit(status i32)    ends the call: 0 as if the export had returned, else with PLUGIN_TRAP
//	proc_raise(signal i32) -> (errno i32)    not supported
func wasiProcess() []hostFunc {
	sizes := func(name string) hostFunc {
		return hostFunc{name, "ii>i", func(_ context.Context, v *invocation, guest api.Module, s []uint64) {
			clear(v.guestBytes(guest, name, uint32(s[0]), 4))
			clear(v.guestBytes(guest, name, uint32(s[1]), 4))
			s[0] = wasiOK
		}}
	}
	return []hostFunc{
		sizes("args_sizes_get"),
		sizes("environ_sizes_get"),
		{"args_get", "ii>i", returns(wasiOK)},
		{"environ_get", "ii>i", returns(wasiOK)},
		{"proc_raise", "i>i", returns(wasiNoSys)},
		{"proc_exit", "i>", func(_ context.Context, _ *invocation, _ api.Module, s []uint64) {
			panic(&exit{status: uint32(s[0])})
		}},
	}
}
