package replay

import (
	"bytes"
	"crypto/sha256"
	"math"
	"math/rand/v2"
	"time"
)

// Player answers a guest from a recording, and notes the first point at which the
// guest goes another way. Make one with NewPlayer. It belongs to one call and is not
// safe for concurrent use.
type Player struct {
	rec *Recording
	// exact is set while the module is the recorded one: then every event has to
	// come in the recorded order. For another module, and after the first
	// difference, clocks and randomness are handed out in their own order, because a
	// program asks for them at other times as soon as anything in it changes.
	exact bool
	// starting is set while the initialisation runs whose image the recorded call
	// began from.
	starting bool
	events   []Event
	used     []bool
	at       int // the first event that was not used
	fresh    Data
	noise    *rand.ChaCha8
	last     map[string]int64 // the last time that each clock told
	diff     *Difference
	cut      bool
}

// Stop says why a guest gets no answer. Exactly one of its fields is set.
type Stop struct {
	// Ended: the recorded call was stopped here, and so is this one.
	Ended bool
	// Cut: the recording ends here, because it was over its bound.
	Cut bool
	// Unanswered: nobody knows what the world would have answered to this.
	Unanswered bool
}

// NewPlayer makes a player for a call of the module with that digest. The recording
// must have passed Check and must not be changed.
func NewPlayer(r *Recording, digest string) *Player {
	p := &Player{rec: r, exact: r.Digest == digest, starting: r.Image, fresh: r.Fresh, last: map[string]int64{
		ClockRealtime: r.At.UnixNano(), ClockMonotonic: int64(24 * time.Hour),
	}}
	sum := sha256.New()
	sum.Write(r.Fresh)
	sum.Write(r.Input)
	p.noise = rand.NewChaCha8([32]byte(sum.Sum(nil)))
	p.load(r.Events)
	if p.starting {
		p.load(r.Start)
	}
	return p
}

func (p *Player) load(events []Event) {
	p.events, p.used, p.at = events, make([]bool, len(events)), 0
}

// Started tells the player that the initialisation is over.
func (p *Player) Started() {
	if p.starting {
		p.starting = false
		p.load(p.rec.Events)
	}
}

// Image reports whether the recorded call began from an image.
func (p *Player) Image() bool { return p.rec.Image }

// Fresh fills b with what a generator was given.
func (p *Player) Fresh(b []byte) {
	n := copy(b, p.fresh)
	p.fresh = p.fresh[n:]
	p.random(b[n:])
}

// Answer returns e with its answer, or says why there is none.
func (p *Player) Answer(e Event) (Event, *Stop) {
	if e.Kind.ambient() && (!p.exact || p.starting) {
		return p.ambient(e)
	}
	if p.starting { // nothing but clocks and randomness precedes an image
		e.Absent = true
		return e, nil
	}
	n, stop := p.match(e)
	switch {
	case stop != nil:
		return e, stop
	case n >= 0 && p.events[n].Open:
		return e, p.ended()
	case n >= 0:
		return p.from(e, n), nil
	case e.Kind.ambient():
		return p.ambient(e)
	}
	return p.elsewhere(e)
}

// Say compares what the guest says.
func (p *Player) Say(e Event) *Stop {
	if p.starting {
		return nil
	}
	_, stop := p.match(e)
	return stop
}

// match takes the next event if it is e. It returns -1 when it is another one, which
// is the difference, or when there was one before.
func (p *Player) match(e Event) (int, *Stop) {
	n := p.next()
	switch {
	case n == len(p.events) && p.rec.Truncated != PartNone && p.rec.Truncated != PartOutput:
		p.cut = true
		return -1, &Stop{Cut: true}
	case n == len(p.events) && p.rec.Outcome.Stopped && p.diff == nil:
		return -1, p.ended()
	case p.diff != nil:
		return -1, nil
	case n == len(p.events):
		p.differ(&Difference{Way: WayExtra, At: n, Now: copied(e)})
		return -1, nil
	case !alike(&p.events[n], &e):
		d := &Difference{Way: WayChanged, At: n, Recorded: &p.events[n], Now: copied(e)}
		if d.Recorded.Kind == e.Kind && d.Recorded.Name == e.Name {
			d.point(d.Recorded.Ask, e.Ask)
		}
		p.differ(d)
		return -1, nil
	}
	p.use(n)
	return n, nil
}

// next is the place of the next event that is compared.
func (p *Player) next() int {
	for n := p.at; n < len(p.events); n++ {
		if !p.used[n] && (p.exact || !p.events[n].Kind.ambient()) {
			return n
		}
	}
	return len(p.events)
}

func (p *Player) use(n int) {
	p.used[n] = true
	for p.at < len(p.events) && p.used[p.at] {
		p.at++
	}
}

func (p *Player) differ(d *Difference) {
	p.diff, p.exact = d, false
}

func (p *Player) ended() *Stop {
	if p.rec.Outcome.Stopped || p.rec.Outcome.Failure != nil {
		return &Stop{Ended: true}
	}
	return &Stop{Unanswered: true}
}

