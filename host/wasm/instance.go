package wasm

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/culmhq/culm/host/wasm/binary"
	"github.com/culmhq/culm/pdk/contract"
)

// instance is an instance of a module, in the state in which a call begins while it
// is idle. What a WebAssembly instance can remember is its memory, its globals, its
// tables, and which segments were dropped. Where a module has no instruction that
// could change the last two (live.renewable), an instance whose memory and globals
// are restored is the same as a new one, and restoring is what costs least: making
// the table of a Go module takes longer than its call.
type instance struct {
	inst    api.Module
	memory  *buffer
	stop    api.MutableGlobal
	globals []api.MutableGlobal // in the order of live.globals
	// funcs are the functions that were looked up, with their native stacks.
	funcs map[string]api.Function
}

// instances are idle instances.
type instances struct {
	mu     sync.Mutex
	free   []*instance
	keep   int
	closed bool
}

// take returns an idle instance, or nil.
func (s *instances) take() *instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.free)
	if n == 0 {
		return nil
	}
	i := s.free[n-1]
	s.free = s.free[:n-1]
	return i
}

// put keeps an instance, or reports that there are enough.
func (s *instances) put(i *instance) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.free) >= s.keep {
		return false
	}
	s.free = append(s.free, i)
	return true
}

// drain takes all instances out and keeps no more.
func (s *instances) drain() []*instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.free
	s.free, s.closed = nil, true
	return all
}

// run calls an export in an instance that is as after initialisation. An instance that may
// serve another call is returned, for keep: who waits for the result need not wait for that.
func (l *live) run(ctx context.Context, v *invocation, export string, kind callable) (uint32, *instance, *Error) {
	if v.player != nil {
		status, e := l.rerun(ctx, v, export, kind)
		return status, nil, e
	}
	i, e := l.ready(ctx, v)
	if e != nil {
		return 0, nil, e
	}
	var stack [1]uint64
	if !l.initialised {
		e = l.initialise(ctx, v, i)
	}
	if e == nil {
		v.initialised, v.output = true, nil
		e = l.enterGuest(ctx, v, i, export, stack[:], v.limits.GuestTime)
	}
	v.peak = int64(i.memory.high)
	// A guest that was unwound is not used again.
	if !v.unwound && e == nil && l.renewable {
		return statusOf(kind, stack[0]), i, nil
	}
	if err := l.discard(ctx, i); err != nil && e == nil {
		e = hostFault("closing a plugin", err)
	}
	return statusOf(kind, stack[0]), nil, e
}

// keep restores an instance that run returned, for the next call, or closes it.
func (l *live) keep(ctx context.Context, v *invocation, i *instance) {
	if i == nil || l.renew(v, i) && l.idle.put(i) {
		return
	}
	if err := l.discard(ctx, i); err != nil {
		v.host.logger.ErrorContext(ctx, "an instance of a plugin could not be closed", slog.Any("error", err))
	}
}

// statusOf returns the status that an export left.
func statusOf(kind callable, result uint64) uint32 {
	if kind == returnsStatus {
		return uint32(result)
	}
	return 0
}

// ready returns an instance for v, renewed or new, with fresh randomness where the
// image held some.
func (l *live) ready(ctx context.Context, v *invocation) (*instance, *Error) {
	i := l.idle.take()
	if i == nil {
		var e *Error
		if i, e = l.make(ctx, v); e != nil {
			return nil, e
		}
	}
	v.memory = i.memory
	i.memory.limit = min(uint64(v.limits.MemoryBytes), l.buffers.reserve)
	for _, s := range l.buffers.image.random {
		fresh := i.memory.base[s.offset : s.offset+s.size]
		v.host.random(fresh)
		if v.tape != nil {
			v.tape.Fresh(fresh)
		}
	}
	return i, nil
}

