package wasm

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/wasm/lane"
	"github.com/culmhq/culm/host/wasm/wire"
	"github.com/culmhq/culm/pdk/contract"
)

// workerCall is one call in a worker process, seen from the host. The host counts what
// the guest uses once more: a process that was taken over does not stop by itself. All
// but inbox, over and parked belongs to the goroutine of the caller.
type workerCall struct {
	*place
	w        *worker
	id       uint64
	limits   Limits
	services Services
	inbox    chan wire.Frame // nil until the pipe is used, as is over; both are guarded by w.mu
	over     chan struct{}
	parked   atomic.Bool // a question of the guest is not answered yet
	// lane, if not nil, is the call's; piped says that the pipe has the call all the same.
	lane  *lane.Lane
	piped bool
	// rides says that the call was given to the process behind another, and stood so with its
	// lane when that was looked at; light, that it was no call of its own at the end.
	rides, light bool
	stood        lane.Outcome
	given        wire.Frame // what the process was last given on the lane
	told         bool       // the process was told to end the call

	started  time.Time
	watch    *time.Timer
	since    time.Time     // the guest has been running since then
	ran      time.Duration // before that
	ended    bool          // the context has
	counts   counts
	logBytes int64
	export   string
	// tape is that of a call that is recorded; its own is lost with the process.
	tape   *replay.Tape
	record []byte // what the process sent of the recording, as far as it has come
	input  []byte // of a call that is recorded
	// recordMax bounds it, and taking, what was told for the tape; 0 when the call is not
	// recorded.
	recordMax, taking int64
	fault             *Error // a defect of the services
	// denied is the last failure that the gateway answered with: http_request has no
	// other way to tell the guest than to end the call with it.
	denied *contract.Failure
}

// newCall makes the state of a call.
func (w *worker) newCall(c *Call, at *place) *workerCall {
	v := &workerCall{
		place: at, w: w, id: w.nextID.Add(1), limits: w.limits.lowered(&c.Limits), services: c.Services, export: c.Export,
	}
	if v.services == nil {
		v.services = None{}
	}
	if c.RecordBytes > 0 {
		v.recordMax = recordFactor*c.RecordBytes + recordChunk
		v.tape = replay.NewTape(c.RecordBytes)
		v.tape.Input(c.Input)
		v.input = c.Input
	}
	return v
}

// make makes the call, or goes on with one that rides with another, and waits for its end.
func (v *workerCall) make(ctx context.Context, c *Call) (Result, error) {
	if v.rides {
		return v.ride(ctx)
	}
	return v.call(ctx, c)
}

// call is make for a call of its own.
func (v *workerCall) call(ctx context.Context, c *Call) (Result, error) {
	w := v.w
	v.started = w.ws.host.now()
	w.enter(v)
	defer w.leave(v)
	defer v.pause()
	o := lane.Withdrawn
	v.given = wire.Frame{Kind: wire.Invoke, Body: c.encode()}
	if v.lane != nil {
		party := v.board()
		v.lane.Crowd(w.ws.crowded())
		if v.lane.Ask(v.id, v.given.Body, party.lanes()...) {
			v.settle(party)
			v.since = v.started
			o = v.await()
		} else {
			party.part()
		}
	}
	return v.goOn(ctx, o)
}

// goOn serves a call that stands so with its lane until it ends.
func (v *workerCall) goOn(ctx context.Context, o lane.Outcome) (Result, error) {
	if o == lane.Done { // it needs no watch over its time any more
		return v.onLane(ctx, o)
	}
	ctx, cancel := context.WithTimeout(ctx, v.limits.Timeout)
	defer cancel()
	return v.onLane(ctx, o)
}

// onPipe gives the process a call, or an answer, over the pipe, and goes on there.
func (v *workerCall) onPipe(ctx context.Context, f wire.Frame) (Result, error) {
	v.piped = true
	v.resume()
	if err := v.w.out.Send(f.Kind, v.id, f.Body); err != nil {
		<-v.w.dead
		return v.lost()
	}
	return v.follow(ctx)
}

// follow serves the guest until there is a result.
func (v *workerCall) follow(ctx context.Context) (Result, error) {
	ended, inbox := ctx.Done(), v.w.inboxOf(v)
	for {
		select {
		case f := <-inbox:
			if f.Kind == wire.Result {
				return v.result(ctx, f.Body)
			}
			if err := v.serve(ctx, f); err != nil {
				return v.misused(err)
			}
		case <-ended:
			// The process stops the guest at its next yield, as in this process.
			ended, v.ended = nil, true
			v.end(context.Cause(ctx))
			v.resume()
		case <-v.w.dead:
			return v.lost()
		}
	}
}

// misused kills a process that broke the protocol.
func (v *workerCall) misused(err error) (Result, error) {
	v.w.kill(demise{code: CodeTrap, why: err.Error(), culprit: v.id})
	<-v.w.dead
	return v.lost()
}

