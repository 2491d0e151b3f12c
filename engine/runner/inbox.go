package runner

import "sync"

// message is something for the loop. Exactly one of its methods is called.
type message interface {
	// apply runs on the loop.
	apply(l *loop)
	// refuse is called instead when the loop has ended.
	refuse(err error)
}

// inbox is what waits for the loop. Taking all of it at once costs one lock, where a
// channel would cost one a message.
type inbox struct {
	wake chan struct{}
	max  int

	mu     sync.Mutex
	items  []message
	asked  int
	closed error
}

func newInbox(limit int) *inbox { return &inbox{wake: make(chan struct{}, 1), max: limit} }

// put adds what must not be lost: results, notes, and our own messages. Their number is
// bounded by the calls that run.
func (b *inbox) put(m message) {
	if err := b.add(m, false); err != nil {
		m.refuse(err)
	}
}

// ask adds what somebody wants; it is refused when too much is waiting.
func (b *inbox) ask(m message) error { return b.add(m, true) }

func (b *inbox) add(m message, bounded bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed != nil {
		return b.closed
	}
	if bounded {
		if b.asked >= b.max {
			return ErrBusy
		}
		b.asked++
	}
	b.items = append(b.items, m)
	if len(b.items) == 1 {
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// take appends all messages to into.
func (b *inbox) take(into []message) []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	into = append(into, b.items...)
	clear(b.items)
	b.items, b.asked = b.items[:0], 0
	return into
}

// close refuses what waits and what comes.
func (b *inbox) close(err error) {
	b.mu.Lock()
	b.closed = err
	left := b.items
	b.items = nil
	b.mu.Unlock()
	for _, m := range left {
		m.refuse(err)
	}
}
