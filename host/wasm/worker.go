package wasm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/culmhq/culm/host/wasm/confine"
	"github.com/culmhq/culm/host/wasm/lane"
	"github.com/culmhq/culm/host/wasm/wire"
	"github.com/culmhq/culm/pdk/contract"
)

// worker is one worker process, seen from the host.
type worker struct {
	ws  *Workers
	key workerKey

	// Guarded by ws.mu.
	inflight int
	light    int           // those of inflight that ride with another
	pace     time.Duration // of the calls that ran one behind the other last
	alone    int           // calls for so many turns ride with no other
	used     uint64
	unused   time.Time   // since when it serves no call
	expiry   *time.Timer // of a process that has served one
	retired  bool

	// started is closed when startErr, or all of the following, is set.
	started  chan struct{}
	startErr error
	cmd      *exec.Cmd
	stdin    *os.File
	out      *wire.Writer
	layers   confine.Layers
	limits   Limits
	began    workerReady // what recordings begin with

	// shared says that the last call that got a place took others along.
	shared atomic.Bool

	// doomed is closed when the process is killed, dead when it is gone.
	doomed chan struct{}
	dead   chan struct{}
	nextID atomic.Uint64

	mu    sync.Mutex
	fate  *demise // why it was killed, nil when it died by itself
	calls map[uint64]*workerCall
	// lanes is nil where there are none; freeLanes are those that no call uses. gone
	// says that the process is.
	lanes      *lane.Memory
	freeLanes  []*lane.Lane
	freeBehind []*lane.Lane // for calls behind another
	gone       bool
}

// newWorker makes a process that is not started.
func newWorker(ws *Workers, key workerKey) *worker {
	return &worker{
		ws: ws, key: key, started: make(chan struct{}), doomed: make(chan struct{}), dead: make(chan struct{}),
		calls: map[uint64]*workerCall{},
	}
}

// demise is why a process was killed.
type demise struct {
	code    string
	why     string
	culprit uint64 // the call whose fault it was, 0 for none
}

// launch starts the process, gives it an order and waits for its first word.
func (w *worker) launch(ctx context.Context, order workerOrder, code []byte) (workerReady, *Error) {
	shared := w.makeLanes(ctx)
	if shared != nil {
		order.Lanes, order.Attended = len(w.lanes.Lanes), len(w.freeLanes)
	}
	head, err := json.Marshal(order)
	if err != nil {
		head = nil // plain numbers and texts: the process refuses it
	}
	stdout, complaints, err := w.spawn(shared)
	if err != nil {
		w.leaveLanes()
		return workerReady{}, w.startFault(ctx, err)
	}
	limit := order.Limits
	frames := wire.NewReader(stdout, limit.frameMax())
	first := make(chan wire.Frame)
	go w.read(frames, stdout, complaints, first)
	// Compiled code is only read; a busy machine is the reason for the rest.
	timer := time.AfterFunc(limit.StartTime+compileWallFactor*limit.CompileTime, func() {
		w.kill(demise{code: CodeStartTimeout, why: "its start took too long"})
	})
	defer timer.Stop()
	if err := w.out.Send(wire.Open, 0, new(wire.Encoder).Bytes(head).Bytes(code).Body()); err != nil {
		w.kill(demise{code: CodeHostFault, why: "it took no order"})
	}
	select {
	case f := <-first:
		ready, err := readyOf(f.Body)
		if f.Kind != wire.Ready || err != nil {
			w.kill(demise{code: CodeHostFault, why: "its first word makes no sense"})
			return workerReady{}, w.startFault(ctx, err)
		}
		if ready.Failure != nil {
			w.kill(demise{})
			return workerReady{}, &Error{Failure: fromChild(*ready.Failure)}
		}
		w.layers.Syscalls, w.layers.Limits = ready.Syscalls, true
		return ready, nil
	case <-w.dead:
		if fate := w.fateOf(); fate != nil && fate.code == CodeStartTimeout {
			return workerReady{}, failure(contract.OriginLimit, CodeStartTimeout, "the plugin's worker process did not start in time")
		}
		return workerReady{}, w.startFault(ctx, nil)
	}
}

func (w *worker) startFault(ctx context.Context, err error) *Error {
	w.ws.host.logger.ErrorContext(ctx, "a worker process could not be started", slog.Any("error", err))
	return hostFault("starting a worker process", err)
}

