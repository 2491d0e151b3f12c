package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// Recorder is told of every call when it has ended, as the plugin sees its end. It is asked
// in the way of the call, so it must be quick. Safe for concurrent use.
type Recorder interface {
	Record(ctx context.Context, r Record)
}

// Record is a call that has ended. It holds what the plugin sees and nothing else: handles
// in place of secrets, and no credential.
type Record struct {
	Caller   Caller
	Request  contract.GatewayRequest
	Response contract.GatewayResponse
	// Replayed says that the answer came from the journal and nothing was sent.
	Replayed bool
	// Waited is how long the call waited for its turn, Took how long it was in the gateway
	// altogether.
	Waited, Took time.Duration
}

// record tells a recorder of every call. What a plugin call asked for and got is recorded
// for a replay where the plugin runs; this is for whoever watches the gateway.
func record(to Recorder, next handler) handler {
	if to == nil {
		return next
	}
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		start := time.Now()
		res := next(ctx, c)
		to.Record(ctx, Record{Caller: c.caller, Request: c.req, Response: res, Replayed: c.replayed, Waited: c.waited, Took: time.Since(start)})
		return res
	}
}

// LogRecorder writes a line for every call at the level debug: which operation, how it
// ended, and where the time went. No value of a request or an answer is in it.
func LogRecorder(log *slog.Logger) Recorder { return logRecorder{log} }

type logRecorder struct{ log *slog.Logger }

// Record implements Recorder.
func (l logRecorder) Record(ctx context.Context, r Record) {
	if !l.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	code, status, attempts, id := "", r.Response.Status, r.Response.Attempts, r.Response.RequestID
	if f := r.Response.Failure; f != nil {
		code, status, attempts, id = f.Code, f.HTTPStatus, f.Attempts, f.RequestID
	}
	l.log.LogAttrs(ctx, slog.LevelDebug, "gateway: call",
		slog.String("project", r.Caller.Project), slog.String("run_id", r.Caller.Run), slog.String("node_id", r.Caller.Node), slog.String("plugin", r.Caller.Plugin),
		slog.String("system", clip(r.Request.System)), slog.String("operation", clip(r.Request.Operation)),
		slog.String("code", cmp.Or(code, "OK")), slog.Int("status", status), slog.Int("tries", attempts), slog.String("request_id", id),
		slog.Bool("replayed", r.Replayed), slog.Duration("waited", r.Waited), slog.Duration("took", r.Took))
}
