package gateway

import (
	"errors"
	"math"
	"os"
	"slices"
	"sync"
	"time"
)

// place is what a connection leads to.
type place struct{ scheme, host string }

// pool keeps the connections that nobody uses. Nobody looks after them meanwhile: one that the
// other side has closed is found out when it is taken. The zero value is ready. Safe for
// concurrent use.
type pool struct {
	mu     sync.Mutex
	places map[place][]*conn // the one that was used last at the end
	n      int
	closed int         // how often all were dropped
	timer  *time.Timer // ends those that are idle for too long; nil where there are none
}

// take returns a connection that can be used, or nil.
func (p *pool) take(at place) *conn {
	for {
		c := p.pop(at)
		if c == nil || c.isQuiet() {
			return c
		}
		_ = c.raw.Close()
	}
}

func (p *pool) pop(at place) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.places[at]
	if len(list) == 0 {
		return nil
	}
	c := list[len(list)-1]
	list[len(list)-1] = nil
	p.places[at] = list[:len(list)-1]
	p.n--
	return c
}

// put keeps a connection, and reports whether it did.
func (p *pool) put(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.places[c.place]
	if c.socket == nil || c.born != p.closed || len(list) >= maxIdlePerSystem || p.n >= maxIdle {
		return false
	}
	if p.places == nil {
		p.places = map[place][]*conn{}
	}
	c.since = time.Now()
	p.places[c.place] = append(list, c)
	p.n++
	if p.timer == nil {
		p.timer = time.AfterFunc(idleTimeout, p.sweep)
	}
	return true
}

// sweep closes what was idle for too long.
func (p *pool) sweep() { hangUp(p.old(time.Now())) }

// old takes out what was idle for too long, and sets the time of the next look.
func (p *pool) old(now time.Time) (old []*conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer == nil {
		return nil
	}
	next := idleTimeout
	for at, list := range p.places {
		i := 0
		for i < len(list) && now.Sub(list[i].since) >= idleTimeout {
			i++
		}
		old = append(old, list[:i]...)
		if i == len(list) {
			delete(p.places, at)
			continue
		}
		p.places[at] = slices.Clone(list[i:])
		next = min(next, idleTimeout-now.Sub(list[i].since))
	}
	if p.n -= len(old); p.n == 0 {
		p.timer = nil
	} else {
		p.timer.Reset(next)
	}
	return old
}

// closeAll closes the connections that nobody uses; those in use are not kept afterwards.
func (p *pool) closeAll() { hangUp(p.all()) }

func (p *pool) all() (all []*conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range p.places {
		all = append(all, list...)
	}
	p.places, p.n = nil, 0
	p.closed++
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	return all
}

func hangUp(conns []*conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}

// age tells how often all were dropped.
func (p *pool) age() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// isQuiet reports whether a connection is open and nothing has come that nobody asked for: an
// answer would be taken for that of the next request.
func (c *conn) isQuiet() bool {
	if !silent(c.socket) {
		return false
	}
	if c.place.scheme != "https" {
		return true
	}
	// TLS may hold what has come already, and does not tell without being read.
	c.left = math.MaxInt64
	_ = c.SetReadDeadline(longAgo())
	_, err := c.r.Peek(1)
	_ = c.SetReadDeadline(time.Time{})
	c.isBroken = false
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// longAgo ends what waits for a connection.
func longAgo() time.Time { return time.Unix(1, 0) }
