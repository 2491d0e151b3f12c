package wasm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/culmhq/culm/host/wasm/binary"
	"github.com/culmhq/culm/pdk/contract"
)

// live is a module that is compiled and has its memory image: what calls need.
type live struct {
	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	compiled wazero.CompiledModule
	config   wazero.ModuleConfig
	buffers  *buffers
	// initialised says that the image was taken after initialisation; otherwise
	// each call initialises its instance itself.
	initialised bool
	globals     []globalValue
	growPages   uint32 // by which the image exceeds the declared memory
	start       []string
	refs        int // guarded by Module.mu
}

// globalValue is the value that a mutable global had after initialisation.
type globalValue struct {
	export string
	value  uint64
}

// globalsMax bounds the globals that are restored for each call; a module with more
// mutable globals is initialised anew instead.
const globalsMax = 256

// build compiles a module through the cache in dir and takes its image. Only the
// child process calls it for a module that was never compiled.
func (h *Host) build(ctx context.Context, a *analysis, dir string, lim Limits) (l *live, e *Error) {
	defer func() {
		if r := recover(); r != nil {
			l, e = nil, failure(contract.OriginPlugin, CodeModuleInvalid, "the compiler cannot handle the module").
				because(fmt.Errorf("%w: %v", errCompilerPanic, r))
		}
	}()
	rw := binary.Rewrite(a.module, lim.Module.TableElements)
	l = &live{config: wazero.NewModuleConfig().WithName("").WithStartFunctions(), start: startExports(a)}
	if e := l.compile(ctx, rw.Bytes, dir); e != nil {
		return nil, e
	}
	if e := l.snapshot(ctx, h, a, rw, lim); e != nil {
		if err := l.close(); err != nil {
			e.Cause = errors.Join(e.Cause, err)
		}
		return nil, e
	}
	return l, nil
}

// errCompilerPanic is the cause of a refusal because wazero panicked, which some
// malformed modules make it do.
var errCompilerPanic = errors.New("the compiler panicked")

// compile makes a runtime and compiles the rewritten module. Each module has its
// own runtime and cache directory: dropping one frees all it holds, and a damaged
// or hostile entry concerns no other.
func (l *live) compile(ctx context.Context, rewritten []byte, dir string) *Error {
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return hostFault("the compilation cache", err)
	}
	l.cache = cache
	l.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().
		WithCoreFeatures(api.CoreFeaturesV2).WithCompilationCache(cache).WithDebugInfoEnabled(false))
	if l.compiled, err = l.runtime.CompileModule(ctx, rewritten); err != nil {
		_ = l.close() // the refusal is what matters
		return failure(contract.OriginPlugin, CodeModuleInvalid, "%s", clean(firstLine(err.Error()), 500)).because(err)
	}
	if err := link(ctx, l.runtime); err != nil {
		_ = l.close()
		return hostFault("linking host functions", err)
	}
	return nil
}

// close frees the module. Nothing may be using it.
func (l *live) close() error {
	ctx := context.Background()
	var errs []error
	if l.buffers != nil {
		errs = append(errs, l.buffers.close(), l.buffers.image.mapping.close())
	}
	if l.runtime != nil {
		errs = append(errs, l.runtime.Close(ctx))
	}
	if l.cache != nil {
		errs = append(errs, l.cache.Close(ctx))
	}
	return errors.Join(errs...)
}

// startExports lists the functions that initialise the module, in order: the start
// function, the reactor's initialisation, and the Haskell runtime's.
func startExports(a *analysis) []string {
	var names []string
	if a.module.Start != nil {
		names = append(names, binary.StartExport)
	}
	if a.calls["_initialize"] == returnsNone {
		names = append(names, "_initialize")
	} else if a.calls["__wasm_call_ctors"] == returnsNone {
		names = append(names, "__wasm_call_ctors")
	}
	if e, ok := a.module.Export("hs_init", binary.KindFunc); ok {
		if t, _ := a.module.Func(e.Index); len(t.Params) == 2 && t.Params[0] == binary.I32 && t.Params[1] == binary.I32 {
			names = append(names, "hs_init")
		}
	}
	return names
}

