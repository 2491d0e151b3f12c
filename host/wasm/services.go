package wasm

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/culmhq/culm/pdk/contract"
)

// None offers nothing: gateway calls are denied, variables are unset, logs and
// progress go nowhere. It serves inspection and tests.
type None struct{}

// None is a Services.
var _ Services = None{}

// errNoVars is why None refuses to set a variable.
var errNoVars = errors.New("no variables here")

// Gateway denies every call with GATEWAY_ABSENT.
func (None) Gateway(context.Context, contract.GatewayRequest) contract.GatewayResponse {
	return contract.GatewayResponse{Failure: &contract.Failure{
		Code: "GATEWAY_ABSENT", Origin: contract.OriginGateway, Message: "there is no gateway here",
	}}
}

// Log drops the line.
func (None) Log(contract.LogLine) {}

// Progress drops the report.
func (None) Progress(int, string) {}

// Var knows no variable.
func (None) Var(string) (json.RawMessage, bool) { return nil, false }

// SetVar refuses.
func (None) SetVar(string, json.RawMessage) error { return errNoVars }
