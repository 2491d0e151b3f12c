package app

import (
	"context"
	"log/slog"
	"time"
)

// stuckEvery is how often runs are looked for that nothing will ever move. One that is
// found twice in a row is told.
const stuckEvery = 30 * time.Second

// watch looks for stuck runs until ctx is done. There are none unless Culm has a fault; a
// run that is told needs a restart of the server, which takes it up again, or a revoke.
type watch struct {
	stuck func(ctx context.Context) (map[string]string, error)
	after func(d time.Duration) (c <-chan time.Time, stop func())
	log   *slog.Logger
}

func (w watch) run(ctx context.Context) {
	before := map[string]string{}
	told := map[string]bool{}
	for {
		tick, stop := w.after(stuckEvery)
		select {
		case <-tick:
			stop()
		case <-ctx.Done():
			stop()
			return
		}
		now, err := w.stuck(ctx)
		if err != nil {
			return // the runner has stopped
		}
		for run, why := range now {
			if before[run] == why && !told[run] {
				told[run] = true
				w.log.Error("a run is stuck; a restart of the server takes it up again, or it can be revoked",
					slog.String("run_id", run), slog.String("missing", why))
			}
		}
		before = now
	}
}
