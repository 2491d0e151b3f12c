package registry

import (
	"context"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/systems"
)

// ForGateway is the service as the gateway's port.
type ForGateway struct{ Service *Service }

var _ gateway.Systems = ForGateway{}

// System returns a system of a project, or gateway.ErrNotFound.
func (g ForGateway) System(ctx context.Context, project, id string) (*systems.Compiled, error) {
	c, err := g.Service.System(ctx, project, id)
	if fault.Is(err, fault.NotFound) {
		return nil, gateway.ErrNotFound
	}
	return c, err
}
