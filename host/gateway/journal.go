package gateway

import (
	"context"
	"log/slog"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// journal keeps every call that may not simply be repeated: it commits the intent
// before the call goes out and the answer before the plugin sees it. When the plugin
// call is made again after a crash, it answers what is known, sends a keyed call
// again under the same key, and calls the attempt unknown where nobody can say.
func journal(j Journal, clock Clock, log *slog.Logger, next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		if c.op.Retry == systems.RetrySafe {
			return next(ctx, c)
		}
		if ctx.Err() != nil {
			return failed(fault(contract.OriginHost, CodeCancelled, "the plugin call ended before this call was made"))
		}
		key := c.session.key()
		c.session.index++
		in := Intent{System: c.system.System.ID, Operation: c.op.ID, Hash: c.request.hash, Origin: c.system.System.Origin(), Retry: c.op.Retry, At: clock.Now().UTC()}
		e, err := j.Begin(ctx, key, in)
		if err != nil {
			return failed(journalFailed(log, key, "the call was not made, because the intent could not be stored", err))
		}
		c.key = key.String()
		switch {
		case e.State != EntryNew && e.Intent.Hash != in.Hash:
			return c.outcomeUnknown("the call made at this place before the restart was another one")
		case e.State == EntryAnswered:
			c.replayed = true
			return e.Response
		case e.State == EntryOpen && (e.Intent.Retry != systems.RetryKeyed || c.op.Retry != systems.RetryKeyed):
			return c.outcomeUnknown("the call was under way when the server stopped, and may not be repeated")
		case e.State == EntryOpen && e.Intent.Origin != in.Origin:
			return c.outcomeUnknown("the call was under way when the server stopped, and the system is elsewhere now")
		}
		return c.finish(ctx, j, clock, log, key, next(ctx, c))
	}
}

// finish commits the answer. A call that was cancelled after it may have been sent
// stays open, because its end is not known; one that was not sent is forgotten.
func (c *call) finish(ctx context.Context, j Journal, clock Clock, log *slog.Logger, key Key, res contract.GatewayResponse) contract.GatewayResponse {
	cancelled := res.Failure != nil && ctx.Err() != nil
	if cancelled && c.sent {
		return res
	}
	// The answer is stored although the plugin call may be over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	err := j.Finish(ctx, key, Answer{Response: res, Void: cancelled, At: clock.Now().UTC()})
	switch {
	case err == nil:
		return res
	case c.sent: // a retry is another attempt with another key, so it is for an operator to say
		f := journalFailed(log, key, "the call was made, and its answer could not be stored", err)
		f.Retryable = false
		c.session.unknown = named(c.req, f)
		return failed(f)
	default:
		return failed(journalFailed(log, key, "the answer could not be stored", err))
	}
}

// outcomeUnknown ends the attempt as unknown.
func (c *call) outcomeUnknown(why string) contract.GatewayResponse {
	f := named(c.req, fault(contract.OriginGateway, CodeOutcomeUnknown, why))
	c.session.unknown = f
	return failed(f)
}

func journalFailed(log *slog.Logger, key Key, what string, err error) *contract.Failure {
	log.Error("gateway: journal", slog.String("run_id", key.Run), slog.String("node_id", key.Node), slog.Any("error", err))
	return later(fault(contract.OriginHost, CodeJournalFailed, what))
}
