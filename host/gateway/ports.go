package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// Caller identifies the plugin call on whose behalf the gateway is called.
type Caller struct {
	Project, Run, Flow, Node string
	Iteration, Attempt       int
	// Call is the ordinal of the plugin call within the attempt.
	Call int
	// Reason is that of the plugin call. A call for ReasonOptions, which belongs to
	// a form and not to a run, may use only operations that are safe to repeat.
	Reason   contract.Reason
	Operator string
	Plugin   string
	Digest   string
	// Recovered is set when the call may be a repetition after a crash: the
	// journal answers what it can.
	Recovered bool
	// Auto is set when the attempt is an automatic retry. What an earlier attempt may have
	// done is then not repeated in another form; an operator who retries has decided so.
	Auto bool
	// Secrets are the handles that stand for secrets in the attempt.
	Secrets []SecretHandle
	// Ahead is set when the plugin call is not on record yet, because its plugin has no
	// grant: it is refused whatever was granted since.
	Ahead bool
	// Callbacks is set when outside systems may call back to the attempt.
	Callbacks bool
}

// SecretHandle is a handle that is valid in one attempt of a node.
type SecretHandle struct {
	// Handle is what the plugin has in place of the secret, Ref what the records hold.
	Handle, Ref string
	// Uses are the operations that the secret may be sent to.
	Uses []SecretUse
}

// SecretUse names an operation.
type SecretUse struct{ System, Operation string }

// Session is the gateway of one plugin call. It numbers the calls that may not be
// repeated and enforces the limits per plugin call. One goroutine at a time.
type Session interface {
	// Call never panics and never returns a Go error: what goes wrong is the
	// response's Failure, except Unknown.
	Call(ctx context.Context, req contract.GatewayRequest) contract.GatewayResponse
	// Unknown is set when a call was refused because nobody can say whether it
	// was made before a crash; the attempt must end as unknown. It is asked once,
	// after the plugin call; for a recovered call it reads the journal, to find what
	// was done or begun before the crash and not asked for again.
	Unknown() *contract.Failure
}

// ErrNotFound is what a port returns for something that does not exist.
var ErrNotFound = errors.New("gateway: not found")

// Systems finds the systems of a project, compiled. An implementation may cache; a
// change of a system must be seen by the next call.
type Systems interface {
	// System returns ErrNotFound for a system that the project does not have.
	System(ctx context.Context, project, id string) (*systems.Compiled, error)
}

// Directory lists the systems of a project, for requests that name a URL.
type Directory interface {
	// Systems returns all of them, by id.
	Systems(ctx context.Context, project string) ([]*systems.Compiled, error)
}

// Grants answers whether an administrator allowed a plugin an operation.
type Grants interface {
	// Granted is asked for every call.
	Granted(ctx context.Context, project, plugin, system, operation string) (bool, error)
}

// Credentials finds the credential of a system in a project.
type Credentials interface {
	// Credential returns secrets.ErrNoCredential when none is set, or none that was
	// set for this kind and origin.
	Credential(ctx context.Context, t secrets.Target) (*secrets.Credential, error)
}

// Secrets finds what references stand for.
type Secrets interface {
	// Resolve returns secrets.ErrNotFound for what does not exist in the project.
	Resolve(ctx context.Context, project, ref string) (secrets.Secret, error)
	// OfRun returns all the secrets that a run was given or handed.
	OfRun(ctx context.Context, project, run string) ([]secrets.Secret, error)
}

// Journal remembers the calls that may not be repeated. What it has acknowledged
// survives a crash. Safe for concurrent use.
type Journal interface {
	// Begin commits the intent to make a call, before it is made, or returns what
	// the journal knows of an earlier intent under the same key.
	Begin(ctx context.Context, key Key, in Intent) (Entry, error)
	// Finish commits the answer, before the plugin sees it.
	Finish(ctx context.Context, key Key, a Answer) error
	// List returns the entries of one plugin call, by index: those whose keys differ
	// from key only in Index.
	List(ctx context.Context, key Key) ([]Listed, error)
	// Earlier returns the entries of earlier attempts, in order: those of the same run,
	// node, iteration and phase with a smaller Attempt.
	Earlier(ctx context.Context, key Key) ([]Listed, error)
}

