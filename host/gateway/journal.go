package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"slices"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// journal keeps every call that may not simply be repeated: it commits the intent
// before the call goes out and the answer before the plugin sees it. When the plugin
// call is made again after a crash, it answers what is known, sends a keyed call
// again under the same key, and calls the attempt unknown where nobody can say.
func journal(j Journal, clock Clock, log *slog.Logger, next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		switch {
		case c.op.Retry == systems.RetrySafe:
			return next(ctx, c)
		case ctx.Err() != nil:
			return failed(fault(contract.OriginHost, CodeCancelled, "the plugin call ended before this call was made"))
		case c.session.direct:
			return c.once(ctx, next)
		}
		key := c.session.key()
		in := Intent{System: c.system.System.ID, Operation: c.op.ID, Hash: c.request.hash, Origin: c.system.System.Origin(), Retry: c.op.Retry, At: clock.Now().UTC()}
		if res, ok := c.before(ctx, j, log, key, &in); !ok {
			return res
		}
		e, err := j.Begin(ctx, key, in)
		if err != nil {
			// The place is not taken: what may be there from before a crash is found by Unknown.
			return failed(journalFailed(log, key, "the call was not made, because the intent could not be stored", err))
		}
		c.session.index++
		if e.State != EntryNew {
			in.SentAs = e.Intent.SentAs
		}
		c.key = cmp.Or(in.SentAs, key.String())
		if res, isKnown := c.found(e, in); isKnown {
			return res
		}
		// A repetition that does not even go out says nothing of the call that it repeats.
		c.sent = e.State == EntryOpen || in.SentAs != ""
		return c.finish(ctx, j, clock, log, key, next(ctx, c))
	}
}

// found says what becomes of a call that the journal has an entry of, from before a crash.
// The result is false when the call goes on.
func (c *call) found(e Entry, in Intent) (contract.GatewayResponse, bool) {
	switch {
	case e.State == EntryNew:
		return contract.GatewayResponse{}, false
	case e.Intent.Hash != in.Hash:
		return c.outcomeUnknown("the call made at this place before the restart was another one"), true
	case e.State == EntryAnswered:
		c.replayed = true
		return e.Response, true
	case e.Intent.Retry != systems.RetryKeyed || c.op.Retry != systems.RetryKeyed:
		return c.outcomeUnknown("the call was under way when the server stopped, and may not be repeated"), true
	case e.Intent.Origin != in.Origin:
		return c.outcomeUnknown("the call was under way when the server stopped, and the system is elsewhere now"), true
	}
	return contract.GatewayResponse{}, false
}

// before looks at what earlier attempts of the node may have done. A keyed call of
// theirs whose end is not known is repeated under its own key, so that the system can
// drop the repetition. Where it cannot be repeated like that and the attempt is an
// automatic retry, the attempt is unknown; an operator who retries has decided. The
// result is true when the call goes on.
func (c *call) before(ctx context.Context, j Journal, log *slog.Logger, key Key, in *Intent) (contract.GatewayResponse, bool) {
	if key.Attempt <= 1 {
		return contract.GatewayResponse{}, true
	}
	earlier, err := j.Earlier(ctx, key)
	if err != nil {
		return failed(journalFailed(log, key, "the call was not made, because what earlier attempts did could not be read", err)), false
	}
	doubtful := false
	for _, e := range inDoubt(earlier) {
		if e.Intent.System != in.System || e.Intent.Operation != in.Operation || c.session.repeated[e.Intent.SentAs] {
			continue
		}
		same := e.Intent.Hash == in.Hash && e.Intent.Origin == in.Origin
		if same && e.Intent.Retry == systems.RetryKeyed && in.Retry == systems.RetryKeyed {
			in.SentAs = e.Intent.SentAs
			if c.session.repeated == nil {
				c.session.repeated = map[string]bool{}
			}
			c.session.repeated[in.SentAs] = true
			return contract.GatewayResponse{}, true
		}
		doubtful = true
	}
	if doubtful && c.caller.Auto {
		return c.outcomeUnknown("an earlier attempt made this call, and nobody can say whether it was carried out; it was not made again"), false
	}
	return contract.GatewayResponse{}, true
}

// inDoubt returns the calls, by the key that was sent, that may have been carried out
// without anybody knowing, with SentAs set. A later answer under the same key settles one.
func inDoubt(entries []Listed) []Listed {
	var out []Listed
	for _, e := range entries {
		e.Intent.SentAs = cmp.Or(e.Intent.SentAs, e.Key.String())
		out = slices.DeleteFunc(out, func(o Listed) bool { return o.Intent.SentAs == e.Intent.SentAs })
		if e.State == EntryOpen || e.Uncertain {
			out = append(out, e)
		}
	}
	return out
}

// finish commits the answer. A call that was cancelled after it may have been sent
// stays open, because its end is not known, and so does one that went out without an
// answer and may not be repeated; one that was not sent is forgotten.
func (c *call) finish(ctx context.Context, j Journal, clock Clock, log *slog.Logger, key Key, res contract.GatewayResponse) contract.GatewayResponse {
	cancelled := res.Failure != nil && ctx.Err() != nil
	switch {
	case res.Failure != nil && c.sent && c.op.Retry == systems.RetryNever:
		return c.lost(res.Failure)
	case cancelled && c.sent:
		return res
	}
	// The answer is stored although the plugin call may be over.
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	a := Answer{Response: res, Uncertain: c.sent && res.Failure != nil, Void: cancelled, At: clock.Now().UTC()}
	err := j.Finish(storing, key, a)
	if err == nil && c.sent && !a.Uncertain && ctx.Err() != nil {
		a.Uncertain = true // the plugin call ended meanwhile, which a slow disk makes likely
		err = j.Finish(storing, key, a)
	}
	switch {
	case err == nil:
		return res
	case c.sent: // whoever tries again does not know what this call did
		f := journalFailed(log, key, "the call was made, and its answer could not be stored", err)
		f.Retryable = false
		c.session.unknown = named(c.req, f)
		return failed(f)
	default:
		return failed(journalFailed(log, key, "the answer could not be stored", err))
	}
}

// lost ends the attempt as unknown: the call went out, and this came of it.
func (c *call) lost(f *contract.Failure) contract.GatewayResponse {
	unknown := c.outcomeUnknown("the call went out and there is no answer, so nobody can say whether it was carried out: " + f.Message)
	unknown.Failure.HTTPStatus, unknown.Failure.RequestID, unknown.Failure.Attempts = f.HTTPStatus, f.RequestID, f.Attempts
	return unknown
}

// outcomeUnknown ends the attempt as unknown.
func (c *call) outcomeUnknown(why string) contract.GatewayResponse {
	f := named(c.req, fault(contract.OriginGateway, CodeOutcomeUnknown, why))
	f.Hint = f.Advice()
	c.session.unknown = f
	return failed(f)
}

func journalFailed(log *slog.Logger, key Key, what string, err error) *contract.Failure {
	log.Error("gateway: journal", slog.String("run_id", key.Run), slog.String("node_id", key.Node), slog.Any("error", err))
	return later(fault(contract.OriginHost, CodeJournalFailed, what))
}
