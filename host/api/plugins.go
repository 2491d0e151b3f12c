package api

import (
	"context"

	"github.com/culmhq/culm/host/plugins"
)

type grantsBody struct {
	Grants []plugins.Grant `json:"grants"`
}

func (s *Server) listPlugins(ctx context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Plugins.List(ctx, plugins.ListQuery{Project: r.params["project"], Search: r.query.Get("q"), Page: q}))
}

func (s *Server) getPlugin(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Plugins.Get(ctx, r.params["project"], r.params["plugin"]))
}

func (s *Server) putGrants(ctx context.Context, r *request) (answer, error) {
	var b grantsBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return ok(s.o.Plugins.SetGrants(ctx, plugins.GrantsRequest{
		Project: r.params["project"], Actor: actor(), Plugin: r.params["plugin"], Grants: b.Grants,
	}))
}
