package wasm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/pdk/contract"
)

// Module is a module that can be called. It is safe for concurrent use.
type Module struct {
	host   *Host
	info   Info
	calls  map[string]callable
	wasm   []byte
	limits Limits

	lastUse  atomic.Uint64
	inflight atomic.Int64
	ready    atomic.Bool

	mu   sync.Mutex // held while building
	live *live
	idle *idleWatch // of live
}

// Info returns what is known of the module.
func (m *Module) Info() Info { return m.info }

// Limits returns the limits of the module's calls: the host's, lowered by what the
// manifest asks for.
func (m *Module) Limits() Limits { return m.limits }

// Call calls an export in a fresh instance: memory, globals and tables are as they
// were after initialisation, whatever earlier calls did. The error is an *Error
// with the plugin's, the limit's or the host's failure; the Result is filled as far
// as it is known in either case. Ending ctx stops the call.
func (m *Module) Call(ctx context.Context, c Call) (result Result, err error) {
	defer func() {
		if r := recover(); r != nil {
			m.host.logger.ErrorContext(ctx, "a plugin call panicked in the host", slog.Any("panic", r))
			err = hostFault("a defect", nil)
		}
	}()
	kind, ok := m.calls[c.Export]
	if !ok || kind == notCallable {
		return Result{}, failure(contract.OriginPlugin, CodeExportMissing,
			"the module does not export %s() -> i32", clean(c.Export, 60))
	}
	lim := m.limits.lowered(&c.Limits)
	if int64(len(c.Input)) > lim.InputBytes {
		return Result{}, failure(contract.OriginLimit, CodeInputLimit,
			"the input is %d bytes, the limit is %d", len(c.Input), lim.InputBytes)
	}
	if c.Replay != nil {
		return m.replay(ctx, c, kind, lim)
	}
	l, e := m.acquire(ctx)
	if e != nil {
		return Result{}, e
	}
	defer m.release(ctx, l)
	return m.callIn(ctx, l, c, kind, lim)
}

// callIn makes a call with a live part.
func (m *Module) callIn(ctx context.Context, l *live, c Call, kind callable, lim Limits) (Result, error) {
	v := newInvocation(m.host, lim, c)
	v.enter(ctx)
	if !v.slot {
		return Result{}, stopped(context.Cause(ctx), "its turn to run")
	}
	defer v.leave()
	if c.ender == nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lim.Timeout)
		defer cancel()
	}
	v.started = m.host.now()
	if c.Replay != nil {
		v.playing, v.player = c.Replay, replay.NewPlayer(c.Replay, m.info.Digest)
	} else if c.RecordBytes > 0 {
		v.tape = replay.NewTape(c.RecordBytes)
		v.tape.Input(c.Input)
		if c.taping != nil {
			c.taping(v.tape)
		}
	}
	status, used, e := l.run(ctx, v, c.Export, kind)
	r, err := v.finish(ctx, status, e)
	switch {
	case v.tape != nil:
		r.Recording = v.recording(m, l, c, r, err)
	case v.player != nil:
		v.player.End(outcomeOf(r, err))
		r.Replay = v.player.Report(m.info.Digest)
	}
	if c.answered != nil {
		c.answered(r, err)
	}
	l.keep(ctx, v, used)
	return r, err
}

// replay makes a call from a recording, in an instance that initialises itself with
// the recorded answers: the image of this process was made with others.
func (m *Module) replay(ctx context.Context, c Call, kind callable, lim Limits) (Result, error) {
	if e := checkReplay(c); e != nil {
		return Result{}, e
	}
	dir, e := m.host.compiled(ctx, m.info.Digest, m.wasm)
	if e != nil {
		return Result{}, e
	}
	a, e := analyse(m.wasm, m.host.limits)
	if e != nil {
		return Result{}, e
	}
	l, e := m.host.assemble(ctx, a, dir, lim, (*live).bare)
	if e != nil {
		return Result{}, e
	}
	defer m.host.bury(ctx, l)
	return m.callIn(ctx, l, c, kind, lim)
}

// newInvocation makes the state of a call.
func newInvocation(h *Host, lim Limits, c Call) *invocation {
	v := &invocation{host: h, limits: lim, services: c.Services, config: c.Config, input: c.Input, ender: c.ender}
	if v.services == nil {
		v.services = None{}
	}
	return v
}

// finish makes the result of a call.
func (v *invocation) finish(ctx context.Context, status uint32, e *Error) (Result, error) {
	v.flushPrints()
	r := Result{
		LogTruncated:    v.log.truncated,
		HostCalls:       v.counts.gateway,
		PeakMemoryBytes: v.peak,
		Duration:        v.host.now().Sub(v.started),
		Guest:           v.clock.used,
	}
	switch {
	case e != nil && e.Failure.Code == CodeHostFault:
		v.host.logger.ErrorContext(ctx, "a plugin call failed in the host", slog.Any("error", e.Cause))
		return r, e
	case e != nil:
		return r, e
	case status != 0 && v.errSet == "":
		return r, failure(contract.OriginPlugin, CodeFailed, "the plugin returned status %d without saying why", int32(status))
	case v.errSet != "":
		return r, failure(contract.OriginPlugin, CodeFailed, "%s", v.errSet)
	}
	r.Output = v.output
	if r.Output == nil {
		r.Output = []byte{}
	}
	return r, nil
}

// acquire returns the module's live part, building it if need be.
func (m *Module) acquire(ctx context.Context) (*live, *Error) {
	l, e := m.hold(ctx)
	if e != nil {
		return nil, e
	}
	m.host.used(ctx, m)
	return l, nil
}

// hold builds the live part if it is missing and counts a use of it.
func (m *Module) hold(ctx context.Context) (*live, *Error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.live == nil {
		l, e := m.host.load(ctx, m.info.Digest, m.wasm, m.limits)
		if e != nil {
			return nil, e
		}
		m.live = l
		m.ready.Store(true)
		m.host.ready.Add(1)
		m.watchIdle()
	}
	m.live.refs++
	m.inflight.Add(1)
	return m.live, nil
}

// release ends a use of l and frees it if it was dropped meanwhile.
func (m *Module) release(ctx context.Context, l *live) {
	m.inflight.Add(-1)
	m.mu.Lock()
	l.refs--
	dead := l.refs == 0 && m.live != l
	m.mu.Unlock()
	if dead {
		m.host.bury(ctx, l)
	}
}

// drop frees the live part once nothing uses it. A later call builds it again.
func (m *Module) drop(ctx context.Context) {
	m.mu.Lock()
	l := m.live
	if l != nil {
		m.forgetLive()
	}
	dead := l != nil && l.refs == 0
	m.mu.Unlock()
	if dead {
		m.host.bury(ctx, l)
	}
}

// bury frees a live part that nothing uses.
func (h *Host) bury(ctx context.Context, l *live) {
	if err := l.close(ctx); err != nil {
		h.logger.ErrorContext(ctx, "freeing a plugin module failed", slog.Any("error", err))
	}
}

// AsFailure returns the failure that err stands for. An error of another origin
// becomes HOST_FAULT; nil gives nil.
func AsFailure(err error) *contract.Failure {
	if err == nil {
		return nil
	}
	var f *contract.Failure
	if errors.As(err, &f) {
		return f
	}
	e := hostFault("an unexpected error", fmt.Errorf("call a plugin: %w", err))
	return &e.Failure
}

// FromImage reports whether calls begin from an image that was taken after
// initialisation, rather than initialise their instance themselves.
func (m *Module) FromImage() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.live != nil && m.live.initialised
}
