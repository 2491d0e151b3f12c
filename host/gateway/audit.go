package gateway

import (
	"context"
	"log/slog"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// audit writes one row for every call, however it ends. When the row cannot be
// written the plugin does not get the answer: nothing happens unseen.
func audit(store Audit, clock Clock, log *slog.Logger, next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		start := clock.Now()
		res := advised(next(ctx, c))
		row := AuditRow{
			At: start.UTC(), Project: c.caller.Project, Run: c.caller.Run, Flow: c.caller.Flow, Node: c.caller.Node,
			Iteration: c.caller.Iteration, Attempt: c.caller.Attempt, Call: c.caller.Call,
			Actor: c.caller.Operator, Plugin: c.caller.Plugin, Digest: c.caller.Digest,
			System: clip(c.req.System), Operation: clip(c.req.Operation),
			HTTPStatus: res.Status, Failure: res.Failure, Replayed: c.replayed, Echoed: c.echoed, Duration: clock.Now().Sub(start), Span: c.span,
		}
		if c.op != nil {
			row.Method = c.op.Method
		}
		if c.request != nil {
			row.RequestHash = c.request.hash
		}
		if c.credential != nil {
			row.CredentialID = c.credential.ID
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
		defer cancel()
		if err := store.Append(ctx, row); err != nil {
			log.Error("gateway: audit", slog.String("run_id", row.Run), slog.String("node_id", row.Node), slog.Any("error", err))
			f := later(fault(contract.OriginHost, CodeAuditFailed, "the call could not be audited; its answer is withheld"))
			if c.op != nil && c.op.Retry != systems.RetrySafe && (c.sent || c.replayed) {
				f.Retryable = false // the plugin does not know what it did, and another attempt would do it again
				c.session.unknown = named(c.req, f)
			}
			return advised(failed(f))
		}
		return res
	}
}
