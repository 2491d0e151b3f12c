package lane

import "time"

// On a machine with work to do, two switches of processes cost more than a short call. So
// the host may queue calls behind one: the worker takes them up one after the other, without
// being woken for each, and the host looks when all are done. It is one call that runs at a
// time, as if the others had not been given away yet; and when it turns out that one is not
// short, because it asks or takes its time, those behind it are given back.

// BehindMax is how many calls can be queued behind one.
const BehindMax = 31

// lanesMax bounds the lanes of a memory: a call behind another is named by a number and its
// lane in one word, as the state of its lane is.
const lanesMax = 1 << callShift

const (
	callShift = 8
	laneMask  = lanesMax - 1
)

// queuedAs is the part of a word that names a call.
func queuedAs(call uint64) uint32 { return uint32(call) << callShift }

// Queue puts a call into the lane that Ask names as one behind another. It reports whether the
// body fits. The host's.
func (l *Lane) Queue(call uint64, body []byte) bool {
	if len(body) > len(l.body) {
		return false
	}
	l.write(body)
	l.queued = queuedAs(call)
	l.head.call.Store(call)
	l.head.state.Store(queued | l.queued)
	return true
}

// AwaitLast waits until the last of the calls behind another is done or was given back, or
// patience ends. Settle says for each how it stands. The host's.
func (l *Lane) AwaitLast(patience time.Duration) {
	l.wait(&l.head.hostWaits, 1<<done|1<<question|1<<slow|1<<returned, patience, l.hostLook())
}

// Settle says how a call stands that was queued, and withdraws it if it was not taken up.
// The last must be settled first. The host's.
func (l *Lane) Settle() Outcome {
	if l.head.state.CompareAndSwap(queued|l.queued, slow) {
		return Withdrawn
	}
	switch l.head.state.Load() {
	case done:
		return Done
	case returned:
		return Withdrawn
	}
	return Running
}

// IsDone reports whether the worker has said how the call ended. The host's.
func (l *Lane) IsDone() bool { return l.head.state.Load() == done }

// Behind returns the calls behind the one that Next returned. The worker's.
func (l *Lane) Behind() []Queued {
	n := min(l.head.behinds.Load(), BehindMax)
	if n == 0 {
		return nil
	}
	list := make([]Queued, n)
	for i := range list {
		w := l.head.behind[i].Load()
		list[i] = Queued{l.all[int(w&laneMask)%len(l.all)], queued | w&^laneMask}
	}
	return list
}

// Queued is a call that the worker was given behind another.
type Queued struct {
	// Lane is where it is.
	Lane *Lane
	word uint32
}

// TakeUp takes the call up, as Next does, unless the host has withdrawn it. The worker's.
func (q Queued) TakeUp() (call uint64, body []byte, ok bool) {
	if !q.Lane.head.state.CompareAndSwap(q.word, running) {
		return 0, nil, false
	}
	call, body = q.Lane.take()
	return call, body, true
}

// Return gives calls back that the worker does not take up soon. The worker's.
func Return(list []Queued) {
	for i := len(list) - 1; i >= 0; i-- {
		if q := list[i]; q.Lane.head.state.CompareAndSwap(q.word, returned) {
			q.Lane.wakeHost()
		}
	}
}
