// Package lane is memory that the plugin host shares with one worker process, so that a
// short call costs no pipe. It is cut into lanes, of which each serves one call at a
// time; a word says whose turn it is:
//
//	free -> asked -> running -> done -> asked ...
//	running -> question -> answered -> running
//	any -> slow: the pipe carries the rest of the call
//	free -> queued -> running: behind another call, see [Lane.Queue]
//	queued -> returned: the call before it was not short
//
// The host writes a body and asks; the worker reads it, runs, and writes what it has to
// say. Whoever waits looks for a moment whether the word changes, which is how it goes
// on a machine with a processor to spare, and then has the kernel wake it.
//
// Only one side may be believed. The worker trusts the host. The host takes every word
// of the memory for written by an enemy, at any time: it reads a length once, checks it
// and copies that much into memory of its own before it looks at what it says; no word
// leads it anywhere but to one of the outcomes of Await; each wait ends by itself; and the
// size of the memory is sealed, so that no access to it can fault.
package lane

import (
	"errors"
	"sync/atomic"
	"time"
)

// ErrUnsupported is why there is no shared memory: this system has no way to make it.
// The pipe is always there.
var ErrUnsupported = errors.New("lane: this system shares no memory that is safe to share")

// States of a lane.
const (
	free uint32 = iota
	asked
	running
	done
	question
	answered
	slow
	returned
	// queued has the number of the call above it, as far as it fits: it is taken up only by
	// who was told of that call.
	queued
)

// Outcome is what the host's waiting came to.
type Outcome int

// Outcomes of Await and Abandon.
const (
	// Done: the worker says how the call ended; Take returns it.
	Done Outcome = iota
	// Question: the worker says something and waits for Answer; Take returns it.
	Question
	// Slow: the worker has the call, and the pipe carries the rest.
	Slow
	// Withdrawn: the worker did not take up what it was last given, a call or an answer.
	Withdrawn
	// Running: the worker has a call that was queued, and Await says how it goes on.
	Running
)

// header is the part of a lane before its body. Who writes what: the host asks, call and
// hostWaits, the worker workerWaits, both the state and the length.
type header struct {
	state       atomic.Uint32
	hostWaits   atomic.Uint32
	workerWaits atomic.Uint32
	length      atomic.Uint32
	call        atomic.Uint64
	// behind are the calls that the worker takes up after this one, with their number.
	behinds atomic.Uint32
	behind  [BehindMax]atomic.Uint32
	// crowded, the host's, says that there is no processor to look from: see Crowd.
	crowded atomic.Uint32
	_       [headerBytes - 32 - 4*BehindMax]byte
}

// A header takes whole lines of the cache, and so does a body, so that lanes share none.
const (
	lineBytes   = 128 // two lines: processors fetch them in pairs
	headerBytes = 2 * lineBytes
)

// Lane is one lane. The methods of one side are not safe for concurrent use.
type Lane struct {
	head    *header
	body    []byte
	sights  *sights
	drawn   bool   // the last wait took long
	crowded bool   // what the host said with Crowd
	order   []byte // what Next or TakeUp read last
	index   int
	all     []*Lane // of the memory
	queued  uint32  // names the call that Queue put here last: the host does not ask the memory
}

// Size is how much a body may hold.
func (l *Lane) Size() int { return len(l.body) }

// write puts a body into the lane.
func (l *Lane) write(body []byte) {
	copy(l.body, body)
	l.head.length.Store(uint32(len(body)))
}

// Crowd says whether more calls run than there are processors for both sides of each. If so
// neither side looks at the word, beginning with the next call: who looks keeps somebody from
// running. The host's.
func (l *Lane) Crowd(crowded bool) {
	if l.crowded == crowded {
		return
	}
	l.crowded = crowded
	word := uint32(0)
	if crowded {
		word = 1
	}
	l.head.crowded.Store(word)
}

// Ask gives the worker a call, and those that were queued behind it, BehindMax at most. It
// reports whether the body fits. The host's.
func (l *Lane) Ask(call uint64, body []byte, behind ...*Lane) bool {
	if len(body) > len(l.body) {
		return false
	}
	l.write(body)
	l.head.call.Store(call)
	for i, b := range behind {
		l.head.behind[i].Store(uint32(b.index) | b.queued)
	}
	l.head.behinds.Store(uint32(len(behind)))
	l.head.state.Store(asked)
	l.wakeWorker()
	return true
}

