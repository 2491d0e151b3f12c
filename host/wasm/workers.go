package wasm

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"github.com/culmhq/culm/host/wasm/confine"
	"github.com/culmhq/culm/host/wasm/lane"
	"github.com/culmhq/culm/pdk/contract"
)

// Workers calls modules in worker processes: the same contract as Module.Call, behind
// one more wall. A process has one module and serves one tenant; it has no key, no
// environment, no file and no network, and what it says is read as written by an enemy.
// It is safe for concurrent use.
type Workers struct {
	host    *Host
	command func(context.Context) *exec.Cmd
	// patience is lanePatience, but in tests.
	patience   time.Duration
	processors int // of this process

	mu      sync.Mutex
	procs   map[workerKey][]*worker
	riders  map[workerKey][]*rider // calls that wait for a place
	tenants map[string]int         // processes of each
	total   int
	uses    uint64
	closed  bool
	// changed is closed, and made anew, when a call may find a process and some are
	// waiting for that.
	changed chan struct{}
	waiting bool
}

// Isolated is a module that is to be called in worker processes.
type Isolated struct {
	// Digest is that of the code.
	Digest string
	// Tenant is on whose behalf it is called; calls of different tenants never share a
	// process.
	Tenant string
	// Code returns the bytes, which have the digest. It is called when a process has to
	// be started.
	Code func(context.Context) ([]byte, error)
}

// workerKey is what the calls of a process have in common.
type workerKey struct{ digest, tenant string }

// newWorkers makes the pool of a host. Processes are started when calls need them.
func newWorkers(h *Host, command func(context.Context) *exec.Cmd) *Workers {
	return &Workers{
		host: h, command: command, patience: lanePatience, processors: runtime.GOMAXPROCS(0), procs: map[workerKey][]*worker{}, tenants: map[string]int{},
		riders: map[workerKey][]*rider{}, changed: make(chan struct{}),
	}
}

// Call calls an export in a fresh instance, as Module.Call does, in a worker process.
// When the process dies, the calls that it was serving fail and nothing else: with
// PLUGIN_RESOURCE or PLUGIN_TIMEOUT where the guest was running, with WORKER_LOST where
// the call was waiting in the host. The error is an *Error or one that Code returned.
func (ws *Workers) Call(ctx context.Context, m Isolated, c Call) (result Result, err error) {
	if n := ws.host.limits.InputBytes; int64(len(c.Input)) > n {
		return Result{}, failure(contract.OriginLimit, CodeInputLimit, "the input is %d bytes, the limit is %d", len(c.Input), n)
	}
	if c.Replay != nil {
		return Result{}, failure(contract.OriginHost, CodeReplayInvalid, "recordings are played in this process only")
	}
	at := &place{slots: ws.host.slots}
	defer at.leave()
	v, err := ws.take(ctx, m, &c, at)
	if err != nil {
		return Result{}, err
	}
	defer ws.give(v.w, v)
	defer func() {
		if r := recover(); r != nil {
			ws.host.logger.ErrorContext(ctx, "a plugin call panicked in the host", slog.Any("panic", r))
			v.w.kill(demise{code: CodeWorkerLost, why: "a defect of the host"})
			err = hostFault("a defect", nil)
		}
	}()
	result, err = v.make(ctx, &c)
	if r := result.Recording; r != nil { // the process is not asked what it was told
		r.Digest, r.Export = m.Digest, c.Export
	}
	return result, err
}

// Forget lets no further call to the processes of a module; they end with those that
// they serve.
func (ws *Workers) Forget(digest string) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for k, list := range ws.procs {
		if k.digest != digest {
			continue
		}
		for _, w := range append([]*worker(nil), list...) {
			ws.retire(w)
		}
	}
}

// place is a place to run in, which a call has or waits for.
type place struct {
	slots chan struct{}
	held  bool
}

// enter takes a place; false means that the context ended first.
func (p *place) enter(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	if p.try() {
		return true
	}
	select {
	case p.slots <- struct{}{}:
		p.held = true
	case <-ctx.Done():
	}
	return p.held
}

// try takes a place if there is one.
func (p *place) try() bool {
	select {
	case p.slots <- struct{}{}:
		p.held = true
	default:
	}
	return p.held
}

// leave gives the place back, if there is one.
func (p *place) leave() {
	if p.held {
		p.held = false
		<-p.slots
	}
}

