package main

import (
	"encoding/json"
	"errors"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
)

// CallIn calls one operation of a registered system. The address, the method and the
// credential are those of the system; the flow gives parameters and a body.
type CallIn struct {
	// The id of the system.
	System string `json:"system" jsonschema:"minLength=1,maxLength=64" x:"operation=system"`
	// The id of the operation.
	Operation string `json:"operation" jsonschema:"minLength=1,maxLength=64" x:"operation=operation"`
	// The parameters of the operation, by name.
	Params map[string]json.RawMessage `json:"params,omitempty" title:"Parameters" ui:"widget=keyvalue" x:"operation=params;secret=inside"`
	// The body, where the operation takes one.
	Body json.RawMessage `json:"body,omitempty" ui:"widget=json" x:"operation=body;secret=inside"`
	// When the call counts as a success: a condition in CEL over status, headers, body and
	// text, for example body.code == 0. Empty is any status below 400.
	Success string `json:"success,omitempty" title:"Success condition" jsonschema:"maxLength=4096" ui:"widget=code;options.language=cel;placeholder=status == 200 && body.result" x:"expression=forbidden"`
}

// CallOut is the answer of the system.
type CallOut struct {
	// The HTTP status.
	Status int `json:"status"`
	// The headers that the operation lets through, names in lower case.
	Headers map[string]string `json:"headers"`
	// The answer, when it was JSON.
	Body json.RawMessage `json:"body,omitempty"`
	// The answer, when it was not.
	Text string `json:"text,omitempty"`
}

// call keeps the answer as outputs also when it does not count as a success, by the rule of
// its system or by the condition: the operator sees what came back, and an edited condition
// can be tried by a retry.
func call(c *pdk.Ctx, in CallIn) (CallOut, error) {
	req := contract.GatewayRequest{System: in.System, Operation: in.Operation, Params: in.Params, Body: in.Body}
	resp := c.Call(req)
	err := pdk.Check(req, resp)
	if resp.Failure != nil && resp.Status == 0 {
		return CallOut{}, err // there was no answer
	}
	out := CallOut{Status: resp.Status, Headers: resp.Headers, Body: resp.Body, Text: resp.Text}
	c.Info("%s %s answered with status %d", in.System, in.Operation, resp.Status)
	if in.Success == "" || resp.Failure != nil { // what the system's own rule refuses is no success of anybody's
		return out, err
	}
	return out, judge(c, in, resp)
}

func judge(c *pdk.Ctx, in CallIn, resp contract.GatewayResponse) error {
	body := resp.Body
	if body == nil {
		body = json.RawMessage("null")
	}
	headers := resp.Headers
	if headers == nil {
		headers = map[string]string{}
	}
	holds, err := c.Holds(in.Success, map[string]any{
		"status": resp.Status, "headers": headers, "body": body, "text": resp.Text,
	})
	if f, ok := errors.AsType[*contract.Failure](err); ok {
		return pdk.InvalidInput("success", "%s", f.Message)
	}
	if err != nil || holds {
		return err
	}
	f := pdk.Fail("CONDITION_FAILED", "the answer with status %d does not fulfil %s", resp.Status, in.Success)
	f.Origin, f.System, f.Operation, f.HTTPStatus = contract.OriginSystem, in.System, in.Operation, resp.Status
	f.RequestID, f.Attempts = resp.RequestID, resp.Attempts
	f.Retryable = resp.Status >= 500 || resp.Status == 429
	return f
}
