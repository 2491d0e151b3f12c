package wasm

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/pdk/contract"
)

// Call is one call of an export.
type Call struct {
	// Export is the function to call: no parameters, one i32 result or none.
	Export string
	Input  []byte
	// Services is what the plugin may reach; nil stands for None.
	Services Services
	// Limits lowers the module's limits for this call; it cannot raise one.
	Limits contract.Limits
	// Config is what Extism's config_get reads, for modules that use it.
	Config map[string]string
	// RecordBytes, if not zero, has the call recorded in at most about so many bytes.
	RecordBytes int64
	// Replay, if not nil, is a recording that answers the guest instead of the world:
	// clocks, randomness and the gateway included. Of Services only Log and Progress
	// are used, and Config is not. The module need not be the recorded one.
	Replay *replay.Recording

	// ender, if not nil, ends the call when its time is over or nobody wants it any more; the
	// context never does then.
	ender ender
	// taping, if not nil, is told of the tape of a call that is recorded.
	taping func(*replay.Tape)
	// answered, if not nil, gets what Call returns a little earlier, before the instance is
	// made fit for the next call; it is not called when the guest was not entered.
	answered func(Result, error)
}

// ender ends calls from outside. A call in a worker process has one: there the host has the
// clock, and contexts cost more than a short call can bear.
type ender interface {
	// attach has the guest that is entered next interrupted when the call ends.
	attach(*invocation)
}

// Result is what is known about a call, whether it succeeded or not.
type Result struct {
	// Output is what the plugin gave, nil when the call failed.
	Output []byte
	// LogTruncated says that the plugin logged more than its limit.
	LogTruncated bool
	// PeakMemoryBytes is the size of the linear memory when the call ended; it
	// never shrinks during one.
	PeakMemoryBytes int64
	// HostCalls counts the gateway calls.
	HostCalls int
	// Duration is the wall time of the call from the moment it had a place to run
	// in; Guest is the part of it that was spent in guest code.
	Duration, Guest time.Duration
	// Recording is set when it was asked for and the guest was entered; Replay when
	// the call was a replay.
	Recording *replay.Recording
	Replay    *replay.Report
}

// invocation is the state of one call. It lives as long as the call and is used by
// its goroutine alone, except where mu says otherwise.
type invocation struct {
	host     *Host
	limits   Limits
	services Services
	config   map[string]string
	ender    ender
	started  time.Time

	blocks blocks
	input  []byte
	output []byte
	errSet string
	vars   map[string][]byte // Extism's variables: the call's own
	http   httpState
	log    logState
	counts counts
	touch  touches
	// tape, if not nil, takes down what passes the boundary; player, if not nil,
	// answers from playing. Never both.
	tape    *replay.Tape
	player  *replay.Player
	playing *replay.Recording

	aborted *Error
	unwound bool // the guest did not return
	memory  *buffer
	// initialised is set once the image was taken or restored.
	initialised bool
	peak        int64

	halted  atomic.Bool // timeout is set: host functions do no more work
	mu      sync.Mutex  // guards what follows, shared with the timers
	stop    api.MutableGlobal
	ended   bool
	timeout *Error
	clock   guestClock
	slot    bool
}

// counts counts the calls of host functions that are limited.
type counts struct {
	gateway, evals, vars, progress, sleeps int
}

// touches notes what an initialisation used that a snapshot would freeze.
type touches struct {
	random   [][]byte // what random_get returned
	realtime bool
	mono     bool
	blocks   bool // used the host's state: blocks, variables, calls
}

// invocationContext carries the invocation to host functions: one host module
// serves all instances, so that there is nothing else to close over.
type invocationContext struct {
	context.Context //nolint:containedctx // this is a context
	inv             *invocation
}

// invocationOf returns the invocation on whose behalf a host function runs.
func invocationOf(ctx context.Context) *invocation {
	return ctx.(*invocationContext).inv
}

