package gateway

import (
	"context"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// verdict asks the rule of the operation, or of its system, whether an answer is a success:
// many systems answer 200 and say in the body that they refused. What came back stays in the
// response, for the operator to see.
func verdict(next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		res := next(ctx, c)
		if res.Failure != nil || c.op.Judge == nil {
			return res
		}
		why := c.op.Judge.Refusal(systems.Answer{Status: res.Status, Headers: res.Headers, Body: res.Body, Text: res.Text})
		if why == "" {
			return res
		}
		res.Failure = fault(contract.OriginSystem, CodeUpstreamRefused, why)
		res.Failure.HTTPStatus, res.Failure.RequestID, res.Failure.Attempts = res.Status, res.RequestID, res.Attempts
		return res
	}
}
