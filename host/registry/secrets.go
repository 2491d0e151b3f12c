package registry

import (
	"context"
	"errors"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/secrets"
)

// Secrets keeps the secrets of projects, which can be set and never read back.
type Secrets interface {
	SetProject(ctx context.Context, project, name string, value secrets.Secret, actor string) (secrets.Info, error)
	ListProject(ctx context.Context, project string) ([]secrets.Info, error)
	DeleteProject(ctx context.Context, project, name string) error
}

// SecretRequest sets a secret of a project.
type SecretRequest struct {
	Project, Name string
	Actor         engine.Actor
	Value         secrets.Secret
}

// ListSecrets lists what may be known of a project's secrets: all of them, since a
// project has at most secrets.MaxPerProject.
func (s *Service) ListSecrets(ctx context.Context, project string) (page.Of[secrets.Info], error) {
	none := page.Of[secrets.Info]{}
	if err := s.o.Projects.Exists(ctx, project); err != nil {
		return none, err
	}
	all, err := s.o.Secrets.ListProject(ctx, project)
	if err != nil {
		return none, fault.Wrap("list secrets", err)
	}
	return page.Of[secrets.Info]{Items: append([]secrets.Info{}, all...)}, nil
}

// SetSecret sets a secret of a project, or replaces it. It can never be read back.
func (s *Service) SetSecret(ctx context.Context, r SecretRequest) (secrets.Info, error) {
	if err := s.o.Projects.Exists(ctx, r.Project); err != nil {
		return secrets.Info{}, err
	}
	info, err := s.o.Secrets.SetProject(ctx, r.Project, r.Name, r.Value, r.Actor.ID)
	var input *secrets.InputError
	switch {
	case errors.As(err, &input):
		return secrets.Info{}, fault.Coded(input.Field, input.Code, input.Message)
	case errors.Is(err, secrets.ErrTooMany):
		return secrets.Info{}, refused("", CodeSecretsMany, "a project has at most %d secrets", secrets.MaxPerProject)
	}
	return info, fault.Wrap("set secret", err)
}

// DeleteSecret deletes a secret of a project. Runs that are to send it fail from then
// on.
func (s *Service) DeleteSecret(ctx context.Context, project, name string) error {
	if err := s.o.Projects.Exists(ctx, project); err != nil {
		return err
	}
	err := s.o.Secrets.DeleteProject(ctx, project, name)
	if errors.Is(err, secrets.ErrNotFound) {
		return fault.Missing("secret", name)
	}
	return fault.Wrap("delete secret", err)
}
