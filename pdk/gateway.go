package pdk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/culmhq/culm/pdk/contract"
)

// The codes of failures of an outside system that Ctx.Gateway answers with.
const (
	// CodeStatus: the system answered with an HTTP status from 400.
	CodeStatus = "HTTP_STATUS"
	// CodeAnswer: the system answered something that was not expected.
	CodeAnswer = "UNEXPECTED_ANSWER"
)

// The statuses that matter here. The package net/http is not linked for three numbers:
// its initialisation would be part of every module.
const (
	statusBadRequest      = 400
	statusTooManyRequests = 429
	statusServerError     = 500
)

// maxDetailBytes bounds what a failure repeats of an outside system's answer.
const maxDetailBytes = 4096

// maxReasonBytes bounds what a message repeats of it.
const maxReasonBytes = 300

// request encodes a gateway call.
func request(system, operation string, params Params, body any) (contract.GatewayRequest, error) {
	req := contract.GatewayRequest{System: system, Operation: operation}
	for name, v := range params {
		raw, err := json.Marshal(v)
		if err != nil {
			return req, fmt.Errorf("parameter %s of %s %s: %w", name, system, operation, err)
		}
		if bytes.Equal(raw, []byte("null")) {
			continue
		}
		if req.Params == nil {
			req.Params = make(map[string]json.RawMessage, len(params))
		}
		req.Params[name] = raw
	}
	if body == nil {
		return req, nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return req, fmt.Errorf("body of %s %s: %w", system, operation, err)
	}
	req.Body = raw
	return req, nil
}

// Check returns what Ctx.Gateway makes of an answer: nil, or a *contract.Failure that says
// what the gateway refused or which HTTP status from 400 the system answered with.
func Check(req contract.GatewayRequest, resp contract.GatewayResponse) error {
	if f := resp.Failure; f != nil {
		g := *f
		if g.System == "" {
			g.System, g.Operation = req.System, req.Operation
		}
		return &g
	}
	if resp.Status < statusBadRequest {
		return nil
	}
	f := systemFailure(req, resp, CodeStatus, "%s %s answered with status %d%s", req.System, req.Operation, resp.Status, reason(resp))
	f.Retryable = resp.Status >= statusServerError || resp.Status == statusTooManyRequests
	return f
}

// reason finds what an answer says went wrong, in the fields where programs say it.
func reason(resp contract.GatewayResponse) string {
	text := resp.Text
	var fields map[string]json.RawMessage
	switch {
	case json.Unmarshal(resp.Body, &text) == nil:
	case json.Unmarshal(resp.Body, &fields) == nil:
		for _, name := range []string{"message", "error", "detail", "title"} {
			if json.Unmarshal(fields[name], &text) == nil && text != "" {
				break
			}
		}
	}
	if text = oneLine(strings.TrimSpace(text)); text == "" {
		return ""
	}
	return ": " + strings.ToValidUTF8(text[:min(len(text), maxReasonBytes)], "")
}

// systemFailure is a failure of the outside system, with the beginning of its answer
// as detail.
func systemFailure(req contract.GatewayRequest, resp contract.GatewayResponse, code, format string, args ...any) *contract.Failure {
	f := Fail(code, format, args...)
	f.Origin, f.System, f.Operation, f.HTTPStatus = contract.OriginSystem, req.System, req.Operation, resp.Status
	f.RequestID, f.Attempts = resp.RequestID, resp.Attempts
	switch {
	case len(resp.Body) > 0 && len(resp.Body) <= maxDetailBytes:
		f.Detail = resp.Body
	case len(resp.Body) > 0:
		f.Detail, _ = json.Marshal(string(resp.Body[:maxDetailBytes]))
	case resp.Text != "":
		f.Detail, _ = json.Marshal(resp.Text[:min(len(resp.Text), maxDetailBytes)])
	}
	return f
}