// take returns a call of a process that serves m, and takes a place to run in; unless it
// rides with another call. It starts a process, or waits for one to become free. A call looks for a process
// when it has a place: those that only wait for one need no processes, and one process
// with warm memory is better than eight that take turns. It has none while it waits for a
// process, so that others can run.
func (ws *Workers) take(ctx context.Context, m Isolated, c *Call, at *place) (*workerCall, error) {
	key := workerKey{m.Digest, m.Tenant}
	mayRide := len(c.Input) <= rideBytes
	for {
		v, ok := ws.admit(ctx, key, rider{call: c, at: at}, mayRide)
		switch {
		case !ok:
			return nil, stopped(context.Cause(ctx), "its turn to run")
		case v != nil && v.stood == lane.Withdrawn:
			v.w.leave(v)
			ws.give(v.w, v)
			mayRide = false // once is enough
			continue
		case v != nil:
			return v, nil
		}
		w, changed, e := ws.join(ctx, key, m)
		switch {
		case e != nil:
			return nil, e
		case w != nil:
			if err := ws.await(ctx, w, at); err != nil {
				return nil, err
			}
			return w.newCall(c, at), nil
		}
		at.leave()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, stopped(context.Cause(ctx), "its turn to run")
		}
	}
}

// join returns a process, which may still be starting, with one more call in it; or, when
// there is none and no room for one, what is closed when there may be.
func (ws *Workers) join(ctx context.Context, key workerKey, m Isolated) (*worker, <-chan struct{}, *Error) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.closed {
		return nil, nil, hostFault("it is closed", ErrClosed)
	}
	w := ws.pick(key)
	if w == nil && ws.room(m.Tenant) {
		w = ws.add(key)
		// The start goes on when this caller gives up: others may wait for it.
		go w.start(context.WithoutCancel(ctx), m)
	}
	if w == nil {
		ws.waiting = true
		return nil, ws.changed, nil
	}
	w.inflight++
	return w, nil, nil
}

// await waits until a process has started, without a place meanwhile.
func (ws *Workers) await(ctx context.Context, w *worker, at *place) error {
	select {
	case <-w.started:
	default:
		at.leave()
		select {
		case <-w.started:
		case <-ctx.Done():
			ws.give(w, nil)
			return stopped(context.Cause(ctx), "its turn to run")
		}
		if w.startErr == nil && !at.enter(ctx) {
			ws.give(w, nil)
			return stopped(context.Cause(ctx), "its turn to run")
		}
	}
	if w.startErr != nil {
		ws.give(w, nil)
		return w.startErr
	}
	return nil
}

// pick returns the process of a key with the fewest calls, or nil when all are full. One
// that was killed is still in the pool until it is gone, and gets no call any more.
func (ws *Workers) pick(key workerKey) *worker {
	var best *worker
	for _, w := range ws.procs[key] {
		if w.fateOf() == nil && w.busy() < ws.host.limits.WorkerCalls && (best == nil || w.busy() < best.busy()) {
			best = w
		}
	}
	return best
}

// room reports whether the tenant may have one more process, ending one that is idle if
// need be: one of the tenant's own where it has its share, else the one that was used
// longest ago.
func (ws *Workers) room(tenant string) bool {
	share := max(ws.host.limits.Workers/2, 1)
	ownOnly := ws.tenants[tenant] >= share
	if !ownOnly && ws.total < ws.host.limits.Workers {
		return true
	}
	var oldest *worker
	for k, list := range ws.procs {
		for _, w := range list {
			if w.inflight == 0 && (!ownOnly || k.tenant == tenant) && (oldest == nil || w.used < oldest.used) {
				oldest = w
			}
		}
	}
	if oldest == nil {
		return false
	}
	ws.retire(oldest)
	return true
}

// add makes a process that is not started yet.
func (ws *Workers) add(key workerKey) *worker {
	w := newWorker(ws, key)
	ws.procs[key] = append(ws.procs[key], w)
	ws.tenants[key.tenant]++
	ws.total++
	return w
}

// give ends a call of a process; v is nil when it had not come to that. A process without
// calls is kept for a while.
func (ws *Workers) give(w *worker, v *workerCall) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w.inflight--
	if v != nil && v.light {
		w.light--
	}
	ws.uses++
	w.used = ws.uses
	if w.inflight == 0 {
		if w.retired {
			go w.end()
		} else {
			w.unused = ws.host.now()
			if w.expiry == nil {
				w.expiry = time.AfterFunc(ws.host.limits.WorkerIdle, func() { ws.expire(w) })
			}
		}
	}
	ws.notify()
}

// expire ends a process that was not used for a while, or looks again when it may have
// been: a timer for each call would cost more than the call.
func (ws *Workers) expire(w *worker) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	left := ws.host.limits.WorkerIdle
	if w.inflight == 0 {
		left -= ws.host.now().Sub(w.unused)
	}
	switch {
	case w.retired:
	case left <= 0:
		ws.retire(w)
	default:
		w.expiry.Reset(left)
	}
}

