package wasm

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/wasm/binary"
)

// RawCall is one instance of a module that keeps its state from call to call, with
// nothing around the call: no limits, no watch, no fresh memory. It is what the
// runtime itself costs, for benchmarks; nothing else may use it.
type RawCall struct {
	module *Module
	live   *live
	v      *invocation
	inst   *instance
	f      api.Function
	ctx    context.Context
}

// RawCall makes an instance for calls of export with input.
func (m *Module) RawCall(ctx context.Context, export string, input []byte) (*RawCall, error) {
	l, e := m.acquire(ctx)
	if e != nil {
		return nil, e
	}
	r := &RawCall{module: m, live: l, v: newInvocation(m.host, m.limits, Call{Input: input})}
	r.ctx = &invocationContext{ctx, r.v}
	if r.inst, e = l.make(ctx, r.v); e != nil {
		return nil, e
	}
	r.v.clock.timer = time.NewTimer(time.Hour)
	r.f = r.inst.inst.ExportedFunction(export)
	return r, nil
}

// Call calls the export.
func (r *RawCall) Call() error {
	r.v.blocks, r.v.output, r.v.counts = blocks{}, nil, counts{}
	var stack [1]uint64
	defer r.v.leave()
	return r.f.CallWithStack(r.ctx, stack[:])
}

// Close frees the instance.
func (r *RawCall) Close() error {
	defer r.module.release(r.ctx, r.live)
	return r.live.discard(r.ctx, r.inst)
}

// LoopTimes returns the least time of the export execute of a module as it is and as
// the host rewrites it, of rounds runs each, by turns.
func LoopTimes(ctx context.Context, module []byte, rounds int) (plain, rewritten time.Duration, err error) {
	m, err := binary.Parse(module, "", binary.DefaultLimits())
	if err != nil {
		return 0, 0, err
	}
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler())
	defer r.Close(ctx)
	best := [2]time.Duration{time.Hour, time.Hour}
	var fs [2]api.Function
	for i, code := range [][]byte{module, binary.Rewrite(m, 0).Bytes} {
		inst, err := r.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithName(""))
		if err != nil {
			return 0, 0, err
		}
		fs[i] = inst.ExportedFunction("execute")
	}
	for range rounds {
		for i, f := range fs {
			began := time.Now()
			if _, err := f.Call(ctx); err != nil {
				return 0, 0, err
			}
			best[i] = min(best[i], time.Since(began))
		}
	}
	return best[0], best[1], nil
}

// HostFunction is a function that modules may import.
type HostFunction struct{ Module, Name, Sig string }

// HostFunctions lists them in a fixed order.
func HostFunctions() []HostFunction {
	var all []HostFunction
	for _, f := range allFuncs() {
		all = append(all, HostFunction{f.module, f.name, f.sig})
	}
	return all
}

// Inputs is inputs.
func Inputs(t *testing.T, normal, few int) int { t.Helper(); return inputs(t, normal, few) }

// SetLanePatience sets how long calls wait on a lane before the pipe takes them over.
func (ws *Workers) SetLanePatience(d time.Duration) { ws.patience = d }

// KillAll kills every process, and does not wait until they are gone.
func (ws *Workers) KillAll() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, list := range ws.procs {
		for _, w := range list {
			w.kill(demise{code: CodeTimeout, why: "a test says so"})
		}
	}
}

// CallTaped makes a call and returns the tape that the host kept of it, too.
func (ws *Workers) CallTaped(ctx context.Context, m Isolated, c Call) (Result, *replay.Recording, error) {
	at := &place{slots: ws.host.slots}
	defer at.leave()
	v, err := ws.take(ctx, m, &c, at)
	if err != nil {
		return Result{}, nil, err
	}
	defer ws.give(v.w, v)
	r, err := v.make(ctx, &c)
	return r, v.remains(errReplay), err
}

// CallRode makes a call and reports whether it rode with another.
func (ws *Workers) CallRode(ctx context.Context, m Isolated, c Call) (r Result, rode bool, err error) {
	at := &place{slots: ws.host.slots}
	defer at.leave()
	v, err := ws.take(ctx, m, &c, at)
	if err != nil {
		return Result{}, false, err
	}
	defer ws.give(v.w, v)
	r, err = v.make(ctx, &c)
	return r, v.rides, err
}

// PublishEntry publishes a cache entry as a compiler would have left it.
func (h *Host) PublishEntry(ctx context.Context, name string) error {
	work, err := os.MkdirTemp(h.cacheDir, "compiling-")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(work, "code"), []byte("code"), 0o600); err != nil {
		return err
	}
	stock, err := takeStock(work)
	if err != nil {
		return err
	}
	text, err := json.Marshal(stock)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(work, receiptName), text, 0o600); err != nil {
		return err
	}
	if e := h.publish(ctx, work, filepath.Join(h.cacheDir, name)); e != nil {
		return e
	}
	return verify(filepath.Join(h.cacheDir, name))
}

// PIDs lists the worker processes that there are.
func (ws *Workers) PIDs() []int {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	var pids []int
	for _, list := range ws.procs {
		for _, w := range list {
			pids = append(pids, w.pid())
		}
	}
	return pids
}
