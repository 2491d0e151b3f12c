package wasm

import (
	"fmt"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/wasm/wire"
)

// A worker process that is killed takes the tape of its call with it. So the host keeps one
// as well: of what passes it, and of what the process tells it in front of the next thing
// that it says: clocks, randomness, sleeps, and what was refused before it came here. What a
// process had not told when it died is lost; the recording then ends before the call did.

// tapeWatch is the part of a call's tape that the host has not been told of.
type tapeWatch struct {
	tape          *replay.Tape
	fresh, events int  // of the tape, that were told
	over          bool // the tape holds no more
}

// watch notes the tape of the call.
func (t *tapeWatch) watch(tape *replay.Tape) { t.tape = tape }

// next returns what is to be told before something of kind k is said: everything before
// the event that k is about, which the host takes down itself. Of a sleep the host does not
// know what it was about: it is told when it is over.
func (t *tapeWatch) next(k wire.Kind) (bodies [][]byte) {
	if t.tape == nil || t.over {
		return nil
	}
	fresh, told, whole := t.tape.Last(t.fresh, t.events)
	if n := len(told); whole && n > 0 {
		told = told[:n-1]
		t.events += n
		if k == wire.Sleep {
			t.events--
		}
	}
	t.fresh += len(fresh)
	t.over = !whole
	e := new(wire.Encoder).Bytes(fresh)
	for i := range told {
		o := &told[i]
		if len(o.Ask)+len(o.Answer) > recordChunk {
			t.over = true
			break
		}
		if len(e.Body()) > recordChunk {
			bodies = append(bodies, e.Int(tapeMore).Body())
			e = new(wire.Encoder).Bytes(nil)
		}
		e.Int(tapeEvent).Text(string(o.Kind)).Text(o.Name).Int(o.Number).Bytes(o.Ask).Bytes(o.Answer).Int(o.Value)
		e.Int(truth(o.Absent)).Int(truth(o.Open))
	}
	switch {
	case t.over:
		return append(bodies, e.Int(tapeOver).Body())
	case len(fresh)+len(told) == 0:
		return nil
	}
	return append(bodies, e.Int(tapeMore).Body())
}

// What comes next in a frame of the tape: an event, nothing that is told now, or nothing
// that will ever be.
const (
	tapeMore = iota
	tapeEvent
	tapeOver
)

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// catchUp tells the host what it did not see, in front of something of kind k.
func (c *remote) catchUp(k wire.Kind) {
	for _, body := range c.tape.next(k) {
		c.say(wire.Taped, body)
	}
}

// taped takes down what the process tells of a call that is recorded.
func (v *workerCall) taped(d *wire.Decoder) error {
	if v.tape == nil {
		return fmt.Errorf("%w: a tape of a call that is not recorded", errProtocol)
	}
	v.tape.Fresh(d.Bytes())
	for {
		switch next := d.Int(); {
		case d.Err() != nil:
			return d.Err()
		case next == tapeEvent:
			e := replay.Event{Kind: replay.Kind(d.Text()), Name: d.Text(), Number: d.Int(), Ask: d.Bytes(), Answer: d.Bytes(), Value: d.Int()}
			e.Absent, e.Open = d.Int() != 0, d.Int() != 0
			v.tape.Add(e)
		case next == tapeOver:
			v.tape.Cut()
			return d.End()
		default:
			return d.End()
		}
	}
}

// exchanged takes down one exchange with the guest, which answer makes.
func (v *workerCall) exchanged(e replay.Event, answer func(*replay.Event)) {
	if v.tape == nil {
		answer(&e)
		return
	}
	n := v.tape.Begin(e)
	answer(&e)
	v.tape.End(n, e)
}

// said takes down what the guest says.
func (v *workerCall) said(e replay.Event) {
	if v.tape != nil {
		v.tape.Say(e)
	}
}

// remains is the recording of a call whose process is gone, nil where none can be made.
func (v *workerCall) remains(err error) *replay.Recording {
	if v.tape == nil {
		return nil
	}
	v.tape.Cut()
	rec := v.tape.Finish(outcomeOf(Result{}, err))
	rec.At, rec.Digest, rec.Export, rec.Limits = v.started.UTC(), v.w.key.digest, v.export, v.limits.recorded()
	if began := &v.w.began; began.Image {
		rec.Image, rec.Start = true, began.Start
		if began.StartCut {
			rec.Truncated = replay.PartStart
		}
	}
	if _, err := replay.Decode(encoded(rec)); err != nil { // the process told nonsense
		return nil
	}
	return rec
}
