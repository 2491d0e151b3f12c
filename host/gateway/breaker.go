package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/culmhq/culm/pdk/contract"
)

// What a breaker is told of a call that did not do well.
var (
	errUnwell    = errors.New("gateway: the system does not do well")
	errNoVerdict = errors.New("gateway: the call says nothing of the system")
)

// breaker leaves a system alone that fails: its callers are told at once, instead of
// each waiting for its own time-out, and the system gets a chance to recover.
func breaker(clock Clock, next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		done, err := c.lane.breaker.Allow()
		if err != nil {
			return failed(c.lane.open())
		}
		verdict := errNoVerdict // of a call that panics
		defer func() { done(verdict) }()
		res := next(ctx, c)
		if verdict = judge(res); errors.Is(verdict, errUnwell) {
			c.lane.failed(res, clock.Now())
		}
		return res
	}
}

// judge says what a call tells about its system: nil when it does well. Refusals of the
// gateway and what the caller did wrong tell nothing. A system that asks for patience is
// there.
func judge(res contract.GatewayResponse) error {
	status := res.Status
	if f := res.Failure; f != nil {
		status = f.HTTPStatus
		switch f.Code {
		case CodeUpstreamTimeout, CodeUpstreamDown, CodeUpstreamInvalid, CodeTLSFailed:
			return errUnwell
		}
		if status == 0 {
			return errNoVerdict
		}
	}
	// Not 501: that an operation does not exist is a sound answer.
	if status >= 500 && status != 501 {
		return errUnwell
	}
	return nil
}

// refuses is the failure of a call to a system that is left alone, or nil. It does not
// take the place of the one who may try.
func (l *lane) refuses() *contract.Failure {
	if l.breaker.State() != gobreaker.StateOpen {
		return nil
	}
	return l.open()
}

func (l *lane) open() *contract.Failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait := "until a call that is under way has told more"
	if left := time.Until(l.until); !l.until.IsZero() && left > 0 {
		wait = fmt.Sprintf("for %s more", left.Round(100*time.Millisecond))
	}
	why := ""
	if l.last != nil {
		switch {
		case l.last.Code != "":
			why = ", the last of them with " + l.last.Code
		default:
			why = fmt.Sprintf(", the last of them with status %d", l.last.HTTPStatus)
		}
	}
	return later(fault(contract.OriginSystem, CodeSystemBroken, fmt.Sprintf(
		"the calls before this one failed%s; the system is left alone %s, and this call was not made", why, wait)))
}
