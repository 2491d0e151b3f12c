package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Log is the log as its keeper needs it. Safe for concurrent use.
type Log interface {
	// AuditHead returns the place of the last entry that is durable; the zero Head for
	// an empty log.
	AuditHead(ctx context.Context) (Head, error)
	// AuditHash returns the hash of an entry, or an error where the log does not have it.
	AuditHash(ctx context.Context, seq int64) (string, error)
	// AppendAudit puts an entry at the end.
	AppendAudit(ctx context.Context, e Entry) (Head, error)
	// ShortenAudit deletes at most limit of the oldest entries that began before an
	// instant, never the newest one, and puts what entry makes of it at the end, in one
	// transaction. It returns how many were deleted.
	ShortenAudit(ctx context.Context, before time.Time, limit int, entry func(Shortened) (Entry, error)) (int64, error)
}

// Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	// After sends the time on c once d has passed; stop releases it.
	After(d time.Duration) (c <-chan time.Time, stop func())
}

// KeeperOptions are what a keeper is made from; all fields are required.
type KeeperOptions struct {
	Log     Log
	Anchors *Anchors
	Clock   Clock
	Logger  *slog.Logger
	// Every is the time between two anchors, Keep how long entries are kept; Keep zero
	// keeps them for ever.
	Every, Keep time.Duration
}

// Keeper anchors the log from time to time, and deletes what is too old. One goroutine.
type Keeper struct {
	o    KeeperOptions
	last Head
}

// NewKeeper makes a keeper.
func NewKeeper(o KeeperOptions) *Keeper { return &Keeper{o: o} }

// ActionEndMissing is the action of the entry that says that the log was found shorter,
// or another one, than its last anchor proves.
const ActionEndMissing = "log.end_missing"

// Check compares the log with its last anchor, at the start. A log that lost its end
// gets an entry that says so, and the server goes on: a backup that was put back is such
// a log, too. What was lost stays lost for Verify.
func (k *Keeper) Check(ctx context.Context) error {
	last, ok, err := k.o.Anchors.Last()
	if err != nil || !ok {
		return err
	}
	head, err := k.o.Log.AuditHead(ctx)
	if err != nil {
		return err
	}
	hash := ""
	if last.Seq <= head.Seq {
		if hash, err = k.o.Log.AuditHash(ctx, last.Seq); err != nil {
			return err
		}
	}
	k.last = last.Head
	if hash == last.Hash {
		return nil
	}
	k.o.Logger.Error("the audit is not the one that was anchored last: its end is missing, or a backup was put back",
		slog.Int64("anchored", last.Seq), slog.Int64("found", head.Seq))
	detail, err := json.Marshal(struct {
		Anchored Anchor `json:"anchored"`
		Found    Head   `json:"found"`
	}{last, head})
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	_, err = k.o.Log.AppendAudit(ctx, Entry{
		At: k.o.Clock.Now().UTC(), Kind: KindLog, Actor: "culm", Action: ActionEndMissing, Outcome: OutcomeFailed, Detail: detail,
	})
	return err
}

// Anchor signs the place of the last entry, if it is not anchored yet.
func (k *Keeper) Anchor(ctx context.Context) error {
	head, err := k.o.Log.AuditHead(ctx)
	if err != nil || head.Seq == 0 || head == k.last {
		return err
	}
	a, err := k.o.Anchors.Add(head, k.o.Clock.Now())
	if err != nil {
		return err
	}
	k.last = head
	// Whoever collects the logs has the anchors outside this machine.
	k.o.Logger.Info("audit anchor", slog.Int64("seq", a.Seq), slog.String("hash", a.Hash), slog.String("key", a.Key), slog.String("sig", a.Signature),
		slog.Time("signed_at", a.At))
	return nil
}

// shortenAtOnce is how many entries one transaction deletes.
const shortenAtOnce = 1000

// Shorten deletes the entries that are too old.
func (k *Keeper) Shorten(ctx context.Context) (int64, error) {
	if k.o.Keep == 0 {
		return 0, nil
	}
	now := k.o.Clock.Now().UTC()
	var total int64
	for {
		n, err := k.o.Log.ShortenAudit(ctx, now.Add(-k.o.Keep), shortenAtOnce, func(s Shortened) (Entry, error) {
			detail, err := json.Marshal(s)
			return Entry{At: now, Kind: KindLog, Actor: "culm", Action: ActionShortened, Outcome: OutcomeOK, Detail: detail}, err
		})
		total += n
		if err != nil || n < shortenAtOnce {
			return total, err
		}
	}
}

// Run anchors and shortens until ctx is done.
func (k *Keeper) Run(ctx context.Context) {
	for {
		if err := k.round(ctx); err != nil && ctx.Err() == nil {
			k.o.Logger.Error("the audit could not be anchored or shortened; it is tried again", slog.Any("error", err))
		}
		tick, stop := k.o.Clock.After(k.o.Every)
		select {
		case <-tick:
			stop()
		case <-ctx.Done():
			stop()
			return
		}
	}
}

func (k *Keeper) round(ctx context.Context) error {
	n, err := k.Shorten(ctx)
	if n > 0 {
		k.o.Logger.Info("deleted old entries of the audit", slog.Int64("entries", n))
	}
	return errors.Join(err, k.Anchor(ctx), k.o.Anchors.Thin(k.o.Clock.Now()))
}
