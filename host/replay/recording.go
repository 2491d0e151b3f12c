// Package replay is the recording of one plugin call: what the guest asked of the
// host and what it got. A call has no other way to learn anything, so a recording is
// all that it takes to make the call again, on another machine, and to see where a
// changed plugin goes another way. The package knows nothing of WebAssembly and does
// no I/O: the plugin host fills a Tape, and asks a Player instead of the world.
package replay

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/culmhq/culm/pdk/contract"
)

// Format is the version of a Recording as it is written down. An unknown newer one is
// refused.
const Format = 1

// Kind says what a guest did at its boundary. Kinds are stable: recordings hold them.
type Kind string

// The kinds of events. With the first group a guest asks for something, and the
// event holds the answer; with the second it only says something.
const (
	KindGateway Kind = "gateway" // Ask is the request, Answer the response, both JSON
	KindEval    Kind = "eval"    // Ask is the request, Answer the response, both JSON
	KindVarGet  Kind = "var_get" // Name is the variable, Answer its value
	KindVarSet  Kind = "var_set" // Name is the variable, Ask its value, Answer why it was refused
	KindConfig  Kind = "config"  // Name is the key, Answer its value
	KindClock   Kind = "clock"   // Name is realtime or monotonic, Value the nanoseconds
	KindRandom  Kind = "random"  // Number is how many bytes, Answer the bytes
	KindSleep   Kind = "sleep"   // Number is how many timers, Value the nanoseconds until the first, Answer the indices of those that were due

	KindLog      Kind = "log"      // Name is the level, Ask the line
	KindProgress Kind = "progress" // Number is the percentage, Ask the message
)

// The names of the clocks.
const (
	ClockRealtime  = "realtime"
	ClockMonotonic = "monotonic"
)

// ambient reports whether a kind is of what a guest's own runtime asks for, too:
// a changed plugin asks for it at other times without meaning anything by it.
func (k Kind) ambient() bool { return k == KindClock || k == KindRandom || k == KindSleep }

// known reports whether k is one of the kinds.
func (k Kind) known() bool {
	switch k {
	case KindGateway, KindEval, KindVarGet, KindVarSet, KindConfig, KindClock, KindRandom, KindSleep, KindLog, KindProgress:
		return true
	}
	return false
}

// Event is one use of a host function. Which fields count is said at its Kind.
type Event struct {
	Kind   Kind   `json:"kind"`
	Name   string `json:"name,omitempty"`
	Number int64  `json:"number,omitempty"`
	Ask    Data   `json:"ask,omitempty"`
	Answer Data   `json:"answer,omitempty"`
	Value  int64  `json:"value,omitempty"`
	// Absent says that there is no such variable or key.
	Absent bool `json:"absent,omitempty"`
	// Open says that the call ended before there was an answer.
	Open bool `json:"open,omitempty"`
}

// eventBytes is what an event counts besides its texts.
const eventBytes = 64

func (e *Event) size() int64 {
	return int64(eventBytes + len(e.Name) + len(e.Ask) + len(e.Answer))
}

// Data is bytes that are written as a JSON text where they are UTF-8, so that a
// person can read a recording, and as {"base64": "..."} where they are not.
type Data []byte

// MarshalJSON implements json.Marshaler.
func (d Data) MarshalJSON() ([]byte, error) {
	if utf8.Valid(d) {
		return json.Marshal(string(d))
	}
	return json.Marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString(d)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Data) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		err := json.Unmarshal(b, &s)
		*d = Data(s)
		return err
	}
	var v struct {
		Base64 []byte `json:"base64"`
	}
	err := json.Unmarshal(b, &v)
	*d = v.Base64
	return err
}

// Limits are those limits of the call that a guest can notice, as they were in force.
// The unit is bytes where the name does not say otherwise.
type Limits struct {
	Memory   int64 `json:"memory"`
	Blocks   int64 `json:"blocks"`
	Input    int64 `json:"input"`
	Output   int64 `json:"output"`
	Log      int64 `json:"log"`
	LogLine  int64 `json:"log_line"`
	Request  int64 `json:"request"`
	Response int64 `json:"response"`
	Var      int64 `json:"var"`
	// HostCalls, SmallCalls and TableElements are numbers.
	HostCalls     int `json:"host_calls"`
	SmallCalls    int `json:"small_calls"`
	TableElements int `json:"table_elements"`
}

// Part names what of a call is not in its recording.
type Part string

// The parts.
const (
	PartNone   Part = ""
	PartStart  Part = "start"  // the initialisation asked for more than is kept
	PartInput  Part = "input"  // the input is larger than a recording may be
	PartEvents Part = "events" // the events from some point on
	PartOutput Part = "output" // the output
)

