// Package tryout lets a person call one operation of a registered system, to see whether
// and how it works. The call goes through the gateway as that of a plugin does, in the
// person's name, and is audited.
package tryout

import (
	"context"
	"encoding/json"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// CodeConfirm says that a call which may destroy something was not confirmed. Clients translate
// by it.
const CodeConfirm = "CONFIRM"

// Gateway makes calls without a plugin.
type Gateway interface {
	Call(ctx context.Context, who gateway.DirectCaller, req contract.GatewayRequest) contract.GatewayResponse
}

// Systems finds the systems of a project, or a fault.NotFound.
type Systems interface {
	System(ctx context.Context, project, id string) (*systems.Compiled, error)
}

// Projects tells whether a project exists: nil, or a fault.NotFound.
type Projects interface {
	Exists(ctx context.Context, project string) error
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Options are what the use case needs; all fields are required.
type Options struct {
	Gateway  Gateway
	Systems  Systems
	Projects Projects
	Clock    Clock
}

// Service is the use case. It is safe for concurrent use.
type Service struct{ o Options }

// New makes the use case.
func New(o Options) *Service { return &Service{o} }

// Request is one call of an operation.
type Request struct {
	Project, System, Operation string
	Actor                      engine.Actor
	// Params and Body are those of contract.GatewayRequest.
	Params map[string]json.RawMessage
	Body   json.RawMessage
	// Confirm says that the person knows what an operation of risk destructive does.
	Confirm bool
}

// Answer is how the call ended: with the system's answer, whatever its status, or with a
// failure, never with both.
type Answer struct {
	Status  int               `json:"status,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	// Body is the answer when it was JSON, Text when it was anything else.
	Body json.RawMessage `json:"body,omitempty"`
	Text string          `json:"text,omitempty"`
	// RequestID names the request in the system's logs, Attempts counts how often it was
	// sent; the failure has its own.
	RequestID string            `json:"request_id,omitempty"`
	Attempts  int               `json:"attempts,omitempty"`
	Failure   *contract.Failure `json:"failure,omitempty"`
	// DurationMS is the time that the whole took, waits and repetitions included.
	DurationMS int64 `json:"duration_ms"`
}

// Call calls an operation. It returns a fault.NotFound for what the project does not have,
// and a fault.Invalid at /confirm where a confirmation is missing; nothing was sent then.
func (s *Service) Call(ctx context.Context, r Request) (Answer, error) {
	if err := s.o.Projects.Exists(ctx, r.Project); err != nil {
		return Answer{}, err
	}
	sys, err := s.o.Systems.System(ctx, r.Project, r.System)
	if err != nil {
		return Answer{}, err
	}
	op, ok := sys.Operation(r.Operation)
	switch {
	case !ok:
		return Answer{}, fault.Missing("operation", r.Operation)
	case op.Risk == systems.RiskDestructive && !r.Confirm:
		return Answer{}, fault.Coded("/confirm", CodeConfirm, "the operation may destroy something: confirm that it is meant")
	}
	start := s.o.Clock.Now()
	res := s.o.Gateway.Call(ctx, gateway.DirectCaller{Project: r.Project, Operator: r.Actor.ID}, contract.GatewayRequest{
		System: r.System, Operation: r.Operation, Params: r.Params, Body: r.Body,
	})
	return Answer{
		Status: res.Status, Headers: res.Headers, Body: res.Body, Text: res.Text, RequestID: res.RequestID, Attempts: res.Attempts,
		Failure: res.Failure, DurationMS: s.o.Clock.Now().Sub(start).Milliseconds(),
	}, nil
}