// abort ends the call from within a host function: the runtime unwinds the guest,
// and the call's error is e.
func (v *invocation) abort(e *Error) {
	v.aborted = e
	panic(e)
}

// checkHalt ends the call if it was stopped while it was in the guest: a guest that
// spends its time in host functions may be far from its next yield.
func (v *invocation) checkHalt() {
	if v.halted.Load() {
		v.mu.Lock()
		why := v.timeout
		v.mu.Unlock()
		v.abort(why)
	}
}

// misuse ends the call because the plugin passed nonsense to a host function.
func (v *invocation) misuse(format string, args ...any) {
	v.abort(failure(contract.OriginPlugin, CodeTrap, format, args...))
}

// guestClock measures the time spent in guest code and stops the guest when its
// share is used up.
type guestClock struct {
	timer *time.Timer
	left  time.Duration
	since time.Time
	used  time.Duration
}

// begin starts the watch over a guest: the context's end and the guest's own time
// set the stop flag. The returned function ends the watch; afterwards nothing
// touches the instance any more.
func (v *invocation) begin(ctx context.Context, stop api.MutableGlobal, guest time.Duration) func() {
	v.mu.Lock()
	v.stop, v.ended = stop, false
	v.clock = guestClock{left: guest, since: v.host.now()}
	v.clock.timer = time.AfterFunc(guest, func() {
		v.interrupt(stopped(context.DeadlineExceeded, guest.String()+" of computing"))
	})
	v.mu.Unlock()
	undo := v.watch(ctx)
	return func() {
		undo()
		v.mu.Lock()
		defer v.mu.Unlock()
		v.ended = true
		v.clock.timer.Stop()
		v.clock.used += v.host.now().Sub(v.clock.since)
	}
}

// watch interrupts the guest when the call ends from outside.
func (v *invocation) watch(ctx context.Context) (undo func()) {
	if v.ender != nil {
		v.ender.attach(v)
		return func() {} // interrupt knows when the guest has ended
	}
	stop := context.AfterFunc(ctx, func() { v.cancel(context.Cause(ctx)) })
	return func() { stop() }
}

// cancel interrupts the guest because its time is over or nobody wants its result any more.
func (v *invocation) cancel(cause error) { v.interrupt(stopped(cause, v.limits.Timeout.String())) }

// interrupt makes the guest trap at its next yield.
func (v *invocation) interrupt(why *Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ended || v.timeout != nil {
		return
	}
	v.timeout = why
	v.halted.Store(true)
	v.stop.Set(1)
}

// outside runs f, which may block, without a place to run in and without the
// guest's clock running, and takes both up again afterwards. When the context ended
// meanwhile, so does the call: the guest must not take a cut sleep for a whole one.
func (v *invocation) outside(ctx context.Context, f func()) {
	now := v.host.now()
	v.mu.Lock()
	v.clock.timer.Stop()
	spent := now.Sub(v.clock.since)
	v.clock.used += spent
	v.clock.left -= spent
	v.mu.Unlock()
	v.leave()
	f()
	v.enter(ctx)
	v.mu.Lock()
	v.clock.since = v.host.now()
	v.clock.timer.Reset(max(v.clock.left, 0))
	v.mu.Unlock()
	v.checkHalt()
	if ctx.Err() != nil {
		v.abort(stopped(context.Cause(ctx), v.limits.Timeout.String()))
	}
}

// enter takes a place to run in, or gives up when the context ends: the guest then
// runs on to its next yield, where it is stopped.
func (v *invocation) enter(ctx context.Context) {
	select {
	case v.host.slots <- struct{}{}:
		v.slot = true
	case <-ctx.Done():
	}
}

// leave gives the place back.
func (v *invocation) leave() {
	if v.slot {
		v.slot = false
		<-v.host.slots
	}
}

// exit unwinds the guest because it called proc_exit.
type exit struct{ status uint32 }

func (e *exit) Error() string { return "exit status " + utoa(e.status) }
