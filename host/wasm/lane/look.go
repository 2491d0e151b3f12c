package lane

import (
	"sync/atomic"
	"time"
)

// How a side waits.
const (
	// forever is longer than any process lives.
	forever = 1<<63 - 1
	// hostLookTime is how long the host looks at the word itself before it has the kernel wake
	// it: some times what being woken on another processor takes, and as long as most short
	// calls.
	hostLookTime = 200 * time.Microsecond
	// workerLookTime is the same for the worker, for whom the host does little between calls.
	workerLookTime = 50 * time.Microsecond
	// briefTime is how long a side sleeps without telling Go's scheduler: what it does about a
	// sleep costs more than a short call, and a guest in this process would not let others run
	// either. No less, although few sleep so long: the kernel sets the clock of the processor for
	// a timer that is the next of all, and on a virtual one that costs as much as a short call.
	briefTime = 2 * time.Millisecond
	// drawnTime is how long a wait takes after which the next tells the scheduler at once.
	drawnTime = 300 * time.Microsecond
	// looksAtOnce is how often it looks before it lets others run.
	looksAtOnce = 32
	// glanceTime is how long a side lets others run before it sleeps, where it is not to look:
	// nobody else wanted the processor if it is over soon.
	glanceTime = 40 * time.Microsecond
	// turnTime is how long it takes at most when it was the other side that ran, and a
	// short call.
	turnTime = 30 * time.Microsecond
	// blindMin and blindMax are how many waits do not look after one that looked in vain, the
	// first time and when that goes on; a glance costs less, and begins with one.
	blindMin, blindMax = 8, 128
	// busyMin and busyMax are the same after a stranger had the processor meanwhile: the next
	// look would cost another of its turns, some milliseconds.
	busyMin, busyMax = 64, 4096
)

// hostLook is how long the host looks.
func (l *Lane) hostLook() time.Duration {
	if l.crowded {
		return 0
	}
	return hostLookTime
}

// workerLook is how long the worker looks.
func (l *Lane) workerLook() time.Duration {
	if l.head.crowded.Load() != 0 {
		return 0
	}
	return workerLookTime
}

// wait waits until the state is one of a set, whose bits are those of the states, and
// returns it; or another when the time is over.
func (l *Lane) wait(waits *atomic.Uint32, set uint32, patience, look time.Duration) uint32 {
	if s := l.head.state.Load(); member(s, set) {
		l.drawn = false
		return s
	}
	began := time.Now()
	if patience > 0 {
		if s := l.look(set, began, min(look, patience)); member(s, set) {
			l.drawn = false
			return s
		}
	}
	waits.Store(1)
	defer waits.Store(0)
	for {
		s := l.head.state.Load()
		waited := time.Since(began)
		left := patience - waited
		switch {
		case member(s, set) || left <= 0:
			l.drawn = waited > drawnTime
			return s
		case waited < briefTime && !l.drawn:
			nap(&l.head.state, s, min(left, briefTime))
		default:
			sleep(&l.head.state, s, left)
		}
	}
}

// look looks at the word for a while. It ends early when the processor has others to
// run, the other side perhaps.
func (l *Lane) look(set uint32, began time.Time, most time.Duration) uint32 {
	if most == 0 {
		return l.glance(set, began)
	}
	if l.sights.look.closed() {
		return l.head.state.Load()
	}
	last := began
	for {
		for range looksAtOnce {
			if s := l.head.state.Load(); member(s, set) {
				l.sights.look.seen()
				return s
			}
		}
		yield()
		now := time.Now()
		took := now.Sub(last)
		last = now
		if took <= turnTime && now.Sub(began) <= most {
			continue
		}
		s := l.head.state.Load()
		switch {
		case took > drawnTime:
			l.sights.look.lost(busyMin, busyMax)
		case took > turnTime, !member(s, set):
			l.sights.look.lost(blindMin, blindMax)
		}
		return s
	}
}

// glance looks at the word where there is no processor to look from: it lets others run, the
// other side among them, and looks what came of it. That costs half of what being woken does;
// but who lets others run comes last, so it is no way to wait where these are strangers.
func (l *Lane) glance(set uint32, began time.Time) uint32 {
	s := l.head.state.Load()
	if l.sights.glance.closed() {
		return s
	}
	for last := began; last.Sub(began) <= glanceTime; {
		yield()
		now := time.Now()
		took := now.Sub(last)
		last = now
		s = l.head.state.Load()
		switch {
		case took > drawnTime:
			l.sights.glance.lost(busyMin, busyMax)
			return s
		case member(s, set):
			l.sights.glance.seen()
			return s
		}
	}
	l.sights.glance.lost(1, blindMax)
	return s
}

// sights are what one side of a memory knows of looking: it is the same for all its lanes.
type sights struct{ look, glance sight }

// sight says whether looking is of use. It is safe for concurrent use; what one wait learns
// while another does may be lost.
type sight struct {
	// blind counts down the waits that are left to the kernel at once, after looking was of no
	// use; blinded is how many they were last.
	blind, blinded atomic.Int32
}

// closed reports that a wait is not to look.
func (s *sight) closed() bool { return s.blind.Load() > 0 && s.blind.Add(-1) >= 0 }

// seen notes that looking was of use.
func (s *sight) seen() {
	if n := s.blinded.Load(); n > 0 {
		s.blinded.Store(n / 2)
	}
}

// lost notes that looking was of no use: so many waits do not look, more when that goes on.
func (s *sight) lost(least, most int32) {
	n := s.blinded.Load()
	n = max(min(2*n, most), least, min(n, busyMax))
	s.blinded.Store(n)
	s.blind.Store(n)
}

// member reports whether a state is in a set. A word may hold anything.
func member(s, set uint32) bool { return s < 32 && set&(1<<s) != 0 }
