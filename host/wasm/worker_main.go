package wasm

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/wasm/confine"
	"github.com/culmhq/culm/host/wasm/wire"
	"github.com/culmhq/culm/pdk/contract"
)

// workerOrder is what a worker process is told first.
type workerOrder struct {
	// Dir holds the compiled code of the module.
	Dir    string `json:"dir"`
	Limits Limits `json:"limits"`
	// Lanes is how many lanes the memory has that the process was given as file
	// lanesFile; 0 means that there is none. Attended are those on which calls begin; the
	// others are for calls behind these.
	Lanes    int `json:"lanes,omitempty"`
	Attended int `json:"attended,omitempty"`
	// Try, if not nil, asks the process to try to get out once it is confined. It
	// then has no module, and ends.
	Try *confine.Target `json:"try,omitempty"`
}

// workerReady is what a worker process says of itself.
type workerReady struct {
	Failure *contract.Failure `json:"failure,omitempty"`
	Limits  contract.Limits   `json:"limits"`
	// Image says that calls begin from an image of the initialised module; Start is what
	// that initialisation asked for, StartCut that this is not all of it.
	Image    bool           `json:"image,omitempty"`
	Start    []replay.Event `json:"start,omitempty"`
	StartCut bool           `json:"start_cut,omitempty"`

	Syscalls bool              `json:"syscalls"`
	Attempts []confine.Attempt `json:"attempts,omitempty"`
	Open     []string          `json:"open,omitempty"`
}

// garbagePercent lets a worker process collect a quarter as often as Go does by itself. Its heap
// is a few megabytes, and calls of ten microseconds fill it dozens of times a second; it costs 12 MB.
const garbagePercent = 400

// orderMax bounds the order of a worker process without its module.
const orderMax = 1 << 20

// WorkerMain is a worker process: it puts limits on itself, reads one module, gives up
// every right that computing does not need, and then serves calls until stdin ends. The
// result is the exit status.
//
// The program must call it when it is started by the command that Config.Worker makes,
// before it does anything else. What a plugin can do to a process by way of a defect in
// the runtime, the compiler or the processor happens here, where there is no key, no
// database, no network and no other process.
func WorkerMain(stdin io.Reader, stdout io.Writer) int {
	in := wire.NewReader(stdin, workerFrameMax)
	first, err := in.Next()
	if err != nil || first.Kind != wire.Open {
		return exitRefused
	}
	d := wire.NewDecoder(first.Body)
	head, code := d.Bytes(), d.Bytes()
	var order workerOrder
	if d.End() != nil || len(head) > orderMax || json.Unmarshal(head, &order) != nil {
		return exitRefused
	}
	if err := confine.Limit(workerLimits(order.Limits)); err != nil {
		return exitRefused
	}
	debug.SetMemoryLimit(order.Limits.WorkerBytes / 2)
	debug.SetGCPercent(garbagePercent)
	p := &workerProcess{out: wire.NewWriter(stdout), calls: map[uint64]*remote{}}
	lanes, err := openLanes(order.Lanes)
	if err != nil {
		return exitRefused
	}
	if !p.ready(p.open(order, code)) || order.Try != nil {
		return 0
	}
	for i, l := range lanes {
		if i < order.Attended {
			go p.attend(l)
		}
	}
	return p.serve(in)
}

// workerLimits are the limits of a worker process.
func workerLimits(l Limits) confine.Limits {
	c := confine.Limits{DataBytes: l.WorkerBytes, FileBytes: cacheFileMax, Files: 64}
	if raceDetector { // which maps terabytes
		c.DataBytes = 0
	}
	return c
}

// workerProcess is the state of a worker process.
type workerProcess struct {
	out    *wire.Writer
	module *Module

	mu    sync.Mutex
	calls map[uint64]*remote
}

// ready tells the host what became of the order, and reports whether calls can be
// served.
func (p *workerProcess) ready(r workerReady) bool {
	b, err := json.Marshal(r)
	return err == nil && p.out.Send(wire.Ready, 0, b) == nil && r.Failure == nil
}

// open makes the module ready. Between the reading of its compiled code and the first
// instruction of it the process gives up its rights.
func (p *workerProcess) open(order workerOrder, code []byte) workerReady {
	var r workerReady
	seal := func() error {
		err := confine.Filter()
		r.Syscalls = err == nil
		if errors.Is(err, confine.ErrUnsupported) {
			return nil
		}
		return err
	}
	if order.Try != nil {
		open, err := confine.OpenFiles()
		if err == nil {
			err = seal()
		}
		if err != nil {
			e := hostFault("confining a process", err)
			r.Failure = &e.Failure
			return r
		}
		r.Open, r.Attempts = open, confine.Try(*order.Try)
		return r
	}
	h := newHost(Config{Limits: order.Limits, Parallel: order.Limits.WorkerCalls, Now: time.Now})
	h.seal = seal
	a, e := analyse(code, h.limits)
	if e == nil {
		p.module = &Module{host: h, info: a.info, calls: a.calls, limits: h.limits}
		if a.info.Manifest != nil {
			p.module.limits = h.limits.lowered(a.info.Manifest.Limits)
		}
		var l *live
		if l, e = h.build(context.Background(), a, filepath.Clean(order.Dir), p.module.limits); e == nil {
			l.refs = 1 // the process ends with it
			p.module.live = l
			r.Image, r.Start, r.StartCut = l.initialised, l.began, l.beganCut
		}
	}
	if e != nil {
		r.Failure = &e.Failure
		return r
	}
	r.Limits = p.module.limits.asked()
	return r
}

