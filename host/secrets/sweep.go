package secrets

import (
	"context"
	"fmt"
	"time"
)

// orphanAge is how old a secret must be before it counts as one of a run that was never
// started: it is stored before its run.
const orphanAge = time.Hour

// sweepBatch is how many runs are looked at at once.
const sweepBatch = 200

// Ended tells of a run whether there is one, and when it ended; the zero time is not yet.
type Ended func(ctx context.Context, run string) (at time.Time, exists bool, err error)

// Sweep deletes the secrets of runs that ended longer ago than retention, and of runs
// that do not exist. It returns of how many runs.
func (v *Vault) Sweep(ctx context.Context, retention time.Duration, ended Ended) (int, error) {
	swept, after, now := 0, "", v.clock.Now()
	for {
		runs, err := v.rows.RunsWithSecrets(ctx, now, after, sweepBatch)
		if err != nil {
			return swept, fmt.Errorf("secrets: list the runs with secrets: %w", err)
		}
		for _, run := range runs {
			previous := after
			after = run
			at, exists, err := ended(ctx, run)
			if err != nil {
				return swept, err
			}
			over := exists && !at.IsZero() && now.Sub(at) >= retention || !exists && v.orphaned(ctx, now, previous, run)
			if !over {
				continue
			}
			if err := v.DropRun(ctx, run); err != nil {
				return swept, err
			}
			swept++
		}
		if len(runs) < sweepBatch {
			return swept, nil
		}
	}
}

// orphaned reports whether all secrets of a run that does not exist are old.
func (v *Vault) orphaned(ctx context.Context, now time.Time, previous, run string) bool {
	old, err := v.rows.RunsWithSecrets(ctx, now.Add(-orphanAge), previous, 1)
	return err == nil && len(old) == 1 && old[0] == run
}
