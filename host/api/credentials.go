package api

import (
	"context"
	"strconv"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/secrets"
)

// credentialBody is write-only: nothing answers or logs it.
type credentialBody struct {
	Username    string `json:"username,omitempty"`
	Password    string `json:"password,omitempty"`
	Token       string `json:"token,omitempty"`
	ClientID    string `json:"client_id,omitempty"`
	KeyID       string `json:"key_id,omitempty"`
	Secret      string `json:"secret,omitempty"`
	Certificate string `json:"certificate,omitempty"`
	PrivateKey  string `json:"private_key,omitempty"`
	// Standby keeps the primary: the new version is tried where that is not taken.
	Standby bool `json:"standby,omitempty"`
	// Alone deletes all other versions.
	Alone bool `json:"alone,omitempty"`
	// Primary makes a version the primary that is there; nothing else is given then.
	Primary int `json:"primary,omitempty"`
}

// testBody says which version is tried; none is the one that calls use.
type testBody struct {
	Version int `json:"version,omitempty"`
}

func (s *Server) getCredential(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Systems.Credential(ctx, credential(r, false)))
}

func (s *Server) getDefaultCredential(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Systems.Credential(ctx, credential(r, true)))
}

func (s *Server) putCredential(ctx context.Context, r *request) (answer, error) {
	return s.setCredential(ctx, r, credential(r, false))
}

func (s *Server) putDefaultCredential(ctx context.Context, r *request) (answer, error) {
	return s.setCredential(ctx, r, credential(r, true))
}

func (s *Server) setCredential(ctx context.Context, r *request, ref registry.CredentialRef) (answer, error) {
	var b credentialBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return ok(s.o.Systems.SetCredential(ctx, registry.CredentialRequest{
		CredentialRef: ref, Actor: actor(), Input: b.input(), Standby: b.Standby, Alone: b.Alone, Primary: b.Primary,
	}))
}

func (s *Server) testCredential(ctx context.Context, r *request) (answer, error) {
	return s.tryCredential(ctx, r, credential(r, false))
}

func (s *Server) testDefaultCredential(ctx context.Context, r *request) (answer, error) {
	return s.tryCredential(ctx, r, credential(r, true))
}

func (s *Server) tryCredential(ctx context.Context, r *request, ref registry.CredentialRef) (answer, error) {
	var b testBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return ok(s.o.Systems.TestCredential(ctx, registry.TestRequest{CredentialRef: ref, Actor: actor(), Version: b.Version}))
}

func (s *Server) deleteCredential(ctx context.Context, r *request) (answer, error) {
	return empty(s.o.Systems.DeleteCredential(ctx, credential(r, false), 0))
}

func (s *Server) deleteCredentialVersion(ctx context.Context, r *request) (answer, error) {
	return s.dropVersion(ctx, r, credential(r, false))
}

func (s *Server) deleteDefaultCredentialVersion(ctx context.Context, r *request) (answer, error) {
	return s.dropVersion(ctx, r, credential(r, true))
}

func (s *Server) dropVersion(ctx context.Context, r *request, ref registry.CredentialRef) (answer, error) {
	version, err := strconv.Atoi(r.params["version"])
	if err != nil || version < 1 {
		return answer{}, fault.Missing("credential of the system", ref.System)
	}
	return empty(s.o.Systems.DeleteCredential(ctx, ref, version))
}

func credential(r *request, isDefault bool) registry.CredentialRef {
	return registry.CredentialRef{Project: r.params["project"], System: r.params["system"], Default: isDefault}
}

// input marks the secrets among the fields.
func (b credentialBody) input() secrets.Input {
	in := secrets.Input{Username: b.Username, ClientID: b.ClientID, KeyID: b.KeyID, Certificate: b.Certificate}
	for into, value := range map[*secrets.Secret]string{&in.Password: b.Password, &in.Token: b.Token, &in.Secret: b.Secret, &in.PrivateKey: b.PrivateKey} {
		if value != "" {
			*into = secrets.NewSecret(value)
		}
	}
	return in
}
