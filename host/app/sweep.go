package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/culmhq/culm/engine/runner"
)

// sweepEvery is how often the secrets of ended runs are looked for, and the uses of
// credentials written down.
const sweepEvery = 10 * time.Minute

// sweeper deletes the secrets of runs that are over, at the start and from time to time.
type sweeper struct {
	sweep func(ctx context.Context) (int, error)
	after func(d time.Duration) (c <-chan time.Time, stop func())
	log   *slog.Logger
}

func (c *Core) sweeper() sweeper {
	return sweeper{
		sweep: func(ctx context.Context) (int, error) {
			if err := c.Vault.StoreUses(ctx); err != nil {
				return 0, err
			}
			return c.Vault.Sweep(ctx, c.keep, c.runEnded)
		},
		after: clock{}.After, log: c.deps.Logger,
	}
}

// runEnded implements secrets.Ended.
func (c *Core) runEnded(ctx context.Context, run string) (at time.Time, exists bool, err error) {
	h, err := c.runner.Head(ctx, run)
	switch {
	case errors.Is(err, runner.ErrNotFound):
		return time.Time{}, false, nil
	case err != nil:
		return time.Time{}, false, err
	case h.EndedAt == nil:
		return time.Time{}, true, nil
	}
	return *h.EndedAt, true, nil
}

func (s sweeper) run(ctx context.Context) {
	for {
		switch n, err := s.sweep(ctx); {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.Warn("the secrets of ended runs could not be deleted, or the uses of credentials not be noted; it is tried again", slog.Any("error", err))
		case n > 0:
			s.log.Info("deleted the secrets of ended runs", slog.Int("runs", n))
		}
		tick, stop := s.after(sweepEvery)
		select {
		case <-tick:
			stop()
		case <-ctx.Done():
			stop()
			return
		}
	}
}