// Outcome is how a call ended. Failure is nil when it succeeded.
type Outcome struct {
	Output  Data              `json:"output,omitempty"`
	Failure *contract.Failure `json:"failure,omitempty"`
	// Stopped says that the call was stopped from outside, by a deadline or by its
	// caller: where that happens is not the guest's doing and cannot be repeated.
	Stopped bool `json:"stopped,omitempty"`
}

// Recording is everything that decided what one call of a module did.
type Recording struct {
	Format int `json:"format"`
	// At is when the call began, UTC.
	At time.Time `json:"at"`
	// Digest is that of the module, "sha256:...".
	Digest string `json:"digest"`
	Export string `json:"export"`
	Input  Data   `json:"input,omitempty"`
	Limits Limits `json:"limits"`
	// Image says that the call began from an image taken after initialisation: Start
	// is what that initialisation asked for, and Fresh the random bytes that this
	// call's generators were given.
	Image  bool    `json:"image,omitempty"`
	Start  []Event `json:"start,omitempty"`
	Fresh  Data    `json:"fresh,omitempty"`
	Events []Event `json:"events,omitempty"`

	Outcome Outcome `json:"outcome"`
	// Truncated names the first part that is missing because the recording was over
	// its bound.
	Truncated Part `json:"truncated,omitempty"`
}

// ErrRecording is the sentinel of a recording that cannot be read or played.
var ErrRecording = errors.New("not a recording that can be played")

// The most that a recording may hold when it is read.
const (
	eventsMax = 1 << 20
	memoryMax = 4 << 30
)

// Decode reads a recording and refuses what is none. What is wrong wraps ErrRecording.
func Decode(b []byte) (*Recording, error) {
	var r Recording
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecording, err)
	}
	if err := r.Valid(); err != nil {
		return nil, err
	}
	return &r, nil
}

// Check reports whether a recording can be played: it is one, and nothing is missing
// that the call begins with. What is wrong wraps ErrRecording.
func (r *Recording) Check() error {
	if r.Truncated == PartInput || r.Truncated == PartStart {
		return fmt.Errorf("%w: its %s was larger than a recording may be", ErrRecording, r.Truncated)
	}
	return r.Valid()
}

// Valid reports whether this is a recording, whole or not: of a known format, with events of known kinds and limits that can be. What
// is wrong wraps ErrRecording.
func (r *Recording) Valid() error {
	switch {
	case r.Format < 1:
		return fmt.Errorf("%w: it has no format", ErrRecording)
	case r.Format > Format:
		return fmt.Errorf("%w: its format %d is newer than this program's %d", ErrRecording, r.Format, Format)
	case r.Export == "" || r.Digest == "":
		return fmt.Errorf("%w: it names no module or no export", ErrRecording)
	case len(r.Start)+len(r.Events) > eventsMax:
		return fmt.Errorf("%w: it has more than %d events", ErrRecording, eventsMax)
	}
	for _, n := range []int64{
		r.Limits.Memory, r.Limits.Blocks, r.Limits.Input, r.Limits.Output, r.Limits.Log, r.Limits.LogLine, r.Limits.Request,
		r.Limits.Response, r.Limits.Var, int64(r.Limits.HostCalls), int64(r.Limits.SmallCalls), int64(r.Limits.TableElements),
	} {
		if n < 0 || n > memoryMax {
			return fmt.Errorf("%w: a limit of %d", ErrRecording, n)
		}
	}
	for _, list := range [][]Event{r.Start, r.Events} {
		for i := range list {
			if !list[i].Kind.known() {
				return fmt.Errorf("%w: event %d is of an unknown kind", ErrRecording, i)
			}
		}
	}
	return nil
}

// Scrub passes every text of the recording through f, which takes out what must not
// be kept. Random bytes, which are not text, stay.
func (r *Recording) Scrub(f func(string) string) {
	r.Input = scrubbed(r.Input, f)
	r.Outcome.Output = scrubbed(r.Outcome.Output, f)
	if r.Outcome.Failure != nil {
		own := *r.Outcome.Failure
		own.Message, own.Detail = f(own.Message), json.RawMessage(scrubbed(Data(own.Detail), f))
		if !json.Valid(own.Detail) {
			own.Detail = nil
		}
		r.Outcome.Failure = &own
	}
	for i := range r.Events {
		e := &r.Events[i]
		e.Name, e.Ask = f(e.Name), scrubbed(e.Ask, f)
		if e.Kind != KindRandom {
			e.Answer = scrubbed(e.Answer, f)
		}
	}
}

func scrubbed(d Data, f func(string) string) Data {
	if len(d) == 0 {
		return d
	}
	return Data(f(string(d)))
}
