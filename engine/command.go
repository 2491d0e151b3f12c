package engine

import (
	"encoding/json"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// Command is work that the core asks its driver to do, after the records that came
// with it are durable. The cases are the types in this file.
//
//sumtype:decl
type Command interface{ isCommand() }

// Dispatch asks for one call of a plugin; its end comes back as a Result with the
// same node and epoch.
type Dispatch struct {
	Node string
	// Epoch fences the result; it grows with every dispatch of the node.
	Epoch uint64
	// Iteration, Attempt and Call identify the call in a way that survives a
	// crash: loop re-entry from 0, try from 1, call within the attempt from 0.
	Iteration int
	Attempt   int
	Call      int
	Plugin    string
	Action    string
	Reason    contract.Reason
	// Inputs are evaluated; a JSON object.
	Inputs json.RawMessage
	// PluginState, Callback and Polls are those of contract.Request.
	PluginState json.RawMessage
	Callback    json.RawMessage
	Polls       int
	// Outputs are those of the attempt that ReasonRollback undoes.
	Outputs json.RawMessage
	// Secrets are the places in Inputs where references to secrets stand.
	Secrets []SecretInput
	// Recovered is set when the dispatch may have been made before a crash.
	Recovered bool
	// Auto is set when the attempt is an automatic retry: nobody looked at what the one
	// before it did.
	Auto bool
}

// SecretInput is a place in the inputs of a dispatch where a reference to a secret
// stands. That it stands there by the drawing, and is not a text that looks like one, is
// what the core vouches for.
type SecretInput struct {
	// Pointer is the place in Inputs (JSON Pointer).
	Pointer string
	// Uses are the operations that the secret may be sent to.
	Uses []SecretUse
}

// Cancel asks to stop the call that runs for the node, and to call the plugin's
// cancel export where it has one.
type Cancel struct {
	Node  string
	Epoch uint64
	// Dispatch describes the call that is cancelled.
	Dispatch Dispatch
}

// SetTimer asks for a TimerFired with the same node and epoch at Due. It takes the
// place of the node's timer before. Node is empty for the deadline of the run.
type SetTimer struct {
	Node  string
	Epoch uint64
	Due   time.Time
}

// ClearTimer says that the node's timer is not needed any more.
type ClearTimer struct {
	Node  string
	Epoch uint64
}

// StartChild asks to start the run of an independent subflow node; its end comes back as
// a ChildEnded with the same node and epoch. The run's id is the core's choice, so that
// the same command performed again finds the run it made before.
type StartChild struct {
	Node  string
	Epoch uint64
	// Run is the id of the run to start, Parent what its RunStarted holds.
	Run    string
	Parent Parent
	// Reference is the key of the flow in the document's Subflows, Flow and Version
	// name it.
	Reference string
	Flow      string
	Version   int
	Schemes   []string
	Inputs    map[string]json.RawMessage
	// Recovered is set when the command may have been performed before a crash.
	Recovered bool
}

// ControlChild passes Pause, Resume or Revoke on to a run below. It has no effect on a
// run that is in that state already, or has ended.
type ControlChild struct {
	Run   string
	Event Event
}

// Finish says that the run ended: its last command.
type Finish struct{ State RunState }

func (Dispatch) isCommand()     {}
func (Cancel) isCommand()       {}
func (SetTimer) isCommand()     {}
func (ClearTimer) isCommand()   {}
func (StartChild) isCommand()   {}
func (ControlChild) isCommand() {}
func (Finish) isCommand()       {}
