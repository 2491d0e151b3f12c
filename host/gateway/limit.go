package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// errDeadline tells the end of the call's own time from that of the plugin call.
var errDeadline = errors.New("gateway: the time for the call is over")

// limit waits for the call's turn at the system and in its project, and then gives the
// call its time. Waiting and calling have limits of their own, so that a busy system is
// told from a slow one. A system that is left alone is not waited for.
func limit(t *Traffic, next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		c.lane = t.lane(c.caller.Project, c.system)
		if f := c.lane.refuses(); f != nil {
			return failed(f)
		}
		start, most := time.Now(), c.system.Limits.Queue()
		if err := c.lane.turns.enter(ctx, c.party(), most); err != nil {
			return failed(noTurn(err, fmt.Sprintf("the system, which takes %s", c.allowance()), most))
		}
		defer c.lane.turns.leave()
		places := t.project(c.caller.Project)
		if err := places.enter(ctx, c.system.System.ID, max(most-time.Since(start), 0)); err != nil {
			return failed(noTurn(err, fmt.Sprintf("the project, which may have %d under way", t.places), most))
		}
		defer places.leave()
		c.waited = time.Since(start)
		ctx, cancel := context.WithTimeoutCause(ctx, c.system.Limits.Timeout(), errDeadline)
		defer cancel()
		return next(ctx, c)
	}
}

// party is what a call takes turns as: its run, or the person who fills in a form.
func (c *call) party() string {
	if c.caller.Run != "" {
		return c.caller.Run
	}
	return "@" + c.caller.Operator
}

// allowance says what the system takes.
func (c *call) allowance() string {
	l := c.system.Limits
	if l.Rate > 0 {
		return fmt.Sprintf("%d calls of a project at once and %g a second", l.Concurrency, l.Rate)
	}
	return fmt.Sprintf("%d calls of a project at once", l.Concurrency)
}

func noTurn(err error, whose string, most time.Duration) *contract.Failure {
	switch {
	case errors.Is(err, errQueueTime):
		return later(fault(contract.OriginLimit, CodeRateLimited, fmt.Sprintf("within %s no turn came at %s", most, whose)))
	case errors.Is(err, errQueueFull):
		return later(fault(contract.OriginLimit, CodeRateLimited, fmt.Sprintf("%d calls wait already for %s", maxWaiting, whose)))
	default:
		return fault(contract.OriginHost, CodeCancelled, "the plugin call ended while this call waited for a place")
	}
}