// Key names a journalled call. It stays the same when the plugin call is made again
// after a crash.
type Key struct {
	Run, Node          string
	Iteration, Attempt int
	// Phase is "" for execute and resume, "cancel" or "rollback" for those: they
	// have a numbering of their own.
	Phase string
	// Call is the ordinal of the plugin call, Index that of the journalled call in it.
	Call, Index int
}

// String gives the key as it is sent to systems that drop repetitions.
func (k Key) String() string {
	return fmt.Sprintf("%s/%s/%d/%d/%s%d.%d", k.Run, k.Node, k.Iteration, k.Attempt, k.Phase, k.Call, k.Index)
}

// Intent is what is committed before a call.
type Intent struct {
	System, Operation string
	// Hash is that of the whole request, without the credential and the base URL.
	Hash string
	// Origin is scheme, host and port of the system: a key that one server knows means
	// nothing to another.
	Origin string
	Retry  systems.Retry
	// SentAs is the key that goes out with the call where it is not the entry's own: that
	// of an earlier attempt whose call this one repeats.
	SentAs string
	At     time.Time
}

// Listed is an entry of the journal with its place.
type Listed struct {
	Key    Key
	State  EntryState
	Intent Intent
	// Uncertain is that of the Answer.
	Uncertain bool
}

// EntryState is what the journal knows of a call.
type EntryState int

// The states of a journal entry.
const (
	EntryNew      EntryState = iota // the intent was committed now
	EntryOpen                       // an intent was committed before; its end is not known
	EntryAnswered                   // the answer is known
)

// Entry is what Begin returns. Intent and Response are those found, for an entry that
// is not new.
type Entry struct {
	State    EntryState
	Intent   Intent
	Response contract.GatewayResponse
}

// Answer is how a journalled call ended.
type Answer struct {
	Response contract.GatewayResponse
	// Uncertain says that the system may have carried the call out and the plugin does not
	// know: the connection broke, the answer was no use, or it came after the plugin call
	// had ended.
	Uncertain bool
	// Void says that the call was given up before anything was sent: the entry is
	// forgotten, and the same key may be begun anew.
	Void bool
	At   time.Time
}

// Audit keeps a row for every call, those that were refused included.
type Audit interface {
	Append(ctx context.Context, row AuditRow) error
}

// AuditRow says who called what, with which outcome. It holds no value of a
// parameter and no secret.
type AuditRow struct {
	At                       time.Time
	Project, Run, Flow, Node string
	Iteration, Attempt, Call int
	// Actor is the operator on whose behalf the run goes.
	Actor, Plugin, Digest     string
	System, Operation, Method string
	// CredentialID names the credential that was used, if any.
	CredentialID string
	// RequestHash is that of the whole request without the credential; empty for a
	// request that was refused before it was complete.
	RequestHash string
	// HTTPStatus is zero when there was no HTTP answer; Failure says why. Replayed
	// says that the answer came from the journal and nothing was sent.
	HTTPStatus int
	Failure    *contract.Failure
	Replayed   bool
	// Echoed says that the system sent a secret back, which was taken out.
	Echoed   bool
	Duration time.Duration
	// Span is the id that the call's span went out with, in hex; empty where none did. It is
	// for traces and is not kept.
	Span string
}

// Tracing names calls in traces. Safe for concurrent use; it must not block.
type Tracing interface {
	// Call returns the traceparent that goes out with a call of a run, and the id of the
	// call's span, in hex.
	Call(ctx context.Context, run string) (traceparent, span string)
}

// Clock tells the time of journal and audit entries.
type Clock interface{ Now() time.Time }