// tell sends a frame. A process that takes none is dead or will be: the watch sees to
// that.
func (v *workerCall) tell(k wire.Kind, body []byte) { _ = v.w.out.Send(k, v.id, body) }

// resume starts the watch over the guest: a process that does not come back in time is
// killed.
func (v *workerCall) resume() { v.resumeFrom(v.w.ws.host.now()) }

// resumeFrom is resume for a guest that has been running since then.
func (v *workerCall) resumeFrom(since time.Time) {
	v.pause()
	now := v.w.ws.host.now()
	v.since = since
	left := min(v.limits.StartTime+v.limits.GuestTime-v.ran-now.Sub(since), v.limits.Timeout-now.Sub(v.started))
	if v.ended {
		left = 0
	}
	v.watch = time.AfterFunc(max(left, 0)+v.limits.WorkerGrace, func() {
		v.w.kill(demise{code: CodeTimeout, why: "a call was not stopped in its time", culprit: v.id})
	})
}

// pause ends the watch while the guest does not run.
func (v *workerCall) pause() {
	if v.watch == nil {
		return
	}
	if !v.watch.Stop() {
		<-v.w.doomed // it has struck: no other call may get the process before that is known
	}
	v.watch = nil
	v.ran += v.w.ws.host.now().Sub(v.since)
}

// outside runs f, which may block, while the guest waits for its answer and has no
// place. When the call has ended meanwhile, the guest is told before it is answered.
func (v *workerCall) outside(ctx context.Context, f func() []byte) {
	v.pause()
	v.leave()
	answer := f()
	v.enter(ctx)
	if ctx.Err() != nil {
		v.end(context.Cause(ctx))
	}
	v.answer(answer)
}

// end tells the process to end the call.
func (v *workerCall) end(cause error) {
	v.told = true
	v.tell(wire.Cancel, causeName(cause))
}

// answer lets the guest go on, if there still is one: what the host does for a guest is
// not cut short by the death of its process.
func (v *workerCall) answer(body []byte) {
	select {
	case <-v.w.dead:
		return
	default:
	}
	v.parked.Store(false)
	if v.answerOnLane(body) {
		return
	}
	v.resume()
	v.tell(wire.Answer, body)
}

// result takes the result that the process sent.
func (v *workerCall) result(ctx context.Context, body []byte) (Result, error) {
	r, failed, err := decodeResult(body)
	if err != nil || int64(len(r.Output)) > v.limits.OutputBytes {
		return v.misused(fmt.Errorf("%w: a result that makes no sense", errProtocol))
	}
	r.Duration = v.w.ws.host.now().Sub(v.started)
	if v.record != nil {
		if r.Recording, err = v.whole(r, failed); err != nil {
			r.Recording = nil
			v.w.ws.host.logger.WarnContext(ctx, "a worker process sent a recording that makes no sense", slog.Any("error", err))
		}
	}
	if v.fault != nil {
		r.Output = nil
		return r, v.fault
	}
	if failed == nil {
		return r, nil
	}
	e := &Error{Failure: fromChild(*failed)}
	if v.denied != nil && v.denied.Code == failed.Code {
		e.Failure = *v.denied
	}
	switch failed.Code {
	case CodeTimeout, CodeCancelled:
		if e.Cause = context.Cause(ctx); e.Cause == nil {
			e.Cause = context.DeadlineExceeded
		}
	case CodeHostFault:
		v.w.ws.host.logger.ErrorContext(ctx, "a plugin call failed in its worker process",
			slog.String("digest", v.w.key.digest), slog.String("failure", e.Failure.Message))
	}
	return r, e
}

// lost says how a call ended whose process is gone. Who it was that brought the process
// down is known when it was killed; when it died, it was one of those that were running.
func (v *workerCall) lost() (Result, error) {
	err := v.loss()
	return Result{Duration: v.w.ws.host.now().Sub(v.started), HostCalls: v.counts.gateway, Recording: v.remains(err)}, err
}

// loss is the failure of a call whose process is gone.
func (v *workerCall) loss() error {
	fate := v.w.fateOf()
	running := !v.parked.Load()
	switch {
	case fate == nil && running:
		return failure(contract.OriginLimit, CodeResource,
			"the plugin's worker process ended: it needed more than %d MiB, or broke down", v.limits.WorkerBytes>>20)
	case fate != nil && fate.code == CodeHostFault:
		return hostFault("it is closed", ErrClosed)
	case fate != nil && fate.culprit == v.id && fate.code == CodeTimeout:
		return stopped(context.DeadlineExceeded, v.limits.Timeout.String())
	case fate != nil && fate.code == CodeTrap && (fate.culprit == v.id || fate.culprit == 0 && running):
		return failure(contract.OriginPlugin, CodeTrap, "the plugin's worker process was killed: it misused the host")
	}
	e := failure(contract.OriginHost, CodeWorkerLost,
		"the worker process that served this call ended because of another call of the same plugin")
	e.Failure.Retryable = true
	return e
}
