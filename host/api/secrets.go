package api

import (
	"context"

	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/secrets"
)

// secretBody is write-only: nothing answers or logs it.
type secretBody struct {
	Value string `json:"value"`
}

func (s *Server) listSecrets(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Systems.ListSecrets(ctx, r.params["project"]))
}

func (s *Server) putSecret(ctx context.Context, r *request) (answer, error) {
	var b secretBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return ok(s.o.Systems.SetSecret(ctx, registry.SecretRequest{
		Project: r.params["project"], Name: r.params["secret"], Actor: actor(), Value: secrets.NewSecret(b.Value),
	}))
}

func (s *Server) deleteSecret(ctx context.Context, r *request) (answer, error) {
	return empty(s.o.Systems.DeleteSecret(ctx, r.params["project"], r.params["secret"]))
}
