package wasm

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// RawCall is one instance of a module that keeps its state from call to call, with
// nothing around the call: no limits, no watch, no fresh memory. It is what the
// runtime itself costs, for benchmarks; nothing else may use it.
type RawCall struct {
	module *Module
	live   *live
	v      *invocation
	inst   api.Module
	f      api.Function
	ctx    context.Context //nolint:containedctx // handed to every call
	input  []byte
}

// RawCall makes an instance for calls of export with input.
func (m *Module) RawCall(ctx context.Context, export string, input []byte) (*RawCall, error) {
	l, e := m.acquire(ctx)
	if e != nil {
		return nil, e
	}
	r := &RawCall{module: m, live: l, input: input, v: newInvocation(m.host, m.limits, Call{Input: input})}
	r.ctx = &invocationContext{ctx, r.v}
	b, err := l.buffers.take(uint64(m.limits.MemoryBytes))
	if err != nil {
		return nil, err
	}
	r.v.memory = b
	if r.inst, err = l.runtime.InstantiateModule(experimental.WithMemoryAllocator(r.ctx, b), l.compiled, l.config); err != nil {
		return nil, fmt.Errorf("raw call: %w", err)
	}
	if e := l.furnish(r.v, r.inst); e != nil {
		return nil, e
	}
	r.f = r.inst.ExportedFunction(export)
	return r, nil
}

// Call calls the export.
func (r *RawCall) Call() error {
	r.v.blocks, r.v.output = blocks{}, nil
	var stack [1]uint64
	return r.f.CallWithStack(r.ctx, stack[:])
}

// Close frees the instance.
func (r *RawCall) Close() error {
	if err := r.inst.Close(r.ctx); err != nil {
		return fmt.Errorf("raw call: %w", err)
	}
	if err := r.live.buffers.give(r.v.memory); err != nil {
		return err
	}
	r.module.release(r.live)
	return nil
}
