package registry

import (
	"context"
	"errors"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
)

// Credentials sets credentials and tells what may be known of them.
type Credentials interface {
	Add(ctx context.Context, t secrets.Target, in secrets.Input, o secrets.AddOptions) error
	// Credential returns secrets.ErrNoCredential when there is none that can be used.
	Credential(ctx context.Context, t secrets.Target) (*secrets.Credential, error)
	CredentialVersion(ctx context.Context, t secrets.Target, version int) (*secrets.Credential, error)
	IsSet(ctx context.Context, t secrets.Target) (bool, error)
	Versions(ctx context.Context, t secrets.Target) ([]secrets.Version, error)
	Promote(ctx context.Context, project, system string, version int) error
	Delete(ctx context.Context, project, system string, version int) error
}

// Tester tries to reach a system and says how far it came.
type Tester func(ctx context.Context, t gateway.ConnectionTest) ConnectionResult

// ConnectionResult says how far a call of a system gets.
type ConnectionResult = gateway.ConnectionResult

// Source says where the credential that is used comes from.
type Source string

// The sources of a credential. The zero value is none.
const (
	SourceProject      Source = "project"
	SourceInstallation Source = "installation"
)

// CredentialView is what may be known of the credential of a system: never a value.
type CredentialView struct {
	Kind systems.AuthType `json:"kind"`
	// Certificate says that a client certificate belongs to the credential.
	Certificate bool `json:"certificate"`
	// Set says that calls have a credential, Source where it comes from.
	Set    bool   `json:"set"`
	Source Source `json:"source,omitempty"`
	// Versions are those of this project, or of the installation where its default is asked
	// for; the primary comes first.
	Versions []secrets.Version `json:"versions"`
}

// CredentialRef names the credential of a system of a project, or the default that the
// installation has for the system as it is in that project.
type CredentialRef struct {
	Project, System string
	Default         bool
}

// CredentialRequest adds a version of the credential of a system.
type CredentialRequest struct {
	CredentialRef
	Actor engine.Actor
	Input secrets.Input
	// Standby keeps the primary; Alone deletes all other versions.
	Standby, Alone bool
	// Primary, if not zero, makes that version the primary; nothing else is given then.
	Primary int
}

// TestRequest tries the credential of a system. Zero Version is the one that calls use.
type TestRequest struct {
	CredentialRef
	Actor   engine.Actor
	Version int
}

// Credential tells what may be known of the credential of a system, or returns a
// fault.NotFound for a system that is not there.
func (s *Service) Credential(ctx context.Context, r CredentialRef) (CredentialView, error) {
	doc, err := s.Document(ctx, r.Project, r.System)
	if err != nil {
		return CredentialView{}, err
	}
	v := CredentialView{Kind: doc.Auth.Type, Certificate: doc.Auth.NeedsCertificate(), Versions: []secrets.Version{}}
	if v.Kind == "" {
		v.Kind = systems.AuthNone
	}
	if !doc.Auth.NeedsCredential() {
		return v, nil
	}
	target := r.target(doc)
	if v.Versions, err = s.o.Credentials.Versions(ctx, target); err != nil {
		return v, fault.Wrap("list credentials", err)
	}
	if v.Set, err = s.o.Credentials.IsSet(ctx, target); err != nil {
		return v, fault.Wrap("look for the credential", err)
	}
	if !v.Set {
		return v, nil
	}
	v.Source = SourceInstallation
	for _, version := range v.Versions {
		if !r.Default && version.State != secrets.StateStale {
			v.Source = SourceProject
		}
	}
	return v, nil
}

// SetCredential adds a version of the credential of a system, or makes another version
// the primary. A value can never be read back.
func (s *Service) SetCredential(ctx context.Context, r CredentialRequest) (CredentialView, error) {
	doc, err := s.Document(ctx, r.Project, r.System)
	if err != nil {
		return CredentialView{}, err
	}
	target := r.target(doc)
	if r.Primary != 0 {
		if r.Input != (secrets.Input{}) || r.Standby || r.Alone {
			return CredentialView{}, fault.At("/primary", "names a version that is there; a new one is added by another request").Because("CREDENTIAL_PRIMARY")
		}
		err = s.o.Credentials.Promote(ctx, target.Project, r.System, r.Primary)
	} else {
		if r.Standby && r.Alone {
			return CredentialView{}, fault.At("/alone", "a version cannot be the only one and stand by").Because("CREDENTIAL_ALONE")
		}
		err = s.o.Credentials.Add(ctx, target, r.Input, secrets.AddOptions{Actor: r.Actor.ID, Standby: r.Standby, Alone: r.Alone})
	}
	var input *secrets.InputError
	switch {
	case errors.As(err, &input):
		return CredentialView{}, fault.Coded(input.Field, input.Code, input.Message)
	case errors.Is(err, secrets.ErrNoCredential):
		return CredentialView{}, fault.Missing("credential of the system", r.System)
	case err != nil:
		return CredentialView{}, fault.Wrap("set credential", err)
	}
	return s.Credential(ctx, r.CredentialRef)
}

// DeleteCredential deletes a version of the credential of a system, or all with 0. The
// one that is left is the primary then.
func (s *Service) DeleteCredential(ctx context.Context, r CredentialRef, version int) error {
	doc, err := s.Document(ctx, r.Project, r.System)
	if err != nil {
		return err
	}
	err = s.o.Credentials.Delete(ctx, r.target(doc).Project, r.System, version)
	if errors.Is(err, secrets.ErrNoCredential) {
		return fault.Missing("credential of the system", r.System)
	}
	return fault.Wrap("delete credential", err)
}

// TestCredential tries to reach a system with its credential and says how far that came.
// No credential is what it says, too: then it goes as far as it can without.
func (s *Service) TestCredential(ctx context.Context, r TestRequest) (ConnectionResult, error) {
	c, err := s.System(ctx, r.Project, r.System)
	if err != nil {
		return ConnectionResult{}, err
	}
	t := gateway.ConnectionTest{Project: r.Project, Actor: r.Actor.ID, System: c}
	if c.System.Auth.NeedsCredential() {
		target := r.target(c.System)
		if r.Version != 0 {
			t.Credential, err = s.o.Credentials.CredentialVersion(ctx, target, r.Version)
		} else {
			t.Credential, err = s.o.Credentials.Credential(ctx, target)
		}
		switch {
		case errors.Is(err, secrets.ErrNoCredential) && r.Version != 0:
			return ConnectionResult{}, fault.Missing("credential of the system", r.System)
		case err != nil && !errors.Is(err, secrets.ErrNoCredential):
			return ConnectionResult{}, fault.Wrap("read credential", err)
		}
	}
	return s.o.Test(ctx, t), nil
}

// Target is what the credential of a system in a project is for.
func Target(project string, s *systems.System) secrets.Target { return gateway.Target(project, s) }

func (r CredentialRef) target(doc *systems.System) secrets.Target {
	if r.Default {
		return Target(secrets.Installation, doc)
	}
	return Target(r.Project, doc)
}
