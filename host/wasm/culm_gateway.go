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

// culmGateway returns the function of culm:host/v1 that reaches outside systems:
// a plugin's only way out.
//
//	gateway_call(request block i64) -> (response block i64)
//
// The request is JSON of contract.GatewayRequest in UTF-8: {"system": "...",
// "operation": "...", "params": {...}, "body": ...}. The response is always a
// block with JSON of contract.GatewayResponse; what goes wrong, a denial included,
// is its failure, so that the plugin can decide. A request that is not of this form
// is answered with REQUEST_INVALID. Only the number of calls (HostCalls) and the
// sizes (RequestBytes, ResponseBytes) end the call, with HOSTCALL_LIMIT.
func culmGateway() []hostFunc {
	return []hostFunc{{"gateway_call", "I>I", gatewayCall}}
}

func gatewayCall(ctx context.Context, v *invocation, _ api.Module, s []uint64) {
	v.count(&v.counts.gateway, v.limits.HostCalls, "the gateway")
	raw := v.block("gateway_call", s[0])
	v.checkRequest(int64(len(raw)))
	response := v.exchange(replay.Event{Kind: replay.KindGateway, Ask: raw}, func(e *replay.Event) {
		var err error
		if e.Answer, err = json.Marshal(v.gateway(ctx, raw)); err != nil {
			v.abort(hostFault("encoding a gateway response", err))
		}
	}).Answer
	v.checkResponse(int64(len(response)))
	s[0] = v.put(response)
}

// checkRequest ends the call when a gateway request is too large.
func (v *invocation) checkRequest(n int64) {
	if n > v.limits.RequestBytes {
		v.abort(failure(contract.OriginLimit, CodeHostCallLimit,
			"a gateway request is %d bytes, the limit is %d", n, v.limits.RequestBytes))
	}
}

// checkResponse ends the call when a gateway response is too large.
func (v *invocation) checkResponse(n int64) {
	if n > v.limits.ResponseBytes {
		v.abort(failure(contract.OriginLimit, CodeHostCallLimit,
			"a gateway response is %d bytes, the limit is %d", n, v.limits.ResponseBytes))
	}
}

// gateway decodes a request and makes the call.
func (v *invocation) gateway(ctx context.Context, raw []byte) contract.GatewayResponse {
	var req contract.GatewayRequest
	if err := strict.Decode(raw, &req); err != nil {
		return refused("the gateway request is malformed: " + err.Error())
	}
	if req.HTTP != nil {
		return refused("http is not for plugins to set")
	}
	if req.System == "" || req.Operation == "" {
		return refused("a gateway request needs system and operation")
	}
	var resp contract.GatewayResponse
	v.outside(ctx, func() { resp = v.guardedGateway(ctx, req) })
	return resp
}

// guardedGateway turns a panic of the gateway into a failure: no bug there may take
// the process down on a plugin's behalf.
func (v *invocation) guardedGateway(ctx context.Context, req contract.GatewayRequest) (resp contract.GatewayResponse) {
	defer func() {
		if r := recover(); r != nil {
			v.host.logger.ErrorContext(ctx, "the gateway panicked", slog.Any("panic", r))
			e := hostFault("a gateway call", nil)
			resp = contract.GatewayResponse{Failure: &e.Failure}
		}
	}()
	return v.services.Gateway(ctx, req)
}

func refused(message string) contract.GatewayResponse {
	return contract.GatewayResponse{Failure: &contract.Failure{
		Code: CodeRequestInvalid, Origin: contract.OriginPlugin, Message: clean(message, 500),
	}}
}
