package engine

import (
	"encoding/json"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// RecordFormat is the version of the records that this package writes; Replay also
// reads every earlier one and refuses later ones.
const RecordFormat = 2

// Kind is the kind of a record (pinned names: they are stored, and shown to the
// browser as they are).
type Kind string

// The kinds of records, with the payload each carries.
const (
	KindRunStarted     Kind = "run.started"     // RunStarted
	KindRunState       Kind = "run.state"       // RunChanged
	KindVariable       Kind = "variable.set"    // VariableSet
	KindNodeState      Kind = "node.state"      // NodeChanged: every change of a node's state
	KindNodeNote       Kind = "node.note"       // NodeNoted: log lines and progress
	KindNodeLate       Kind = "node.late"       // NodeLate: a result or callback that changed nothing
	KindCallbackKept   Kind = "callback.kept"   // CallbackKept: came before its wait
	KindTokenMoved     Kind = "token.moved"     // TokenMoved
	KindGatewayDecided Kind = "gateway.decided" // GatewayDecided: which edges were taken
	KindScopeEntered   Kind = "scope.entered"   // ScopeEntered: an inline subflow begins
	KindNodeHeld       Kind = "node.held"       // NodeHeld: an operator asks to stop before the node, or no more
	KindNodeTimer      Kind = "node.timer"      // NodeTimer: an operator moved the timer of a wait
	KindRollback       Kind = "run.rollback"    // RollbackChanged: a rollback begins or ends
)

// Record is one entry of a run's history. A run is its records: Seq is strictly
// increasing from 1 without gaps.
type Record struct {
	Seq       uint64    `json:"seq"`
	At        time.Time `json:"at"`
	Kind      Kind      `json:"kind"`
	Actor     Actor     `json:"actor"`
	CommandID string    `json:"command_id,omitempty"`
	Node      string    `json:"node,omitempty"`
	Data      Payload   `json:"data"`
}

// Payload is what a record carries. The cases are the types below.
//
//sumtype:decl
type Payload interface{ kind() Kind }

// RunStarted opens every history. It holds what a run needs to be understood alone.
type RunStarted struct {
	Format int    `json:"format"`
	Run    string `json:"run"`
	Name   string `json:"name"`
	// Flow is the flow's id, Version its number, Digest the hash of the document.
	Flow    string `json:"flow"`
	Version int    `json:"version"`
	Digest  string `json:"digest"`
	// Plugins pins the digest of every plugin the flow uses, by plugin id.
	Plugins map[string]string `json:"plugins,omitempty"`
	Project string            `json:"project"`
	// Env holds the project's variables and Zone its IANA time zone as they were
	// at start.
	Env      map[string]json.RawMessage `json:"env,omitempty"`
	Zone     string                     `json:"zone,omitempty"`
	Operator string                     `json:"operator"`
	// Trace is the W3C traceparent of the request that started the run, if it had one.
	Trace string `json:"trace,omitempty"`
	// Parent is set in a run that an independent subflow node started.
	Parent *Parent `json:"parent,omitempty"`
	// StartAt is the node at which the run began, when that was not the start.
	StartAt string `json:"start_at,omitempty"`
	// Deadline is when the run fails if it has not ended, from Flow.TimeoutMS.
	Deadline  *time.Time                 `json:"deadline,omitempty"`
	Variables map[string]json.RawMessage `json:"variables,omitempty"`
}

// Parent is the node that started a run, in the run it belongs to.
type Parent struct {
	Run  string `json:"run"`
	Node string `json:"node"`
	// Epoch is that of the node's wait; Depth counts the runs above.
	Epoch uint64 `json:"epoch"`
	Depth int    `json:"depth"`
}

// RunChanged is a change of the run's state.
type RunChanged struct {
	From RunState `json:"from"`
	To   RunState `json:"to"`
	// Reason is the operator's, or the failure that made it.
	Reason string `json:"reason,omitempty"`
	// Outputs are the run's, when it succeeded.
	Outputs map[string]json.RawMessage `json:"outputs,omitempty"`
}

// VariableSet is a new value of a variable. Record.Node wrote it; it is empty when an
// operator did.
type VariableSet struct {
	// Scope is the path of the subflow node whose variable it is; empty is the run's.
	Scope string          `json:"scope,omitempty"`
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// NodeChanged is a change of a node's state. It holds everything that Replay needs,
// so that nothing is evaluated twice; fields that the change does not concern are
// absent.
type NodeChanged struct {
	From      NodeState `json:"from"`
	To        NodeState `json:"to"`
	Epoch     uint64    `json:"epoch,omitempty"`
	Iteration int       `json:"iteration,omitempty"`
	Attempt   int       `json:"attempt,omitempty"`
	// Call is the ordinal of the call within the attempt, Reason why it is made.
	Call   int             `json:"call,omitempty"`
	Reason contract.Reason `json:"reason,omitempty"`
	// Inputs are set when an attempt starts.
	Inputs json.RawMessage `json:"inputs,omitempty"`
	// Outputs are set when it ends.
	Outputs json.RawMessage   `json:"outputs,omitempty"`
	Failure *contract.Failure `json:"failure,omitempty"`
	// Wait, Due, PluginState and Polls are set when the node begins to wait.
	Wait        *contract.Wait  `json:"wait,omitempty"`
	Due         *time.Time      `json:"due,omitempty"`
	PluginState json.RawMessage `json:"plugin_state,omitempty"`
	Polls       int             `json:"polls,omitempty"`
	// Callback is the data that ended a wait.
	Callback json.RawMessage `json:"callback,omitempty"`
	// Overrides are the inputs that an operator replaced, from this attempt on.
	Overrides map[string]json.RawMessage `json:"overrides,omitempty"`
	// OnlyOverrides says that those are all the inputs there are from now on.
	OnlyOverrides bool `json:"only_overrides,omitempty"`
	// Digest is that of the module that ran.
	Digest string `json:"digest,omitempty"`
	// By says what an operator did, where the change is his: retry, skip, ...; or
	// which option of the node did it: auto_retry, ignore_failure, timeout, repeat.
	By string `json:"by,omitempty"`
	// Deadline is set when an attempt starts that has a timeout.
	Deadline *time.Time `json:"deadline,omitempty"`
	// Repeat is the ordinal of the iteration in a Repeat, from 1.
	Repeat int `json:"repeat,omitempty"`
	// Child is the id of the run for which an independent subflow waits.
	Child string `json:"child,omitempty"`
}

// ScopeEntered begins the inside of an inline subflow node: its variables are as they
// are at a start, and what its nodes gave before is gone.
type ScopeEntered struct {
	Variables map[string]json.RawMessage `json:"variables,omitempty"`
}

// NodeHeld says whether a token stops before the node the next time it comes there.
type NodeHeld struct {
	Held bool `json:"held"`
}

// NodeTimer is a new time for a wait that ends by time.
type NodeTimer struct {
	Epoch uint64    `json:"epoch"`
	Due   time.Time `json:"due"`
}

// RollbackChanged begins and ends a rollback.
type RollbackChanged struct {
	Phase RollbackPhase `json:"phase"`
	Mode  RollbackMode  `json:"mode"`
	From  string        `json:"from"`
	To    string        `json:"to"`
	// Undone lists, when it begins, the nodes that are undone, in the order in which
	// that is asked for.
	Undone []string `json:"undone,omitempty"`
	// Edges lists, when it ends, the edges that count as not taken any more.
	Edges []string `json:"edges,omitempty"`
}

// RollbackPhase is how far a rollback is.
type RollbackPhase string

// The phases of a rollback.
const (
	RollbackBegun RollbackPhase = "begun"
	RollbackEnded RollbackPhase = "ended"
)

// NodeNoted holds what a running call said.
type NodeNoted struct {
	Attempt  int                `json:"attempt"`
	Log      []contract.LogLine `json:"log,omitempty"`
	Progress *Progress          `json:"progress,omitempty"`
}

// NodeLate is a result or callback with an old epoch or attempt.
type NodeLate struct {
	Epoch   uint64          `json:"epoch,omitempty"`
	Attempt int             `json:"attempt,omitempty"`
	What    string          `json:"what"` // "result" | "callback" | "timer"
	Data    json.RawMessage `json:"data,omitempty"`
}

// CallbackKept is a callback that came before its wait exists.
type CallbackKept struct {
	Attempt int             `json:"attempt"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// TokenMoved makes, moves or ends a token. To is where it is now, empty when the token
// ends. A token that reaches the join it is bound for ends there: To is empty and Edge
// the one on which it came. A token whose parent is set is made by a fork; when its
// branch leads straight to the join it is made and ends in one record.
type TokenMoved struct {
	Token  int    `json:"token"`
	Parent int    `json:"parent,omitempty"` // set when the token is made by a fork
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Edge   string `json:"edge,omitempty"`
}

// GatewayDecided says which edges a gateway took, by id.
type GatewayDecided struct {
	Edges []string `json:"edges"`
	// By is set when an operator chose.
	By string `json:"by,omitempty"`
}

func (RunStarted) kind() Kind      { return KindRunStarted }
func (RunChanged) kind() Kind      { return KindRunState }
func (VariableSet) kind() Kind     { return KindVariable }
func (NodeChanged) kind() Kind     { return KindNodeState }
func (NodeNoted) kind() Kind       { return KindNodeNote }
func (NodeLate) kind() Kind        { return KindNodeLate }
func (CallbackKept) kind() Kind    { return KindCallbackKept }
func (TokenMoved) kind() Kind      { return KindTokenMoved }
func (GatewayDecided) kind() Kind  { return KindGatewayDecided }
func (ScopeEntered) kind() Kind    { return KindScopeEntered }
func (NodeHeld) kind() Kind        { return KindNodeHeld }
func (NodeTimer) kind() Kind       { return KindNodeTimer }
func (RollbackChanged) kind() Kind { return KindRollback }
