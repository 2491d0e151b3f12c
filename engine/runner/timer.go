package runner

import (
	"container/heap"
	"time"
)

// alarm is a timer of a node, or with an empty node that of the run. It counts only as long as its run holds it.
type alarm struct {
	due   time.Time
	run   *live
	node  string
	epoch uint64
}

// alarms are all timers, the earliest first. Cleared ones stay in the heap until they
// come up or outnumber the others.
type alarms struct {
	heap  alarmHeap
	stale int
}

// set replaces the node's timer, whatever its epoch, as the store does.
func (a *alarms) set(r *live, node string, epoch uint64, due time.Time) {
	if r.alarms[node] != nil {
		delete(r.alarms, node)
		a.dropped(1)
	}
	if r.alarms == nil {
		r.alarms = map[string]*alarm{}
	}
	t := &alarm{due: due, run: r, node: node, epoch: epoch}
	r.alarms[node] = t
	heap.Push(&a.heap, t)
}

func (a *alarms) clear(r *live, node string, epoch uint64) {
	t := r.alarms[node]
	if t == nil || t.epoch > epoch {
		return
	}
	delete(r.alarms, node)
	a.dropped(1)
}

// forget clears all timers of a run.
func (a *alarms) forget(r *live) {
	n := len(r.alarms)
	r.alarms = nil
	a.dropped(n)
}

func (a *alarms) dropped(n int) {
	a.stale += n
	if a.stale < 64 || a.stale*2 < len(a.heap) {
		return
	}
	kept := a.heap[:0]
	for _, t := range a.heap {
		if t.run.alarms[t.node] == t {
			kept = append(kept, t)
		}
	}
	clear(a.heap[len(kept):])
	a.heap, a.stale = kept, 0
	heap.Init(&a.heap)
}

// next returns the earliest timer, or nil.
func (a *alarms) next() *alarm {
	for len(a.heap) > 0 {
		t := a.heap[0]
		if t.run.alarms[t.node] == t {
			return t
		}
		heap.Pop(&a.heap)
		a.stale--
	}
	return nil
}

// pop takes the timer that next returned.
func (a *alarms) pop() {
	t, _ := heap.Pop(&a.heap).(*alarm)
	delete(t.run.alarms, t.node)
}

type alarmHeap []*alarm

func (h alarmHeap) Len() int           { return len(h) }
func (h alarmHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h alarmHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *alarmHeap) Push(x any) {
	t, _ := x.(*alarm)
	*h = append(*h, t)
}

// Pop implements heap.Interface.
func (h *alarmHeap) Pop() any {
	old := *h
	n := len(old) - 1
	t := old[n]
	old[n] = nil
	*h = old[:n]
	return t
}