// make instantiates the module over a buffer that holds the image.
func (l *live) make(ctx context.Context, v *invocation) (*instance, *Error) {
	b, err := l.buffers.take(uint64(v.limits.MemoryBytes))
	if err != nil {
		return nil, hostFault("memory for a plugin", err)
	}
	v.memory = b
	inst, err := l.runtime.InstantiateModule(experimental.WithMemoryAllocator(ctx, b), l.compiled, l.config)
	if err != nil {
		err = errors.Join(err, l.buffers.give(b))
		return nil, failure(contract.OriginPlugin, CodeModuleInvalid, "the module cannot be instantiated: %s",
			clean(firstLine(err.Error()), 300)).because(err)
	}
	i := &instance{inst: inst, memory: b, funcs: map[string]api.Function{}}
	if e := l.furnish(v, i); e != nil {
		if err := l.discard(ctx, i); err != nil {
			e.Cause = err
		}
		return nil, e
	}
	return i, nil
}

// furnish looks up the globals of a new instance and brings it into the state of
// the image.
func (l *live) furnish(v *invocation, i *instance) *Error {
	var ok bool
	if i.stop, ok = i.inst.ExportedGlobal(binary.StopExport).(api.MutableGlobal); !ok {
		return hostFault("an export that was there is gone", nil)
	}
	for _, g := range l.globals {
		m, ok := i.inst.ExportedGlobal(g.export).(api.MutableGlobal)
		if !ok {
			return hostFault("an export that was there is gone", nil)
		}
		m.Set(g.value)
		i.globals = append(i.globals, m)
	}
	if grow := uint32((l.buffers.image.size - i.memory.size) / pageBytes); grow > 0 {
		if _, ok := i.inst.Memory().Grow(grow); !ok {
			return failure(contract.OriginLimit, CodeResource,
				"the plugin's %d MiB of memory do not hold it after initialisation", v.limits.MemoryBytes>>20)
		}
	}
	return nil
}

// stackTime is the guest time up to which a call's native stack is kept for the
// next: none can have grown it far by then.
const stackTime = time.Millisecond

// renew restores an instance whose call has returned, and reports whether it can be
// used again.
func (l *live) renew(v *invocation, i *instance) bool {
	if size := l.buffers.image.size; i.memory.size != size && !i.shrink(size) {
		return false
	}
	if !l.buffers.restore(i.memory) {
		return false
	}
	for n, g := range l.globals {
		i.globals[n].Set(g.value)
	}
	i.stop.Set(0)
	if v.clock.used > stackTime {
		clear(i.funcs)
	}
	return true
}

// shrink makes the memory smaller again, which WebAssembly cannot: the instance is
// asked to grow, the allocator answers with the smaller memory, and the runtime
// takes over what it is given. It reports whether that went as it should.
func (i *instance) shrink(size uint64) bool {
	i.memory.shrinkTo = size
	i.inst.Memory().Grow(1)
	i.memory.shrinkTo = 0
	return i.memory.size == size && uint64(i.inst.Memory().Size()) == size
}

// discard closes an instance, whether ctx has ended or not, and gives its buffer
// back.
func (l *live) discard(ctx context.Context, i *instance) error {
	return errors.Join(i.inst.Close(context.WithoutCancel(ctx)), l.buffers.give(i.memory))
}

// initialise runs the functions that initialise an instance, under their own
// deadline.
func (l *live) initialise(ctx context.Context, v *invocation, i *instance) *Error {
	ctx, cancel := context.WithTimeout(ctx, v.limits.StartTime)
	defer cancel()
	for _, name := range l.start {
		var stack [2]uint64
		e := l.enterGuest(ctx, v, i, name, stack[:], v.limits.StartTime)
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
func (l *live) enterGuest(ctx context.Context, v *invocation, i *instance, export string, stack []uint64, guest time.Duration) *Error {
	f := i.funcs[export]
	if f == nil {
		if f = i.inst.ExportedFunction(export); f == nil {
			return hostFault("an export that was there is gone", nil)
		}
		i.funcs[export] = f
	}
	end := v.begin(ctx, i.stop, guest)
	err := f.CallWithStack(&invocationContext{ctx, v}, stack) //nolint:contextcheck // it is ctx, with the invocation
	end()
	if err == nil {
		return nil
	}
	var x *exit
	v.unwound = true
	if errors.As(err, &x) && x.status == 0 {
		return nil
	}
	v.flushPrints()
	return ended{
		err: err, aborted: v.aborted, timeout: v.timeout, starved: i.memory.starved,
		memoryBytes: v.limits.MemoryBytes, stderr: v.log.lastError,
	}.classify()
}
