package contract

import (
	"encoding/json"
	"time"
)

// ABI is the version of the calling convention: exports, requests and host
// functions. It is sent in every request.
const ABI = 1

// Exports of a plugin module. Each takes no parameter and returns an i32: zero
// when an answer was written to the output, anything else when the call failed
// with the text given to Extism's error_set.
const (
	ExportExecute  = "execute"
	ExportResume   = "resume"
	ExportCancel   = "cancel"
	ExportRollback = "rollback"
	ExportOptions  = "options"
)

// Reason says why a call is made.
type Reason string

// The reasons of a call. ReasonExecute goes to the export execute; poll, timer
// and callback go to resume; the others to the export of their name.
const (
	ReasonExecute  Reason = "execute"
	ReasonPoll     Reason = "poll"
	ReasonTimer    Reason = "timer"
	ReasonCallback Reason = "callback"
	ReasonCancel   Reason = "cancel"
	ReasonRollback Reason = "rollback"
	ReasonOptions  Reason = "options"
)

// Request is the input of a call.
type Request struct {
	ABI    int    `json:"abi"`
	Action string `json:"action"`
	Reason Reason `json:"reason"`
	// Inputs are the node's inputs after evaluation, valid against the action's
	// schema. Secrets appear as handles.
	Inputs json.RawMessage `json:"inputs"`
	// State is what the previous call of this attempt returned with its
	// waiting answer; absent in the first call.
	State json.RawMessage `json:"state,omitempty"`
	// Callback is the data that came in, for ReasonCallback.
	Callback json.RawMessage `json:"callback,omitempty"`
	// Outputs are those of the attempt, for ReasonRollback.
	Outputs json.RawMessage `json:"outputs,omitempty"`
	// Polls counts the polls before this one, for ReasonPoll.
	Polls int `json:"polls,omitempty"`
	// Field and Form are for ReasonOptions: the name of the source that the form field
	// gives in x-source, and the values of the fields that it depends on. Those that are
	// not filled in are absent.
	Field   string          `json:"field,omitempty"`
	Form    json.RawMessage `json:"form,omitempty"`
	Context Context         `json:"context"`
}

// Context tells a plugin on whose behalf it is called. It carries no secret.
type Context struct {
	Project string `json:"project"`
	Run     string `json:"run"`
	Node    string `json:"node"`
	// Iteration counts re-entries of the node by a loop, from 0; Attempt counts
	// tries, from 1.
	Iteration int    `json:"iteration"`
	Attempt   int    `json:"attempt"`
	Operator  string `json:"operator"`
	// Zone is the project's IANA time zone.
	Zone string `json:"zone,omitempty"`
	// CallbackURL is where a program calls back, for actions that declare WaitCallback. It
	// holds CallbackToken: the gateway puts the token in when the URL goes out in a
	// parameter or body. It is empty where the server takes no callbacks.
	CallbackURL string `json:"callback_url,omitempty"`
}

// Status is the outcome of a call.
type Status string

// The outcomes.
const (
	StatusSucceeded Status = "succeeded"
	StatusFailed    Status = "failed"
	StatusWaiting   Status = "waiting"
)

// Answer is the output of a call.
type Answer struct {
	Status Status `json:"status"`
	// Outputs are the node's outputs; they count for a failed answer too.
	Outputs json.RawMessage `json:"outputs,omitempty"`
	// Failure is set when Status is failed.
	Failure *Failure `json:"failure,omitempty"`
	// Wait is set when Status is waiting; State comes back in the next call.
	Wait  *Wait           `json:"wait,omitempty"`
	State json.RawMessage `json:"state,omitempty"`
}

// Origin is the side at which something failed: the first thing an operator asks.
type Origin string

// The origins.
const (
	OriginFlow    Origin = "flow"    // the drawing: an expression, a missing variable, bad inputs
	OriginPlugin  Origin = "plugin"  // the plugin said so, or it trapped
	OriginLimit   Origin = "limit"   // a limit of the host
	OriginGateway Origin = "gateway" // policy or configuration of the gateway
	OriginSystem  Origin = "system"  // the outside system
	OriginHost    Origin = "host"    // Culm itself
)

