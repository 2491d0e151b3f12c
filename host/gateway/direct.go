package gateway

import (
	"context"
	"crypto/rand"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// Direct makes calls that a person asks for, without a plugin and without a grant. All the
// rest is as for a plugin: parameters, address policy, limits, credential, audit. Whoever
// holds one decides who may call; a plugin cannot come by one. Safe for concurrent use.
type Direct struct{ gateway *Gateway }

// DirectCaller is on whose behalf a direct call is made.
type DirectCaller struct{ Project, Operator string }

// Direct returns the way for calls without a plugin.
func (g *Gateway) Direct() Direct { return Direct{g} }

// Call makes one call. What goes wrong is the response's failure.
func (d Direct) Call(ctx context.Context, who DirectCaller, req contract.GatewayRequest) contract.GatewayResponse {
	s := &session{gateway: d.gateway, caller: Caller{Project: who.Project, Operator: who.Operator}, direct: true}
	return s.Call(ctx, req)
}

// once makes a call that nobody takes up after a crash, so that the journal would serve
// nobody. A system that drops repetitions gets a key of its own for it.
func (c *call) once(ctx context.Context, next handler) contract.GatewayResponse {
	c.key = "direct/" + rand.Text()
	res := next(ctx, c)
	if res.Failure != nil && c.sent && c.op.Retry == systems.RetryNever {
		return c.lost(res.Failure)
	}
	return res
}
