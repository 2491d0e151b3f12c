package engine

import (
	"encoding/json"
	"strconv"

	"github.com/culmhq/culm/pdk/contract"
)

// FlowFormat is the format of the flow documents that this package reads.
const FlowFormat = "culm.flow/v1"

// Flow is a flow document: the drawing with its variables. It is plain data; a
// Graph is made from it by Compile, which also validates it.
type Flow struct {
	Format string `json:"format"`
	// ID is a slug: a lower-case letter, then up to 63 of [a-z0-9-]. It may be empty
	// in a document that has not been stored yet.
	ID        string        `json:"id,omitempty"`
	Name      contract.Text `json:"name"`
	Doc       contract.Text `json:"doc,omitzero"`
	Variables []Variable    `json:"variables,omitempty"`
	Nodes     []Node        `json:"nodes"`
	Edges     []Edge        `json:"edges"`
	// OnFailure says what a failed node does to the run; the zero value blocks it
	// until an operator decides.
	OnFailure FailurePolicy `json:"on_failure,omitempty"`
	// TimeoutMS is how long a run may take, from its start; then it fails. Zero means
	// as long as it likes.
	TimeoutMS int64 `json:"timeout_ms,omitempty"`
	// Schemes are named selections of the optional nodes.
	Schemes []Scheme `json:"schemes,omitempty"`
	// Notes are written on the drawing; no run looks at them.
	Notes []StickyNote `json:"notes,omitempty"`
	// Subflows holds the flows that subflow nodes name, by Node.Reference: those of
	// the whole tree, so that a document is complete in itself. The host fills it in
	// when it pins versions; a flow written by hand may bring its own.
	Subflows map[string]*Flow `json:"subflows,omitempty"`
}

// Scheme is a named selection: the optional nodes that are left out.
type Scheme struct {
	// ID is as a node's; unique among schemes.
	ID   string        `json:"id"`
	Name contract.Text `json:"name,omitzero"`
	// Without lists the optional nodes that a run does not execute, by id.
	Without []string `json:"without,omitempty"`
}

// FailurePolicy is what a failed node does to its run.
type FailurePolicy string

// The failure policies.
const (
	FailureBlock FailurePolicy = ""     // the run waits for an operator
	FailureFail  FailurePolicy = "fail" // the run fails; what still runs is cancelled
)

// VariableSource says where the value of a variable comes from.
type VariableSource string

// The sources of variables.
const (
	SourceInput    VariableSource = "input"    // asked for at start; Value is the default
	SourceConstant VariableSource = "constant" // Value
	SourceComputed VariableSource = "computed" // Expression, evaluated when it is read
	SourceNode     VariableSource = "node"     // written by the nodes whose Outputs name it
)

// Variable is a named value of a flow.
type Variable struct {
	// Name is a lower-case letter, then up to 63 of [a-z0-9_]; not one of the
	// reserved names nodes, env, run, secrets, nor a CEL keyword.
	Name  string        `json:"name"`
	Title contract.Text `json:"title,omitzero"`
	Doc   contract.Text `json:"doc,omitzero"`
	// Schema is the JSON Schema (2020-12) of the value; absent means a string.
	Schema json.RawMessage `json:"schema,omitempty"`
	Source VariableSource  `json:"source"`
	// Value is the default of an input, the value of a constant, the initial
	// value of a node variable. It may hold ${...} only for a constant.
	Value json.RawMessage `json:"value,omitempty"`
	// Expression is the CEL expression of a computed variable.
	Expression string `json:"expression,omitempty"`
	// ShowIf is a CEL condition over other inputs: whether the start form shows
	// this input.
	ShowIf string `json:"show_if,omitempty"`
	// Required inputs must be given at start unless they have a default.
	Required bool `json:"required,omitempty"`
	// Output marks a variable that is part of the run's outputs.
	Output bool `json:"output,omitempty"`
	// Secret marks a value that only the gateway may see: an input, which is asked for at
	// start, or a computed variable whose expression is secrets.NAME, a secret of the
	// project. Its value is a text; the engine holds a reference to it.
	Secret bool `json:"secret,omitempty"`
	// Uses lists the operations that a secret may be sent to; a secret has at least one.
	Uses []SecretUse `json:"uses,omitempty"`
}

// SecretUse names an operation that a secret may be sent to.
type SecretUse struct {
	System    string `json:"system"`
	Operation string `json:"operation"`
}

// NodeType is the type of a node.
type NodeType string

// The node types.
const (
	TypeStart     NodeType = "start"
	TypeEnd       NodeType = "end"
	TypeTask      NodeType = "task"
	TypeSubflow   NodeType = "subflow"
	TypeExclusive NodeType = "exclusive"
	TypeParallel  NodeType = "parallel"
	TypeInclusive NodeType = "inclusive"
	TypeJoin      NodeType = "join"
)

