package wasm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/culmhq/culm/host/wasm/lane"
	"github.com/culmhq/culm/host/wasm/wire"
)

const (
	// laneBytes is what a body on a lane may hold: more goes over the pipe, where its
	// copying is not what takes the time.
	laneBytes = 256 << 10
	// lanePatience is how long the host waits on a lane, where nothing else reaches it:
	// less than anybody notices, and longer than most calls take.
	lanePatience = 2 * time.Millisecond
	// lanesMax bounds the lanes of a process.
	lanesMax = 128
)

// makeLanes makes the lanes of a process that is to be started: one for each call that
// it may serve. Where there are none, calls take the pipe.
func (w *worker) makeLanes(ctx context.Context) *os.File {
	attended := min(w.ws.host.limits.WorkerCalls, lanesMax/2)
	behind := min(min(attended, cap(w.ws.host.slots))*lane.BehindMax, lanesMax-attended)
	m, f, err := lane.New(attended+behind, laneBytes)
	if err != nil {
		if !errors.Is(err, lane.ErrUnsupported) {
			w.ws.host.logger.WarnContext(ctx, "worker processes are called over pipes only", slog.Any("error", err))
		}
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lanes = m
	w.freeLanes = append(w.freeLanes, m.Lanes[:attended]...)
	w.freeBehind = append(w.freeBehind, m.Lanes[attended:]...)
	return f
}

// enter lets the process speak of a call, and gives it a lane if there is one.
func (w *worker) enter(v *workerCall) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[v.id] = v
	from := w.lanesOf(v)
	if n := len(*from); n > 0 && !w.gone {
		v.lane = (*from)[n-1]
		*from = (*from)[:n-1]
	}
}

// lanesOf is where lanes for a call like v are kept.
func (w *worker) lanesOf(v *workerCall) *[]*lane.Lane {
	if v.rides {
		return &w.freeBehind
	}
	return &w.freeLanes
}

// leave ends what enter began.
func (w *worker) leave(v *workerCall) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.calls, v.id)
	if v.over != nil {
		close(v.over)
	}
	if v.lane != nil {
		to := w.lanesOf(v)
		*to = append(*to, v.lane)
		w.closeLanes()
	}
}

// inboxOf returns where frames of a call come in.
func (w *worker) inboxOf(v *workerCall) <-chan wire.Frame {
	w.mu.Lock()
	defer w.mu.Unlock()
	v.open()
	return v.inbox
}

// open makes the channels of a call: most need none. The caller holds w.mu.
func (v *workerCall) open() {
	if v.inbox == nil {
		v.inbox, v.over = make(chan wire.Frame), make(chan struct{})
	}
}

// leaveLanes notes that the process is gone.
func (w *worker) leaveLanes() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
	w.closeLanes()
}

// closeLanes frees the memory of the lanes when neither the process nor a call uses them.
// The caller holds mu.
func (w *worker) closeLanes() {
	if !w.gone || w.lanes == nil || len(w.freeLanes)+len(w.freeBehind) < len(w.lanes.Lanes) {
		return
	}
	if err := w.lanes.Close(); err != nil {
		w.ws.host.logger.Warn("the memory of a worker process could not be freed", slog.Any("error", err))
	}
	w.lanes, w.freeLanes, w.freeBehind = nil, nil, nil
}

// await waits on the lane. There is no watch here: the wait itself is short.
func (v *workerCall) await() (o lane.Outcome) {
	o, v.piped = v.lane.Await(v.w.ws.patience)
	return o
}

// onLane serves a call that stands so with its lane, until it ends or the pipe takes it
// over.
func (v *workerCall) onLane(ctx context.Context, o lane.Outcome) (Result, error) {
	for ; ; o = v.await() {
		switch o {
		case lane.Withdrawn:
			return v.onPipe(ctx, v.given)
		case lane.Slow:
			v.resumeFrom(v.since)
			v.tell(wire.Flush, nil)
			return v.follow(ctx)
		case lane.Done, lane.Question, lane.Running:
		}
		if o != lane.Done { // nobody asks afterwards
			v.ran += v.w.ws.host.now().Sub(v.since)
		}
		last, err := v.hear(ctx, o)
		if err != nil {
			return v.misused(err)
		}
		if o == lane.Done {
			return v.result(ctx, last.Body)
		}
		v.parked.Store(true)
		if err := v.serve(ctx, last); err != nil {
			return v.misused(err)
		}
		if v.piped {
			return v.follow(ctx)
		}
	}
}

// hear takes what the process says on the lane: things that need no answer, and then a
// question or a result, which is returned. All of it is a copy.
func (v *workerCall) hear(ctx context.Context, o lane.Outcome) (wire.Frame, error) {
	batch, ok := v.lane.Take()
	if !ok {
		return wire.Frame{}, fmt.Errorf("%w: more than a lane holds", errProtocol)
	}
	for {
		f, rest, err := wire.Split(batch)
		if err != nil {
			return f, fmt.Errorf("%w: %w", errProtocol, err)
		}
		if len(rest) == 0 {
			if f.Kind.Question() != (o == lane.Question) || o == lane.Done && f.Kind != wire.Result {
				return f, fmt.Errorf("%w: a lane ends with a frame of kind %d", errProtocol, f.Kind)
			}
			return f, nil
		}
		if f.Kind != wire.Log && f.Kind != wire.Progress && f.Kind != wire.Taped && f.Kind != wire.Recording {
			return f, fmt.Errorf("%w: a frame of kind %d within a batch", errProtocol, f.Kind)
		}
		if err := v.serve(ctx, f); err != nil {
			return f, err
		}
		batch = rest
	}
}

// answerOnLane answers a question on the lane, and reports whether that is where the
// guest waits. A call that is to end is left to the pipe, which tells the guest first.
func (v *workerCall) answerOnLane(body []byte) bool {
	if v.lane == nil || v.piped {
		return false
	}
	v.since = v.w.ws.host.now()
	if !v.told && v.lane.Answer(body) {
		v.given = wire.Frame{Kind: wire.Answer, Body: body}
		return true
	}
	v.piped = true
	v.lane.Abandon()
	return false
}