// snapshot takes the memory image: after initialisation where that is sound, else
// before it.
func (l *live) snapshot(ctx context.Context, h *Host, a *analysis, rw binary.Rewritten, lim Limits) *Error {
	before := make([]byte, uint64(a.module.MemoryMin)*pageBytes)
	a.module.ApplyData(before)
	if e := l.setImage(h, before, nil, lim); e != nil {
		return e
	}
	if len(l.start) == 0 {
		l.initialised = true
		return nil
	}
	v := newInvocation(h, lim, Call{})
	v.enter(ctx)
	defer v.leave()
	var taken *frozen
	if e := l.with(ctx, v, func(ictx context.Context, inst api.Module) *Error {
		if e := l.initialise(ictx, v, inst); e != nil {
			return e
		}
		taken = l.freeze(v, inst, a, rw)
		return nil
	}); e != nil {
		return e
	}
	if taken == nil {
		return nil
	}
	old := l.buffers
	if e := l.setImage(h, taken.memory, taken.random, lim); e != nil {
		return e
	}
	l.globals, l.initialised = taken.globals, true
	l.growPages = uint32(len(taken.memory)/pageBytes) - a.module.MemoryMin
	if err := errors.Join(old.close(), old.image.mapping.close()); err != nil {
		return hostFault("freeing a memory image", err)
	}
	return nil
}

// setImage makes buffers that hold data.
func (l *live) setImage(h *Host, data []byte, random []span, lim Limits) *Error {
	m, err := newMapping(data)
	if err != nil {
		return hostFault("a memory image", err)
	}
	l.buffers = &buffers{
		image:   &image{mapping: m, size: uint64(len(data)), random: random},
		reserve: max(uint64(lim.MemoryBytes), uint64(len(data))),
		keep:    cap(h.slots), dirt: h.dirt,
	}
	return nil
}

// frozen is what was taken from an initialised instance.
type frozen struct {
	memory  []byte
	random  []span
	globals []globalValue
}

// freeze takes the image of an initialised instance, or nothing where a call would
// notice that it did not initialise itself: the tables or segments may have
// changed, host state or the time was read, or randomness that cannot be renewed.
func (l *live) freeze(v *invocation, inst api.Module, a *analysis, rw binary.Rewritten) *frozen {
	f := a.module.Features
	noSnapshot := a.info.Manifest != nil && a.info.Manifest.NoSnapshot
	if noSnapshot || f.TableWrites || f.DataDrops || len(rw.Globals) > globalsMax {
		return nil
	}
	t := &v.touch
	if t.blocks || t.realtime || v.output != nil {
		return nil
	}
	taken := &frozen{memory: v.memory.base[:v.memory.size]}
	if len(t.random) > 0 || t.mono {
		drew := !rw.TracksDraws || inst.ExportedGlobal(binary.DrawExport).Get() != 0
		if len(t.random) != 1 || drew {
			return nil
		}
		var ok bool
		if taken.random, ok = goSeeds(t.random[0], taken.memory); !ok {
			return nil
		}
	}
	for _, i := range rw.Globals {
		switch a.module.Globals[i].Type {
		case binary.I32, binary.I64, binary.F32, binary.F64:
			name := binary.GlobalExport(i)
			taken.globals = append(taken.globals, globalValue{name, inst.ExportedGlobal(name).Get()})
		default:
			return nil
		}
	}
	taken.memory = append([]byte{}, taken.memory...)
	return taken
}

// run makes an instance, calls the export in it and frees it.
func (l *live) run(ctx context.Context, v *invocation, export string, kind callable) (status uint32, e *Error) {
	e = l.with(ctx, v, func(ictx context.Context, inst api.Module) *Error {
		if !l.initialised {
			if e := l.initialise(ictx, v, inst); e != nil {
				return e
			}
		}
		v.initialised, v.output = true, nil
		var stack [1]uint64
		if e := l.enterGuest(ictx, v, inst, export, stack[:], v.limits.GuestTime); e != nil {
			return e
		}
		if kind == returnsStatus {
			status = uint32(stack[0])
		}
		return nil
	})
	return status, e
}

