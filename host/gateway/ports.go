package gateway

import (
	"context"

	"github.com/culmhq/culm/pdk/contract"
)

// Caller identifies the node attempt on whose behalf a call is made.
type Caller struct {
	Project, Run, Flow, Node string
	Iteration, Attempt       int
	// Call is the ordinal of the plugin call within the attempt.
	Call     int
	Operator string
	Plugin   string
	Digest   string
	// Recovered is set when the call may be a repetition after a crash: the
	// journal answers what it can.
	Recovered bool
}

// Session is the gateway of one plugin call. It numbers the calls that may not be
// repeated and enforces the limits per plugin call. One goroutine at a time.
type Session interface {
	// Call never panics and never returns a Go error: what goes wrong is the
	// response's Failure, except Unknown.
	Call(ctx context.Context, req contract.GatewayRequest) contract.GatewayResponse
	// Unknown is set when a call was refused because nobody can say whether it
	// was made before a crash; the attempt must end as unknown.
	Unknown() *contract.Failure
}
