package api

import (
	"context"

	"github.com/culmhq/culm/host/health"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/plugins"
)

type enabledBody struct {
	Enabled bool `json:"enabled"`
}

func (s *Server) putEnabled(ctx context.Context, r *request) (answer, error) {
	var b enabledBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return ok(s.o.Plugins.SetEnabled(ctx, plugins.EnabledRequest{
		Project: r.params["project"], Actor: actor(), Plugin: r.params["plugin"], Enabled: b.Enabled,
	}))
}

func (s *Server) getUses(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Runs.Uses(ctx, r.params["project"], r.params["plugin"]))
}

func (s *Server) getHealth(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Health.Plugin(ctx, r.params["project"], r.params["plugin"], health.Window(r.query.Get("window"))))
}

func (s *Server) listHealth(ctx context.Context, r *request) (answer, error) {
	items, err := s.o.Health.Summaries(ctx, r.params["project"])
	return ok(page.Of[health.Summary]{Items: items}, err)
}