// Failure says what went wrong. Code is stable and machine-readable
// (UPPER_SNAKE); Message is for people and holds no secret.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Origin  Origin `json:"origin,omitempty"`
	// Retryable says that the same call may succeed later.
	Retryable bool `json:"retryable,omitempty"`
	// System and Operation name the gateway call that failed, where one did.
	System    string `json:"system,omitempty"`
	Operation string `json:"operation,omitempty"`
	// HTTPStatus is the outside system's answer, where there was one.
	HTTPStatus int `json:"http_status,omitempty"`
	// RequestID names the request in the logs of the outside system: what the system said
	// it is, else what Culm sent. Attempts counts how often the gateway sent it.
	RequestID string `json:"request_id,omitempty"`
	Attempts  int    `json:"attempts,omitempty"`
	// Hint says what to do next; Advice finds one where it is empty.
	Hint Hint `json:"hint,omitempty"`
	// RetryAfterMS is how long the outside system asked to be left alone.
	RetryAfterMS int64 `json:"retry_after_ms,omitempty"`
	// Detail holds further facts for people who look closer; bounded, no secret.
	Detail json.RawMessage `json:"detail,omitempty"`
}

// Error makes a Failure usable as a Go error.
func (f *Failure) Error() string { return f.Code + ": " + f.Message }

// WaitKind says what a node waits for.
type WaitKind string

// The kinds of waiting.
const (
	WaitPoll     WaitKind = "poll"     // resume again after AfterMS
	WaitTimer    WaitKind = "timer"    // resume once, at At or after AfterMS
	WaitCallback WaitKind = "callback" // resume when a program calls back
	WaitHuman    WaitKind = "human"    // resume when a person answers Prompt
	WaitRun      WaitKind = "run"      // the host's own: an independent subflow waits for its run
)

// Wait is what a waiting answer waits for.
type Wait struct {
	Kind WaitKind `json:"kind"`
	// AfterMS is relative to the moment the answer is committed.
	AfterMS int64 `json:"after_ms,omitempty"`
	// At is absolute and wins over AfterMS.
	At *time.Time `json:"at,omitempty"`
	// Prompt and Schema say what a person is asked; the answer is the callback's
	// data and must be valid against Schema.
	Prompt Text            `json:"prompt,omitzero"`
	Schema json.RawMessage `json:"schema,omitempty"`
}

// Choice is one entry of the answer to ReasonOptions, whose outputs are
// {"choices": [...]}.
type Choice struct {
	Value    json.RawMessage `json:"value"`
	Label    string          `json:"label"`
	Disabled bool            `json:"disabled,omitempty"`
	Children []Choice        `json:"children,omitempty"`
}

// GatewayRequest asks the host for one operation of a registered system.
type GatewayRequest struct {
	System    string `json:"system"`
	Operation string `json:"operation"`
	// Params holds the operation's declared path, query and header parameters
	// by name.
	Params map[string]json.RawMessage `json:"params,omitempty"`
	// Body is the JSON body, where the operation declares one.
	Body json.RawMessage `json:"body,omitempty"`
	// HTTP stands in place of all the others when the request came through Extism's
	// http_request: the gateway looks for the granted operation that it is. The host
	// sets it; a plugin that does is refused.
	HTTP *HTTPRequest `json:"http,omitempty" jsonschema:"-"`
}

// GatewayResponse is what came back. Exactly one of Failure and Status is set.
type GatewayResponse struct {
	Status int `json:"status,omitempty"`
	// Headers are those the operation lets through, names in lower case.
	Headers map[string]string `json:"headers,omitempty"`
	// Body is the response when it was JSON; Text when it was anything else.
	Body    json.RawMessage `json:"body,omitempty"`
	Text    string          `json:"text,omitempty"`
	Failure *Failure        `json:"failure,omitempty"`
	// RequestID and Attempts are as in Failure; they are set where a request was sent.
	RequestID string `json:"request_id,omitempty"`
	Attempts  int    `json:"attempts,omitempty"`
}

// EvalRequest asks the host for the value of a CEL expression over values that the call
// knows. It reaches nothing else, and has the limits of the flow's own expressions.
type EvalRequest struct {
	Expression string `json:"expression"`
	// Values are the names that the expression may use.
	Values map[string]json.RawMessage `json:"values,omitempty"`
}

// EvalResponse is the value. Exactly one of Failure and Value is set.
type EvalResponse struct {
	Value   json.RawMessage `json:"value,omitempty"`
	Failure *Failure        `json:"failure,omitempty"`
}

// Level is the level of a log line.
type Level string

// The levels.
const (
	LevelDebug Level = "debug"
	LevelInfo  Level = "info"
	LevelWarn  Level = "warn"
	LevelError Level = "error"
)

// LogLine is a line that a plugin logged; the text holds no line break.
type LogLine struct {
	At    time.Time `json:"at"`
	Level Level     `json:"level"`
	Text  string    `json:"text"`
}
