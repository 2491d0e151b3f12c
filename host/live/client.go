package live

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// The codes with which the hub closes a client, besides 1001 for a server that stops
// and 1011 for an internal error.
const (
	CloseSlow   = 4008 // too slow; come back with after
	CloseNoRun  = 4404 // no such run
	CloseBeyond = 4409 // after is beyond the last record
)

// closeError is why a client is closed.
type closeError struct {
	code   int
	reason string
}

func (e *closeError) Error() string { return fmt.Sprintf("close %d: %s", e.code, e.reason) }

// The reasons why a client is closed; constant.
var (
	errSlow      = &closeError{CloseSlow, "too slow, resume after the last seq"}
	errNoRun     = &closeError{CloseNoRun, "no such run"}
	errBeyond    = &closeError{CloseBeyond, "after is beyond the last record"}
	errGoingAway = &closeError{websocket.CloseGoingAway, "the server stops"}
	errTalks     = &closeError{websocket.CloseUnsupportedData, "this stream takes no messages"}
	errInternal  = &closeError{websocket.CloseInternalServerErr, "internal error"}
	errGone      = errors.New("live: the client went")
)

// inboundMax bounds what a client may send: control frames only.
const inboundMax = 512

// byeTimeout bounds the writing of the close frame.
const byeTimeout = time.Second

// client is one connection. Its stream method is the only writer of data frames;
// offer is called by publishers.
type client struct {
	conn         *websocket.Conn
	src          Source
	opt          Options
	project, run string
	topic        *topic
	cancel       context.CancelCauseFunc

	wake  chan struct{} // something is queued
	press chan struct{} // so much is queued that it should not wait for the window

	mu    sync.Mutex
	queue []*batch
	bytes int

	cursor uint64 // last seq written; of the stream goroutine
}

// offer queues a batch. It never blocks; a client whose queue is full is closed.
func (c *client) offer(b *batch) {
	c.mu.Lock()
	c.queue = append(c.queue, b)
	c.bytes += b.bytes
	n, bytes := len(c.queue), c.bytes
	full := n > c.opt.QueueMax || (bytes > c.opt.QueueMaxBytes && n > 1)
	if full {
		c.queue, c.bytes = nil, 0
	}
	c.mu.Unlock()
	if full {
		c.cancel(errSlow)
		return
	}
	signal(c.wake)
	if n > c.opt.QueueMax/2 || bytes > c.opt.QueueMaxBytes/2 {
		signal(c.press)
	}
}

// take empties the queue.
func (c *client) take() []*batch {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queue
	c.queue, c.bytes = nil, 0
	return q
}

// hurry ends the client because the server stops, whatever it is doing.
func (c *client) hurry() {
	c.cancel(errGoingAway)
	// A write that is under way gets as long as the close frame would.
	_ = c.conn.NetConn().SetWriteDeadline(time.Now().Add(byeTimeout))
}

// refuse waits for the client to go, and takes nothing that it says.
func refuse(conn *websocket.Conn, cancel context.CancelCauseFunc) {
	conn.SetReadLimit(inboundMax)
	for {
		if _, _, err := conn.NextReader(); err != nil {
			cancel(errGone)
			return
		}
		cancel(errTalks)
	}
}

// stream writes the run until ctx is done or something fails.
func (c *client) stream(ctx context.Context, after *uint64) error {
	if err := c.begin(ctx, after); err != nil {
		return err
	}
	for {
		if err := c.catchUp(ctx); err != nil {
			return err
		}
		if err := c.follow(ctx); err != nil {
			return err
		}
		// A hole in what was published: read it from the store.
		c.topic.part(c)
		c.take()
	}
}

// begin writes the snapshot, or checks where the client wants to go on.
func (c *client) begin(ctx context.Context, after *uint64) error {
	if after == nil {
		v, err := c.src.Snapshot(ctx, c.project, c.run)
		if err != nil {
			return sourceError(err)
		}
		c.cursor = v.Seq
		frame, err := snapshotFrame(v)
		if err != nil {
			return errInternal
		}
		return c.write(frame)
	}
	c.cursor = *after
	if c.cursor == 0 {
		return nil
	}
	// Asking for the record that the client has seen costs less than the run's state.
	rs, err := c.src.Records(ctx, c.project, c.run, c.cursor-1, 1)
	if err != nil {
		return sourceError(err)
	}
	if len(rs) == 0 {
		return errBeyond
	}
	return nil
}

// catchUp writes what the store has after the cursor, until the client has joined the
// live feed with nothing in between.
func (c *client) catchUp(ctx context.Context) error {
	for {
		rs, err := c.src.Records(ctx, c.project, c.run, c.cursor, c.opt.PageMax)
		if err != nil {
			return sourceError(err)
		}
		if len(rs) > 0 {
			if rs[0].Seq != c.cursor+1 {
				return errInternal
			}
			if err := c.send(newBatch(rs)); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if len(rs) < c.opt.PageMax && c.topic.join(c, c.cursor) {
			return nil
		}
	}
}

// follow writes what is published. It returns nil when it meets a hole.
func (c *client) follow(ctx context.Context) error {
	ping := time.NewTimer(c.opt.Ping)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ping.C:
			if err := c.write([]byte(`{"type":"ping"}`)); err != nil {
				return err
			}
		case <-c.wake:
			if hole, err := c.sendAll(c.take()); hole || err != nil {
				return err
			}
			if err := c.rest(ctx); err != nil {
				return err
			}
		}
		ping.Reset(c.opt.Ping)
	}
}

// rest waits for the end of the window, so that the records of the time until then
// share a frame. The first records after a quiet time never wait.
func (c *client) rest(ctx context.Context) error {
	window := time.NewTimer(c.opt.Window)
	defer window.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-window.C:
	case <-c.press:
	}
	return nil
}

// write writes one frame.
func (c *client) write(frame []byte) error { return write(c.conn, frame, c.opt.WriteTimeout) }

func write(conn *websocket.Conn, frame []byte, within time.Duration) error {
	if err := conn.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return errGone
	}
	if err := conn.WriteMessage(websocket.TextMessage, frame); err != nil {
		return errGone
	}
	return nil
}

// bye says why the client is closed, and gives it byeTimeout to hear it: closing at
// once would let the network drop the close frame.
func bye(conn *websocket.Conn, err error) {
	var ce *closeError
	if !errors.As(err, &ce) {
		_ = conn.Close()
		return
	}
	msg := websocket.FormatCloseMessage(ce.code, ce.reason)
	end := time.Now().Add(byeTimeout)
	if conn.WriteControl(websocket.CloseMessage, msg, end) != nil {
		_ = conn.Close()
		return
	}
	_ = conn.SetReadDeadline(end)
}

func sourceError(err error) error {
	switch {
	case errors.Is(err, ErrNoRun):
		return errNoRun
	case errors.Is(err, context.Canceled):
		return errGone
	default:
		return errInternal
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