// retire takes a process out of the pool; it ends when it has no call any more. The
// caller holds mu.
func (ws *Workers) retire(w *worker) {
	if w.retired {
		return
	}
	w.retired = true
	if w.expiry != nil {
		w.expiry.Stop()
	}
	list := ws.procs[w.key]
	for i := range list {
		if list[i] == w {
			list = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(ws.procs, w.key)
	} else {
		ws.procs[w.key] = list
	}
	ws.total--
	if ws.tenants[w.key.tenant]--; ws.tenants[w.key.tenant] == 0 {
		delete(ws.tenants, w.key.tenant)
	}
	if w.inflight == 0 {
		go w.end()
	}
	ws.notify()
}

// lost takes a process that died, or never came to life, out of the pool.
func (ws *Workers) lost(w *worker) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.retire(w)
}

// notify wakes who waits for a process. The caller holds mu.
func (ws *Workers) notify() {
	if !ws.waiting {
		return
	}
	ws.waiting = false
	close(ws.changed)
	ws.changed = make(chan struct{})
}

// close kills every process.
func (ws *Workers) close() {
	ws.mu.Lock()
	ws.closed = true
	var all []*worker
	for _, list := range ws.procs {
		all = append(all, list...)
	}
	ws.notify()
	ws.mu.Unlock()
	for _, w := range all {
		w.kill(demise{code: CodeHostFault, why: "the plugin host is closed"})
	}
	for _, w := range all {
		<-w.started
		<-w.dead
	}
}

// Report is what is known of the cage of worker processes, from a process that was put
// into it and tried to get out.
type Report struct {
	confine.Layers
	// Attempts are what was tried, Escaped what of it succeeded.
	Attempts []confine.Attempt
	Escaped  []string
	// Open lists the files that the process was given.
	Open []string
}

// Contained reports whether nothing that was tried succeeded.
func (r Report) Contained() bool { return len(r.Attempts) > 0 && len(r.Escaped) == 0 }

// Report starts a process as for a module, has it confine itself and then try, by native
// code, to reach the target and everything else that it should not.
func (ws *Workers) Report(ctx context.Context, t confine.Target) (Report, error) {
	// Retired from the beginning: it is not of the pool.
	w := newWorker(ws, workerKey{})
	w.retired = true
	ready, e := w.launch(ctx, workerOrder{Dir: "/", Limits: ws.host.limits, Try: &t}, nil)
	if e != nil {
		return Report{}, e
	}
	w.kill(demise{})
	<-w.dead
	r := Report{Layers: w.layers, Attempts: ready.Attempts, Open: ready.Open, Escaped: confine.Escaped(ready.Attempts)}
	return r, nil
}

// start starts the process for a module and makes it serve.
func (w *worker) start(ctx context.Context, m Isolated) {
	err := w.prepare(ctx, m)
	if err != nil {
		w.startErr = err
		w.ws.lost(w)
	}
	close(w.started)
	if err != nil && w.cmd == nil {
		close(w.dead)
	}
}

// prepare has the module compiled and starts the process on it.
func (w *worker) prepare(ctx context.Context, m Isolated) error {
	code, err := m.Code(ctx)
	if err != nil {
		return err
	}
	h := w.ws.host
	if got := Digest(code); got != m.Digest {
		return failure(contract.OriginHost, CodeDigestMismatch,
			"the module's bytes have digest %s, expected %s", got, clean(m.Digest, 100))
	}
	if len(code) > h.limits.Module.ModuleBytes {
		return failure(contract.OriginLimit, CodeModuleLimit,
			"the module is %d bytes, the limit is %d", len(code), h.limits.Module.ModuleBytes)
	}
	dir, e := h.compiled(ctx, m.Digest, code)
	if e != nil {
		return e
	}
	ready, e := w.launch(ctx, workerOrder{Dir: dir, Limits: h.limits}, code)
	if e != nil {
		return e
	}
	w.limits, w.began = h.limits.lowered(&ready.Limits), ready
	return nil
}

// readyOf reads what a process says of itself.
func readyOf(body []byte) (workerReady, error) {
	var r workerReady
	if err := json.Unmarshal(body, &r); err != nil {
		return r, fmt.Errorf("the worker's first word: %w", err)
	}
	return r, nil
}

// Processes counts the processes that can be called or are being started.
func (ws *Workers) Processes() int {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.total
}

// Resident counts the processes of a module and the memory that they take, in bytes, as
// far as the system tells.
func (ws *Workers) Resident(digest string) (processes int, bytes int64) {
	var pids []int
	ws.mu.Lock()
	for k, list := range ws.procs {
		if k.digest != digest {
			continue
		}
		for _, w := range list {
			processes++
			if pid := w.pid(); pid != 0 {
				pids = append(pids, pid)
			}
		}
	}
	ws.mu.Unlock()
	for _, pid := range pids {
		bytes += confine.Resident(pid)
	}
	return processes, bytes
}
