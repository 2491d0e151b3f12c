package main

import (
	"bytes"
	"encoding/json"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
)

// callbackPlace is what stands in the parameters or the body for the URL to call back.
const callbackPlace = "{callback_url}"

// WaitIn calls an operation of a registered system that takes its time, and waits until the
// system calls back. Where {callback_url} stands in a parameter or in the body, the system
// gets the URL to call.
type WaitIn struct {
	// The id of the system.
	System string `json:"system" jsonschema:"minLength=1,maxLength=64" x:"operation=system"`
	// The id of the operation.
	Operation string `json:"operation" jsonschema:"minLength=1,maxLength=64" x:"operation=operation"`
	// The parameters of the operation, by name.
	Params map[string]json.RawMessage `json:"params,omitempty" title:"Parameters" ui:"widget=keyvalue" x:"operation=params;secret=inside;placeholders={callback_url}"`
	// The body, where the operation takes one.
	Body json.RawMessage `json:"body,omitempty" ui:"widget=json" x:"operation=body;secret=inside;placeholders={callback_url}"`
}

// WaitOut is what the system called back with.
type WaitOut struct {
	// What the system called back with.
	Callback json.RawMessage `json:"callback"`
}

func callAndWait(c *pdk.Ctx, in WaitIn) (WaitOut, error) {
	url := c.CallbackURL()
	if url == "" {
		return WaitOut{}, pdk.Fail("CALLBACKS_OFF", "this server takes no callbacks")
	}
	found := false
	put := func(raw json.RawMessage) json.RawMessage {
		found = found || bytes.Contains(raw, []byte(callbackPlace))
		return bytes.ReplaceAll(raw, []byte(callbackPlace), []byte(url))
	}
	req := contract.GatewayRequest{System: in.System, Operation: in.Operation, Body: put(in.Body)}
	for name, raw := range in.Params {
		if req.Params == nil {
			req.Params = map[string]json.RawMessage{}
		}
		req.Params[name] = put(raw)
	}
	if len(req.Body) == 0 {
		req.Body = nil
	}
	if !found {
		return WaitOut{}, pdk.InvalidInput("body", "say where the system gets the URL to call back: write %s there, or in a parameter", callbackPlace)
	}
	resp := c.Call(req)
	if err := pdk.Check(req, resp); err != nil {
		return WaitOut{}, err
	}
	c.Info("%s %s answered with status %d; waiting for its callback", in.System, in.Operation, resp.Status)
	return WaitOut{}, pdk.Callback(nil)
}

func calledBack(c *pdk.Ctx, _ WaitIn) (WaitOut, error) {
	var out WaitOut
	err := c.Callback(&out.Callback)
	return out, err
}
