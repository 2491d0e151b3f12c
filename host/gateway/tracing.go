package gateway

import (
	"context"

	"github.com/culmhq/culm/pdk/contract"
)

// tracing names the call for a system that takes a traceparent, so that what the system
// traces hangs on the run's trace. All tries of a call go out under the same name: they are
// one span. A call of no run, for a form or in a person's name, has no trace.
func tracing(t Tracing, next handler) handler {
	if t == nil {
		return next
	}
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		if c.system.System.Trace && c.caller.Run != "" {
			c.traceparent, c.span = t.Call(ctx, c.caller.Run)
		}
		return next(ctx, c)
	}
}
