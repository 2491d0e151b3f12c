package wasm

import (
	"fmt"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/wasm/wire"
	"github.com/culmhq/culm/pdk/contract"
)

// A worker process that is killed takes the tape of its call with it. So the host keeps one
// as well: of what passes it, and of what the process tells it in front of the next thing
// that it says: clocks, randomness, sleeps, and what was refused before it came here. What a
// process had not told when it died is lost; the recording then ends before the call did.

// recordFactor is how much larger than what it holds the frames of a recording may be.
const recordFactor = 6

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
		encodeEvent(e.Int(tapeEvent), o)
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
			v.tape.Add(decodeEvent(d))
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
	v.describe(rec)
	if rec.Image && v.w.began.StartCut {
		rec.Truncated = replay.PartStart
	}
	if rec.Valid() != nil { // the process told nonsense
		return nil
	}
	return rec
}

// describe fills in what the host knows of a recording.
func (v *workerCall) describe(rec *replay.Recording) {
	rec.At, rec.Digest, rec.Export, rec.Limits = v.started.UTC(), v.w.key.digest, v.export, v.limits.recorded()
	if began := &v.w.began; began.Image {
		rec.Image, rec.Start = true, began.Start
	}
}

// whole is the recording of a call that ended with r and its failure, made of what the process sent of it and of what the host
// has: the input, the output, the limits and the beginning. An error means that what was sent makes no sense.
func (v *workerCall) whole(r Result, failed *contract.Failure) (*replay.Recording, error) {
	rec := &replay.Recording{Format: replay.Format}
	input, output, err := decodeRecording(v.record, rec)
	if err != nil {
		return nil, err
	}
	v.describe(rec)
	if input {
		rec.Input = v.input
	}
	var ended error
	if failed != nil {
		ended = &Error{Failure: fromChild(*failed)}
	}
	if rec.Outcome = outcomeOf(r, ended); !output {
		rec.Outcome.Output = nil
	}
	return rec, rec.Valid()
}

func encodeEvent(e *wire.Encoder, o *replay.Event) {
	e.Text(string(o.Kind)).Text(o.Name).Int(o.Number).Bytes(o.Ask).Bytes(o.Answer).Int(o.Value).Int(truth(o.Absent)).Int(truth(o.Open))
}

func decodeEvent(d *wire.Decoder) replay.Event {
	e := replay.Event{Kind: replay.Kind(d.Text()), Name: d.Text(), Number: d.Int(), Ask: d.Bytes(), Answer: d.Bytes(), Value: d.Int()}
	e.Absent, e.Open = d.Int() != 0, d.Int() != 0
	return e
}

// encodeRecording writes what only the process knows of a recording, and whether input and output are in it. As JSON the whole
// took longer than most calls.
func encodeRecording(r *replay.Recording) []byte {
	const numbers, names = 5 * 10, 40
	room := len(r.Fresh) + numbers
	for i := range r.Events {
		room += len(r.Events[i].Ask) + len(r.Events[i].Answer) + numbers + names
	}
	e := wire.NewEncoder(make([]byte, 0, room)).Text(string(r.Truncated)).Int(truth(len(r.Input) > 0)).Int(truth(len(r.Outcome.Output) > 0)).Bytes(r.Fresh)
	for i := range r.Events {
		encodeEvent(e.Int(tapeEvent), &r.Events[i])
	}
	return e.Int(tapeMore).Body()
}

// decodeRecording reads what encodeRecording wrote.
func decodeRecording(raw []byte, r *replay.Recording) (input, output bool, err error) {
	d := wire.NewDecoder(raw)
	r.Truncated = replay.Part(d.Text())
	input, output = d.Int() != 0, d.Int() != 0
	r.Fresh = d.Bytes()
	for d.Int() == tapeEvent && d.Err() == nil {
		r.Events = append(r.Events, decodeEvent(d))
	}
	switch r.Truncated {
	case replay.PartNone, replay.PartStart, replay.PartInput, replay.PartEvents, replay.PartOutput:
	default:
		return false, false, errProtocol
	}
	return input, output, d.End()
}