// elsewhere answers what was not asked at this place: an answer that the recording
// holds for the same question is as good as it can be; a variable that was never read
// counts as unset.
func (p *Player) elsewhere(e Event) (Event, *Stop) {
	for n := range p.events {
		o := &p.events[n]
		repeatable := e.Kind != KindGateway && e.Kind != KindVarSet
		if o.Open || p.used[n] && !repeatable || !alike(o, &e) {
			continue
		}
		p.use(n)
		return p.from(e, n), nil
	}
	switch e.Kind {
	case KindVarGet, KindConfig:
		e.Absent = true
		return e, nil
	case KindVarSet:
		return e, nil
	default:
		return e, &Stop{Unanswered: true}
	}
}

// from takes the answer of the event of that number.
func (p *Player) from(e Event, n int) Event {
	o := &p.events[n]
	e.Answer, e.Value, e.Absent = o.Answer, o.Value, o.Absent
	if e.Kind == KindClock {
		p.last[e.Name] = e.Value
	}
	return e
}

// tick is by how much a clock goes on where nothing was recorded any more.
const tick = int64(time.Millisecond)

// ambient answers from the next unused event of the kind, and makes up, always in the
// same way, what is missing. A call that has done all that the recorded one did ends
// where that one was stopped: in its sleep.
func (p *Player) ambient(e Event) (Event, *Stop) {
	for n := p.at; n < len(p.events); n++ {
		o := &p.events[n]
		switch {
		case p.used[n] || o.Kind != e.Kind || o.Name != e.Name || e.Kind == KindRandom && o.Number != e.Number:
		case !o.Open:
			p.use(n)
			return p.from(e, n), nil
		case p.diff == nil && p.next() == len(p.events):
			p.use(n)
			return e, p.ended()
		}
	}
	switch e.Kind {
	case KindClock:
		e.Value = p.pass(e.Name, tick)
	case KindRandom:
		e.Answer = make(Data, max(e.Number, 0))
		p.random(e.Answer)
	default:
		e.Absent = true // the guest's own deadlines decide, and they have passed when it wakes
		for name := range p.last {
			p.pass(name, e.Value)
		}
	}
	return e, nil
}

// pass lets a clock go on, up to the last time that it can tell, and returns its time.
func (p *Player) pass(name string, ns int64) int64 {
	at := p.last[name]
	now := at + max(ns, 0)
	if now < at {
		now = math.MaxInt64
	}
	p.last[name] = now
	return now
}

// random fills b with bytes that are the same in every replay.
func (p *Player) random(b []byte) { _, _ = p.noise.Read(b) } // never fails

// End compares how the call ended.
func (p *Player) End(o Outcome) {
	if p.diff != nil || p.cut {
		return
	}
	if n := p.next(); n < len(p.events) && !p.events[n].Open {
		p.differ(&Difference{Way: WayMissing, At: n, Recorded: &p.events[n], NowOutcome: &o})
		return
	}
	was := &p.rec.Outcome
	if p.rec.Truncated == PartNone && sameOutcome(was, &o) || p.rec.Truncated == PartOutput && o.Failure == nil && was.Failure == nil {
		return
	}
	if p.rec.Truncated != PartNone && p.rec.Truncated != PartOutput {
		p.cut = true
		return
	}
	d := &Difference{Way: WayOutcome, At: len(p.events), RecordedOutcome: was, NowOutcome: &o}
	if o.Failure == nil && was.Failure == nil {
		d.point(was.Output, o.Output)
	}
	p.differ(d)
}

func sameOutcome(a, b *Outcome) bool {
	switch {
	case (a.Failure == nil) != (b.Failure == nil):
		return false
	case a.Failure == nil:
		return same(a.Output, b.Output)
	case a.Failure.Code != b.Failure.Code:
		return false
	}
	return a.Stopped || a.Failure.Message == b.Failure.Message && a.Failure.Origin == b.Failure.Origin
}

// alike reports whether two events ask or say the same.
func alike(a, b *Event) bool {
	return a.Kind == b.Kind && a.Name == b.Name && a.Number == b.Number && same(a.Ask, b.Ask)
}

func copied(e Event) *Event {
	e.Ask = bytes.Clone(e.Ask)
	return &e
}

// Report is what is known after a replay.
type Report struct {
	// Difference is where the call went another way, nil when it did not.
	Difference *Difference `json:"difference,omitempty"`
	// Cut says that the recording ended before the call did; up to there there was no
	// difference, unless Difference says so.
	Cut bool `json:"cut,omitempty"`
	// Events counts the recorded events, Used those that the replay came to.
	Events int `json:"events"`
	Used   int `json:"used"`
	// Changed says that the module is another one than the recorded.
	Changed bool `json:"changed,omitempty"`
}

// Report returns what is known after the call.
func (p *Player) Report(digest string) *Report {
	r := &Report{Difference: p.diff, Cut: p.cut, Events: len(p.rec.Events), Changed: digest != p.rec.Digest}
	if p.starting {
		return r
	}
	for _, u := range p.used {
		if u {
			r.Used++
		}
	}
	return r
}
