// Package registry holds the use cases of systems: which are registered in a project,
// where they are, and with which credential the gateway goes there.
package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/systems"
)

// Stored is a system as it is kept.
type Stored struct {
	Project, ID string
	// Version counts the changes of the system, from 1; a system that was deleted and made
	// again goes on counting.
	Version int
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
	// PutSystem creates or replaces one, with the grants that go and the entry of the history,
	// all or nothing. It reports false, and stores nothing, when the stored version is not the
	// one before s.Version.
	PutSystem(ctx context.Context, s Stored, e Entry) (bool, error)
	// DeleteSystem deletes one with all grants of its operations, under the same condition.
	DeleteSystem(ctx context.Context, s Stored, e Entry) (bool, error)
	// LastVersion returns the number of the latest version that a system ever had, 0 for none.
	LastVersion(ctx context.Context, project, id string) (int, error)
	// SystemGrants returns who was granted the operations of a system, by operation and plugin.
	SystemGrants(ctx context.Context, project, id string) ([]Grant, error)
	// SystemVersions returns at most limit entries of the history with versions before the
	// given one, or the newest for 0, the newest first and without documents.
	SystemVersions(ctx context.Context, project, id string, before, limit int) ([]Entry, error)
	// SystemVersion returns an entry with its document, or a fault.NotFound.
	SystemVersion(ctx context.Context, project, id string, version int) (Entry, error)
}

// Grants is told that grants were changed.
type Grants interface{ GrantsChanged() }

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
	Keys        Keys
	Projects    Projects
	Grants      Grants
	Traffic     Traffic
	Clock       Clock
	Test        Tester
}

// Service is the use cases of systems. It is safe for concurrent use.
type Service struct {
	o        Options
	compiled cache
}

// New makes the use cases.
func New(o Options) *Service { return &Service{o: o} }

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
	// A list names the operations of a system; what they take is read one by one.
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

// System returns a system ready to be called, or a fault.NotFound.
func (s *Service) System(ctx context.Context, project, id string) (*systems.Compiled, error) {
	row, err := s.o.Repository.System(ctx, project, id)
	if err != nil {
		return nil, fault.Wrap("read system", err)
	}
	return s.compiled.get(row)
}

func (s *Service) stored(project string, actor engine.Actor, doc *systems.System, version int) (Stored, error) {
	js, err := json.Marshal(doc)
	if err != nil {
		return Stored{}, fault.Wrap("encode system", err)
	}
	sum := sha256.Sum256(js)
	return Stored{
		Project: project, ID: doc.ID, Version: version, Document: js, Digest: hex.EncodeToString(sum[:]),
		UpdatedAt: s.o.Clock.Now().UTC(), UpdatedBy: actor.ID,
	}, nil
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
	s, err := systems.Load(row.Document)
	if err != nil {
		return nil, fault.Wrap("read the stored system", fmt.Errorf("system %s of project %s: %w", row.ID, row.Project, err))
	}
	if c.m == nil || len(c.m) >= cacheMax {
		c.m = make(map[string]*systems.Compiled)
	}
	c.m[row.Digest] = s
	return s, nil
}
