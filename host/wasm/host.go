package wasm

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/culmhq/culm/host/wasm/confine"
	"github.com/culmhq/culm/pdk/contract"
)

// Config says how a Host works.
type Config struct {
	// CacheDir is the directory for compiled modules, made with mode 0700 if it
	// does not exist. It holds native code: whoever can write there controls the
	// process. Required.
	CacheDir string
	// Compiler makes the command that runs CompilerMain: Culm itself with a hidden
	// argument. Standard input and output, the environment and the working
	// directory are set by the host. Required.
	Compiler func(context.Context) *exec.Cmd
	// Worker makes the command that runs WorkerMain: Culm itself with another hidden
	// argument. Without it there are no workers, and Workers is nil.
	Worker func(context.Context) *exec.Cmd
	// Limits are the limits for all plugins; zero fields take DefaultLimits.
	Limits Limits
	// Logger gets what operators of Culm should know; nil drops it.
	Logger *slog.Logger
	// Now is the clock, nil for the system's.
	Now func() time.Time
	// Parallel bounds the guests that run at the same time; zero takes the number
	// of processors that Go uses. Native code is not preemptible between two
	// yields, so more than that would starve everything else.
	Parallel int
	// LoadedMax bounds the modules kept ready; the least recently used is dropped
	// and comes back from CacheDir when it is called. Zero takes 64.
	LoadedMax int
	// IdleAfter is how long a module stays ready at least without being called; it
	// goes before twice that time is over and comes back as above. Zero takes ten
	// minutes.
	IdleAfter time.Duration
}

// Host runs plugin modules. It is safe for concurrent use.
type Host struct {
	cacheDir  string
	compiler  func(context.Context) *exec.Cmd
	limits    Limits
	logger    *slog.Logger
	now       func() time.Time
	epoch     time.Time
	loadedMax int
	idleAfter time.Duration
	slots     chan struct{} // places to run guests in
	compiling chan struct{} // places to compile in
	dirt      *dirtReader
	spawn     *spawner // nil in a child process
	workers   *Workers
	// seal is called once, in a child process, before any code of a module runs.
	seal func() error
	// mayDie says that this is a child process that only compiles: it takes every processor
	// for that. Elsewhere a panic of the compiler on another goroutine would be the end of
	// the program, so it gets one.
	mayDie bool

	uses  atomic.Uint64 // numbers the uses of modules
	ready atomic.Int64  // modules that are ready

	mu      sync.Mutex
	modules map[string]*Module
	closed  bool
}

// errConfig is why New refuses a Config.
var errConfig = errors.New("plugin host: incomplete configuration")

// ErrClosed is the cause when the host was closed.
var ErrClosed = errors.New("the plugin host is closed")

