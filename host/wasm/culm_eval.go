package wasm

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/strict"
	"github.com/culmhq/culm/pdk/contract"
)

// Evaluator is implemented by Services that evaluate expressions. It is apart from them
// because a host without flows, such as one that inspects modules, has no expressions.
type Evaluator interface {
	// Eval never panics on what a plugin sends; what goes wrong is the response's
	// Failure. It is bounded in time and memory by the limits of expressions.
	Eval(ctx context.Context, req contract.EvalRequest) contract.EvalResponse
}

// CodeEvalAbsent says that the host that runs the plugin evaluates no expressions.
const CodeEvalAbsent = "EVAL_ABSENT"

// culmEval returns the function of culm:host/v1 that evaluates an expression: the language
// of flows is there for every plugin, without any of them carrying it.
//
//	eval(request block i64) -> (response block i64)
//
// The request is JSON of contract.EvalRequest in UTF-8: {"expression": "...", "values":
// {...}}. The response is always a block with JSON of contract.EvalResponse: {"value":
// ...} or {"failure": {...}}. It reaches nothing but the values that it is given. A
// request that is not of this form is answered with REQUEST_INVALID; too many calls
// (SmallCalls) and sizes above RequestBytes and ResponseBytes end the call, with
// HOSTCALL_LIMIT.
func culmEval() []hostFunc {
	return []hostFunc{{"eval", "I>I", eval}}
}

func eval(ctx context.Context, v *invocation, _ api.Module, s []uint64) {
	v.count(&v.counts.evals, v.limits.SmallCalls, "eval")
	raw := v.block("eval", s[0])
	if int64(len(raw)) > v.limits.RequestBytes {
		v.abort(failure(contract.OriginLimit, CodeHostCallLimit,
			"a request of eval is %d bytes, the limit is %d", len(raw), v.limits.RequestBytes))
	}
	response := v.exchange(replay.Event{Kind: replay.KindEval, Ask: raw}, func(e *replay.Event) {
		var err error
		if e.Answer, err = json.Marshal(v.evaluate(ctx, raw)); err != nil {
			v.abort(hostFault("encoding the response of eval", err))
		}
	}).Answer
	if int64(len(response)) > v.limits.ResponseBytes {
		v.abort(failure(contract.OriginLimit, CodeHostCallLimit,
			"the response of eval is %d bytes, the limit is %d", len(response), v.limits.ResponseBytes))
	}
	s[0] = v.put(response)
}

// evaluate decodes a request and evaluates it.
func (v *invocation) evaluate(ctx context.Context, raw []byte) (resp contract.EvalResponse) {
	var req contract.EvalRequest
	if err := strict.Decode(raw, &req); err != nil {
		return evalRefused(CodeRequestInvalid, contract.OriginPlugin, "the request of eval is malformed: "+err.Error())
	}
	e, ok := v.services.(Evaluator)
	if !ok {
		return evalRefused(CodeEvalAbsent, contract.OriginHost, "there are no expressions here")
	}
	defer func() {
		if r := recover(); r != nil {
			v.host.logger.ErrorContext(ctx, "an evaluation panicked", slog.Any("panic", r))
			f := hostFault("an evaluation", nil)
			resp = contract.EvalResponse{Failure: &f.Failure}
		}
	}()
	v.outside(ctx, func() { resp = e.Eval(ctx, req) })
	return resp
}

func evalRefused(code string, origin contract.Origin, message string) contract.EvalResponse {
	return contract.EvalResponse{Failure: &contract.Failure{Code: code, Origin: origin, Message: clean(message, 500)}}
}
