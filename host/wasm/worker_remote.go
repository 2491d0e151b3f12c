package wasm

import (
	"fmt"
	"os"
	"sync"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/wasm/lane"
	"github.com/culmhq/culm/host/wasm/wire"
)

// lanesFile is the number of the file that holds the lanes of a worker process.
const lanesFile = 3

// openLanes maps the lanes that the process was given, and closes their file.
func openLanes(n int) ([]*lane.Lane, error) {
	if n == 0 {
		return nil, nil
	}
	f := os.NewFile(lanesFile, "lanes")
	m, err := lane.Open(f, n)
	if err != nil {
		return nil, fmt.Errorf("a worker's lanes: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("a worker's lanes: %w", err)
	}
	return m.Lanes, nil
}

// attend serves the calls of a lane, and those behind them, one after the other.
func (p *workerProcess) attend(l *lane.Lane) {
	var said []byte
	for {
		id, body := l.Next()
		behind := l.Behind()
		said = p.serveOn(l, id, body, behind, said)
		for i, q := range behind {
			id, body, ok := q.TakeUp()
			if !ok { // nor are those that come after it
				break
			}
			said = p.serveOn(q.Lane, id, body, behind[i+1:], said)
		}
	}
}

// serveOn serves a call on a lane. What said has room for is used for what the call says,
// and returned.
func (p *workerProcess) serveOn(l *lane.Lane, id uint64, body []byte, behind []lane.Queued, said []byte) []byte {
	c, ok := p.begin(id, body)
	if !ok {
		os.Exit(exitRefused)
	}
	c.lane, c.behind, c.said = l, behind, said
	p.invoke(c)
	if said = c.said[:0]; cap(said) > keptBytes {
		said = nil
	}
	return said
}

// keptBytes is the size up to which what a call said leaves its memory to the next.
const keptBytes = 64 << 10

// remote is the services of a call whose host is at the other end of a lane, or of the
// pipe. What the guest says without waiting for an answer is held back while the call is
// on a lane, until it asks or ends: the host does not look before. A call that is not
// short is taken over by the pipe, and nothing is held back any more.
type remote struct {
	p       *workerProcess
	id      uint64
	order   Call
	answers chan []byte // nil until the pipe carries one; guarded by mu, see inbox

	tape  tapeWatch
	ended bool // its result was sent; the goroutine of the call's

	mu     sync.Mutex
	lane   *lane.Lane    // nil when the pipe has the call
	behind []lane.Queued // calls that the same goroutine takes up next, if this one is short
	said   []byte        // a batch of frames that were held back
	guest  *invocation   // what is interrupted when the host ends the call
	cause  error         // why it has
}

// send says something to the host. A host that is gone ends the process by closing
// stdin: errors are of no use here.
func (c *remote) send(k wire.Kind, body []byte) {
	if k != wire.Recording {
		c.catchUp(k)
	}
	c.say(k, body)
}

// say is send for what needs nothing before it.
func (c *remote) say(k wire.Kind, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lane == nil {
		_ = c.p.out.Send(k, c.id, body)
		return
	}
	c.said = wire.Append(c.said, k, body)
	if len(c.said) > c.lane.Size()/2 {
		c.lane.Leave()
		c.toPipe()
	}
}

// flush is what the host asks for when the pipe has taken the call over.
func (c *remote) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.toPipe()
}

// toPipe sends what was held back, and holds back nothing any more. The caller holds mu.
func (c *remote) toPipe() {
	c.giveBack()
	for rest := c.said; len(rest) > 0; {
		f, next, err := wire.Split(rest)
		if err != nil { // Append wrote it
			break
		}
		_ = c.p.out.Send(f.Kind, c.id, f.Body)
		rest = next
	}
	c.said, c.lane = nil, nil
}

// giveBack gives back the calls that would have to wait for this one. The caller holds mu.
func (c *remote) giveBack() {
	if c.behind != nil {
		lane.Return(c.behind)
		c.behind = nil
	}
}

// finish says how the call ended.
func (c *remote) finish(r Result, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lane != nil {
		at := len(c.said)
		whole := wire.End(appendResult(wire.Begin(c.said, wire.Result), r, err), at)
		if c.said = whole[:at]; c.lane.Finish(whole) {
			return
		}
	}
	c.toPipe()
	_ = c.p.out.Send(wire.Result, c.id, appendResult(nil, r, err))
}

// ask sends a question and waits for its answer. The host answers every question, soon
// after the call was cancelled at the latest; a host that is gone ends the process.
func (c *remote) ask(k wire.Kind, body []byte) []byte {
	c.catchUp(k)
	c.mu.Lock()
	c.giveBack()
	l := c.lane
	if l != nil && l.Put(wire.Append(c.said, k, body)) {
		c.said = nil
		c.mu.Unlock()
		answer, ok := l.Answered()
		if ok {
			return answer
		}
		c.flush()
		return <-c.inbox()
	}
	c.toPipe()
	c.mu.Unlock()
	if c.p.out.Send(k, c.id, body) != nil {
		select {} // stdin ends next
	}
	return <-c.inbox()
}

// inbox is where answers come in over the pipe.
func (c *remote) inbox() chan []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers == nil {
		c.answers = make(chan []byte, 1)
	}
	return c.answers
}

// recordChunk is how much of a recording goes into one frame.
const recordChunk = 512 << 10

// record sends what the host does not have of the recording of a call, in pieces.
func (c *remote) record(r *replay.Recording) {
	for raw := encodeRecording(r); len(raw) > 0; {
		n := min(len(raw), recordChunk)
		c.send(wire.Recording, raw[:n])
		raw = raw[n:]
	}
}