// New returns a host. Close it when no call is running any more.
func New(_ context.Context, c Config) (*Host, error) {
	if c.CacheDir == "" {
		return nil, fmt.Errorf("%w: CacheDir is empty", errConfig)
	}
	if c.Compiler == nil {
		return nil, fmt.Errorf("%w: Compiler is nil", errConfig)
	}
	dir, err := filepath.Abs(c.CacheDir)
	if err != nil {
		return nil, fmt.Errorf("plugin host: cache directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("plugin host: cache directory: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a directory needs its x bit
		return nil, fmt.Errorf("plugin host: cache directory: %w", err)
	}
	h := newHost(c)
	h.cacheDir = dir
	if err := confine.KeepFiles(); err != nil {
		return nil, fmt.Errorf("plugin host: %w", err)
	}
	h.spawn = newSpawner(h.logger)
	if c.Worker != nil {
		h.workers = newWorkers(h, c.Worker)
	}
	return h, nil
}

// newHost fills in defaults.
func newHost(c Config) *Host {
	h := &Host{
		compiler:  c.Compiler,
		limits:    c.Limits.withDefaults(DefaultLimits()),
		logger:    c.Logger,
		now:       c.Now,
		loadedMax: c.LoadedMax,
		idleAfter: c.IdleAfter,
		modules:   map[string]*Module{},
		dirt:      newDirtReader(),
	}
	if h.logger == nil {
		h.logger = slog.New(slog.DiscardHandler)
	}
	if h.now == nil {
		h.now = time.Now
	}
	h.epoch = h.now()
	fill(&h.loadedMax, 64)
	fill(&h.idleAfter, 10*time.Minute)
	fill(&c.Parallel, runtime.GOMAXPROCS(0))
	h.slots = make(chan struct{}, c.Parallel)
	h.compiling = make(chan struct{}, max(runtime.NumCPU()/2, 1))
	return h
}

// Limits returns the limits in force.
func (h *Host) Limits() Limits { return h.limits }

// Workers returns the worker processes, nil when the host was given no way to start
// them.
func (h *Host) Workers() *Workers { return h.workers }

// Inspect tells whether the host accepts a module, and what it is. A child process
// reads it, checks its imports and manifest, compiles and initialises it under
// limits: nothing of this process but a hash looks at the bytes. The error is an
// *Error.
func (h *Host) Inspect(ctx context.Context, wasm []byte) (Info, error) {
	if len(wasm) > h.limits.Module.ModuleBytes {
		return Info{}, failure(contract.OriginLimit, CodeModuleLimit,
			"the module is %d bytes, the limit is %d", len(wasm), h.limits.Module.ModuleBytes)
	}
	digest := Digest(wasm)
	dir := filepath.Join(h.cacheDir, h.cacheKey(digest))
	if verify(dir) == nil {
		return h.runCompiler(ctx, "", digest, wasm)
	}
	if e := h.compileTurn(ctx); e != nil {
		return Info{}, e
	}
	defer func() { <-h.compiling }()
	return h.compileInto(ctx, dir, digest, wasm)
}

// Load makes a module ready to be called. The bytes must have the digest. A module
// that is loaded already is returned as it is. The host keeps a reference to wasm,
// which must not be changed. The error is an *Error.
func (h *Host) Load(ctx context.Context, digest string, wasm []byte) (*Module, error) {
	if got := Digest(wasm); got != digest {
		return nil, failure(contract.OriginHost, CodeDigestMismatch,
			"the module's bytes have digest %s, expected %s", got, clean(digest, 100))
	}
	a, e := analyse(wasm, h.limits)
	if e != nil {
		return nil, e
	}
	h.mu.Lock()
	m, ok := h.modules[digest]
	if !ok {
		m = &Module{host: h, info: a.info, calls: a.calls, wasm: wasm}
		if l := a.info.Manifest; l != nil {
			m.limits = h.limits.lowered(l.Limits)
		} else {
			m.limits = h.limits
		}
		h.modules[digest] = m
	}
	h.mu.Unlock()
	l, e := m.acquire(ctx)
	if e != nil {
		h.mu.Lock()
		if h.modules[digest] == m && !ok {
			delete(h.modules, digest)
		}
		h.mu.Unlock()
		return nil, e
	}
	m.release(ctx, l)
	return m, nil
}

// Loaded returns a module that Load returned before, so that its bytes need not be
// fetched again.
func (h *Host) Loaded(digest string) (*Module, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, ok := h.modules[digest]
	return m, ok
}

// Forget drops a module: Loaded does not find it any more, and its memory is
// freed when its last call ends.
func (h *Host) Forget(digest string) {
	h.mu.Lock()
	m := h.modules[digest]
	delete(h.modules, digest)
	h.mu.Unlock()
	if m != nil {
		m.drop(context.Background())
	}
}

// Close frees everything; a second call does nothing. Calls that are running go on to their end; new ones
// fail.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	ms := h.modules
	h.modules = map[string]*Module{}
	h.mu.Unlock()
	for _, m := range ms {
		m.drop(context.Background())
	}
	if h.workers != nil {
		h.workers.close()
	}
	h.spawn.close()
	return h.dirt.close()
}

// used notes the use of a module and drops the least recently used one that is
// idle while more than loadedMax are ready.
func (h *Host) used(ctx context.Context, m *Module) {
	m.lastUse.Store(h.uses.Add(1))
	if h.ready.Load() <= int64(h.loadedMax) {
		return
	}
	h.mu.Lock()
	var oldest *Module
	for _, o := range h.modules {
		idle := o != m && o.ready.Load() && o.inflight.Load() == 0
		if idle && (oldest == nil || o.lastUse.Load() < oldest.lastUse.Load()) {
			oldest = o
		}
	}
	h.mu.Unlock()
	if oldest != nil {
		oldest.drop(ctx)
	}
}

// random fills b with randomness from the operating system.
func (h *Host) random(b []byte) {
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process first
}
