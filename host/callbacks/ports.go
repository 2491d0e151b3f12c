package callbacks

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
)

// ErrNotFound is what a Repository returns for a token that was never issued, or so long
// ago that it is forgotten.
var ErrNotFound = errors.New("callbacks: no such token")

// ErrNonceUsed is what a Repository returns for a nonce that came with another token.
var ErrNonceUsed = errors.New("callbacks: the nonce was used")

// Hash is the SHA-256 of a token, or of a body.
type Hash [sha256.Size]byte

// Ticket is an issued token as it is stored: what it stands for.
type Ticket struct {
	Hash               Hash
	Project, Run, Node string
	Iteration, Attempt int
	// System and Operation are those of the call that the token went out with.
	System, Operation   string
	IssuedAt, ExpiresAt time.Time
}

// Outcome is what became of a callback.
type Outcome string

// The outcomes. They are stored.
const (
	Pending   Outcome = "pending"   // stored, and not with the run yet
	Delivered Outcome = "delivered" // the run has it
	Late      Outcome = "late"      // it came when it was of no use any more
	Refused   Outcome = "refused"   // the run did not take it
)

// Callback is what came in under a token. There is one for each token at most.
type Callback struct {
	// ID orders callbacks as they came.
	ID     int64
	Ticket Ticket
	At     time.Time
	// Body is the hash of what was sent, Data what the run gets; it is dropped once the
	// run has it.
	Body    Hash
	Data    json.RawMessage
	Outcome Outcome
	// Nonce is that of a signed callback, else empty.
	Nonce string
}

// Repository keeps tickets and callbacks. What it has acknowledged survives a crash. Safe
// for concurrent use.
type Repository interface {
	// SaveTicket stores an issued token.
	SaveTicket(ctx context.Context, t Ticket) error
	// Ticket returns what a token stands for, and the callback that came for it, or nil.
	Ticket(ctx context.Context, h Hash) (Ticket, *Callback, error)
	// Accept stores a callback unless one is stored for its token, in one transaction; it
	// returns the one that is stored, and whether that is this one. What it stores is audited
	// in the same transaction, with the source of the request that ctx has.
	Accept(ctx context.Context, c Callback) (Callback, bool, error)
	// PendingCallbacks returns those that no run has yet, in order.
	PendingCallbacks(ctx context.Context, after int64, limit int) ([]Callback, error)
	// Settle ends one with its Outcome, at an instant, and drops its data. One that its run
	// did not take is audited in the same transaction.
	Settle(ctx context.Context, c Callback, at time.Time) error
	// SweepCallbacks forgets tokens that expired before, with what came for them.
	SweepCallbacks(ctx context.Context, before time.Time) (int, error)
}

// Runs takes callbacks; *runs.Service is one.
type Runs interface {
	// CheckCallback says whether a run would take a callback now.
	CheckCallback(ctx context.Context, r runs.CallbackRequest) error
	// Callback hands one to a run; the same CommandID has no second effect.
	Callback(ctx context.Context, r runs.CallbackRequest) error
	// Scrub takes the secrets of a run out of a value.
	Scrub(ctx context.Context, project, run string, data json.RawMessage) (json.RawMessage, error)
}

// Systems finds the document of a system, or a fault.NotFound.
type Systems interface {
	Document(ctx context.Context, project, id string) (*systems.System, error)
}

// Secrets finds what references stand for, or secrets.ErrNotFound.
type Secrets interface {
	Resolve(ctx context.Context, project, ref string) (secrets.Secret, error)
}

// Clock tells the time, and when some has passed.
type Clock interface {
	Now() time.Time
	After(d time.Duration) (c <-chan time.Time, stop func())
}
