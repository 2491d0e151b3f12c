package runner

import (
	"errors"
	"testing"
	"time"
)

// letter is a message that remembers what became of it.
type letter struct{ refused error }

func (*letter) apply(*loop) {}

func (m *letter) refuse(err error) { m.refused = err }

func TestInboxIsBoundedForCallersOnly(t *testing.T) {
	t.Parallel()
	b := newInbox(2)
	a, c := &letter{}, &letter{}
	if err := errors.Join(b.ask(a), b.ask(c)); err != nil {
		t.Fatal(err)
	}
	if err := b.ask(&letter{}); !errors.Is(err, ErrBusy) {
		t.Errorf("the third question: %v", err)
	}
	b.put(&letter{}) // the end of a call is never refused
	if got := b.take(nil); len(got) != 3 || got[0] != message(a) || got[1] != message(c) {
		t.Errorf("took %v", got)
	}
	if err := b.ask(&letter{}); err != nil {
		t.Errorf("after taking all: %v", err)
	}
}

func TestAClosedInboxRefusesEverything(t *testing.T) {
	t.Parallel()
	b := newInbox(4)
	waiting, late := &letter{}, &letter{}
	b.put(waiting)
	b.close(ErrStopped)
	b.put(late)
	for _, m := range []*letter{waiting, late} {
		if !errors.Is(m.refused, ErrStopped) {
			t.Errorf("refused with %v", m.refused)
		}
	}
	if err := b.ask(&letter{}); !errors.Is(err, ErrStopped) {
		t.Errorf("ask = %v", err)
	}
}

func TestAlarmsComeInOrderWhateverIsSetAndCleared(t *testing.T) {
	t.Parallel()
	at := func(sec int) time.Time { return time.Unix(int64(sec), 0) }
	var a alarms
	r := &live{id: "r"}
	nodes := make([]string, 500)
	for i := range nodes {
		nodes[i] = string(rune('A' + i))
		a.set(r, nodes[i], 1, at(1000))
		a.set(r, nodes[i], 2, at((i*7919)%500)) // replaces the first
	}
	a.clear(r, nodes[3], 1) // an old epoch clears nothing
	for i := 0; i < len(nodes); i += 2 {
		a.clear(r, nodes[i], 2)
	}
	if len(a.heap) > 500 {
		t.Errorf("%d entries for 250 timers", len(a.heap))
	}
	last, n := at(-1), 0
	for x := a.next(); x != nil; x = a.next() {
		if x.due.Before(last) {
			t.Errorf("%v after %v", x.due, last)
		}
		last = x.due
		a.pop()
		n++
	}
	if n != 250 || len(r.alarms) != 0 || len(a.heap) != 0 || a.stale != 0 {
		t.Errorf("%d timers, %d left, heap %d, stale %d", n, len(r.alarms), len(a.heap), a.stale)
	}
}
