package callbacks

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/runs"
)

// The limits of callbacks.
const (
	// BodyBytesMax bounds what a callback brings.
	BodyBytesMax = 256 << 10
	// depthMax bounds how deep its JSON nests.
	depthMax = 64
	// DefaultExpire is how long a token is valid, MaxExpire how long one may be.
	DefaultExpire = 7 * 24 * time.Hour
	MaxExpire     = 366 * 24 * time.Hour
	// forgetAfter is how long an expired token is still told from one that never was.
	forgetAfter = 30 * 24 * time.Hour
	// missesPerSecond and missesBurst bound how fast somebody can guess.
	missesPerSecond = 20
	missesBurst     = 200
)

// tokenBytes is how many random bytes a token has; tokenChars how it is written.
const (
	tokenBytes = 32
	tokenChars = 43
)

// Options are what the use cases need; all fields are required.
type Options struct {
	Repository Repository
	Runs       Runs
	Systems    Systems
	Secrets    Secrets
	Clock      Clock
	Logger     *slog.Logger
}

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	o      Options
	misses *rate.Limiter
	// wake is filled when there is something to hand on.
	wake chan struct{}
}

// New makes the use cases. Run hands on what came in.
func New(o Options) *Service {
	return &Service{o: o, misses: rate.NewLimiter(missesPerSecond, missesBurst), wake: make(chan struct{}, 1)}
}

// Request is a callback as it came in.
type Request struct {
	Token string
	// Body is what was sent; Form, if not nil, are the fields of a form in its place.
	Body []byte
	Form map[string]string
	// Header returns a header of the request, or "".
	Header func(name string) string
}

// Answer tells the caller that its callback is kept.
type Answer struct {
	Accepted bool `json:"accepted"`
	// Repeated says that the same callback was accepted before; it had no second effect.
	Repeated bool `json:"repeated,omitempty"`
}

// Look says whether a token can still be used: nil, or why not, as Accept would.
func (s *Service) Look(ctx context.Context, token string) error {
	t, stored, err := s.find(ctx, token)
	switch {
	case err != nil:
		return err
	case stored != nil:
		return fault.New(fault.Conflict, "this callback has come already")
	case s.expired(t):
		return gone("the callback has expired")
	}
	return nil
}

// Accept takes a callback. It is durable when Accept returns without an error; whatever
// refuses it leaves the token as it was. The refusals are faults: NotFound, TooMany,
// Unsigned, Gone (expired, or the run, the node or the attempt is over), Conflict (another
// callback came under the token), Forbidden (a person is asked, not a program), TooLarge,
// Invalid.
func (s *Service) Accept(ctx context.Context, r Request) (Answer, error) {
	t, stored, err := s.find(ctx, r.Token)
	if err != nil {
		return Answer{}, err
	}
	if len(r.Body) > BodyBytesMax {
		return Answer{}, fault.New(fault.TooLarge, "a callback has at most %d bytes", BodyBytesMax)
	}
	nonce, err := s.verify(ctx, t, r)
	if err != nil {
		return Answer{}, err
	}
	data, err := dataOf(r)
	if err != nil {
		return Answer{}, err
	}
	c := Callback{Ticket: t, At: s.o.Clock.Now().UTC(), Body: sha256.Sum256(data), Outcome: Pending, Nonce: nonce}
	if stored != nil {
		return s.repeated(ctx, *stored, c)
	}
	if s.expired(t) {
		return Answer{}, s.late(ctx, c, gone("the callback has expired"))
	}
	err = s.o.Runs.CheckCallback(ctx, c.request(data))
	switch {
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.RunEnded), fault.Is(err, fault.WrongState):
		return Answer{}, s.late(ctx, c, gone("what the callback was for is over"))
	case fault.Is(err, fault.Conflict):
		return Answer{}, s.late(ctx, c, err)
	case err != nil:
		return Answer{}, err
	}
	if c.Data, err = s.o.Runs.Scrub(ctx, t.Project, t.Run, data); err != nil {
		return Answer{}, err
	}
	return s.keep(ctx, c)
}

// keep stores a callback, and has it handed on.
func (s *Service) keep(ctx context.Context, c Callback) (Answer, error) {
	stored, fresh, err := s.o.Repository.Accept(ctx, c)
	switch {
	case errors.Is(err, ErrNonceUsed):
		return Answer{}, unsigned("the nonce was used before")
	case err != nil:
		return Answer{}, fault.Wrap("store a callback", err)
	case !fresh:
		return s.repeated(ctx, stored, c)
	}
	select {
	case s.wake <- struct{}{}:
	default: // it is awake
	}
	return Answer{Accepted: true}, nil
}

// repeated answers a callback under a token that was used.
func (s *Service) repeated(_ context.Context, stored, c Callback) (Answer, error) {
	switch {
	case stored.Outcome == Late:
		return Answer{}, gone("what the callback was for is over")
	case stored.Body != c.Body:
		return Answer{}, fault.New(fault.Conflict, "another callback was accepted under this token")
	}
	return Answer{Accepted: true, Repeated: true}, nil
}

// late stores that a callback came when it was of no use any more.
func (s *Service) late(ctx context.Context, c Callback, refusal error) error {
	c.Outcome, c.Data = Late, nil
	if _, _, err := s.o.Repository.Accept(ctx, c); err != nil && !errors.Is(err, ErrNonceUsed) {
		return fault.Wrap("store a late callback", err)
	}
	s.o.Logger.InfoContext(ctx, "a callback came late", slog.String("run_id", c.Ticket.Run), slog.String("node_id", c.Ticket.Node),
		slog.Int("attempt", c.Ticket.Attempt), slog.String("system", c.Ticket.System))
	return refusal
}

// find looks a token up. Only its hash is compared, by the database, so that the time says
// nothing of how much of a guess is right; who guesses often is answered less often.
func (s *Service) find(ctx context.Context, token string) (Ticket, *Callback, error) {
	if len(token) != tokenChars {
		return Ticket{}, nil, s.miss()
	}
	t, c, err := s.o.Repository.Ticket(ctx, sha256.Sum256([]byte(token)))
	if errors.Is(err, ErrNotFound) {
		return Ticket{}, nil, s.miss()
	}
	return t, c, fault.Wrap("read a callback token", err)
}

func (s *Service) miss() error {
	if !s.misses.AllowN(s.o.Clock.Now(), 1) {
		return fault.New(fault.TooMany, "too many callbacks with tokens that do not exist: try again later")
	}
	return fault.New(fault.NotFound, "no such callback")
}

func (s *Service) expired(t Ticket) bool { return !s.o.Clock.Now().Before(t.ExpiresAt) }

// request is a callback as a run takes it.
func (c Callback) request(data json.RawMessage) runs.CallbackRequest {
	return runs.CallbackRequest{
		Project: c.Ticket.Project, Run: c.Ticket.Run, Node: c.Ticket.Node, Iteration: c.Ticket.Iteration, Attempt: c.Ticket.Attempt,
		System: c.Ticket.System, CommandID: "callback-" + base64.RawURLEncoding.EncodeToString(c.Ticket.Hash[:]), Data: data,
	}
}

func gone(message string) error { return fault.New(fault.Gone, "%s", message) }
