package gateway

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// retry makes a call again that may be made again: one that is safe to repeat, or one
// whose system drops repetitions by their key, which stays the same. It repeats what
// another time may bring: no answer, or one that asks for patience. The time of the call
// is that of all tries together; a pause that would outlast it is not begun.
func retry(jitter func(time.Duration) time.Duration, next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		for try := 1; ; try++ {
			c.retryAfter = 0
			res := next(ctx, c)
			if try >= c.system.Limits.Retry.Attempts || !c.repeatable(res) || ctx.Err() != nil {
				return res
			}
			pause := c.pause(try, jitter)
			if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < pause {
				return res
			}
			if !rest(ctx, pause) || !c.again(ctx) {
				return res
			}
		}
	}
}

// repeatable reports whether a call may be made again, and another time may bring
// something else.
func (c *call) repeatable(res contract.GatewayResponse) bool {
	switch c.op.Retry {
	case systems.RetrySafe:
	case systems.RetryKeyed:
		if c.key == "" {
			return false // nothing would tell the system that it is a repetition
		}
	case systems.RetryNever:
		return false
	}
	if f := res.Failure; f != nil {
		return f.Retryable && (f.Code == CodeUpstreamDown || f.Code == CodeUpstreamTimeout)
	}
	return slices.Contains([]int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, res.Status)
}

// pause is how long to wait before the next try: what the system asks for, and a random
// part of a time that doubles with every try, so that those who failed together do not
// come back together.
func (c *call) pause(try int, jitter func(time.Duration) time.Duration) time.Duration {
	r := c.system.Limits.Retry
	most := time.Duration(r.MaxMS) * time.Millisecond
	bound := min(time.Duration(r.BaseMS)*time.Millisecond<<min(try-1, 20), most)
	return c.retryAfter + jitter(bound)
}

// again waits until the rate of the system allows one more request.
func (c *call) again(ctx context.Context) bool {
	for {
		d := c.lane.turns.again()
		if d == 0 {
			return true
		}
		if !rest(ctx, d) {
			return false
		}
	}
}

// rest waits, and reports whether the context lasted as long.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// fullJitter is a random part of a time.
func fullJitter(bound time.Duration) time.Duration {
	if bound <= 0 {
		return 0
	}
	return rand.N(bound)
}

// retryAfter reads a Retry-After header (RFC 9110, section 10.2.3): seconds or an instant.
// What cannot be read counts as absent.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	const most = 24 * time.Hour
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return min(time.Duration(n)*time.Second, most)
	}
	at, err := http.ParseTime(v)
	if err != nil || !at.After(now) {
		return 0
	}
	return min(at.Sub(now), most)
}
