// Package fault is the vocabulary of refusals of the host: one error type with a
// stable code and the place that is wrong. Use cases and stores return it; the HTTP
// API writes it as an RFC 9457 problem, the command line as a line of text.
package fault

import (
	"errors"
	"fmt"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/engine/runner"
)

// Code is the machine-readable reason of an Error. Codes are stable: clients and
// translations key on them.
type Code string

// The codes that the use cases answer with.
const (
	NotFound   Code = "NOT_FOUND"   // no such thing, or not in this project
	Invalid    Code = "INVALID"     // the data given is wrong; Field or Problems say where
	Exists     Code = "EXISTS"      // the id is taken
	Conflict   Code = "CONFLICT"    // somebody else changed it first; Current is what is stored
	InUse      Code = "IN_USE"      // something else needs it
	WrongState Code = "WRONG_STATE" // its state does not allow this
	RunEnded   Code = "RUN_ENDED"   // the run is over
	TooLarge   Code = "TOO_LARGE"   // beyond a limit
	KeyReused  Code = "IDEMPOTENCY_KEY_REUSED"
	Forbidden  Code = "FORBIDDEN"
	// Gone: it was there, and is over.
	Gone Code = "GONE"
	// Unsigned: the signature of a callback is missing, old, or wrong.
	Unsigned Code = "SIGNATURE_INVALID"
	// TooMany: the same was tried too often.
	TooMany Code = "TOO_MANY_REQUESTS"
	// SignaturePolicy: its signatures keep the module out.
	SignaturePolicy Code = "SIGNATURE_POLICY"
	// Rollback: the version is older than one that was in use.
	Rollback Code = "VERSION_ROLLBACK"
	// Blocked: an administrator blocked the version.
	Blocked Code = "PLUGIN_BLOCKED"
	// Reference: what is to be pulled is named by no reference, or by one to a registry that
	// no administrator allowed.
	Reference Code = "REFERENCE_REFUSED"
	// Registry: a registry of plugins cannot be reached, or does not answer as one.
	Registry Code = "REGISTRY_FAILED"
	Internal Code = "INTERNAL"    // a fault of Culm itself; the cause is for the log only
	Stopping Code = "UNAVAILABLE" // the server stops, is not ready, or has too much to do
	DiskFull Code = "DISK_FULL"   // nothing can be stored until there is space again
)

// Error is a refusal or failure of a use case. Its text never holds a secret or a
// value of an input. Errors are values of one request and are not shared.
type Error struct {
	Code Code
	// Message is for people: one sentence without a period, in English; clients
	// translate by Code, and by Reason where there is one.
	Message string
	// Reason says which of the refusals of a Code this is (UPPER_SNAKE, stable). Empty
	// means that the message is in the words of somebody else, or that only a program
	// can be refused so.
	Reason string
	// Args are what Message names, in its order: "a", "b" and so on.
	Args map[string]string
	// Field is a JSON Pointer into the request ("/inputs/hosts/0").
	Field string
	// Node names the node of the flow or run that the refusal is about.
	Node string
	// Problems are those of a document, of a flow or a system, that may not be used as it is.
	Problems []engine.Problem
	// Current is the stored thing that a change conflicts with; it marshals to
	// the JSON that reading it would answer. Nil when there is none.
	Current any
	// Cause is the error underneath, for the log; it is not shown to clients.
	Cause error
	// named is what New filled in, until Because makes Args of it.
	named []any
}

// New makes an error with a formatted message.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), named: args}
}

// Because gives an error its Reason, and as Args what its message was made with, or
// those given here. It changes and returns e.
func (e *Error) Because(reason string, args ...any) *Error {
	if len(args) == 0 {
		args = e.named
	}
	e.Reason, e.Args = reason, expr.NamedArgs(args)
	return e
}

// Missing makes a NotFound for a thing of a kind ("flow", "run") with that id.
func Missing(kind, id string) *Error {
	return New(NotFound, "no %s %q", kind, id).Because("NO_SUCH")
}

// At makes an Invalid for the field at a JSON Pointer into the request.
func At(field, format string, args ...any) *Error {
	e := New(Invalid, format, args...)
	e.Field = field
	return e
}

// Coded makes an Invalid for a field, with a code that says what is wrong with it, so that
// clients can translate it.
func Coded(field, code, message string) *Error {
	e := At(field, "%s", message)
	e.Problems = []engine.Problem{{Code: code, Message: message, Level: engine.SeverityError, Field: field}}
	return e
}

// Wrap makes an Internal error of what failed underneath while doing op, or says that
// the store cannot take anything now. A nil err gives nil; an err that holds an *Error
// already is returned as it is.
func Wrap(op string, err error) error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return err
	case errors.Is(err, runner.ErrStoreFull):
		return &Error{Code: DiskFull, Message: "the disk of the server is full: nothing was stored; try again when there is space", Cause: err}
	case errors.Is(err, runner.ErrStoreBusy):
		return &Error{Code: Stopping, Message: "too much to do at the moment: try again", Reason: "BUSY", Cause: err}
	case errors.Is(err, runner.ErrStoreFailed):
		return &Error{Code: Stopping, Message: "the server cannot store anything and ends", Reason: "STORE_FAILED", Cause: err}
	default:
		return &Error{Code: Internal, Message: op + " failed", Cause: err}
	}
}

// Is reports whether err is or wraps an *Error with that code.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// Error gives code, place and message, and the cause for the log.
func (e *Error) Error() string {
	s := string(e.Code)
	if e.Node != "" {
		s += " node " + e.Node
	}
	if e.Field != "" {
		s += " " + e.Field
	}
	s += ": " + e.Message
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }
