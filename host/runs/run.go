// Package runs holds the use cases of runs: starting a flow version, watching it,
// commanding it; and the executor that makes the plugin calls of its nodes.
package runs

import (
	"encoding/json"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/idempotency"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/pdk/contract"
)

// Summary is a run in a list.
type Summary struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Flow      string          `json:"flow"`
	FlowName  contract.Text   `json:"flow_name"`
	Version   int             `json:"version"`
	State     engine.RunState `json:"state"`
	Seq       uint64          `json:"seq"`
	Operator  string          `json:"operator"`
	CreatedAt time.Time       `json:"created_at"`
	EndedAt   *time.Time      `json:"ended_at,omitempty"`
	// Parent is set for the run of an independent subflow node.
	Parent *engine.Parent `json:"parent,omitempty"`
}

// Detail is a run with the flow version that it runs.
type Detail struct {
	engine.RunView
	FlowName contract.Text   `json:"flow_name"`
	Document json.RawMessage `json:"document"`
}

// NodeDetail is everything about one node of a run.
type NodeDetail struct {
	Node  string           `json:"node"`
	State engine.NodeState `json:"state"`
	// Held says that the next token stops before the node.
	Held bool `json:"held,omitempty"`
	// Seq is the last record of the run that this tells of: what comes after it on the
	// live stream is not in here.
	Seq uint64 `json:"seq"`
	// Attempts are in the order they were made.
	Attempts []Attempt `json:"attempts"`
}

// Attempt is one try of a node, as its records and the gateway's audit tell it.
type Attempt struct {
	// Iteration counts re-entries by a loop from 0, Number tries from 1.
	Iteration int                `json:"iteration"`
	Number    int                `json:"attempt"`
	State     engine.NodeState   `json:"state"`
	StartedAt time.Time          `json:"started_at"`
	EndedAt   *time.Time         `json:"ended_at,omitempty"`
	Inputs    json.RawMessage    `json:"inputs,omitempty"`
	Outputs   json.RawMessage    `json:"outputs,omitempty"`
	Failure   *contract.Failure  `json:"failure,omitempty"`
	Wait      *contract.Wait     `json:"wait,omitempty"`
	Due       *time.Time         `json:"due,omitempty"`
	Log       []contract.LogLine `json:"log"`
	Progress  *engine.Progress   `json:"progress,omitempty"`
	// Digest is that of the module that ran.
	Digest string `json:"digest,omitempty"`
	// By says what an operator did to the attempt: retry, skip, force_fail, ...; or
	// which option of the node did it: auto_retry, ignore_failure, timeout, repeat.
	By string `json:"by,omitempty"`
	// Deadline is when the attempt times out.
	Deadline *time.Time `json:"deadline,omitempty"`
	// Repeat is the ordinal of the iteration in a Repeat, from 1.
	Repeat int `json:"repeat,omitempty"`
	// Child is the run that an independent subflow started.
	Child string `json:"child,omitempty"`
	Calls []Call `json:"calls"`
}

// Call is one call that an attempt made through the gateway.
type Call struct {
	// Iteration and Attempt say whose call it was.
	Iteration int               `json:"-"`
	Attempt   int               `json:"-"`
	At        time.Time         `json:"at"`
	System    string            `json:"system"`
	Operation string            `json:"operation"`
	Method    string            `json:"method"`
	Status    int               `json:"status,omitempty"`
	Failure   *contract.Failure `json:"failure,omitempty"`
	// SecretEcho says that the system sent a secret back, which was taken out.
	SecretEcho bool  `json:"secret_echo,omitempty"`
	DurationMS int64 `json:"duration_ms"`
}

// StartRequest asks for a new run.
type StartRequest struct {
	Project string
	Actor   engine.Actor
	Flow    string
	// Name, if empty, is made from the flow's name and the time.
	Name string
	// Version, if zero, is the latest.
	Version int
	// Selection says which optional nodes are left out.
	Selection Selection
	// StartAt is the node to begin at; empty is the start.
	StartAt string
	// Inputs are the values of the flow's input variables by name.
	Inputs map[string]json.RawMessage
	Key    idempotency.Key
	// Trace is the traceparent of the request, as it came in; what is none is left out. It is
	// not part of what Key stands for: a request that is repeated has another one.
	Trace string
}

