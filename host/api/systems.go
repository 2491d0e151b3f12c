package api

import (
	"context"

	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
)

// credentialBody is write-only: nothing answers or logs it.
type credentialBody struct {
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	Token    string `json:"token,omitempty"`
}

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

func (s *Server) putCredential(ctx context.Context, r *request) (answer, error) {
	var b credentialBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	in := secrets.Input{Username: b.Username}
	if b.Password != "" {
		in.Password = secrets.NewSecret(b.Password)
	}
	if b.Token != "" {
		in.Token = secrets.NewSecret(b.Token)
	}
	return empty(s.o.Systems.SetCredential(ctx, registry.CredentialRequest{
		Project: r.params["project"], System: r.params["system"], Actor: actor(), Input: in,
	}))
}
