package engine

import (
	"fmt"

	"github.com/culmhq/culm/engine/expr"
)

// Problem is one thing wrong with a flow document, with the place where it is wrong.
//
//nolint:errname // a problem of a document first, an error only for those who want one
type Problem struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Level   Severity `json:"level"`
	// Node, Edge and Variable name the thing that holds the problem; at most one
	// is set.
	Node     string `json:"node,omitempty"`
	Edge     string `json:"edge,omitempty"`
	Variable string `json:"variable,omitempty"`
	// Field is a JSON Pointer inside that thing ("/inputs/hosts/0"), or inside the
	// document when none is named.
	Field string `json:"field,omitempty"`
	// Args fill in the translated message of Code, by name.
	Args map[string]string `json:"args,omitempty"`
}

// Severity tells errors, which forbid a start, from warnings.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Error makes a Problem usable as a Go error.
func (p Problem) Error() string { return fmt.Sprintf("%s: %s", p.Code, p.Message) }

// Error is a refusal of the core: a command whose precondition does not hold. The
// state is unchanged.
type Error struct {
	Code    Code
	Message string
	Node    string
	Field   string
	// Reason says which of the refusals of a Code this is (UPPER_SNAKE, stable), and Args
	// are what Message names, in its order: clients translate by them. Empty where the
	// message is in the words of something else, an expression or a schema.
	Reason string
	Args   map[string]string
	// Seq is the run's last record when the command was refused.
	Seq uint64
	// named is what Message was made with, until because makes Args of it.
	named []any
}

// because gives a refusal its Reason, and what its message names as Args.
func (e *Error) because(reason string) *Error {
	e.Reason, e.Args = reason, expr.NamedArgs(e.named)
	return e
}

// Code is the machine-readable reason of an Error.
type Code string

// The codes.
const (
	CodeConflict    Code = "CONFLICT"     // the run is further than ExpectedSeq
	CodeWrongState  Code = "WRONG_STATE"  // the node or run is not in a state that allows this
	CodeUnknownNode Code = "UNKNOWN_NODE" // no such node
	CodeInvalid     Code = "INVALID"      // the command's own data is wrong
	CodeEnded       Code = "RUN_ENDED"    // the run is over
)

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }
