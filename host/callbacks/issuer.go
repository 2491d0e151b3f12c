package callbacks

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/gateway"
)

// Tickets stores what tokens stand for; a Repository does.
type Tickets interface {
	SaveTicket(ctx context.Context, t Ticket) error
}

// Issuer makes tokens. It is safe for concurrent use.
type Issuer struct {
	tickets Tickets
	now     func() time.Time
	expire  time.Duration
}

var _ gateway.Callbacks = (*Issuer)(nil)

// NewIssuer makes an issuer whose tokens are valid for a while; zero means DefaultExpire.
func NewIssuer(t Tickets, now func() time.Time, expire time.Duration) *Issuer {
	if expire == 0 {
		expire = DefaultExpire
	}
	return &Issuer{t, now, expire}
}

// Issue implements gateway.Callbacks: it makes a token and stores its hash.
func (i *Issuer) Issue(ctx context.Context, p gateway.CallbackPlace) (string, error) {
	raw := make([]byte, tokenBytes)
	_, _ = rand.Read(raw) // never fails
	token := base64.RawURLEncoding.EncodeToString(raw)
	now := i.now().UTC()
	err := i.tickets.SaveTicket(ctx, Ticket{
		Hash: sha256.Sum256([]byte(token)), Project: p.Project, Run: p.Run, Node: p.Node, Iteration: p.Iteration, Attempt: p.Attempt,
		System: p.System, Operation: p.Operation, IssuedAt: now, ExpiresAt: now.Add(i.expire),
	})
	return token, fault.Wrap("store a callback token", err)
}