// serve serves calls until the host closes the pipe.
func (p *workerProcess) serve(in *wire.Reader) int {
	for {
		f, err := in.Next()
		if errors.Is(err, io.EOF) {
			return 0
		}
		if err != nil {
			return exitRefused
		}
		switch f.Kind {
		case wire.Invoke:
			c, ok := p.begin(f.Call, f.Body)
			if !ok {
				return exitRefused
			}
			go p.invoke(c)
		case wire.Flush:
			if c := p.call(f.Call); c != nil {
				c.flush()
			}
		case wire.Answer:
			if c := p.call(f.Call); c != nil {
				c.inbox() <- f.Body
			}
		case wire.Cancel:
			if c := p.call(f.Call); c != nil {
				c.cancel(cancelCause(string(f.Body)))
			}
		default:
			return exitRefused
		}
	}
}

// call returns a call that is under way.
func (p *workerProcess) call(id uint64) *remote {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[id]
}

// begin takes up a call.
func (p *workerProcess) begin(id uint64, body []byte) (*remote, bool) {
	c := &remote{p: p, id: id}
	if err := c.order.decode(body); err != nil {
		return nil, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[id] = c
	return c, true
}

// invoke makes a call and sends its result.
func (p *workerProcess) invoke(c *remote) {
	c.order.Services, c.order.taping, c.order.answered, c.order.ender = c, c.tape.watch, c.end, c
	if r, err := p.module.Call(context.Background(), c.order); !c.ended {
		c.end(r, err)
	}
}

// attach implements ender.
func (c *remote) attach(v *invocation) {
	c.mu.Lock()
	c.guest = v
	cause := c.cause
	c.mu.Unlock()
	if cause != nil {
		v.cancel(cause)
	}
}

// cancel ends the call: the host says so.
func (c *remote) cancel(cause error) {
	c.mu.Lock()
	c.cause = cause
	v := c.guest
	c.mu.Unlock()
	if v != nil {
		v.cancel(cause)
	}
}

// end sends the result of the call. The host may give the next one before this one has
// cleaned up.
func (c *remote) end(r Result, err error) {
	c.ended = true
	if errors.Is(err, syscall.ENOMEM) {
		err = failure(contract.OriginLimit, CodeResource, "the worker process of the plugin has no memory left")
	}
	c.p.mu.Lock()
	delete(c.p.calls, c.id)
	c.p.mu.Unlock()
	// A host that is gone ends the process by closing stdin: errors are of no use here.
	if r.Recording != nil {
		c.record(r.Recording)
	}
	c.finish(r, err)
}

var (
	_ Services  = (*remote)(nil)
	_ Evaluator = (*remote)(nil)
	_ sleeper   = (*remote)(nil)
	_ ender     = (*remote)(nil)
)

// Gateway implements Services.
func (c *remote) Gateway(_ context.Context, req contract.GatewayRequest) (resp contract.GatewayResponse) {
	raw, err := json.Marshal(req)
	if err == nil {
		err = json.Unmarshal(c.ask(wire.Gateway, raw), &resp)
	}
	if err != nil {
		e := hostFault("a gateway call", err)
		return contract.GatewayResponse{Failure: &e.Failure}
	}
	return resp
}

// Eval implements Evaluator.
func (c *remote) Eval(_ context.Context, req contract.EvalRequest) (resp contract.EvalResponse) {
	raw, err := json.Marshal(req)
	if err == nil {
		err = json.Unmarshal(c.ask(wire.Eval, raw), &resp)
	}
	if err != nil {
		e := hostFault("an evaluation", err)
		return contract.EvalResponse{Failure: &e.Failure}
	}
	return resp
}

// Log implements Services.
func (c *remote) Log(l contract.LogLine) {
	c.send(wire.Log, new(wire.Encoder).Text(string(l.Level)).Text(l.Text).Body())
}

// Progress implements Services.
func (c *remote) Progress(percent int, message string) {
	c.send(wire.Progress, new(wire.Encoder).Int(int64(percent)).Text(message).Body())
}

// Var implements Services.
func (c *remote) Var(name string) (json.RawMessage, bool) {
	d := wire.NewDecoder(c.ask(wire.Var, new(wire.Encoder).Text(name).Body()))
	ok, value := d.Int() != 0, d.Bytes()
	return value, ok && d.End() == nil
}

// SetVar implements Services.
func (c *remote) SetVar(name string, value json.RawMessage) error {
	if why := c.ask(wire.SetVar, new(wire.Encoder).Text(name).Bytes(value).Body()); len(why) > 0 {
		return errors.New(string(why))
	}
	return nil
}

// Sleep implements sleeper: the host waits, and gives the place to run in away.
func (c *remote) Sleep(_ context.Context, d time.Duration) {
	c.ask(wire.Sleep, new(wire.Encoder).Int(int64(d)).Body())
}
