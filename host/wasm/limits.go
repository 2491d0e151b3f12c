package wasm

import (
	"time"

	"github.com/culmhq/culm/host/wasm/binary"
	"github.com/culmhq/culm/pdk/contract"
)

// Limits bound what a plugin may use. A zero field takes the default of
// DefaultLimits; README.md has the table with the error code of each.
type Limits struct {
	// Module bounds what a module declares: MODULE_LIMIT.
	Module binary.Limits
	// CompileTime bounds the processor time of the child process that compiles and
	// tries out a module; it is killed after six times as much wall time.
	// CompileMemoryBytes bounds its memory: COMPILE_LIMIT.
	CompileTime        time.Duration
	CompileMemoryBytes int64
	// StartTime bounds the initialisation of a module (start section,
	// _initialize): START_TIMEOUT.
	StartTime time.Duration
	// Timeout bounds the wall time of a call from the moment it has a place to run
	// in, host functions included; GuestTime bounds the time spent in guest code alone: PLUGIN_TIMEOUT.
	Timeout   time.Duration
	GuestTime time.Duration
	// MemoryBytes bounds the linear memory, in steps of 64 KiB; BlockBytes the
	// Extism memory blocks of one call: PLUGIN_RESOURCE.
	MemoryBytes int64
	BlockBytes  int64
	// InputBytes bounds the input of a call (INPUT_LIMIT), OutputBytes its output
	// (OUTPUT_LIMIT).
	InputBytes  int64
	OutputBytes int64
	// LogBytes bounds the log text of one call; what comes after is dropped and one
	// line says so. LogLineBytes bounds a line; a longer one is cut.
	LogBytes     int64
	LogLineBytes int64
	// HostCalls bounds the gateway calls of one call, SmallCalls those of var_get,
	// var_set and progress each: HOSTCALL_LIMIT.
	HostCalls  int
	SmallCalls int
	// RequestBytes bounds a gateway request, ResponseBytes its response as the
	// plugin reads it, VarBytes a variable: HOSTCALL_LIMIT.
	RequestBytes  int64
	ResponseBytes int64
	VarBytes      int64
	// Workers bounds the worker processes, of which one project gets half; further
	// calls wait for one. WorkerCalls bounds the calls that one process serves at a
	// time, each with its own memory. WorkerBytes bounds the memory that a process may
	// map: PLUGIN_RESOURCE. WorkerIdle is how long a process without a call is kept.
	Workers     int
	WorkerCalls int
	WorkerBytes int64
	WorkerIdle  time.Duration
	// WorkerGrace is how long after the end of its time a call may take to say so,
	// before its process is killed: PLUGIN_TIMEOUT.
	WorkerGrace time.Duration
}

// DefaultLimits returns the limits that Culm ships with.
func DefaultLimits() Limits {
	return Limits{
		Module:             binary.DefaultLimits(),
		CompileTime:        20 * time.Second,
		CompileMemoryBytes: 400 << 20,
		StartTime:          time.Second,
		Timeout:            60 * time.Second,
		GuestTime:          5 * time.Second,
		MemoryBytes:        64 << 20,
		BlockBytes:         16 << 20,
		InputBytes:         4 << 20,
		OutputBytes:        1 << 20,
		LogBytes:           64 << 10,
		LogLineBytes:       4 << 10,
		HostCalls:          64,
		SmallCalls:         1000,
		RequestBytes:       1 << 20,
		ResponseBytes:      6 << 20,
		VarBytes:           256 << 10,
		Workers:            16,
		WorkerCalls:        4,
		WorkerBytes:        512 << 20,
		WorkerIdle:         5 * time.Minute,
		WorkerGrace:        time.Second,
	}
}

// withDefaults fills the zero fields of l from d.
func (l Limits) withDefaults(d Limits) Limits {
	if l.Module.ModuleBytes == 0 {
		l.Module = d.Module
	}
	fill(&l.CompileTime, d.CompileTime)
	fill(&l.CompileMemoryBytes, d.CompileMemoryBytes)
	fill(&l.StartTime, d.StartTime)
	fill(&l.Timeout, d.Timeout)
	fill(&l.GuestTime, d.GuestTime)
	fill(&l.MemoryBytes, d.MemoryBytes)
	fill(&l.BlockBytes, d.BlockBytes)
	fill(&l.InputBytes, d.InputBytes)
	fill(&l.OutputBytes, d.OutputBytes)
	fill(&l.LogBytes, d.LogBytes)
	fill(&l.LogLineBytes, d.LogLineBytes)
	fill(&l.HostCalls, d.HostCalls)
	fill(&l.SmallCalls, d.SmallCalls)
	fill(&l.RequestBytes, d.RequestBytes)
	fill(&l.ResponseBytes, d.ResponseBytes)
	fill(&l.VarBytes, d.VarBytes)
	fill(&l.Workers, d.Workers)
	fill(&l.WorkerCalls, d.WorkerCalls)
	fill(&l.WorkerBytes, d.WorkerBytes)
	fill(&l.WorkerIdle, d.WorkerIdle)
	fill(&l.WorkerGrace, d.WorkerGrace)
	l.MemoryBytes &^= pageBytes - 1
	l.Module.MemoryPages = min(l.Module.MemoryPages, uint32(l.MemoryBytes/pageBytes))
	return l
}

// lowered returns l with what a plugin or a caller asks for, where that is less:
// nobody but the operator raises a limit.
func (l Limits) lowered(by *contract.Limits) Limits {
	if by == nil {
		return l
	}
	lower(&l.MemoryBytes, by.MemoryBytes&^(pageBytes-1))
	lower(&l.OutputBytes, by.OutputBytes)
	lower(&l.LogBytes, by.LogBytes)
	lower(&l.HostCalls, by.HostCalls)
	lower(&l.Timeout, milliseconds(by.TimeoutMS))
	return l
}

// milliseconds converts without overflow: an absurd number is no limit.
func milliseconds(n int64) time.Duration {
	if n > int64(24*time.Hour/time.Millisecond) {
		return 0
	}
	return time.Duration(n) * time.Millisecond
}

// number is what limits are counted in.
type number interface{ ~int | ~int64 }

// fill sets a zero limit to its default.
func fill[T number](l *T, d T) {
	if *l <= 0 {
		*l = d
	}
}

// lower lowers a limit to a positive wish.
func lower[T number](l *T, wish T) {
	if wish > 0 {
		*l = min(*l, wish)
	}
}
