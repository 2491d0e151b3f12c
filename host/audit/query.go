package audit

import (
	"context"
	"encoding/json"
	"errors"
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

// Book is the log as the use cases need it. Safe for concurrent use.
type Book interface {
	Reader
	Exporter
}

// Service lets people look things up in the log, and enters what they do. It is safe for
// concurrent use.
type Service struct {
	book     Book
	projects Projects
	now      func() time.Time
	// exports has a place for each export under way.
	exports chan struct{}
}

// NewService makes the use cases; now tells the time.
func NewService(b Book, p Projects, now func() time.Time) *Service {
	return &Service{book: b, projects: p, now: now, exports: make(chan struct{}, ExportsMax)}
}

// Act does what somebody asked for, and sees to it that the log says so: in the
// transaction of the first change that is made, else after do has ended, with what became
// of it. When that cannot be stored, the error says so, whatever do returned.
func (s *Service) Act(ctx context.Context, e Entry, do func(context.Context) error) error {
	e.At, e.Kind, e.Source = s.now().UTC(), KindAdmin, SourceOf(ctx)
	p := NewPending(e)
	err := do(WithPending(ctx, p))
	if p.Written() && err == nil {
		return nil
	}
	// Refused, failed, without a change, or failed after the first of several.
	e.Outcome = OutcomeOK
	if err != nil {
		e.Outcome, e.Code = OutcomeRefused, string(fault.Internal)
		var f *fault.Error
		if errors.As(err, &f) {
			e.Code = string(f.Code)
		}
		if e.Code == string(fault.Internal) || e.Code == string(fault.Stopping) || e.Code == string(fault.DiskFull) {
			e.Outcome = OutcomeFailed
		}
	}
	e.DurationUS = s.now().Sub(e.At).Microseconds()
	entering, cancel := context.WithTimeout(context.WithoutCancel(ctx), enterTimeout)
	defer cancel()
	if _, unwritten := s.book.AppendAudit(entering, e); unwritten != nil {
		return errors.Join(fault.Wrap("store the audit", unwritten), err)
	}
	return err
}

// Watch returns a context in which the first change has an entry. What changes nothing
// has none.
func (s *Service) Watch(ctx context.Context, e Entry) context.Context {
	e.At, e.Kind = s.now().UTC(), KindAdmin
	return WithPending(ctx, NewPending(e))
}

// enterTimeout bounds the wait for an entry that must not end with its request.
const enterTimeout = 10 * time.Second

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
	lines, err := s.book.AuditLines(ctx, f, at.Before, size+1)
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
		return fault.At("/outcome", "outcome is ok, refused or failed").Because("CHOICE")
	case f.Kind != "" && !slices.Contains(Kinds(), f.Kind):
		return fault.At("/kind", "kind is call, admin, callback or log").Because("CHOICE")
	case !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To):
		return fault.At("/to", "to must be after from").Because("SPAN")
	}
	return nil
}
