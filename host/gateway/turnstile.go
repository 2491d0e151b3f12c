package gateway

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxWaiting bounds the calls that wait at one turnstile; further ones are refused at once.
const maxWaiting = 4096

// The ways in which nobody gets through a turnstile.
var (
	errQueueFull = errors.New("gateway: too many calls wait already")
	errQueueTime = errors.New("gateway: no turn came in time")
)

// turnstile lets a number of calls through at once, and a number each second. Those that
// wait are let in by turns of the party that they belong to, and within a party as they
// came: who has a thousand calls waiting keeps nobody else waiting behind them. It is safe
// for concurrent use.
type turnstile struct {
	mu     sync.Mutex
	places int
	inside int
	// rate is nil where the number each second has no bound.
	rate    *rate.Limiter
	order   []string // the parties that wait, the next one first
	parties map[string][]*waiter
	waiting int
	timer   *time.Timer // set while the next one waits for its second
}

// waiter is a call that waits. Its channel is closed when it may go.
type waiter struct {
	party string
	turn  chan struct{}
}

func newTurnstile(places int, perSecond float64, burst int) *turnstile {
	t := &turnstile{places: places, parties: map[string][]*waiter{}}
	if perSecond > 0 {
		t.rate = rate.NewLimiter(rate.Limit(perSecond), burst)
	}
	return t
}

// enter waits for a turn, at most for a time. Who got one calls leave when he is done. The
// error is errQueueFull, errQueueTime, or that of the context.
func (t *turnstile) enter(ctx context.Context, party string, most time.Duration) error {
	t.mu.Lock()
	if t.waiting == 0 && t.inside < t.places && t.second() == 0 {
		t.inside++
		t.mu.Unlock()
		return nil
	}
	if t.waiting >= maxWaiting {
		t.mu.Unlock()
		return errQueueFull
	}
	w := t.push(party)
	t.pump()
	t.mu.Unlock()

	limit := time.NewTimer(most)
	defer limit.Stop()
	select {
	case <-w.turn:
		return nil
	case <-limit.C:
		return t.giveUp(w, errQueueTime)
	case <-ctx.Done():
		return t.giveUp(w, ctx.Err())
	}
}

// giveUp ends a wait, unless its turn has come at the same moment.
func (t *turnstile) giveUp(w *waiter, why error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-w.turn:
		return nil
	default:
		t.remove(w)
		return why
	}
}

// leave gives the place back.
func (t *turnstile) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inside--
	t.pump()
}

// again asks for one more request of a call that is inside: how long to wait for it. It is
// zero where the second has one left, which is then taken.
func (t *turnstile) again() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.second()
}

// counts tells how many are inside and how many wait.
func (t *turnstile) counts() (inside, waiting int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.inside, t.waiting
}

// second takes one of what may go this second, or tells how long it is to the next.
func (t *turnstile) second() time.Duration {
	if t.rate == nil {
		return 0
	}
	now := time.Now()
	r := t.rate.ReserveN(now, 1)
	d := r.DelayFrom(now)
	if d > 0 {
		r.CancelAt(now)
	}
	return d
}

// pump lets in whoever may go.
func (t *turnstile) pump() {
	for t.waiting > 0 && t.inside < t.places && t.timer == nil {
		if d := t.second(); d > 0 {
			t.timer = time.AfterFunc(d, func() {
				t.mu.Lock()
				defer t.mu.Unlock()
				t.timer = nil
				t.pump()
			})
			return
		}
		t.inside++
		close(t.pop().turn)
	}
}

func (t *turnstile) push(party string) *waiter {
	w := &waiter{party, make(chan struct{})}
	if len(t.parties[party]) == 0 {
		t.order = append(t.order, party)
	}
	t.parties[party] = append(t.parties[party], w)
	t.waiting++
	return w
}

// pop takes the first of the party whose turn it is, which then goes to the end.
func (t *turnstile) pop() *waiter {
	party := t.order[0]
	w := t.parties[party][0]
	t.order = t.order[1:]
	t.waiting--
	if rest := t.parties[party][1:]; len(rest) > 0 {
		t.parties[party] = rest
		t.order = append(t.order, party)
	} else {
		delete(t.parties, party)
	}
	return w
}

func (t *turnstile) remove(w *waiter) {
	list := t.parties[w.party]
	i := slices.Index(list, w)
	if i < 0 {
		return
	}
	t.waiting--
	if list = slices.Delete(list, i, i+1); len(list) > 0 {
		t.parties[w.party] = list
		return
	}
	delete(t.parties, w.party)
	t.order = slices.DeleteFunc(t.order, func(p string) bool { return p == w.party })
}
