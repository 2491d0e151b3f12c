package api

import (
	"context"

	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/systems"
)

func (s *Server) listSystems(ctx context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Systems.List(ctx, r.params["project"], q))
}

func (s *Server) getSystem(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Systems.Get(ctx, r.params["project"], r.params["system"]))
}

func (s *Server) putSystem(ctx context.Context, r *request) (answer, error) {
	// The use case reads the document itself; this refuses what is not one.
	if err := r.decode(&systems.System{}); err != nil {
		return answer{}, err
	}
	return ok(s.o.Systems.Put(ctx, registry.PutRequest{
		Project: r.params["project"], ID: r.params["system"], Actor: actor(), Document: r.body,
	}))
}
