package wasm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/culmhq/culm/host/replay"
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
	// renewable says that memory and the globals below are all the state that an
	// instance has, so that it can be renewed instead of made again.
	renewable bool
	globals   []globalValue
	idle      instances
	start     []string
	codeBytes int64 // about the size of the native code
	// began is what the initialisation behind the image asked for; beganCut says that
	// this is not all of it.
	began    []replay.Event
	beganCut bool
	refs     int // guarded by Module.mu
}

// build compiles a module through the cache in dir and takes its image. Only the
// child process calls it for a module that was never compiled.
func (h *Host) build(ctx context.Context, a *analysis, dir string, lim Limits) (*live, *Error) {
	return h.assemble(ctx, a, dir, lim, (*live).snapshot)
}

// imager makes the memory image of a module that is compiled.
type imager func(l *live, ctx context.Context, h *Host, a *analysis, rw binary.Rewritten, lim Limits) *Error

// assemble compiles a module and has its image made.
func (h *Host) assemble(ctx context.Context, a *analysis, dir string, lim Limits, image imager) (l *live, e *Error) {
	defer func() {
		if r := recover(); r != nil {
			l, e = nil, compilerPanic(fmt.Sprint(r))
		}
	}()
	rw := binary.Rewrite(a.module, lim.Module.TableElements)
	l = &live{config: wazero.NewModuleConfig().WithName("").WithStartFunctions(), start: startExports(a)}
	workers := 1
	if h.mayDie {
		workers = runtime.GOMAXPROCS(0)
	}
	if e := l.compile(ctx, rw.Bytes, dir, workers); e != nil {
		return nil, e
	}
	if h.seal != nil { // from here on the module's own code runs
		if err := h.seal(); err != nil {
			return nil, hostFault("confining a process", errors.Join(err, l.close(ctx)))
		}
	}
	if e := image(l, ctx, h, a, rw, lim); e != nil {
		if err := l.close(ctx); err != nil {
			e.Cause = errors.Join(e.Cause, err)
		}
		return nil, e
	}
	l.codeBytes = filesBytes(dir)
	return l, nil
}

// errCompilerPanic is the cause of a refusal because wazero panicked, which some
// malformed modules make it do.
var errCompilerPanic = errors.New("the compiler panicked")

// compilerPanic maps a panic of the compiler: it ran into the limit of memory, or
// into a defect of its own.
func compilerPanic(text string) *Error {
	cause := fmt.Errorf("%w: %s", errCompilerPanic, text)
	if strings.Contains(text, "cannot allocate memory") {
		return failure(contract.OriginLimit, CodeCompileLimit, "compiling the module took too much memory").because(cause)
	}
	return failure(contract.OriginPlugin, CodeModuleInvalid, "the compiler cannot handle the module").because(cause)
}

// compile makes a runtime and compiles the rewritten module. Each module has its
// own runtime and cache directory: dropping one frees all it holds, and a damaged
// or hostile entry concerns no other.
func (l *live) compile(ctx context.Context, rewritten []byte, dir string, workers int) *Error {
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return hostFault("the compilation cache", err)
	}
	l.cache = cache
	l.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().
		WithCoreFeatures(api.CoreFeaturesV2).WithCompilationCache(cache).WithDebugInfoEnabled(false))
	if workers > 1 {
		ctx = experimental.WithCompilationWorkers(ctx, workers)
	}
	if l.compiled, err = l.runtime.CompileModule(ctx, rewritten); err != nil {
		_ = l.close(ctx) // the refusal is what matters
		return failure(contract.OriginPlugin, CodeModuleInvalid, "%s", clean(firstLine(err.Error()), 500)).because(err)
	}
	if err := link(ctx, l.runtime); err != nil {
		_ = l.close(ctx)
		return hostFault("linking host functions", err)
	}
	return nil
}

// close frees the module, whether ctx has ended or not. Nothing may be using it.
func (l *live) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for _, i := range l.idle.drain() {
		errs = append(errs, i.inst.Close(ctx), l.buffers.give(i.memory))
	}
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