// with makes an instance over a buffer that holds the image, hands it to f, and
// gives the buffer back.
func (l *live) with(ctx context.Context, v *invocation, f func(context.Context, api.Module) *Error) (e *Error) {
	b, err := l.buffers.take(uint64(v.limits.MemoryBytes))
	if err != nil {
		return hostFault("memory for a plugin", err)
	}
	v.memory = b
	ictx := &invocationContext{ctx, v}
	defer func() {
		v.peak = int64(b.high)
		if err := l.buffers.give(b); err != nil && e == nil {
			e = hostFault("freeing the memory of a plugin", err)
		}
	}()
	inst, err := l.runtime.InstantiateModule(experimental.WithMemoryAllocator(ictx, b), l.compiled, l.config)
	if err != nil {
		return ended{err: err}.instantiation()
	}
	defer func() {
		if err := inst.Close(context.Background()); err != nil && e == nil {
			e = hostFault("closing a plugin", err)
		}
	}()
	if e := l.furnish(v, inst); e != nil {
		return e
	}
	return f(ictx, inst)
}

// furnish brings a new instance into the state of the image: the memory's size, the
// globals, and fresh randomness where the image held some.
func (l *live) furnish(v *invocation, inst api.Module) *Error {
	if l.growPages > 0 {
		if _, ok := inst.Memory().Grow(l.growPages); !ok {
			return failure(contract.OriginLimit, CodeResource,
				"the plugin's %d MiB of memory do not hold it after initialisation", v.limits.MemoryBytes>>20)
		}
	}
	for _, g := range l.globals {
		inst.ExportedGlobal(g.export).(api.MutableGlobal).Set(g.value)
	}
	for _, s := range l.buffers.image.random {
		v.host.random(v.memory.base[s.offset : s.offset+s.size])
	}
	return nil
}

// initialise runs the functions that initialise an instance, under their own
// deadline.
func (l *live) initialise(ctx context.Context, v *invocation, inst api.Module) *Error {
	deadline, cancel := context.WithTimeout(ctx, v.limits.StartTime)
	defer cancel()
	ictx := &invocationContext{deadline, v}
	for _, name := range l.start {
		var stack [2]uint64
		e := l.enterGuest(ictx, v, inst, name, stack[:], v.limits.StartTime)
		if e != nil && e.Failure.Code == CodeTimeout {
			late := failure(contract.OriginLimit, CodeStartTimeout,
				"the plugin's initialisation did not end within %s", v.limits.StartTime)
			return late.because(e.Cause)
		}
		if e != nil {
			return e
		}
	}
	return nil
}

// enterGuest calls an export under the watch of the context and of the guest's own
// time.
func (l *live) enterGuest(ctx context.Context, v *invocation, inst api.Module, export string, stack []uint64, guest time.Duration) *Error {
	f := inst.ExportedFunction(export)
	stop, ok := inst.ExportedGlobal(binary.StopExport).(api.MutableGlobal)
	if f == nil || !ok {
		return hostFault("an export that was there is gone", nil)
	}
	end := v.begin(ctx, stop, guest)
	err := f.CallWithStack(ctx, stack)
	end()
	runtime.KeepAlive(inst)
	if err == nil {
		return nil
	}
	var x *exit
	if errors.As(err, &x) && x.status == 0 {
		return nil
	}
	v.flushPrints()
	return ended{
		err: err, aborted: v.aborted, timeout: v.timeout, starved: v.memory.starved,
		memoryBytes: v.limits.MemoryBytes, stderr: v.log.lastError,
	}.classify()
}

// instantiation classifies an error of instantiating: segments that do not fit are
// the module's fault.
func (e ended) instantiation() *Error {
	return failure(contract.OriginPlugin, CodeModuleInvalid, "the module cannot be instantiated: %s",
		clean(firstLine(e.err.Error()), 300)).because(e.err)
}
