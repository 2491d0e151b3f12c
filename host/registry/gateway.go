package registry

import (
	"context"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/systems"
)

// ForGateway is the service as the gateway's port.
type ForGateway struct{ Service *Service }

var (
	_ gateway.Systems   = ForGateway{}
	_ gateway.Directory = ForGateway{}
)

// pageOfSystems is how many systems are read at once.
const pageOfSystems = 100

// System returns a system of a project, or gateway.ErrNotFound.
func (g ForGateway) System(ctx context.Context, project, id string) (*systems.Compiled, error) {
	c, err := g.Service.System(ctx, project, id)
	if fault.Is(err, fault.NotFound) {
		return nil, gateway.ErrNotFound
	}
	return c, err
}

// Systems returns the systems of a project, by id.
func (g ForGateway) Systems(ctx context.Context, project string) ([]*systems.Compiled, error) {
	var out []*systems.Compiled
	for after := ""; ; {
		rows, err := g.Service.o.Repository.Systems(ctx, project, after, pageOfSystems)
		if err != nil {
			return nil, fault.Wrap("read systems", err)
		}
		for _, row := range rows {
			c, err := g.Service.compiled.get(row)
			if err != nil {
				return nil, err
			}
			out = append(out, c)
			after = row.ID
		}
		if len(rows) < pageOfSystems {
			return out, nil
		}
	}
}
