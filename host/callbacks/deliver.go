package callbacks

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/culmhq/culm/host/fault"
)

const (
	// batch is how many callbacks are looked at together.
	batch = 256
	// tryAgain is how long a callback waits that a run cannot take at the moment.
	tryAgain = time.Second
	// sweepEvery is how often expired tokens are looked for.
	sweepEvery = time.Hour
)

// Run hands callbacks to their runs until ctx ends: those that an earlier process left
// first, then each as soon as it is stored.
func (s *Service) Run(ctx context.Context) {
	swept := time.Time{}
	for ctx.Err() == nil {
		if now := s.o.Clock.Now(); now.Sub(swept) >= sweepEvery {
			swept = now
			s.sweep(ctx)
		}
		left := s.handOn(ctx)
		again := sweepEvery
		if left {
			again = tryAgain
		}
		tick, stop := s.o.Clock.After(again)
		select {
		case <-tick:
		case <-s.wake:
		case <-ctx.Done():
		}
		stop()
	}
}

func (s *Service) sweep(ctx context.Context) {
	n, err := s.o.Repository.SweepCallbacks(ctx, s.o.Clock.Now().Add(-forgetAfter))
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.o.Logger.WarnContext(ctx, "expired callback tokens could not be deleted; it is tried again", slog.Any("error", err))
	case n > 0:
		s.o.Logger.InfoContext(ctx, "deleted expired callback tokens", slog.Int("tokens", n))
	}
}

// handOn hands on everything that is pending, and reports whether something is left. The
// callbacks of a run go one after the other, in the order in which they came.
func (s *Service) handOn(ctx context.Context) (left bool) {
	for after := int64(0); ; {
		all, err := s.o.Repository.PendingCallbacks(ctx, after, batch)
		if err != nil {
			if ctx.Err() == nil {
				s.o.Logger.WarnContext(ctx, "the callbacks that came in cannot be read; it is tried again", slog.Any("error", err))
			}
			return true
		}
		runs := map[string][]Callback{}
		for _, c := range all {
			runs[c.Ticket.Run] = append(runs[c.Ticket.Run], c)
			after = c.ID
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		for _, cs := range runs {
			wg.Go(func() {
				if !s.inOrder(ctx, cs) {
					mu.Lock()
					defer mu.Unlock()
					left = true
				}
			})
		}
		wg.Wait()
		if len(all) < batch {
			return left
		}
	}
}

// inOrder hands on the callbacks of one run until one has to wait.
func (s *Service) inOrder(ctx context.Context, cs []Callback) bool {
	for _, c := range cs {
		if !s.deliver(ctx, c) {
			return false
		}
	}
	return true
}

// deliver hands a callback to its run. It reports false when that has to be done later.
func (s *Service) deliver(ctx context.Context, c Callback) bool {
	err := s.o.Runs.Callback(ctx, c.request(c.Data))
	o := Delivered
	switch {
	case err == nil:
	case ctx.Err() != nil, fault.Is(err, fault.Stopping), fault.Is(err, fault.DiskFull), fault.Is(err, fault.Internal):
		return false
	case fault.Is(err, fault.RunEnded), fault.Is(err, fault.NotFound), fault.Is(err, fault.WrongState):
		o = Late
	default:
		o = Refused
	}
	log := []any{
		slog.String("run_id", c.Ticket.Run), slog.String("node_id", c.Ticket.Node), slog.Int("attempt", c.Ticket.Attempt),
		slog.String("system", c.Ticket.System),
	}
	if o != Delivered {
		s.o.Logger.WarnContext(ctx, "a callback was accepted, and its run did not take it", append(log, slog.String("outcome", string(o)), slog.Any("error", err))...)
	}
	c.Outcome = o
	if err := s.o.Repository.Settle(ctx, c, s.o.Clock.Now().UTC()); err != nil {
		s.o.Logger.WarnContext(ctx, "a callback could not be settled; it is handed on again, which has no effect", append(log, slog.Any("error", err))...)
		return false
	}
	return true
}
