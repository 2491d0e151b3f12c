package simulate

import (
	"container/heap"
	"time"
)

// entry is something that will happen at a virtual instant.
type entry struct {
	at    time.Time
	order uint64
	do    func() error
	// dropped entries do not happen.
	dropped bool
}

// queue holds what will happen, in the order in which it will.
type queue struct {
	heap  entries
	order uint64
}

// add puts something into the queue, behind everything of the same instant.
func (q *queue) add(at time.Time, do func() error) *entry {
	q.order++
	e := &entry{at: at, order: q.order, do: do}
	heap.Push(&q.heap, e)
	return e
}

// next returns what happens next without taking it out, or nil.
func (q *queue) next() *entry {
	for len(q.heap) > 0 && q.heap[0].dropped {
		heap.Pop(&q.heap)
	}
	if len(q.heap) == 0 {
		return nil
	}
	return q.heap[0]
}

// take takes out what happens next, or returns nil.
func (q *queue) take() *entry {
	e := q.next()
	if e != nil {
		heap.Pop(&q.heap)
	}
	return e
}

// entries implements heap.Interface.
type entries []*entry

func (h entries) Len() int { return len(h) }

func (h entries) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].order < h[j].order
	}
	return h[i].at.Before(h[j].at)
}

func (h entries) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *entries) Push(x any) {
	if e, ok := x.(*entry); ok {
		*h = append(*h, e)
	}
}

// Pop implements heap.Interface.
func (h *entries) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}
