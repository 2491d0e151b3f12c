// Package projects holds the tenants of Culm: each has its flows, runs, grants,
// credentials and variables.
package projects

import (
	"context"
	"encoding/json"
	"regexp"
	"time"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
)

// Project is one tenant.
type Project struct {
	// ID is a slug: a lower-case letter, then up to 63 of [a-z0-9-].
	ID   string `json:"id"`
	Name string `json:"name"`
	// Zone is the IANA time zone of the project's forms, waits and schedules.
	Zone string `json:"zone"`
	// Env holds the values of env.X in expressions, by name.
	Env map[string]json.RawMessage `json:"env,omitempty"`
}

// Repository keeps projects.
type Repository interface {
	// Project returns one, or a fault.NotFound.
	Project(ctx context.Context, id string) (Project, error)
	Projects(ctx context.Context, q page.Query) (page.Of[Project], error)
	// PutProject creates or replaces one.
	PutProject(ctx context.Context, p Project) error
}

// Service is the use cases of projects. It is safe for concurrent use.
type Service struct{ repository Repository }

// New makes the use cases over a repository.
func New(r Repository) *Service { return &Service{repository: r} }

// Get returns a project, or a fault.NotFound.
func (s *Service) Get(ctx context.Context, id string) (Project, error) {
	return s.repository.Project(ctx, id)
}

// Exists returns nil for a project that exists, else a fault.NotFound.
func (s *Service) Exists(ctx context.Context, id string) error {
	_, err := s.repository.Project(ctx, id)
	return err
}

// List returns a page of projects by id.
func (s *Service) List(ctx context.Context, q page.Query) (page.Of[Project], error) {
	return s.repository.Projects(ctx, q)
}

// Ensure creates the project when it does not exist yet, and leaves it alone when it
// does. A wrong field gives a fault.Invalid that names it.
func (s *Service) Ensure(ctx context.Context, p Project) error {
	if err := check(p); err != nil {
		return err
	}
	if _, err := s.repository.Project(ctx, p.ID); !fault.Is(err, fault.NotFound) {
		return err
	}
	return s.repository.PutProject(ctx, p)
}

// Put creates or replaces a project. A wrong field gives a fault.Invalid that names it.
func (s *Service) Put(ctx context.Context, p Project) error {
	if err := check(p); err != nil {
		return err
	}
	return s.repository.PutProject(ctx, p)
}

var (
	idPattern  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	envPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
)

func check(p Project) error {
	if !idPattern.MatchString(p.ID) {
		return fault.At("/id", "a project's id is a lower-case letter, then up to 63 of [a-z0-9-]").Because("ID")
	}
	if p.Name == "" {
		return fault.At("/name", "a project needs a name").Because("NAME_MISSING")
	}
	if _, err := time.LoadLocation(p.Zone); err != nil || p.Zone == "" || p.Zone == "Local" {
		return fault.At("/zone", "zone must be an IANA time zone such as Asia/Shanghai").Because("ZONE")
	}
	for name, value := range p.Env {
		if !envPattern.MatchString(name) {
			return fault.At("/env/"+name, "a variable's name is a letter or _, then up to 63 of [A-Za-z0-9_]").Because("VARIABLE_NAME")
		}
		if !json.Valid(value) {
			return fault.At("/env/"+name, "the value is not JSON").Because("NOT_JSON")
		}
	}
	return nil
}
