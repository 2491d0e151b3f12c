package replay

import "bytes"

// Tape takes down the events of a call while it runs, up to a number of bytes. Make
// one with NewTape. It belongs to one call and is not safe for concurrent use.
type Tape struct {
	room   int64
	input  Data
	fresh  Data
	events []Event
	cut    Part
}

// NewTape makes a tape for at most limit bytes.
func NewTape(limit int64) *Tape { return &Tape{room: limit} }

// eventsUsual is for how many events a tape has room with its first.
const eventsUsual = 16

// add appends an event: many tapes have none.
func (t *Tape) add(e Event) {
	if t.events == nil {
		t.events = make([]Event, 0, eventsUsual)
	}
	t.events = append(t.events, e)
}

// Input takes down the input of the call. It is not copied and must not be changed.
func (t *Tape) Input(input []byte) {
	if t.take(int64(len(input)), PartInput) {
		t.input = input
	}
}

// Fresh takes down random bytes that a generator in the memory image was given.
func (t *Tape) Fresh(b []byte) {
	if t.take(int64(len(b)), PartStart) {
		t.fresh = append(t.fresh, b...)
	}
}

// Say takes down an event that has no answer.
func (t *Tape) Say(e Event) {
	if t.take(e.size(), PartEvents) {
		e.Ask = bytes.Clone(e.Ask)
		t.add(e)
	}
}

// Clock takes down what a clock told. Programs ask clocks more often than anything else.
func (t *Tape) Clock(name string, at int64) {
	if t.take(eventBytes+int64(len(name)), PartEvents) {
		t.add(Event{Kind: KindClock, Name: name, Value: at})
	}
}

// Begin takes down what the guest asks, before it is answered: a call may end in it.
// The number it returns is for End.
func (t *Tape) Begin(e Event) int {
	if !t.take(e.size(), PartEvents) {
		return -1
	}
	e.Ask, e.Open = bytes.Clone(e.Ask), true
	t.add(e)
	return len(t.events) - 1
}

// End takes down the answer to the event of that number.
func (t *Tape) End(n int, answer Event) {
	if n < 0 {
		return
	}
	if !t.take(int64(len(answer.Answer)), PartEvents) {
		t.events = t.events[:n] // without its answer it is of no use
		return
	}
	e := &t.events[n]
	e.Answer, e.Value, e.Absent, e.Open = bytes.Clone(answer.Answer), answer.Value, answer.Absent, false
}

// Last returns the fresh bytes and the events after the first ones that were taken down, and
// whether everything was.
func (t *Tape) Last(fresh, events int) (Data, []Event, bool) {
	return t.fresh[min(fresh, len(t.fresh)):], t.events[min(events, len(t.events)):], t.cut == PartNone
}

// Add takes down an event that has ended.
func (t *Tape) Add(e Event) {
	if t.take(e.size(), PartEvents) {
		t.add(e)
	}
}

// Cut ends the tape: what comes after is not taken down.
func (t *Tape) Cut() {
	if t.cut == PartNone {
		t.cut = PartEvents
	}
}

// Events returns the events, and whether these are all.
func (t *Tape) Events() ([]Event, bool) { return t.events, t.cut == PartNone }

// Finish makes the recording. What the tape does not know, the caller fills in.
func (t *Tape) Finish(o Outcome) *Recording {
	if !t.take(int64(len(o.Output)), PartOutput) {
		o.Output = nil
	}
	return &Recording{
		Format: Format, Input: t.input, Fresh: t.fresh, Events: t.events, Outcome: o, Truncated: t.cut,
	}
}

// take reserves room. Once it is used up nothing more is taken down, so that a
// recording is always the beginning of what happened.
func (t *Tape) take(n int64, part Part) bool {
	if t.cut != PartNone {
		return false
	}
	if t.room -= n; t.room < 0 {
		t.cut = part
		return false
	}
	return true
}
