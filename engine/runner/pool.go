package runner

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// call is one dispatch on its way through the pool.
type call struct {
	run *live
	d   engine.Dispatch
	// birth is set for the start of a child, which is no call of a plugin.
	birth *birth
	// cancels marks a call of the plugin's cancel export, which has no result.
	cancels bool
	// ahead marks a call that began before the record of it is durable.
	ahead bool

	mu      sync.Mutex
	stopped bool
	stop    context.CancelFunc // while it runs
	said    []engine.Note      // the notes that were not applied yet
}

// say keeps a note until it is applied.
func (c *call) say(n engine.Note) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = append(c.said, n)
}

// heard returns the notes that were not applied, and takes them over.
func (c *call) heard() []engine.Note {
	c.mu.Lock()
	defer c.mu.Unlock()
	said := c.said
	c.said = nil
	return said
}

// worker has the context of the calls that one goroutine makes. It serves until one of
// them is stopped: a new one for each would cost more than all else that is done for it.
type worker struct {
	ctx  context.Context //nolint:containedctx // see above.
	stop context.CancelFunc
}

func (w *worker) renew(root context.Context) {
	if w.ctx == nil || w.ctx.Err() != nil {
		w.ctx, w.stop = context.WithCancel(root)
	}
}

// pool runs calls of the executor, a fixed number at a time.
type pool struct {
	exec   Executor
	store  Store
	graphs Graphs
	in     *inbox
	clock  Clock
	log    *slog.Logger
	notes  chan struct{} // a slot for every note that waits for the loop
	// stopping keeps runs from going ahead.
	stopping atomic.Bool
	waiting  atomic.Int64 // calls that no worker has taken

	root context.Context //nolint:containedctx // the life of the pool, parent of every call.
	kill context.CancelFunc

	wg     sync.WaitGroup
	mu     sync.Mutex
	work   *sync.Cond
	urgent []*call // cancellations: they go first
	queue  []*call
	head   int // of queue
	idle   int
	closed bool
}

func newPool(cfg *Config, in *inbox) *pool {
	p := &pool{exec: cfg.Executor, store: cfg.Store, graphs: cfg.Graphs, in: in, clock: cfg.Clock, log: cfg.Logger, notes: make(chan struct{}, cfg.QueueMax)}
	p.work = sync.NewCond(&p.mu)
	p.root, p.kill = context.WithCancel(context.Background())
	return p
}

func (p *pool) start(workers int) {
	for range workers {
		p.wg.Go(func() {
			var w worker
			for c := p.next(); c != nil; c = p.next() {
				w.renew(p.root)
				p.do(w.ctx, w.stop, c)
			}
			w.renew(p.root)
			w.stop()
		})
	}
}

// push queues calls, and reports false when the pool takes none any more.
func (p *pool) push(cs ...*call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	for _, c := range cs {
		if c.cancels {
			p.urgent = append(p.urgent, c)
		} else {
			p.queue = append(p.queue, c)
		}
	}
	p.waiting.Add(int64(len(cs)))
	for range min(len(cs), p.idle) {
		p.work.Signal()
	}
	return true
}

// close lets the calls that run and the cancellations go on, and returns the calls that
// had not begun.
func (p *pool) close() []*call {
	p.stopping.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	left := p.queue[p.head:]
	p.queue, p.head = nil, 0
	p.work.Broadcast()
	return left
}

// next waits for a call; nil means that the pool is closed.
func (p *pool) next() *call {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if n := len(p.urgent); n > 0 {
			c := p.urgent[0]
			p.urgent = append(p.urgent[:0], p.urgent[1:]...)
			p.waiting.Add(-1)
			return c
		}
		if p.head < len(p.queue) {
			c := p.queue[p.head]
			p.queue[p.head] = nil
			p.waiting.Add(-1)
			if p.head++; p.head == len(p.queue) {
				p.queue, p.head = p.queue[:0], 0
			}
			return c
		}
		if p.closed {
			return nil
		}
		p.idle++
		p.work.Wait()
		p.idle--
	}
}

// do makes a call, and then those pure ones that need not wait for its commit.
func (p *pool) do(ctx context.Context, stop context.CancelFunc, c *call) {
	if c.cancels {
		p.cancel(ctx, c)
		return
	}
	if c.birth != nil {
		p.in.put(p.bear(ctx, c))
		return
	}
	for n := 1; p.root.Err() == nil && c.begin(stop); n++ {
		r := p.execute(ctx, c)
		c.finish()
		if p.root.Err() != nil {
			break // it is the end of the program that made the call fail
		}
		turn := ctx.Err() != nil || n >= aheadTurn && p.waiting.Load() > 0
		next, tell := c.run.finished(p, c, r, turn)
		if next == nil {
			break
		}
		if tell {
			p.in.put(&advanced{run: c.run})
		}
		c = next
	}
	p.in.put(&ended{call: c})
}

// execute keeps a panic of the executor from ending the program: the node fails.
func (p *pool) execute(ctx context.Context, c *call) (r engine.Result) {
	var over atomic.Bool
	defer func() {
		over.Store(true)
		if v := recover(); v != nil {
			p.log.Error("a call panicked", keyRun, c.run.id, keyNode, c.d.Node, "panic", v, "stack", string(debug.Stack()))
			r = engine.Result{Answer: contract.Answer{Status: contract.StatusFailed, Failure: &contract.Failure{
				Code: FailPanic, Message: "the host failed while it ran the plugin; its log says more", Origin: contract.OriginHost,
			}}}
		}
		r.Node, r.Epoch = c.d.Node, c.d.Epoch
	}()
	info := c.run.info
	info.Ahead = c.ahead
	return p.exec.Execute(ctx, info, c.d, func(n engine.Note) {
		if over.Load() {
			return
		}
		n.Node, n.Epoch = c.d.Node, c.d.Epoch
		select {
		case p.notes <- struct{}{}:
			c.say(n)
			p.in.put(&noted{call: c, slot: p.notes})
		case <-ctx.Done():
		}
	})
}

func (p *pool) cancel(ctx context.Context, c *call) {
	defer func() {
		if v := recover(); v != nil {
			p.log.Error("a cancellation panicked", keyRun, c.run.id, keyNode, c.d.Node,
				"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	p.exec.Cancel(ctx, c.run.info, c.d)
}

// begin makes the call one that runs, unless it was stopped before.
func (c *call) begin(stop context.CancelFunc) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop = stop
	return !c.stopped
}

func (c *call) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop = nil
}

// halt stops a call that runs, and keeps one that waits from running. It reports
// whether the call had begun.
func (c *call) halt() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	began := c.stop != nil
	c.stopped = true
	if began {
		c.stop()
	}
	return began
}
