package simulate

import (
	"context"
	"errors"
	"fmt"

	"github.com/culmhq/culm/engine"
)

// Code is the machine-readable reason of an Error.
type Code string

// The codes.
const (
	CodeFlow        Code = "FLOW_INVALID"       // the flow does not compile; see Problems
	CodeScript      Code = "SCRIPT_INVALID"     // the script does not fit the flow; see Problems
	CodeStart       Code = "START_REFUSED"      // the core refused to start the run
	CodeSteps       Code = "LIMIT_STEPS"        // Limits.Steps
	CodeVirtualTime Code = "LIMIT_VIRTUAL_TIME" // Limits.VirtualTime
	CodeRecordBytes Code = "LIMIT_RECORD_BYTES" // Limits.RecordBytes
	CodeRuns        Code = "LIMIT_RUNS"         // Limits.Runs
	CodeWallTime    Code = "LIMIT_WALL_TIME"    // the deadline of the context
	CodeCancelled   Code = "CANCELLED"          // the context was cancelled
	CodeHistory     Code = "HISTORY_BROKEN"     // the judge of histories found a fault of the engine
	CodeInternal    Code = "INTERNAL"           // the core refused what a driver says, or gave an unknown command
)

// Error says why a simulation did not take place, or did not reach its end.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	// Field is a JSON Pointer into the script, where one value is the reason.
	Field string `json:"field,omitempty"`
	// Problems are all those of the flow or of the script.
	Problems []engine.Problem `json:"problems,omitempty"`
	// Cause is the error behind it, or nil.
	Cause error `json:"-"`
}

// Error says it in one line.
func (e *Error) Error() string { return fmt.Sprintf("simulate: %s: %s", e.Code, e.Message) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Limit reports whether the simulation was stopped by one of its limits, so that there
// is a result up to there.
func (e *Error) Limit() bool {
	switch e.Code {
	case CodeSteps, CodeVirtualTime, CodeRecordBytes, CodeRuns, CodeWallTime:
		return true
	case CodeFlow, CodeScript, CodeStart, CodeCancelled, CodeHistory, CodeInternal:
	}
	return false
}

// stopped makes the error of a context that is done.
func stopped(err error) *Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Code: CodeWallTime, Message: "the simulation took too long", Cause: err}
	}
	return &Error{Code: CodeCancelled, Message: "the simulation was cancelled", Cause: err}
}