// spawn starts the process with two pipes, the memory that it shares, and nothing else.
// It closes shared.
func (w *worker) spawn(shared *os.File) (stdout *os.File, complaints *capped, err error) {
	var extra []*os.File
	if shared != nil {
		extra = []*os.File{shared}
		defer shared.Close() //nolint:errcheck // nothing was written
	}
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, childIn.Close(), in.Close())
	}
	complaints = &capped{limit: 16 << 10}
	cmd, layers, err := w.ws.host.spawn.start(func() (*exec.Cmd, error) {
		cmd := w.ws.command(context.Background())
		cmd.Env = []string{} // nothing: not nil, which would be everything
		cmd.Dir = "/"
		cmd.Stdin, cmd.Stdout, cmd.Stderr = childIn, childOut, complaints
		cmd.ExtraFiles = extra
		cmd.WaitDelay = time.Second
		return cmd, nil
	})
	closed := errors.Join(childIn.Close(), childOut.Close())
	if err != nil {
		return nil, nil, errors.Join(err, closed, in.Close(), out.Close())
	}
	w.mu.Lock()
	w.cmd, w.stdin, w.out, w.layers = cmd, in, wire.NewWriter(in), layers
	doomed := w.fate != nil
	w.mu.Unlock()
	if doomed { // while it was being started
		_ = cmd.Process.Kill()
	}
	return out, complaints, nil
}

// kill ends the process at once. The first reason is the one that is told.
func (w *worker) kill(why demise) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fate == nil {
		w.fate = &why
		close(w.doomed)
	}
	if w.cmd != nil {
		_ = w.cmd.Process.Kill() // it may be gone already
	}
}

// end lets the process end: it does when its input ends.
func (w *worker) end() {
	<-w.started
	if w.startErr != nil {
		return
	}
	_ = w.stdin.Close()
	late := time.AfterFunc(w.ws.host.limits.WorkerGrace, func() { w.kill(demise{}) })
	<-w.dead
	late.Stop()
}

// pid is the number of the process, 0 as long as there is none.
func (w *worker) pid() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cmd == nil {
		return 0
	}
	return w.cmd.Process.Pid
}

func (w *worker) fateOf() *demise {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fate
}

func (w *worker) isRetired() bool {
	w.ws.mu.Lock()
	defer w.ws.mu.Unlock()
	return w.retired
}

// read hands frames to the calls that they belong to, until the process is gone.
func (w *worker) read(frames *wire.Reader, stdout *os.File, complaints *capped, first chan<- wire.Frame) {
	err := w.dispatch(frames, first)
	if errors.Is(err, errProtocol) || errors.Is(err, wire.ErrFrame) && w.fateOf() == nil {
		w.kill(demise{code: CodeTrap, why: err.Error()})
	}
	_ = stdout.Close() // a process that goes on writing gets a signal
	waitErr := w.cmd.Wait()
	asked := w.isRetired()
	w.ws.lost(w)
	w.told(asked, waitErr, complaints.String())
	_ = w.stdin.Close()
	w.leaveLanes()
	close(w.dead)
}

// told logs the end of a process that nobody asked to end.
func (w *worker) told(asked bool, err error, stderr string) {
	fate := w.fateOf()
	if fate == nil && asked || fate != nil && (fate.code == "" || fate.code == CodeHostFault) {
		return
	}
	why := "it died"
	if fate != nil {
		why = fate.why
	}
	w.ws.host.logger.Warn("a worker process ended", slog.String("digest", w.key.digest),
		slog.String("why", clean(why, 300)), slog.Any("error", err), slog.String("stderr", clean(firstLine(stderr), 500)))
}

// errProtocol is the sentinel of a process that says what it may not.
var errProtocol = errors.New("the worker process broke the protocol")

// dispatch reads frames until there is an error.
func (w *worker) dispatch(frames *wire.Reader, first chan<- wire.Frame) error {
	f, err := frames.Next()
	if err != nil {
		return err
	}
	first <- f // launch waits for it, or for the end
	for {
		if f, err = frames.Next(); err != nil {
			return err
		}
		w.mu.Lock()
		c := w.calls[f.Call]
		if c != nil {
			c.open()
		}
		w.mu.Unlock()
		if c == nil || f.Kind < wire.Gateway || c.parked.Load() {
			return fmt.Errorf("%w: a frame of kind %d that nobody waits for", errProtocol, f.Kind)
		}
		if f.Kind.Question() {
			c.parked.Store(true)
		}
		select {
		case c.inbox <- f:
		case <-c.over:
			return fmt.Errorf("%w: a frame of kind %d after the result", errProtocol, f.Kind)
		case <-w.doomed:
			return nil
		}
	}
}
