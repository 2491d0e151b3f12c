package runner_test

import (
	"sync"
	"testing"
	"time"
)

// fakeClock is a clock that tests move.
type fakeClock struct {
	mu      sync.Mutex
	now     time.Time
	waiters map[*waiter]bool
	changed chan struct{}
}

type waiter struct {
	at time.Time
	c  chan time.Time
}

func newFakeClock() *fakeClock {
	return &fakeClock{
		now: time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC), waiters: map[*waiter]bool{}, changed: make(chan struct{}),
	}
}

// Now implements runner.Clock.
func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// After implements runner.Clock.
func (c *fakeClock) After(d time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &waiter{at: c.now.Add(d), c: make(chan time.Time, 1)}
	if d <= 0 {
		w.c <- c.now
		return w.c, func() {}
	}
	c.waiters[w] = true
	close(c.changed)
	c.changed = make(chan struct{})
	return w.c, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waiters, w)
	}
}

// set moves the clock to a time, which may be earlier, and wakes who waits.
func (c *fakeClock) set(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = to
	for w := range c.waiters {
		if !w.at.After(to) {
			delete(c.waiters, w)
			w.c <- to
		}
	}
}

// wakeAll wakes who waits, as the end of their sleep does whatever the wall clock says.
func (c *fakeClock) wakeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for w := range c.waiters {
		delete(c.waiters, w)
		w.c <- c.now
	}
}

func (c *fakeClock) advance(d time.Duration) { c.set(c.Now().Add(d)) }

// untilWaiting waits until somebody waits for the clock.
func (c *fakeClock) untilWaiting(t *testing.T) {
	t.Helper()
	late := time.NewTimer(waitMax)
	defer late.Stop()
	for {
		c.mu.Lock()
		n, changed := len(c.waiters), c.changed
		c.mu.Unlock()
		if n > 0 {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			t.Fatal("nobody waits for the clock")
		}
	}
}
