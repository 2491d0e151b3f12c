package wasm

import (
	"context"
	"encoding/json"

	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/strict"
	"github.com/culmhq/culm/pdk/contract"
)

// httpRequestName is the import that a manifest must account for.
const httpRequestName = "http_request"

// extismHTTP returns the functions of extism:host/env that do HTTP. There is no HTTP
// behind them: a request is made only when it is, by base URL, path and method, an
// operation of a registered system that the plugin was granted. The gateway makes it, with its
// credential, its limits and its audit, as any other call.
//
//	http_request(request block i64, body block i64) -> (response block i64)
//	http_status_code() -> (status i32)    of the last response, 0 before the first
//	http_headers() -> (headers block i64) of the last response, 0 before the first
//
// The request is JSON in UTF-8 with the members url, method (absent or empty: GET) and headers, an object of
// texts; others are ignored, as Extism ignores them. A body of block 0 is none. The response block holds the
// answer, whatever its status is: JSON in its compact form, text as it came; the headers are a JSON object of those that the
// operation lets through, names in lower case. A request that is not granted or fails ends the call
// with the gateway's failure, as it would end in a trap elsewhere. Each counts as a gateway call
// (HostCalls, RequestBytes, ResponseBytes).
func extismHTTP() []hostFunc {
	return []hostFunc{
		{httpRequestName, "II>I", httpRequest},
		{"http_status_code", ">i", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			s[0] = uint64(v.http.status)
		}},
		{"http_headers", ">I", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			s[0] = 0
			if v.http.status != 0 {
				s[0] = v.put(v.http.headers)
			}
		}},
	}
}

// httpState is what http_status_code and http_headers tell.
type httpState struct {
	status  uint32
	headers []byte
}

func httpRequest(ctx context.Context, v *invocation, _ api.Module, s []uint64) {
	v.count(&v.counts.gateway, v.limits.HostCalls, "the gateway")
	raw := v.block(httpRequestName, s[0])
	var body []byte
	if s[1] != 0 {
		body = v.block(httpRequestName, s[1])
	}
	v.checkRequest(int64(len(raw)) + int64(len(body)))
	resp := v.exchangeHTTP(ctx, v.httpRequestOf(raw, body))
	if resp.Failure != nil {
		v.abort(&Error{Failure: *resp.Failure})
	}
	headers, err := json.Marshal(resp.Headers)
	if err != nil {
		v.abort(hostFault("encoding response headers", err))
	}
	if resp.Headers == nil {
		headers = []byte("{}")
	}
	answer := []byte(resp.Body)
	if len(answer) == 0 {
		answer = []byte(resp.Text)
	}
	v.checkResponse(int64(len(answer)) + int64(len(headers)))
	v.http = httpState{status: uint32(resp.Status), headers: headers}
	s[0] = v.put(answer)
}

// exchangeHTTP makes the request, or takes its answer from a recording. Both go through
// JSON, so that the guest sees the same bytes either way.
func (v *invocation) exchangeHTTP(ctx context.Context, req *contract.HTTPRequest) contract.GatewayResponse {
	asked := contract.GatewayRequest{HTTP: req}
	ask, err := json.Marshal(asked)
	if err != nil {
		v.abort(hostFault("encoding a gateway request", err))
	}
	answer := v.exchange(replay.Event{Kind: replay.KindGateway, Ask: ask}, func(e *replay.Event) {
		var resp contract.GatewayResponse
		v.outside(ctx, func() { resp = v.guardedGateway(ctx, asked) })
		if e.Answer, err = json.Marshal(resp); err != nil {
			v.abort(hostFault("encoding a gateway response", err))
		}
	}).Answer
	var resp contract.GatewayResponse
	if err := json.Unmarshal(answer, &resp); err != nil {
		v.abort(hostFault("decoding a gateway response", err))
	}
	return resp
}

// httpRequestOf decodes a request that an Extism library wrote, or ends the call.
func (v *invocation) httpRequestOf(raw, body []byte) *contract.HTTPRequest {
	var req struct {
		URL     string            `json:"url"`
		Method  string            `json:"method"`
		Headers map[string]string `json:"headers"`
	}
	if err := strict.Check(raw); err != nil {
		v.misuse("http_request: the request is malformed: %s", clean(err.Error(), 300))
	}
	if err := json.Unmarshal(raw, &req); err != nil {
		v.misuse("http_request: the request is malformed: %s", clean(err.Error(), 300))
	}
	if req.Method == "" {
		req.Method = "GET"
	}
	return &contract.HTTPRequest{
		URL: req.URL, Method: req.Method, Headers: req.Headers, Body: append([]byte(nil), body...),
	}
}
