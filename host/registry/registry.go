// Package registry holds the use cases of systems: which are registered in a project,
// where they are, and with which credential the gateway goes there.
package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// View is a system as a project sees it. It holds no credential.
type View struct {
	ID            string          `json:"id"`
	Title         contract.Text   `json:"title"`
	BaseURL       string          `json:"base_url"`
	Auth          systems.Auth    `json:"auth"`
	CredentialSet bool            `json:"credential_set"`
	Operations    []OperationView `json:"operations"`
}

// OperationView is an operation as a list shows it. Parameters and Body let a form be
// drawn for it.
type OperationView struct {
	ID         string              `json:"id"`
	Title      contract.Text       `json:"title"`
	Doc        contract.Text       `json:"doc,omitzero"`
	Method     string              `json:"method"`
	Path       string              `json:"path"`
	Retry      systems.Retry       `json:"retry"`
	Risk       systems.Risk        `json:"risk"`
	Parameters []systems.Parameter `json:"parameters,omitempty"`
	Body       json.RawMessage     `json:"body,omitempty"`
}

// Stored is a system as it is kept.
type Stored struct {
	Project, ID string
	// Document is the system document as JSON, Digest its SHA-256 in hex.
	Document  json.RawMessage
	Digest    string
	UpdatedAt time.Time
	UpdatedBy string
}

// Repository keeps the systems of projects. Safe for concurrent use.
type Repository interface {
	// System returns one, or a fault.NotFound.
	System(ctx context.Context, project, id string) (Stored, error)
	// Systems returns at most limit systems with ids after the given one, by id.
	Systems(ctx context.Context, project, after string, limit int) ([]Stored, error)
	// PutSystem creates or replaces one.
	PutSystem(ctx context.Context, s Stored) error
}

// Credentials sets credentials and tells whether one is set.
type Credentials interface {
	Set(ctx context.Context, t secrets.Target, in secrets.Input, actor string) error
	IsSet(ctx context.Context, t secrets.Target) (bool, error)
}

