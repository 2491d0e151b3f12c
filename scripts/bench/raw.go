package main

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// engine is a module compiled by the bare runtime, with the least that Extism's functions can be.
type engine struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

// raw is one instance on the bare runtime: no limits, no deadline, and the state stays from call to call. It is the physical
// limit of the other figures.
type raw struct {
	inst   api.Module
	funcs  map[string]api.Function
	input  []byte
	area   []byte
	output []byte
}

// rawContext carries the instance to the host functions.
type rawContext struct {
	context.Context
	r *raw
}

// newEngine compiles a module.
func newEngine(ctx context.Context, module []byte, config wazero.RuntimeConfig) (*engine, error) {
	e := &engine{runtime: wazero.NewRuntimeWithConfig(ctx, config)}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, e.runtime); err != nil {
		return nil, err
	}
	b := e.runtime.NewHostModuleBuilder("extism:host/env")
	for name, f := range extismFuncs() {
		b.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(ctx context.Context, s []uint64) {
			f.fn(ctx.(*rawContext).r, s)
		}), f.params, f.results).Export(name)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		return nil, err
	}
	var err error
	e.compiled, err = e.runtime.CompileModule(ctx, module)
	return e, err
}

// newRaw makes an instance.
func (e *engine) newRaw(ctx context.Context) (*raw, error) {
	return e.newRawOver(ctx, func(api.Memory) error { return nil })
}

// newRawOver is newRaw; fill puts into the memory what the module's data segments do not.
func (e *engine) newRawOver(ctx context.Context, fill func(api.Memory) error) (*raw, error) {
	r := &raw{funcs: map[string]api.Function{}, area: make([]byte, 8, 4<<10)}
	var err error
	r.inst, err = e.runtime.InstantiateModule(ctx, e.compiled, wazero.NewModuleConfig().WithName("").
		WithSysWalltime().WithSysNanotime().WithStartFunctions())
	if err != nil {
		return nil, err
	}
	if err := fill(r.inst.Memory()); err != nil {
		return nil, err
	}
	if f := r.inst.ExportedFunction("_initialize"); f != nil {
		_, err = f.Call(&rawContext{ctx, r})
	}
	return r, err
}

// hostFunc is a function of Extism's.
type hostFunc struct {
	params, results []api.ValueType
	fn              func(r *raw, s []uint64)
}

// extismFuncs are the functions that the modules may import.
func extismFuncs() map[string]hostFunc {
	i64, i32 := api.ValueTypeI64, api.ValueTypeI32
	le := binary.LittleEndian
	in := func(ts ...api.ValueType) []api.ValueType { return ts }
	log := hostFunc{in(i64), nil, func(*raw, []uint64) {}}
	return map[string]hostFunc{
		"input_length":   {nil, in(i64), func(r *raw, s []uint64) { s[0] = uint64(len(r.input)) }},
		"input_load_u64": {in(i64), in(i64), func(r *raw, s []uint64) { s[0] = le.Uint64(r.input[s[0]:]) }},
		"input_load_u8":  {in(i64), in(i32), func(r *raw, s []uint64) { s[0] = uint64(r.input[s[0]]) }},
		"alloc": {in(i64), in(i64), func(r *raw, s []uint64) {
			at := len(r.area)
			r.area = append(r.area, make([]byte, (s[0]+15)&^7)...)
			s[0] = uint64(at)
		}},
		"load_u64":   {in(i64), in(i64), func(r *raw, s []uint64) { s[0] = le.Uint64(r.area[s[0]:]) }},
		"load_u8":    {in(i64), in(i32), func(r *raw, s []uint64) { s[0] = uint64(r.area[s[0]]) }},
		"store_u64":  {in(i64, i64), nil, func(r *raw, s []uint64) { le.PutUint64(r.area[s[0]:], s[1]) }},
		"store_u8":   {in(i64, i32), nil, func(r *raw, s []uint64) { r.area[s[0]] = byte(s[1]) }},
		"output_set": {in(i64, i64), nil, func(r *raw, s []uint64) { r.output = r.area[s[0] : s[0]+s[1]] }},
		"length":     {in(i64), in(i64), func(*raw, []uint64) {}},
		"free":       {in(i64), nil, func(*raw, []uint64) {}},
		"error_set":  {in(i64), nil, func(*raw, []uint64) {}},
		"log_info":   log, "log_debug": log, "log_warn": log, "log_error": log,
		"config_get":       {in(i64), in(i64), func(r *raw, s []uint64) { s[0] = 0 }},
		"var_get":          {in(i64), in(i64), func(r *raw, s []uint64) { s[0] = 0 }},
		"var_set":          {in(i64, i64), nil, func(*raw, []uint64) {}},
		"http_request":     {in(i64, i64), in(i64), func(r *raw, s []uint64) { s[0] = 0 }},
		"http_status_code": {nil, in(i32), func(r *raw, s []uint64) { s[0] = 0 }},
		"http_headers":     {nil, in(i64), func(r *raw, s []uint64) { s[0] = 0 }},
		"get_log_level":    {nil, in(i32), func(r *raw, s []uint64) { s[0] = 0 }},
	}
}

// call calls an export. The output is valid until the next call.
func (r *raw) call(ctx context.Context, export string, in []byte) ([]byte, error) {
	f := r.funcs[export]
	if f == nil {
		f = r.inst.ExportedFunction(export)
		r.funcs[export] = f
	}
	r.input, r.area, r.output = in, r.area[:8], nil
	var stack [1]uint64
	if err := f.CallWithStack(&rawContext{ctx, r}, stack[:]); err != nil {
		return nil, err
	}
	if stack[0] != 0 {
		return nil, fmt.Errorf("%s: status %d", export, stack[0])
	}
	return r.output, nil
}
