// Package views holds the saved views of lists: a name for a filter, an order and the
// columns that are shown. They belong to a project; whoever works in it sees all of them.
package views

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
)

// List is a list that has views.
type List string

// The lists.
const (
	ListFlows List = "flows"
	ListRuns  List = "runs"
)

// The limits of views.
const (
	// NameMax bounds the length of a name in characters, QueryMax that of a query in bytes.
	NameMax  = 64
	QueryMax = 2048
	// Max bounds how many views a list of a project has.
	Max = 100
)

// View is one saved view.
type View struct {
	ID   string `json:"id"`
	List List   `json:"list"`
	Name string `json:"name"`
	// Query is the query of the page's address, without the question mark: what it means
	// is the client's.
	Query string `json:"query"`
	// UpdatedBy made the view or changed it last.
	UpdatedBy string    `json:"updated_by"`
	UpdatedAt time.Time `json:"updated_at"`
}

// PutRequest makes a view, or changes one.
type PutRequest struct {
	Project string
	Actor   engine.Actor
	// ID names the view to change; empty makes a new one.
	ID    string
	List  List
	Name  string
	Query string
}

// Repository keeps views. Methods return a fault.NotFound for what is not there.
type Repository interface {
	// Views returns those of a list, by name.
	Views(ctx context.Context, project string, l List) ([]View, error)
	// View returns one.
	View(ctx context.Context, project, id string) (View, error)
	// PutView creates or replaces one; a name that another view of the list has is a
	// fault.Exists.
	PutView(ctx context.Context, project string, v View) error
	DeleteView(ctx context.Context, project, id string) error
}

// Projects tells whether a project exists: nil, or a fault.NotFound.
type Projects interface {
	Exists(ctx context.Context, project string) error
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Service is the use cases of views. It is safe for concurrent use.
type Service struct {
	repository Repository
	projects   Projects
	clock      Clock
}

// New makes the use cases.
func New(r Repository, p Projects, c Clock) *Service { return &Service{r, p, c} }

// List returns the views of a list by name, never nil.
func (s *Service) List(ctx context.Context, project string, l List) ([]View, error) {
	if err := known(l); err != nil {
		return nil, err
	}
	if err := s.projects.Exists(ctx, project); err != nil {
		return nil, err
	}
	vs, err := s.repository.Views(ctx, project, l)
	return append([]View{}, vs...), err
}

// Put makes a view or changes one. A view stays in its list.
func (s *Service) Put(ctx context.Context, r PutRequest) (View, error) {
	if err := check(&r); err != nil {
		return View{}, err
	}
	if err := s.projects.Exists(ctx, r.Project); err != nil {
		return View{}, err
	}
	v := View{ID: r.ID, List: r.List, Name: r.Name, Query: r.Query, UpdatedBy: r.Actor.ID, UpdatedAt: s.clock.Now().UTC().Truncate(time.Microsecond)}
	if r.ID == "" {
		vs, err := s.repository.Views(ctx, r.Project, r.List)
		if err != nil {
			return View{}, err
		}
		if len(vs) >= Max {
			return View{}, fault.New(fault.Invalid, "the list has %d views: delete one first", Max).Because("VIEWS_FULL")
		}
		var b [8]byte
		_, _ = rand.Read(b[:]) // it does not fail
		v.ID = hex.EncodeToString(b[:])
	} else {
		before, err := s.repository.View(ctx, r.Project, r.ID)
		if err != nil {
			return View{}, err
		}
		if before.List != r.List {
			return View{}, fault.At("/list", "the view belongs to the list of %s", before.List).Because("VIEW_OTHER_LIST")
		}
	}
	return v, s.repository.PutView(ctx, r.Project, v)
}

// Delete removes a view.
func (s *Service) Delete(ctx context.Context, project, id string) error {
	return s.repository.DeleteView(ctx, project, id)
}

func known(l List) error {
	if !slices.Contains([]List{ListFlows, ListRuns}, l) {
		return fault.At("/list", "list must be %s or %s", ListFlows, ListRuns).Because("CHOICE")
	}
	return nil
}

var control = regexp.MustCompile(`[\x00-\x1f\x7f]`)

func check(r *PutRequest) error {
	if err := known(r.List); err != nil {
		return err
	}
	r.Name = strings.TrimSpace(r.Name)
	switch n := utf8.RuneCountInString(r.Name); {
	case n == 0:
		return fault.At("/name", "a view needs a name").Because("NAME_MISSING")
	case n > NameMax:
		return fault.At("/name", "is longer than %d characters", NameMax).Because("TOO_LONG")
	case control.MatchString(r.Name):
		return fault.At("/name", "has characters that cannot be shown").Because("CHARACTERS")
	case len(r.Query) > QueryMax:
		return fault.At("/query", "is longer than %d bytes", QueryMax).Because("TOO_MANY_BYTES")
	case control.MatchString(r.Query):
		return fault.At("/query", "is not the query of an address").Because("QUERY")
	}
	return nil
}
