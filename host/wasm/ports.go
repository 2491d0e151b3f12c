package wasm

import (
	"context"
	"encoding/json"

	"github.com/culmhq/culm/pdk/contract"
)

// Services is what a call may reach through host functions. A nil method value does
// not occur: a host that offers nothing uses None.
type Services interface {
	Gateway(ctx context.Context, req contract.GatewayRequest) contract.GatewayResponse
	Log(line contract.LogLine)
	Progress(percent int, message string)
	// Var reads a declared variable; SetVar writes one, taking effect with the
	// call's success.
	Var(name string) (json.RawMessage, bool)
	SetVar(name string, value json.RawMessage) error
}