// Projects tells whether a project exists: nil, or a fault.NotFound.
type Projects interface {
	Exists(ctx context.Context, project string) error
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Options are what the use cases need; all fields are required.
type Options struct {
	Repository  Repository
	Credentials Credentials
	Secrets     Secrets
	Projects    Projects
	Traffic     Traffic
	Clock       Clock
}

// Service is the use cases of systems. It is safe for concurrent use.
type Service struct {
	o        Options
	compiled cache
}

// New makes the use cases.
func New(o Options) *Service { return &Service{o: o} }

// PutRequest creates or replaces a system of a project.
type PutRequest struct {
	Project, ID string
	Actor       engine.Actor
	// Document is a system document in YAML or JSON.
	Document []byte
}

// CredentialRequest sets the credential of a system of a project.
type CredentialRequest struct {
	Project, System string
	Actor           engine.Actor
	Input           secrets.Input
}

// List returns a page of a project's systems by id.
func (s *Service) List(ctx context.Context, project string, q page.Query) (page.Of[View], error) {
	none := page.Of[View]{}
	size, err := q.Size()
	if err != nil {
		return none, err
	}
	var after string
	if _, err := q.After(&after); err != nil {
		return none, err
	}
	if err := s.o.Projects.Exists(ctx, project); err != nil {
		return none, err
	}
	rows, err := s.o.Repository.Systems(ctx, project, after, size+1)
	if err != nil {
		return none, fault.Wrap("list systems", err)
	}
	views := make([]View, len(rows))
	for i, row := range rows {
		if views[i], err = s.view(ctx, row); err != nil {
			return none, err
		}
	}
	return page.Cut(views, size, func(v View) any { return v.ID })
}

// Get returns a system, or a fault.NotFound.
func (s *Service) Get(ctx context.Context, project, id string) (View, error) {
	row, err := s.o.Repository.System(ctx, project, id)
	if err != nil {
		return View{}, fault.Wrap("read system", err)
	}
	return s.view(ctx, row)
}

// Document returns the document of a system, or a fault.NotFound.
func (s *Service) Document(ctx context.Context, project, id string) (*systems.System, error) {
	c, err := s.System(ctx, project, id)
	if err != nil {
		return nil, err
	}
	return c.System, nil
}

// Put creates or replaces a system. A document that is wrong gives a fault.Invalid
// with the first field and, in the message, every problem; its id must be r.ID.
func (s *Service) Put(ctx context.Context, r PutRequest) (View, error) {
	if err := s.o.Projects.Exists(ctx, r.Project); err != nil {
		return View{}, err
	}
	doc, err := systems.Parse(r.Document)
	if err != nil {
		return View{}, invalid(err)
	}
	if doc.ID != r.ID {
		return View{}, fault.At("/id", "the document is of the system %q", doc.ID)
	}
	row, err := s.stored(r.Project, r.Actor, doc)
	if err != nil {
		return View{}, err
	}
	if err := s.o.Repository.PutSystem(ctx, row); err != nil {
		return View{}, fault.Wrap("store system", err)
	}
	return s.view(ctx, row)
}

// Ensure registers the systems that the project does not have yet, and leaves the
// others alone.
func (s *Service) Ensure(ctx context.Context, project string, actor engine.Actor, docs []*systems.System) error {
	for _, doc := range docs {
		_, err := s.o.Repository.System(ctx, project, doc.ID)
		if err == nil {
			continue
		}
		if !fault.Is(err, fault.NotFound) {
			return fault.Wrap("read system", err)
		}
		row, err := s.stored(project, actor, doc)
		if err != nil {
			return err
		}
		if err := s.o.Repository.PutSystem(ctx, row); err != nil {
			return fault.Wrap("store system", err)
		}
	}
	return nil
}

// SetCredential replaces the credential of a system. It can never be read back.
func (s *Service) SetCredential(ctx context.Context, r CredentialRequest) error {
	doc, err := s.Document(ctx, r.Project, r.System)
	if err != nil {
		return err
	}
	err = s.o.Credentials.Set(ctx, Target(r.Project, doc), r.Input, r.Actor.ID)
	var input *secrets.InputError
	switch {
	case errors.As(err, &input):
		return fault.At(input.Field, "%s", input.Message)
	case errors.Is(err, secrets.ErrVersion):
		return fault.New(fault.Conflict, "the credential was set by somebody else at the same time")
	default:
		return fault.Wrap("set credential", err)
	}
}

// System returns a system ready to be called, or a fault.NotFound.
func (s *Service) System(ctx context.Context, project, id string) (*systems.Compiled, error) {
	row, err := s.o.Repository.System(ctx, project, id)
	if err != nil {
		return nil, fault.Wrap("read system", err)
	}
	return s.compiled.get(row)
}

// Target is what the credential of a system in a project is for.
func Target(project string, s *systems.System) secrets.Target {
	return secrets.Target{Project: project, System: s.ID, Kind: secrets.Kind(s.Auth.Type), Origin: s.Origin()}
}

func (s *Service) stored(project string, actor engine.Actor, doc *systems.System) (Stored, error) {
	js, err := json.Marshal(doc)
	if err != nil {
		return Stored{}, fault.Wrap("encode system", err)
	}
	sum := sha256.Sum256(js)
	return Stored{
		Project: project, ID: doc.ID, Document: js, Digest: hex.EncodeToString(sum[:]),
		UpdatedAt: s.o.Clock.Now().UTC(), UpdatedBy: actor.ID,
	}, nil
}

func (s *Service) view(ctx context.Context, row Stored) (View, error) {
	c, err := s.compiled.get(row)
	if err != nil {
		return View{}, err
	}
	doc := c.System
	v := View{ID: doc.ID, Title: doc.Title, BaseURL: doc.BaseURL, Auth: doc.Auth, Operations: make([]OperationView, len(doc.Operations))}
	if v.Auth.Type == "" {
		v.Auth.Type = systems.AuthNone
	}
	if v.Auth.Type != systems.AuthNone {
		if v.CredentialSet, err = s.o.Credentials.IsSet(ctx, Target(row.Project, doc)); err != nil {
			return View{}, fault.Wrap("look for the credential", err)
		}
	}
	for i, o := range doc.Operations {
		v.Operations[i] = OperationView{o.ID, o.Title, o.Doc, o.Method, o.Path, o.Retry, o.Risk, o.Parameters, o.Body}
	}
	return v, nil
}

// invalid turns the problems of a document into a fault.
func invalid(err error) error {
	var ps document.Problems
	if !errors.As(err, &ps) || len(ps) == 0 {
		return fault.Wrap("read the document", err)
	}
	return fault.At(ps[0].Field, "the system document is not valid: %s", ps.Error())
}

// cache keeps compiled systems by the digest of their document: the same document is
// compiled once, and a changed one is another.
type cache struct {
	mu sync.Mutex
	m  map[string]*systems.Compiled
}

// cacheMax bounds the cache; a full one starts anew.
const cacheMax = 256

func (c *cache) get(row Stored) (*systems.Compiled, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.m[row.Digest]; ok {
		return s, nil
	}
	doc, err := systems.Parse(row.Document)
	if err != nil {
		return nil, fault.Wrap("read the stored system", fmt.Errorf("system %s of project %s: %w", row.ID, row.Project, err))
	}
	s, err := systems.Compile(doc)
	if err != nil {
		return nil, fault.Wrap("compile the stored system", err)
	}
	if c.m == nil || len(c.m) >= cacheMax {
		c.m = make(map[string]*systems.Compiled)
	}
	c.m[row.Digest] = s
	return s, nil
}