// Await waits until the worker has something to say. When patience ends first, the pipe
// takes over, unless the worker speaks in that very moment; onPipe tells so. The host's.
func (l *Lane) Await(patience time.Duration) (o Outcome, onPipe bool) {
	const spoken = 1<<done | 1<<question | 1<<slow
	switch l.wait(&l.head.hostWaits, spoken, patience, l.hostLook()) {
	case done:
		return Done, false
	case question:
		return Question, false
	case slow:
		return Slow, true
	}
	return l.Abandon(), true
}

// Abandon gives the call to the pipe and says how it stood. The host's.
func (l *Lane) Abandon() Outcome {
	was := l.head.state.Swap(slow)
	l.wakeWorker()
	switch was {
	case asked, answered:
		return Withdrawn
	case done:
		return Done
	case question:
		return Question
	}
	return Slow
}

// Take returns a copy of what the worker said, false when it claims to have said more
// than there is room for. The host's.
func (l *Lane) Take() ([]byte, bool) {
	n := l.head.length.Load()
	if uint64(n) > uint64(len(l.body)) {
		return nil, false
	}
	b := make([]byte, n)
	copy(b, l.body)
	return b, true
}

// Answer answers a question and reports whether the answer fits. The host's.
func (l *Lane) Answer(body []byte) bool {
	if len(body) > len(l.body) {
		return false
	}
	l.write(body)
	l.head.state.Store(answered)
	l.wakeWorker()
	return true
}

func (l *Lane) wakeWorker() {
	if l.head.workerWaits.Load() != 0 {
		wake(&l.head.state)
	}
}

// Next waits for a call that was asked for and returns a copy of its body, which is valid until Next is called
// again. The worker's.
func (l *Lane) Next() (call uint64, body []byte) {
	for {
		l.wait(&l.head.workerWaits, 1<<asked, forever, l.workerLook())
		// The host may withdraw until it is taken up, and writes nothing more then.
		if l.head.state.CompareAndSwap(asked, running) {
			return l.take()
		}
	}
}

// take reads a call that was taken up.
func (l *Lane) take() (call uint64, body []byte) {
	if cap(l.order) > keptBytes {
		l.order = nil
	}
	l.order = l.read(l.order[:0])
	return l.head.call.Load(), l.order
}

// keptBytes is the size up to which the copy of an order leaves its memory to the next.
const keptBytes = 64 << 10

// read appends what the host wrote.
func (l *Lane) read(to []byte) []byte {
	return append(to, l.body[:min(int(l.head.length.Load()), len(l.body))]...)
}

// Finish says how the call ended. It reports false when the pipe has to: what was to be
// said does not fit, or the host waits there. The worker's.
func (l *Lane) Finish(body []byte) bool { return l.say(done, body) }

// say hands over a body with a state.
func (l *Lane) say(state uint32, body []byte) bool {
	if l.head.state.Load() != running {
		return false
	}
	if len(body) > len(l.body) {
		l.Leave()
		return false
	}
	l.write(body)
	if !l.head.state.CompareAndSwap(running, state) {
		return false
	}
	l.wakeHost()
	return true
}

// Put asks the host a question, whose answer Answered waits for. It reports false when
// the pipe has to carry it. The worker's.
func (l *Lane) Put(body []byte) bool { return l.say(question, body) }

// Answered waits for the answer to a question; false means that it comes over the pipe.
// The worker's.
func (l *Lane) Answered() ([]byte, bool) {
	l.wait(&l.head.workerWaits, 1<<answered|1<<slow, forever, l.workerLook())
	// Withdrawn, or never given.
	if !l.head.state.CompareAndSwap(answered, running) {
		return nil, false
	}
	return l.read(nil), true
}

// Leave gives the rest of the call to the pipe. The worker's.
func (l *Lane) Leave() {
	if l.head.state.CompareAndSwap(running, slow) {
		l.wakeHost()
	}
}

func (l *Lane) wakeHost() {
	if l.head.hostWaits.Load() != 0 {
		wake(&l.head.state)
	}
}
