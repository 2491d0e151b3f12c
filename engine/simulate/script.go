package simulate

import (
	"encoding/json"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// ScriptFormat is the format of the scripts that this package reads.
const ScriptFormat = "culm.script/v1"

// ScriptBytesMax bounds the size of a script in bytes.
const ScriptBytesMax = 1 << 20

// Script says what plugins answer and what operators do in one simulated run. It is
// plain data; the zero value, with its format, lets every node succeed with example
// outputs after a second.
type Script struct {
	Format string `json:"format"`
	// Begin is the virtual instant at which the run starts, in RFC 3339; absent means
	// 2026-01-01T00:00:00Z.
	Begin string `json:"begin,omitempty"`
	// Inputs are the values of the flow's inputs, by name.
	Inputs map[string]json.RawMessage `json:"inputs,omitempty"`
	// Env are the project's variables, by name.
	Env map[string]json.RawMessage `json:"env,omitempty"`
	// Start says how the run starts; absent means as usual.
	Start *Start `json:"start,omitempty"`
	// Nodes says what the calls of a node answer, by the node's path: "deploy.check" is
	// the node check inside the subflow node deploy. Each attempt takes the first result
	// that is left and fits; when none is left, Defaults says.
	Nodes map[string][]Result `json:"nodes,omitempty"`
	// Defaults say what all other calls answer, by "plugin/action", by "plugin", or by
	// "*" for every node. Without any, a call succeeds with example outputs, which are
	// made from the action's output schema.
	Defaults map[string]Result `json:"defaults,omitempty"`
	// Actions are what operators do. Each is done once.
	Actions []Action `json:"actions,omitempty"`
	// Expect is what should come out; absent expects nothing.
	Expect *Expect `json:"expect,omitempty"`
	// Limits lower those of the simulation.
	Limits *ScriptLimits `json:"limits,omitempty"`
}

// Start says how a run starts.
type Start struct {
	// Name is the run's name, Operator who starts it; absent means "simulation" and
	// "operator".
	Name     string `json:"name,omitempty"`
	Operator string `json:"operator,omitempty"`
	// At is the node at which the run begins; absent is the start node.
	At string `json:"at,omitempty"`
	// Schemes name those of the flow that apply, Without the optional nodes that are left
	// out besides.
	Schemes []string `json:"schemes,omitempty"`
	Without []string `json:"without,omitempty"`
}

// Duration is a virtual duration as people write it: "90s", "1h30m", "250ms". It is
// never negative; the empty one is absent.
type Duration string

// Result is what one attempt of a node does: it waits as often as Waits says, and then
// ends by the one of Succeed, Fail, Unknown and Revoked that is given, or else succeeds
// with example outputs.
type Result struct {
	// On says which calls the result is for; absent means those that run the node.
	On On `json:"on,omitempty"`
	// Iteration and Attempt, where given, bind the result to one iteration of a loop
	// (from 0) and one attempt in it (from 1).
	Iteration *int `json:"iteration,omitempty"`
	Attempt   int  `json:"attempt,omitempty"`
	// Times is how many attempts take the result; absent means one. Always lets all
	// further ones take it.
	Times  int  `json:"times,omitempty"`
	Always bool `json:"always,omitempty"`
	// After is how long the first call takes; absent means a second. Calls that go on
	// from a wait take no time.
	After Duration `json:"after,omitempty"`
	// Log and Progress are what the first call says while it runs.
	Log      []Line     `json:"log,omitempty"`
	Progress []Progress `json:"progress,omitempty"`
	// Waits are what the attempt waits for, one after the other.
	Waits []Wait `json:"waits,omitempty"`
	// Succeed holds the outputs of success: a JSON object that fits the action. Those that
	// the action must give and that are left out are examples.
	Succeed json.RawMessage `json:"succeed,omitempty"`
	// Fail is the failure; Outputs are those that a failed call gives all the same.
	Fail    *Failure        `json:"fail,omitempty"`
	Outputs json.RawMessage `json:"outputs,omitempty"`
	// Unknown says that nobody knows whether the call acted on the world.
	Unknown *Failure `json:"unknown,omitempty"`
	// Revoked ends the run of an independent subflow that way.
	Revoked bool `json:"revoked,omitempty"`
	// Late lets the call answer although it was cancelled meanwhile.
	Late bool `json:"late,omitempty"`
}

// Failure is a failure that a script makes.
type Failure struct {
	// Code is absent for SCRIPTED, Message for a sentence that says so.
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	// Origin is the side that failed; absent is the plugin.
	Origin contract.Origin `json:"origin,omitempty"`
	// Retryable says that the same call may succeed later.
	Retryable bool `json:"retryable,omitempty"`
	// Detail holds further facts.
	Detail json.RawMessage `json:"detail,omitempty"`
}

// On says which calls of a node a Result is for.
type On string

// The calls.
const (
	OnExecute  On = ""         // those that run the node
	OnRollback On = "rollback" // those that undo it
)

// Line is a line that a call logs.
type Line struct {
	// After is counted from the start of the call.
	After Duration       `json:"after,omitempty"`
	Level contract.Level `json:"level,omitempty"` // absent means info
	Text  string         `json:"text"`
}

// Progress is how far a call says it is.
type Progress struct {
	// After is counted from the start of the call.
	After   Duration `json:"after,omitempty"`
	Percent int      `json:"percent"` // 0 to 100
	Message string   `json:"message,omitempty"`
}

// Wait is something that an attempt waits for.
type Wait struct {
	Kind contract.WaitKind `json:"kind"`
	// Every is the time between two polls, Times how many polls it takes; absent means
	// ten seconds, and one.
	Every Duration `json:"every,omitempty"`
	Times int      `json:"times,omitempty"`
	// After is how long a timer takes, or after which time a wait for a callback or a
	// person ends by itself; absent lets such a wait last for ever.
	After Duration `json:"after,omitempty"`
	// Expire is how the attempt fails when a wait for a callback or a person has ended by
	// itself; absent means that it goes on.
	Expire *Failure `json:"expire,omitempty"`
	// Prompt and Schema are what a person is asked; an action answers.
	Prompt contract.Text   `json:"prompt,omitzero"`
	Schema json.RawMessage `json:"schema,omitempty"`
}

// Action is one thing that an operator does, or a program that calls back. It is done
// at the virtual time At, counted from the start, or when the condition When holds for
// the first time; After delays it further.
type Action struct {
	At    Duration `json:"at,omitempty"`
	When  *When    `json:"when,omitempty"`
	After Duration `json:"after,omitempty"`
	// Do is what is done; the fields below go with it.
	Do Do `json:"do"`
	// Node is the path of the node that is meant; absent means that of When.
	Node string `json:"node,omitempty"`
	// In is the path of an independent subflow node: the action, and the state of the run
	// in When, concern the run that it started.
	In string `json:"in,omitempty"`
	// Inputs, Part: retry. Edges, Part: skip.
	Inputs map[string]json.RawMessage `json:"inputs,omitempty"`
	Edges  []string                   `json:"edges,omitempty"`
	Part   engine.Repeated            `json:"part,omitempty"`
	// Reason: force_fail, revoke, fail.
	Reason string `json:"reason,omitempty"`
	// As, Outputs: resolve.
	As      engine.Resolution `json:"as,omitempty"`
	Outputs json.RawMessage   `json:"outputs,omitempty"`
	// Data, Attempt, Iteration: callback. An absent attempt is the current one.
	Data      json.RawMessage `json:"data,omitempty"`
	Attempt   int             `json:"attempt,omitempty"`
	Iteration int             `json:"iteration,omitempty"`
	// Values, Scope: set_variables. Scope is the path of an inline subflow node.
	Values map[string]json.RawMessage `json:"values,omitempty"`
	Scope  string                     `json:"scope,omitempty"`
	// Delay is how long a reschedule lets the node wait from now on.
	Delay Duration `json:"delay,omitempty"`
	// From, To, Mode: rollback.
	From string              `json:"from,omitempty"`
	To   string              `json:"to,omitempty"`
	Mode engine.RollbackMode `json:"mode,omitempty"`
	// ID is the id of the command: two actions with one id are one command. Absent means
	// one of its own.
	ID string `json:"id,omitempty"`
	// Actor is who does it; absent means the operator of the start.
	Actor string `json:"actor,omitempty"`
	// ExpectedSeq is the last record that the actor has seen; zero does not say.
	ExpectedSeq uint64 `json:"expected_seq,omitempty"`
	// Refused is the code with which the action must be refused; absent means that it
	// must not be.
	Refused engine.Code `json:"refused,omitempty"`
}

// Do is what an Action does.
type Do string

// What can be done.
const (
	DoPause        Do = "pause"
	DoResume       Do = "resume"
	DoRetry        Do = "retry"
	DoSkip         Do = "skip"
	DoForceFail    Do = "force_fail"
	DoResolve      Do = "resolve"
	DoCallback     Do = "callback"
	DoRevoke       Do = "revoke"
	DoFail         Do = "fail"
	DoSetVariables Do = "set_variables"
	DoReschedule   Do = "reschedule"
	DoRollback     Do = "rollback"
)

// When is a condition: everything that is given must hold at once.
type When struct {
	// Node is in State; Attempt and Iteration, where given, are the current ones.
	Node      string           `json:"node,omitempty"`
	State     engine.NodeState `json:"state,omitempty"`
	Attempt   int              `json:"attempt,omitempty"`
	Iteration *int             `json:"iteration,omitempty"`
	// Run is the state of the run, or of that which Action.In names.
	Run engine.RunState `json:"run,omitempty"`
	// Idle: nothing is left that would happen by itself.
	Idle bool `json:"idle,omitempty"`
}

// Expect is what should come out of a simulation. What is absent is not looked at.
type Expect struct {
	// Run is the last state of the run.
	Run engine.RunState `json:"run,omitempty"`
	// Nodes are the last states of nodes, by path.
	Nodes map[string]engine.NodeState `json:"nodes,omitempty"`
	// Failures are the codes of the failures that nodes have at the end, by path.
	Failures map[string]string `json:"failures,omitempty"`
	// Attempts are how often nodes were tried in all, by path.
	Attempts map[string]int `json:"attempts,omitempty"`
	// Outputs and Variables are values that the run has at the end, by name.
	Outputs   map[string]json.RawMessage `json:"outputs,omitempty"`
	Variables map[string]json.RawMessage `json:"variables,omitempty"`
	// Executed and NotExecuted are nodes that were reached, and were not, by path.
	Executed    []string `json:"executed,omitempty"`
	NotExecuted []string `json:"not_executed,omitempty"`
	// Elapsed is the virtual time from the start to the end of the run.
	Elapsed Duration `json:"elapsed,omitempty"`
}

// ScriptLimits lower the limits of a simulation; zero takes the default.
type ScriptLimits struct {
	VirtualTime Duration `json:"virtual_time,omitempty"`
	Steps       int      `json:"steps,omitempty"`
}

// The defaults of a script.
const (
	// DefaultAfter is how long a call takes that the script gives no time.
	DefaultAfter = time.Second
	// DefaultEvery is the time between two polls that the script gives no time.
	DefaultEvery = 10 * time.Second
	// DefaultBegin is the virtual instant at which a run starts.
	DefaultBegin = "2026-01-01T00:00:00Z"
)

// ParseScript reads a script from JSON, strictly: an unknown field, a repeated key or a
// value of a wrong type is refused. An error is an *engine.ParseError that names the
// place. Whether the script makes sense is Script.Problems' to say.
func ParseScript(b []byte) (*Script, error) {
	var s Script
	if err := engine.DecodeStrict(b, ScriptBytesMax, &s); err != nil {
		return nil, err
	}
	return &s, nil
}
