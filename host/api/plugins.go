package api

import (
	"context"
	"encoding/json"

	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/runs"
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

type choicesBody struct {
	Action  string          `json:"action"`
	Source  string          `json:"source"`
	Form    json.RawMessage `json:"form,omitempty"`
	Literal []string        `json:"literal,omitempty"`
}

func (s *Server) choices(ctx context.Context, r *request) (answer, error) {
	var b choicesBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return ok(s.o.Choices.Choices(ctx, runs.ChoicesRequest{
		Project: r.params["project"], Plugin: r.params["plugin"], Action: b.Action, Source: b.Source,
		Form: b.Form, Literal: b.Literal, Actor: actor(),
	}))
}
