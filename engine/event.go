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

// TimerFired says that the timer of a SetTimer command is due. Node is empty for the
// deadline of the run.
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

// ChildEnded says how the run that an independent subflow node started has ended, or
// that it could not be started.
type ChildEnded struct {
	Node  string
	Epoch uint64
	// Run is the child's id, State its last one; empty when it was not started.
	Run     string
	State   RunState
	Outputs map[string]json.RawMessage
	// Failure says why, unless State is succeeded.
	Failure *contract.Failure
}

// Pause stops tokens before their next node: all of them, or with Node, a subflow that
// runs, those inside it. With any other Node it stops the next token before that
// node. The independent runs below are paused too.
type Pause struct{ Node string }

// Resume takes a Pause of the same Node back.
type Resume struct{ Node string }

// Fail ends the run as failed, and cancels what runs.
type Fail struct{ Reason string }

// SetVariables changes variables of the run: inputs, constants without expressions, and
// those that nodes write. Scope is the path of a subflow node, empty for the run's.
type SetVariables struct {
	Scope  string
	Values map[string]json.RawMessage
}

// Reschedule moves the time of a wait that ends by time, or of an automatic retry.
type Reschedule struct {
	Node string
	At   time.Time
}

// Rollback takes the run back to an earlier task, which then runs again. From is the
// node at which it stands now, To the task to go back to.
type Rollback struct {
	From, To string
	Mode     RollbackMode
}

// RollbackMode says what is done about the nodes in between.
type RollbackMode string

// The modes of a rollback.
const (
	// RollbackAny forgets them.
	RollbackAny RollbackMode = "any"
	// RollbackCompensate calls the plugins' own rollback actions, newest first.
	RollbackCompensate RollbackMode = "compensate"
)

// Revoke ends the run and cancels what runs.
type Revoke struct{ Reason string }

// Retry runs a failed node again, with other inputs if given (by name, literal
// values or expressions, replacing the drawn ones for this run).
type Retry struct {
	Node   string
	Inputs map[string]json.RawMessage
	// Only makes Inputs the whole of the node's inputs: drawn ones that it does not
	// name are left out, for the rest of the run.
	Only bool
	// Part is RepeatedIteration to run only the failed iteration of a node with
	// Repeat again.
	Part Repeated
}

// Repeated says which part of a node with Repeat a Retry or Skip means.
type Repeated string

// The parts.
const (
	RepeatedAll       Repeated = ""          // the whole node
	RepeatedIteration Repeated = "iteration" // the iteration that failed
)

// Skip lets the flow go on behind a failed node. Edges chooses the edges of a failed
// gateway by id.
type Skip struct {
	Node  string
	Edges []string
	// Part is RepeatedIteration to go on with the next iteration of a node with
	// Repeat.
	Part Repeated
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

func (Result) isEvent()       {}
func (Note) isEvent()         {}
func (TimerFired) isEvent()   {}
func (Callback) isEvent()     {}
func (ChildEnded) isEvent()   {}
func (Fail) isEvent()         {}
func (SetVariables) isEvent() {}
func (Reschedule) isEvent()   {}
func (Rollback) isEvent()     {}
func (Pause) isEvent()        {}
func (Resume) isEvent()       {}
func (Revoke) isEvent()       {}
func (Retry) isEvent()        {}
func (Skip) isEvent()         {}
func (ForceFail) isEvent()    {}
func (Resolve) isEvent()      {}
