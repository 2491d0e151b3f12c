package audit

import (
	"context"
	"errors"
	"sync/atomic"
)

// ErrUnwritable is for what was not done because it could not be audited.
var ErrUnwritable = errors.New("audit: the entry could not be stored, so nothing was done")

// Pending is the entry of a request that may change something. The store writes it in the
// transaction of the request's first change, so that there is no change without its entry
// and no entry without its change. One request, one Pending; safe for concurrent use.
type Pending struct {
	// Entry is what is written; its outcome is that of a change that was made.
	Entry Entry
	taken atomic.Bool
}

// NewPending makes the entry of a request that is about to be made.
func NewPending(e Entry) *Pending {
	e.Outcome = OutcomeOK
	return &Pending{Entry: e}
}

// Take reports whether the caller is the one to write the entry.
func (p *Pending) Take() bool { return p.taken.CompareAndSwap(false, true) }

// Return is for a taker that could not write it: another one may.
func (p *Pending) Return() { p.taken.Store(false) }

// Written reports whether the entry is in the log.
func (p *Pending) Written() bool { return p.taken.Load() }

// pendingKey is the key of a context's Pending.
type pendingKey struct{}

// WithPending returns a context for a request whose entry is p.
func WithPending(ctx context.Context, p *Pending) context.Context {
	return context.WithValue(ctx, pendingKey{}, p)
}

// PendingOf returns the entry of the request, nil where there is none.
func PendingOf(ctx context.Context) *Pending {
	p, _ := ctx.Value(pendingKey{}).(*Pending)
	return p
}
