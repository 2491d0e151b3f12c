package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// slots holds the places for concurrent calls, by project and system: one project, or
// one slow system, takes none from another.
type slots struct {
	mu sync.Mutex
	m  map[slotKey]chan struct{}
}

type slotKey struct{ project, system string }

func newSlots() *slots { return &slots{m: map[slotKey]chan struct{}{}} }

// of returns the places of a system in a project. A changed number makes new places;
// calls under way keep theirs among the old ones.
func (s *slots) of(k slotKey, n int) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.m[k]
	if cap(c) != n {
		c = make(chan struct{}, n)
		s.m[k] = c
	}
	return c
}

// errDeadline tells the end of the call's own time from that of the plugin call.
var errDeadline = errors.New("gateway: the time for the call is over")

// limit waits for a place among the system's concurrent calls, and then gives the
// call its time. Waiting and calling have the same limit each, so that a busy system
// is told from a slow one.
func limit(s *slots, next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		timeout := c.system.Limits.Timeout()
		place := s.of(slotKey{c.caller.Project, c.system.System.ID}, c.system.Limits.Concurrency)
		if f := wait(ctx, place, timeout, c); f != nil {
			return failed(f)
		}
		defer func() { <-place }()
		ctx, cancel := context.WithTimeoutCause(ctx, timeout, errDeadline)
		defer cancel()
		return next(ctx, c)
	}
}

func wait(ctx context.Context, place chan struct{}, most time.Duration, c *call) *contract.Failure {
	select {
	case place <- struct{}{}:
		return nil
	default:
	}
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case place <- struct{}{}:
		return nil
	case <-t.C:
		return later(fault(contract.OriginLimit, CodeRateLimited,
			fmt.Sprintf("%d calls of this project to the system were under way for %s", c.system.Limits.Concurrency, most)))
	case <-ctx.Done():
		return fault(contract.OriginHost, CodeCancelled, "the plugin call ended while this call waited for a place")
	}
}
