package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// admit lets a call in whose plugin has the grant and whose parameters are as
// declared, and refuses all others. The grant is asked first: who has none learns
// nothing about what is there.
func admit(grants Grants, sys Systems, log *slog.Logger, next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		if f := granted(ctx, grants, log, c); f != nil {
			return failed(f)
		}
		if f := find(ctx, sys, log, c); f != nil {
			return failed(f)
		}
		if c.caller.Reason == contract.ReasonOptions && c.op.Retry != systems.RetrySafe {
			return failed(fault(contract.OriginGateway, CodeDenied, "the choices of a form may come only from operations that change nothing"))
		}
		if f := c.handles(); f != nil {
			return failed(f)
		}
		r, err := bind(c.system, c.op, c.req, &c.held)
		if err != nil {
			return failed(bindFailure(err))
		}
		c.request = r
		return next(ctx, c)
	}
}

// bindFailure says what bind found.
func bindFailure(err error) *contract.Failure {
	var large *sizeError
	if errors.As(err, &large) {
		return fault(contract.OriginLimit, CodeRequestLimit, large.message)
	}
	return paramFailure(contract.OriginFlow, err)
}

func granted(ctx context.Context, grants Grants, log *slog.Logger, c *call) *contract.Failure {
	if c.session.direct {
		return nil
	}
	ok, err := grants.Granted(ctx, c.caller.Project, c.caller.Plugin, c.req.System, c.req.Operation)
	switch {
	case err != nil:
		return unavailable(ctx, log, "the grants cannot be read", err)
	case !ok || c.caller.Ahead:
		return fault(contract.OriginGateway, CodeDenied,
			fmt.Sprintf("the plugin %s has no grant for %.64s/%.64s in this project", c.caller.Plugin, c.req.System, c.req.Operation))
	}
	return nil
}

func find(ctx context.Context, sys Systems, log *slog.Logger, c *call) *contract.Failure {
	s, err := sys.System(ctx, c.caller.Project, c.req.System)
	switch {
	case errors.Is(err, ErrNotFound):
		return fault(contract.OriginGateway, CodeUnknownSystem, "no such system is registered in this project")
	case err != nil:
		return unavailable(ctx, log, "the systems cannot be read", err)
	}
	op, ok := s.Operation(c.req.Operation)
	if !ok {
		return fault(contract.OriginGateway, CodeUnknownOperation, "the system has no such operation")
	}
	if op.Disabled {
		return fault(contract.OriginGateway, CodeOperationDisabled, disabled(op.DisabledBy))
	}
	c.system, c.op = s, op
	return nil
}

// disabled says why an operation is.
func disabled(by systems.DisabledBy) string {
	switch by {
	case systems.DisabledByImport:
		return "the operation was imported and is not enabled yet"
	case systems.DisabledByChange:
		return "the operation was changed beyond what was granted, and is disabled until an administrator has looked at it"
	case systems.DisabledByRemoval:
		return "the system's document does not have the operation any more"
	}
	return "an administrator disabled the operation"
}

// unavailable is a fault of Culm's own data.
func unavailable(ctx context.Context, log *slog.Logger, what string, err error) *contract.Failure {
	if ctx.Err() != nil {
		return fault(contract.OriginHost, CodeCancelled, "the plugin call ended before this call was made")
	}
	log.Error("gateway: its own data cannot be read", slog.String("what", what), slog.Any("error", err))
	return later(fault(contract.OriginHost, CodeGatewayUnavailable, what+"; the log of the server says more"))
}
