package engine

import (
	"encoding/json"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// Actor is who causes an event: a person, a program, or the host itself.
type Actor struct {
	ID string `json:"id"`
	// OnBehalfOf is set when the actor acts for somebody else.
	OnBehalfOf string `json:"on_behalf_of,omitempty"`
}

// Meta goes with every event: when and by whom. The core has no clock of its own.
type Meta struct {
	At    time.Time
	Actor Actor
	// CommandID identifies an operator's command: the same id twice has one
	// effect. Empty for results and timers.
	CommandID string
	// ExpectedSeq, if not zero, is the last record the actor has seen; when the
	// run is further, the command is refused with CodeConflict.
	ExpectedSeq uint64
}

// Event is something that happens to a run. The cases are the types in this file.
//
//sumtype:decl
type Event interface{ isEvent() }

// Result is the end of one dispatch: what the call of a plugin answered.
type Result struct {
	Node  string
	Epoch uint64
	// Answer is the plugin's; its outputs have been checked against the
	// action's schema by the executor.
	Answer contract.Answer
	// Log holds the lines logged since the last Note.
	Log []contract.LogLine
	// Digest is that of the module that ran.
	Digest string
	// Unknown is set instead of Answer when nobody can say whether the call
	// acted on the world (an open intent of an operation that must not be
	// repeated).
	Unknown *contract.Failure
}

// Note is what a running call says before it ends: log lines and progress.
type Note struct {
	Node     string
	Epoch    uint64
	Log      []contract.LogLine
	Progress *Progress
}

// Progress is how far a call says it is.
type Progress struct {
	Percent int    `json:"percent"` // 0 to 100
	Message string `json:"message,omitempty"`
}

// TimerFired says that the timer of a SetTimer command is due.
type TimerFired struct {
	Node  string
	Epoch uint64
}

// Callback carries data to a waiting node. One that comes before its wait exists is
// kept; one for an old attempt is recorded as late.
type Callback struct {
	Node string
	// Attempt fences the callback; zero means the current one (a human's answer
	// on the canvas). Iteration goes with it, because attempts are counted anew in
	// each iteration of a loop.
	Attempt   int
	Iteration int
	Data      json.RawMessage
}

// Pause stops tokens before their next node.
type Pause struct{}

// Resume lets them go on.
type Resume struct{}

// Revoke ends the run and cancels what runs.
type Revoke struct{ Reason string }

// Retry runs a failed node again, with other inputs if given (by name, literal
// values or expressions, replacing the drawn ones for this run).
type Retry struct {
	Node   string
	Inputs map[string]json.RawMessage
}

// Skip lets the flow go on behind a failed node. Edges chooses the edges of a failed
// gateway by id.
type Skip struct {
	Node  string
	Edges []string
}

// ForceFail fails a running or waiting node.
type ForceFail struct {
	Node   string
	Reason string
}

// Resolve decides a node in state unknown.
type Resolve struct {
	Node string
	As   Resolution
	// Outputs are taken as the node's for ResolveDone.
	Outputs json.RawMessage
}

// Resolution is what an operator decides about an unknown node.
type Resolution string

// The resolutions.
const (
	ResolveDone  Resolution = "done"
	ResolveRetry Resolution = "retry"
	ResolveFail  Resolution = "fail"
)

func (Result) isEvent()     {}
func (Note) isEvent()       {}
func (TimerFired) isEvent() {}
func (Callback) isEvent()   {}
func (Pause) isEvent()      {}
func (Resume) isEvent()     {}
func (Revoke) isEvent()     {}
func (Retry) isEvent()      {}
func (Skip) isEvent()       {}
func (ForceFail) isEvent()  {}
func (Resolve) isEvent()    {}
