package wasm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/culmhq/culm/host/wasm/binary"
	"github.com/culmhq/culm/pdk/contract"
)

// Codes of the failures that the plugin host reports. They are stable: records,
// the API and translations refer to them.
const (
	// CodeModuleInvalid: the bytes are not a module that Culm can run.
	CodeModuleInvalid = "MODULE_INVALID"
	// CodeManifestInvalid: the manifest section is missing or wrong.
	CodeManifestInvalid = "MANIFEST_INVALID"
	// CodeModuleLimit: the module declares more than a limit allows.
	CodeModuleLimit = "MODULE_LIMIT"
	// CodeImportDenied: the module imports what is not offered.
	CodeImportDenied = "IMPORT_DENIED"
	// CodeCompileLimit: compiling took too long or too much memory.
	CodeCompileLimit = "COMPILE_LIMIT"
	// CodeStartTimeout: the initialisation did not end in time.
	CodeStartTimeout = "START_TIMEOUT"
	// CodeDigestMismatch: the bytes are not those the digest names.
	CodeDigestMismatch = "DIGEST_MISMATCH"
	// CodeTimeout: the call did not end in time.
	CodeTimeout = "PLUGIN_TIMEOUT"
	// CodeTrap: the plugin's code trapped or exited.
	CodeTrap = "PLUGIN_TRAP"
	// CodeResource: the plugin ran out of memory, table or stack.
	CodeResource = "PLUGIN_RESOURCE"
	// CodeFailed: the plugin returned an error.
	CodeFailed = "PLUGIN_FAILED"
	// CodeExportMissing: the plugin lacks the function that the call needs.
	CodeExportMissing = "EXPORT_MISSING"
	// CodeInputLimit: the input of the call is too large.
	CodeInputLimit = "INPUT_LIMIT"
	// CodeOutputLimit: the output is too large.
	CodeOutputLimit = "OUTPUT_LIMIT"
	// CodeOutputInvalid: the output is not an answer of the contract.
	CodeOutputInvalid = "OUTPUT_INVALID"
	// CodeHostCallLimit: too many or too large calls of host functions.
	CodeHostCallLimit = "HOSTCALL_LIMIT"
	// CodeVarRefused: a variable may not be set by this node.
	CodeVarRefused = "VAR_REFUSED"
	// CodeRequestInvalid: a gateway request is not one of the contract. The plugin
	// gets it as an answer.
	CodeRequestInvalid = "REQUEST_INVALID"
	// CodeCancelled: the caller gave up.
	CodeCancelled = "CANCELLED"
	// CodeWorkerLost: the worker process of the plugin ended while the call waited in
	// the host, through no fault of this call.
	CodeWorkerLost = "WORKER_LOST"
	// CodeHostFault: Culm itself failed.
	CodeHostFault = "HOST_FAULT"
)

// Error is the error of everything in this package that concerns a module or a
// call. errors.As finds its *contract.Failure; errors.Is finds the cause, where
// there is one (context.Canceled, context.DeadlineExceeded).
type Error struct {
	Failure contract.Failure
	Cause   error
}

// Error returns the failure's code and message; never the cause, which may hold
// what is not for operators.
func (e *Error) Error() string { return e.Failure.Error() }

// Unwrap returns the failure and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{&e.Failure}
	}
	return []error{&e.Failure, e.Cause}
}

// asError returns the *Error that err is.
func asError(err error) *Error {
	var e *Error
	if !errors.As(err, &e) {
		return hostFault("an unexpected error", err)
	}
	return e
}

// failure makes an Error.
func failure(origin contract.Origin, code, format string, args ...any) *Error {
	return &Error{Failure: contract.Failure{Code: code, Origin: origin, Message: fmt.Sprintf(format, args...)}}
}

// because returns e with a cause.
func (e *Error) because(cause error) *Error {
	e.Cause = cause
	return e
}

// hostFault hides what went wrong inside Culm from the operator; the caller logs
// the cause.
func hostFault(what string, cause error) *Error {
	e := failure(contract.OriginHost, CodeHostFault, "the plugin host failed: %s", what)
	e.Failure.Retryable = true
	return e.because(cause)
}

// moduleError maps a refusal by the binary reader.
func moduleError(err error) *Error {
	var b *binary.Error
	if !errors.As(err, &b) {
		return hostFault("reading a module", err)
	}
	if b.Kind == binary.OverLimit {
		return failure(contract.OriginLimit, CodeModuleLimit, "%s", clean(b.Error(), 500))
	}
	return failure(contract.OriginPlugin, CodeModuleInvalid, "%s", clean(b.Error(), 500))
}

// ended is what is known about a guest that ended abnormally.
type ended struct {
	err     error  // from the runtime
	aborted *Error // set by a host function that gave up on the call
	timeout *Error // set when the call was stopped
	// starved says that memory.grow was refused because of the limit.
	starved     bool
	memoryBytes int64
	stderr      string // the last line the plugin wrote there
}

// classify turns the end of a guest into its typed error. The order matters: a
// guest that was refused memory traps afterwards, and one that was stopped traps
// too.
func (e ended) classify() *Error {
	text := e.err.Error()
	var left *exit
	switch {
	case e.aborted != nil:
		return e.aborted
	case e.timeout != nil:
		return e.timeout
	case e.starved:
		return trapped(contract.OriginLimit, CodeResource, text,
			"the plugin needed more than its %d MiB of memory", e.memoryBytes>>20)
	case strings.Contains(text, "stack overflow"):
		return trapped(contract.OriginLimit, CodeResource, text, "the plugin's calls are nested too deeply")
	case errors.As(e.err, &left):
		return failure(contract.OriginPlugin, CodeTrap, "the plugin stopped: %s", orElse(e.stderr, left.Error()))
	case strings.HasPrefix(text, wasmError):
		return trapped(contract.OriginPlugin, CodeTrap, text, "the plugin trapped: %s",
			orElse(e.stderr, clean(firstLine(text[len(wasmError):]), 200)))
	}
	return hostFault("running a plugin", e.err)
}

// wasmError begins the text of an error raised by guest code itself; wazero's type
// for it is internal.
const wasmError = "wasm error: "

// frameMax bounds the frames of a guest's stack that a failure shows.
const frameMax = 8

// trapped makes a failure whose detail holds the guest's stack: names of the
// plugin's own functions, nothing of the host.
func trapped(origin contract.Origin, code, text, format string, args ...any) *Error {
	e := failure(origin, code, format, args...)
	_, trace, _ := strings.Cut(text, "wasm stack trace:\n")
	trace, _, _ = strings.Cut(trace, "\n\n")
	var frames []string
	for line := range strings.SplitSeq(trace, "\n") {
		if line = strings.TrimSpace(line); line != "" && len(frames) < frameMax {
			frames = append(frames, clean(line, 120))
		}
	}
	if frames == nil {
		return e
	}
	detail, err := json.Marshal(map[string]any{"stack": frames})
	if err == nil {
		e.Failure.Detail = detail
	}
	return e
}

// stopped makes the error of a call that ended because its context did.
func stopped(cause error, limit string) *Error {
	if errors.Is(cause, context.Canceled) {
		return failure(contract.OriginHost, CodeCancelled, "the call was cancelled").because(cause)
	}
	e := failure(contract.OriginLimit, CodeTimeout, "the plugin did not answer within %s", limit)
	e.Failure.Retryable = true
	return e.because(cause)
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
