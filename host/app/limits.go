package app

import (
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/host/wasm/binary"
)

// limitsOf makes the limits of the plugin host of those that were configured. A
// configuration that a program made by hand may leave them out: the host has the same
// defaults.
func limitsOf(l config.Limits) wasm.Limits {
	out := wasm.Limits{
		CompileTime: l.Compile, CompileMemoryBytes: int64(l.CompileMemory), StartTime: l.Start,
		Timeout: l.Timeout, GuestTime: l.Guest, MemoryBytes: int64(l.Memory), BlockBytes: int64(l.Blocks),
		InputBytes: int64(l.Input), OutputBytes: int64(l.Output), LogBytes: int64(l.Log), LogLineBytes: int64(l.LogLine),
		HostCalls: l.HostCalls, SmallCalls: l.SmallCalls,
		RequestBytes: int64(l.Request), ResponseBytes: int64(l.Response), VarBytes: int64(l.Var),
		Workers: l.Workers, WorkerCalls: l.WorkerCalls, WorkerBytes: int64(l.WorkerMemory),
		WorkerIdle: l.WorkerIdle, WorkerGrace: l.WorkerGrace,
	}
	if l.Module == 0 {
		return out
	}
	out.Module = binary.Limits{
		ModuleBytes: int(l.Module), ManifestBytes: int(l.Manifest), FunctionBytes: uint32(l.Function),
		Functions: uint32(l.Functions), Locals: uint32(l.Locals), Types: uint32(l.Types), Globals: uint32(l.Globals),
		Exports: uint32(l.Exports), Elements: uint32(l.Elements), Imports: uint32(l.Imports), Customs: uint32(l.Customs),
		DataSegments: uint32(l.DataSegments), Tables: uint32(l.Tables), TableElements: uint32(l.TableElements),
		MemoryPages: uint32(l.Memory >> 16),
	}
	return out
}
