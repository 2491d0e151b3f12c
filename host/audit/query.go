package audit

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
)

// Filter chooses entries; a zero field does not restrict.
type Filter struct {
	Project                                             string
	Kind                                                Kind
	System, Operation, Run, Node, Plugin, Actor, Action string
	Outcome                                             Outcome
	// From is the first instant, To the first one after the range.
	From, To time.Time
}

// Reader reads the log. Safe for concurrent use.
type Reader interface {
	// AuditLines returns at most limit lines that f chooses and whose number is below before,
	// the newest first.
	AuditLines(ctx context.Context, f Filter, before int64, limit int) ([]Line, error)
}

// Projects tells whether a project exists: nil, or a fault.NotFound.
type Projects interface {
	Exists(ctx context.Context, project string) error
}

// Service lets people look things up in the log. It is safe for concurrent use.
type Service struct {
	lines    Reader
	projects Projects
}

// NewService makes the use cases.
func NewService(r Reader, p Projects) *Service { return &Service{r, p} }

// place is the cursor of a list.
type place struct {
	Before int64 `json:"b"`
}

// List returns a page of the entries that f chooses, the newest first. A project that
// does not exist is a fault.NotFound.
func (s *Service) List(ctx context.Context, f Filter, q page.Query) (page.Of[Entry], error) {
	none := page.Of[Entry]{}
	size, err := q.Size()
	if err != nil {
		return none, err
	}
	var at place
	if _, err := q.After(&at); err != nil {
		return none, err
	}
	if f.Project != "" {
		if err := s.projects.Exists(ctx, f.Project); err != nil {
			return none, err
		}
	}
	if err := f.check(); err != nil {
		return none, err
	}
	lines, err := s.lines.AuditLines(ctx, f, at.Before, size+1)
	if err != nil {
		return none, fault.Wrap("read the audit", err)
	}
	entries := make([]Entry, len(lines))
	for i, l := range lines {
		if err := json.Unmarshal(l.Entry, &entries[i]); err != nil {
			return none, fault.Wrap("read the audit", err)
		}
	}
	return page.Cut(entries, size, func(e Entry) any { return place{e.Seq} })
}

func (f Filter) check() error {
	switch {
	case f.Outcome != "" && !slices.Contains(Outcomes(), f.Outcome):
		return fault.At("/outcome", "outcome is ok, refused or failed")
	case f.Kind != "" && f.Kind != KindCall && f.Kind != KindAdmin && f.Kind != KindLog:
		return fault.At("/kind", "kind is call, admin or log")
	case !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To):
		return fault.At("/to", "to must be after from")
	}
	return nil
}
