// Package live streams the records of runs to WebSocket clients: one snapshot, then
// every record in order, none dropped and none merged. The protocol is in
// docs/api.md.
//
// The hub is handed what was committed and never blocks its publisher: a client's
// queue is bounded, and a client that lets it fill is closed and told to come back.
// What a client missed is read from the store at the client's own pace; it joins the
// live feed at the moment when nothing lies between the two.
package live

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/culmhq/culm/engine"
)

// ErrNoRun is what a Source answers for a run that does not exist in the project.
var ErrNoRun = errors.New("live: no such run")

// Source is where the hub reads what was committed. Its methods are safe for
// concurrent use; an error that wraps ErrNoRun closes the client with CloseNoRun.
type Source interface {
	// Snapshot returns the run as it is after its last committed record.
	Snapshot(ctx context.Context, project, run string) (engine.RunView, error)
	// Records returns the committed records after seq, at most limit, in order.
	Records(ctx context.Context, project, run string, after uint64, limit int) ([]engine.Record, error)
}

// Options are the limits of a hub. A zero field takes the default.
type Options struct {
	// Window is the time whose records may share a frame; default 100 ms.
	Window time.Duration
	// Ping is the time without traffic after which a ping is sent; default 15 s.
	Ping time.Duration
	// WriteTimeout bounds the writing of one frame; default 10 s.
	WriteTimeout time.Duration
	// QueueMax and QueueMaxBytes bound what waits for one client, in published
	// batches and in bytes; defaults 256 and 1 MiB.
	QueueMax      int
	QueueMaxBytes int
	// FrameMaxBytes is the size at which a frame is ended; default 64 KiB.
	FrameMaxBytes int
	// PageMax is the number of records read from the store at once; default 500.
	PageMax int
}

// Hub hands the records of runs to their clients. Make one with New.
type Hub struct {
	src Source
	opt Options

	mu     sync.RWMutex
	topics map[string]*topic
	closed bool
	wg     sync.WaitGroup
}

// topic is one run that somebody watches.
type topic struct {
	mu      sync.Mutex
	clients map[*client]bool // true once the client has joined the live feed
	last    uint64           // last seq published since the topic exists
}

// New makes a hub that reads from src.
func New(src Source, o Options) *Hub {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	defTime := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	defTime(&o.Window, 100*time.Millisecond)
	defTime(&o.Ping, 15*time.Second)
	defTime(&o.WriteTimeout, 10*time.Second)
	def(&o.QueueMax, 256)
	def(&o.QueueMaxBytes, 1<<20)
	def(&o.FrameMaxBytes, 64<<10)
	def(&o.PageMax, 500)
	return &Hub{src: src, opt: o, topics: map[string]*topic{}}
}

// Publish hands the records of a commit to the run's clients. It does no I/O and
// does not wait for anybody; for a run that nobody watches it costs one look-up. The
// records of one run must come in order, after they are readable in the Source, and
// must not be changed any more.
func (h *Hub) Publish(run string, rs []engine.Record) {
	if len(rs) == 0 {
		return
	}
	h.mu.RLock()
	t := h.topics[run]
	h.mu.RUnlock()
	if t == nil {
		return
	}
	b := newBatch(rs)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = max(t.last, b.lastSeq())
	for c, joined := range t.clients {
		if joined {
			c.offer(b)
		}
	}
}

// Serve streams a run to a client until the client goes, is closed for cause, or the
// hub closes. It takes over conn and closes it. With after nil the stream begins with
// a snapshot, else with the records after *after.
func (h *Hub) Serve(ctx context.Context, conn *websocket.Conn, project, run string, after *uint64) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := &client{
		conn: conn, src: h.src, opt: h.opt, project: project, run: run, cancel: cancel,
		wake: make(chan struct{}, 1), press: make(chan struct{}, 1),
	}
	t, ok := h.enter(c)
	defer func() { _ = conn.Close() }() // the client is gone, or has been told why
	if !ok {
		cancel(errGoingAway)
		bye(conn, errGoingAway)
		return
	}
	defer h.leave(c, t)
	c.topic = t

	reader := make(chan struct{})
	go func() {
		defer close(reader)
		refuse(conn, cancel)
	}()
	err := c.stream(ctx, after)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	cancel(err)
	bye(conn, err)
	<-reader
}

// Clients returns the number of connected clients.
func (h *Hub) Clients() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	n := 0
	for _, t := range h.topics {
		t.mu.Lock()
		n += len(t.clients)
		t.mu.Unlock()
	}
	return n
}

// Close tells every client that the server stops, refuses new ones, and waits until
// they are gone or ctx is done.
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	for _, t := range h.topics {
		t.mu.Lock()
		for c := range t.clients {
			c.hurry()
		}
		t.mu.Unlock()
	}
	h.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		h.wg.Wait()
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Hub) enter(c *client) (*topic, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, false
	}
	t := h.topics[c.run]
	if t == nil {
		t = &topic{clients: map[*client]bool{}}
		h.topics[c.run] = t
	}
	t.mu.Lock()
	t.clients[c] = false
	t.mu.Unlock()
	h.wg.Add(1)
	return t, true
}

func (h *Hub) leave(c *client, t *topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.clients, c)
	// A publisher that still holds a topic removed here published what any later
	// client reads from the store: it was committed before.
	if len(t.clients) == 0 {
		delete(h.topics, c.run)
	}
	h.wg.Done()
}

// join lets c have what is published from now on, unless something was published
// that c has not seen.
func (t *topic) join(c *client, seen uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last > seen {
		return false
	}
	t.clients[c] = true
	return true
}

// part takes c out of the live feed again.
func (t *topic) part(c *client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clients[c] = false
}