// ListQuery asks for runs of a project, newest first.
type ListQuery struct {
	Project string
	// Search, if not empty, is looked for in name, id and flow, whatever the case of its
	// ASCII letters; Operator is who started the run.
	Search, Operator string
	// From and To bound when it was started: From counts, To does not any more.
	From, To time.Time
	// Oldest lists the oldest first.
	Oldest bool
	// Flow and States restrict when they are not empty.
	Flow   string
	States []engine.RunState
	// Parent is the run whose children are listed: the runs that its independent
	// subflow nodes started. Empty lists the runs that no run started.
	Parent string
	Page   page.Query
}

// RecordsQuery asks for the records of a run after a sequence number.
type RecordsQuery struct {
	Project, Run string
	After        uint64
	// Limit is from 1 to RecordsMax; zero takes page.DefaultLimit.
	Limit int
}

// RecordsMax bounds how many records one query answers.
const RecordsMax = 1000

// Records is a page of a run's history.
type Records struct {
	Items []engine.Record `json:"items"`
	// Next is the After of the next page; zero on the last.
	Next uint64 `json:"next,omitempty"`
}

// RunCommand is what an operator does to a run.
type RunCommand string

// The commands to a run.
const (
	CommandPause        RunCommand = "pause"
	CommandResume       RunCommand = "resume"
	CommandRevoke       RunCommand = "revoke"
	CommandFail         RunCommand = "fail"
	CommandSetVariables RunCommand = "set_variables"
	CommandRollback     RunCommand = "rollback"
)

// CommandRequest commands a run. Fields that the command does not use must be absent:
// what looks like an instruction is never dropped silently.
type CommandRequest struct {
	Project, Run string
	Actor        engine.Actor
	Command      RunCommand
	// Reason goes into the records (revoke, fail).
	Reason string
	// Scope is the path of a subflow node, empty for the run itself, and Values are the
	// new values of its variables by name (set_variables).
	Scope  string
	Values map[string]json.RawMessage
	// Rollback says from where to where (rollback).
	Rollback engine.Rollback
	// ExpectedSeq, if not zero, is the last record the actor has seen: a run that
	// is further gives a fault.Conflict whose Current is the RunView.
	ExpectedSeq uint64
	// CommandID makes a repeated command have one effect; empty for none.
	CommandID string
}

// NodeCommand is what an operator does to a node of a run.
type NodeCommand string

// The commands to a node.
const (
	NodePause      NodeCommand = "pause"
	NodeResume     NodeCommand = "resume"
	NodeRetry      NodeCommand = "retry"
	NodeSkip       NodeCommand = "skip"
	NodeForceFail  NodeCommand = "force_fail"
	NodeResolve    NodeCommand = "resolve"
	NodeReschedule NodeCommand = "reschedule"
	NodeCallback   NodeCommand = "callback"
)

// NodeCommandRequest commands a node, which is named by its path: "deploy.check" is the
// node check inside the inline subflow deploy. As in a CommandRequest, fields that the
// command does not use must be absent.
type NodeCommandRequest struct {
	Project, Run, Node string
	Actor              engine.Actor
	Command            NodeCommand
	// Inputs replace the drawn ones, and with Only they are all there are (retry).
	Inputs map[string]json.RawMessage
	Only   bool
	// Edges are those to take behind a gateway (skip).
	Edges []string
	// Part is the failed iteration of a node with Repeat (retry, skip).
	Part engine.Repeated
	// At is the new time of a wait (reschedule).
	At time.Time
	// Reason goes into the records (force_fail).
	Reason string
	// As and Outputs decide an unknown node (resolve).
	As      engine.Resolution
	Outputs json.RawMessage
	// Data is the answer to a wait. Attempt and Iteration fence it; attempt zero is
	// the current one (callback).
	Data      json.RawMessage
	Attempt   int
	Iteration int
	// ExpectedSeq and CommandID are those of CommandRequest.
	ExpectedSeq uint64
	CommandID   string
}
