package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// ConnectionTest asks how far a call of a system gets.
type ConnectionTest struct {
	Project string
	// Actor is who asks.
	Actor  string
	System *systems.Compiled
	// Credential is what to try; nil where there is none.
	Credential *secrets.Credential
}

// Stage is a part of the way to a system.
type Stage string

// The stages, in their order.
const (
	StageDNS     Stage = "dns"     // the name is resolved
	StageAddress Stage = "address" // the server's address policy allows the target
	StageTCP     Stage = "tcp"     // the system accepts the connection
	StageTLS     Stage = "tls"     // its certificate can be trusted, and it takes the client's
	StageAuth    Stage = "auth"    // there is a credential, and the system takes it
	StageHTTP    Stage = "http"    // it answers
)

// StepState says how a stage ended.
type StepState string

// The states of a stage.
const (
	StepOK      StepState = "ok"
	StepFailed  StepState = "failed"
	StepSkipped StepState = "skipped" // not reached, or not a part of this way
)

// ConnectionStep is one stage.
type ConnectionStep struct {
	Stage Stage     `json:"stage"`
	State StepState `json:"state"`
}

// ConnectionResult says how far a call of a system gets. It holds nothing of what the
// system answered but the status.
type ConnectionResult struct {
	OK bool `json:"ok"`
	// Stage is the one that failed, Code and Message say why; empty when all went well.
	Stage   Stage  `json:"stage,omitempty"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	// Operation is the one that was called, empty where it was the base URL alone: then a
	// system that takes everybody there looks well. BaseBecause says why there was none to call.
	Operation   string      `json:"operation,omitempty"`
	BaseBecause BaseBecause `json:"base_because,omitempty"`
	// HTTPStatus is zero when there was no HTTP answer.
	HTTPStatus int              `json:"http_status,omitempty"`
	DurationMS int64            `json:"duration_ms"`
	Steps      []ConnectionStep `json:"steps"`
}

// BaseBecause says why a test calls the base URL and no operation.
type BaseBecause string

// The reasons, the first that fits. The zero value: an operation was called.
const (
	// BaseNoRead: the system has no operation that only reads and is safe to repeat.
	BaseNoRead BaseBecause = "no_read_operation"
	// BaseParameters: each that reads needs parameters, which nobody can make up.
	BaseParameters BaseBecause = "parameters_required"
	// BaseDisabled: each that reads and needs none is switched off.
	BaseDisabled BaseBecause = "switched_off"
)

// TestConnection makes one call over a new connection, of an operation that only reads
// and needs no parameter or else of the base URL, and says how far it came. It is audited
// as a call of no plugin.
func (g *Gateway) TestConnection(ctx context.Context, t ConnectionTest) ConnectionResult {
	c := &call{session: &session{gateway: g}, caller: Caller{Project: t.Project, Operator: t.Actor}, system: t.System, isFresh: true}
	var why BaseBecause
	c.op, why = probe(t.System)
	c.req = contract.GatewayRequest{System: t.System.System.ID, Operation: c.op.ID}
	start := g.clock.Now()
	res := g.probe(ctx, c, t.Credential)
	out := ConnectionResult{OK: true, Operation: c.op.ID, BaseBecause: why, HTTPStatus: res.Status, DurationMS: g.clock.Now().Sub(start).Milliseconds()}
	if res.Failure != nil {
		out.HTTPStatus = max(out.HTTPStatus, res.Failure.HTTPStatus)
	}
	out.judge(t, c, res)
	out.steps(t)
	return out
}

// probe is the operation that a test calls: the first that is on, only reads and needs no
// parameter. Where there is none, it is a GET of the base URL, and why.
func probe(s *systems.Compiled) (*systems.CompiledOperation, BaseBecause) {
	why := BaseNoRead
	for i := range s.System.Operations {
		o := &s.System.Operations[i]
		if o.Method != http.MethodGet || o.Retry != systems.RetrySafe || o.Risk != systems.RiskRead {
			continue
		}
		needs := slices.ContainsFunc(o.Parameters, func(p systems.Parameter) bool { return p.Required }) || o.BodyRequired
		op, ok := s.Operation(o.ID)
		switch {
		case needs && why == BaseNoRead:
			why = BaseParameters
		case needs || !ok:
		case o.Disabled:
			why = BaseDisabled
		default:
			return op, ""
		}
	}
	return &systems.CompiledOperation{Operation: &systems.Operation{Method: http.MethodGet, Path: "/", Retry: systems.RetrySafe, Risk: systems.RiskRead}}, why
}

// probe makes the call and writes it to the audit.
func (g *Gateway) probe(ctx context.Context, c *call, cred *secrets.Credential) contract.GatewayResponse {
	return audit(g.audit, g.clock, g.log, func(ctx context.Context, c *call) contract.GatewayResponse {
		ctx, cancel := context.WithTimeoutCause(ctx, c.system.Limits.Timeout(), errDeadline)
		defer cancel()
		var err error
		if c.op.ID == "" {
			base := *c.system.Base
			c.request = &request{method: http.MethodGet, url: &base, header: http.Header{}}
		} else if c.request, err = bind(c.system, c.op, c.req, &c.held); err != nil {
			return failed(bindFailure(err))
		}
		if cred == nil {
			return g.transport.send(ctx, c)
		}
		return g.credentials.with(ctx, c, cred, g.transport.send)
	})(ctx, c)
}

// judge says which stage failed.
func (r *ConnectionResult) judge(t ConnectionTest, c *call, res contract.GatewayResponse) {
	fail := func(stage Stage, code, message string) {
		r.OK, r.Stage, r.Code, r.Message = false, stage, code, message
	}
	missing := t.Credential == nil && t.System.System.Auth.NeedsCredential()
	f := res.Failure
	switch {
	case f != nil && (f.Code == CodeCredentialRefused || c.cause == nil && c.tries == 0):
		fail(StageAuth, f.Code, f.Message) // the token server, which is a part of the credential
	case f != nil:
		fail(stageOf(f, c.cause), f.Code, f.Message)
	case missing:
		fail(StageAuth, CodeCredentialMissing, "the system can be reached, but no credential is set for it at its present address")
	case res.Status == http.StatusUnauthorized || res.Status == http.StatusForbidden:
		fail(StageAuth, CodeCredentialRefused, fmt.Sprintf("the system does not take the credential (status %d)", res.Status))
	case res.Status >= 300 && res.Status < 400:
		fail(StageHTTP, CodeUpstreamInvalid, fmt.Sprintf("the system redirects, which is not followed (status %d): is the base URL right?", res.Status))
	case res.Status >= http.StatusInternalServerError:
		fail(StageHTTP, CodeUpstreamDown, fmt.Sprintf("the system answers that it has a fault (status %d)", res.Status))
	}
}

// stageOf says where a call without an answer ended.
func stageOf(f *contract.Failure, cause error) Stage {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case f.Code == CodeEgressDenied:
		return StageAddress
	case f.Code == CodeTLSFailed:
		return StageTLS
	case errors.As(cause, &dns):
		return StageDNS
	case errors.As(cause, &op) && op.Op == "dial":
		return StageTCP
	}
	return StageHTTP
}

// steps lists the stages: those before the one that failed went well.
func (r *ConnectionResult) steps(t ConnectionTest) {
	state := StepOK
	for _, stage := range []Stage{StageDNS, StageAddress, StageTCP, StageTLS, StageAuth, StageHTTP} {
		step := ConnectionStep{stage, state}
		unused := stage == StageTLS && t.System.Base.Scheme != "https" || stage == StageAuth && !t.System.System.Auth.NeedsCredential()
		switch {
		case stage == r.Stage:
			step.State, state = StepFailed, StepSkipped
		case unused:
			step.State = StepSkipped
		}
		r.Steps = append(r.Steps, step)
	}
}