// Node is a node of a flow.
type Node struct {
	// ID is a letter, then up to 63 of [A-Za-z0-9_]: it is a name in expressions.
	ID   string        `json:"id"`
	Type NodeType      `json:"type"`
	Name contract.Text `json:"name,omitzero"`
	Doc  contract.Text `json:"doc,omitzero"`
	// Plugin and Action name what a task runs.
	Plugin string `json:"plugin,omitempty"`
	Action string `json:"action,omitempty"`
	// Inputs are the action's inputs by name; strings in them may hold ${...}.
	Inputs map[string]json.RawMessage `json:"inputs,omitempty"`
	// Literal names the inputs whose ${...} is text, not an expression.
	Literal []string `json:"literal,omitempty"`
	// Outputs maps variables of source node to the action's outputs by name:
	// {"variable": "output"}.
	Outputs map[string]string `json:"outputs,omitempty"`
	// Strategy is that of an exclusive gateway.
	Strategy Strategy `json:"strategy,omitempty"`
	// Flow and Version name what a subflow node runs; version 0 is the latest one,
	// which is resolved when a run starts. Mode says how. Schemes lists the schemes
	// of that flow that apply.
	Flow    string      `json:"flow,omitempty"`
	Version int         `json:"version,omitempty"`
	Mode    SubflowMode `json:"mode,omitempty"`
	Schemes []string    `json:"schemes,omitempty"`
	// Optional lets a start leave the node out.
	Optional bool `json:"optional,omitempty"`
	// IgnoreFailure lets the flow go on behind the node although it failed; its state
	// is skipped then, and its failure stays.
	IgnoreFailure bool `json:"ignore_failure,omitempty"`
	// NoRetry and NoSkip forbid operators to do that with the failed node.
	NoRetry bool `json:"no_retry,omitempty"`
	NoSkip  bool `json:"no_skip,omitempty"`
	// Retry, Timeout and Repeat are absent when there is none.
	Retry   *RetryPolicy `json:"retry,omitempty"`
	Timeout *Timeout     `json:"timeout,omitempty"`
	Repeat  *Repeat      `json:"repeat,omitempty"`
	// MaxReruns is how often a loop may enter the node again; zero means MaxReruns of
	// the package, which no flow can exceed.
	MaxReruns int `json:"max_reruns,omitempty"`
	// Position is where the canvas draws the node, in pixels; absent means that
	// it is laid out automatically.
	Position *Position `json:"position,omitempty"`
}

// Reference is the key under which Flow.Subflows holds what a subflow node runs: the
// flow's id for the latest version, "id@7" for version 7.
func (n *Node) Reference() string {
	if n.Version == 0 {
		return n.Flow
	}
	return n.Flow + "@" + strconv.Itoa(n.Version)
}

// SubflowMode says how a subflow node runs its flow.
type SubflowMode string

// The modes of a subflow.
const (
	SubflowInline      SubflowMode = ""            // inside the run, in a scope of its own
	SubflowIndependent SubflowMode = "independent" // as a run of its own, for which the node waits
)

// RetryPolicy says how a failed node is tried again without anybody's doing. The n-th
// retry comes DelayMS × Backoff^(n-1) after the failure, at most MaxDelayMS.
type RetryPolicy struct {
	// Max is the number of retries, 1 to 100. A retry by hand begins the count anew.
	Max int `json:"max"`
	// DelayMS is at least 0, at most a day.
	DelayMS int64 `json:"delay_ms,omitempty"`
	// Backoff is at least 1, which is also what zero means.
	Backoff float64 `json:"backoff,omitempty"`
	// MaxDelayMS bounds the delay; zero means a day.
	MaxDelayMS int64 `json:"max_delay_ms,omitempty"`
	// Jitter, 0 to 1, is the part of the delay that is random: the delay is cut by up
	// to that part. It is drawn from the run's id, the node and the attempt.
	Jitter float64 `json:"jitter,omitempty"`
}

// Timeout bounds one attempt of a node, its waits included.
type Timeout struct {
	AfterMS int64         `json:"after_ms"`
	Action  TimeoutAction `json:"action,omitempty"`
}

// TimeoutAction is what a timeout does to its node.
type TimeoutAction string

// The actions of a timeout.
const (
	TimeoutFail TimeoutAction = ""     // the node fails
	TimeoutSkip TimeoutAction = "skip" // it fails, and the flow goes on behind it
)

// Repeat runs a task several times in a row, each time as an iteration.
type Repeat struct {
	// Times is 1 to MaxReruns.
	Times int `json:"times"`
	// ContinueOnFailure goes on with the next iteration when one fails.
	ContinueOnFailure bool `json:"continue_on_failure,omitempty"`
	// Collect names a variable of source node, a list, to which each iteration's
	// outputs are appended.
	Collect string `json:"collect,omitempty"`
}

// Strategy says what an exclusive gateway does when several conditions hold.
type Strategy string

// The strategies of an exclusive gateway.
const (
	StrategyOnly  Strategy = ""      // more than one true condition fails the node
	StrategyFirst Strategy = "first" // the first true condition in edge order wins
)

// Position is a place on the canvas.
type Position struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Edge leads from one node to another. The order of a node's edges in the document
// is the order in which their conditions are tried.
type Edge struct {
	// ID is as a node's; unique among edges.
	ID   string        `json:"id"`
	From string        `json:"from"`
	To   string        `json:"to"`
	Name contract.Text `json:"name,omitzero"`
	// Condition is a CEL expression of type bool; only on edges that leave an
	// exclusive or inclusive gateway.
	Condition string `json:"condition,omitempty"`
	// Default marks the edge that is taken when no condition holds.
	Default bool `json:"default,omitempty"`
}
