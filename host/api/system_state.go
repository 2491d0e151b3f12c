package api

import (
	"context"

	"github.com/culmhq/culm/host/registry"
)

type stateCommandBody struct {
	Command registry.StateCommand `json:"command"`
}

func (s *Server) getSystemState(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Systems.State(ctx, r.params["project"], r.params["system"]))
}

func (s *Server) commandSystemState(ctx context.Context, r *request) (answer, error) {
	var b stateCommandBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return ok(s.o.Systems.CommandState(ctx, registry.StateRequest{
		Project: r.params["project"], System: r.params["system"], Actor: actor(), Command: b.Command,
	}))
}
