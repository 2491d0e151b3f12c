package audit

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"github.com/culmhq/culm/host/fault"
)

// The bounds of an export.
const (
	// ExportSpanMax is how many numbers of the log one export looks through; the next one goes
	// on behind them.
	ExportSpanMax = 1_000_000
	// ExportsMax is how many exports are made at once.
	ExportsMax = 2
	// exportAtOnce is how many lines are read from the log together.
	exportAtOnce = 500
)

// ActionExported is the action of the entry that says that somebody took entries away.
const ActionExported = "audit.export.get"

// Range is which part of the log is exported.
type Range struct {
	// Filter chooses entries; From and To of it bound their times.
	Filter Filter
	// After is the number of the last entry that the caller has; zero begins with the first.
	After int64
	// Through is the number of the last entry that is wanted; zero is the end of the log.
	Through int64
}

// Taken says which numbers of the log an export looks through.
type Taken struct {
	// After is the number before the first, Through the last one.
	After, Through int64
	// Head is the number of the newest entry when the export began. When Through is less,
	// and no end was asked for, the next export goes on with After set to Through.
	Head int64
}

// Exporter reads the log in its order. Safe for concurrent use.
type Exporter interface {
	// AuditHead returns the place of the last entry that is durable.
	AuditHead(ctx context.Context) (Head, error)
	// AppendAudit puts an entry at the end, and returns once it is durable.
	AppendAudit(ctx context.Context, e Entry) (Head, error)
	// AuditSpan returns the numbers among which the entries of a time range are: first-1
	// and last. The zero Filter has all.
	AuditSpan(ctx context.Context, f Filter) (after, through int64, err error)
	// AuditAfter returns at most limit lines that f chooses, the oldest first, whose numbers
	// are above after and at most through.
	AuditAfter(ctx context.Context, f Filter, after, through int64, limit int) ([]Line, error)
}

// exportDetail is what the entry of an export says of it.
type exportDetail struct {
	After   int64             `json:"after"`
	Through int64             `json:"through"`
	Filter  map[string]string `json:"filter,omitempty"`
}

// Export begins to hand out a part of the log. That it was handed out is an entry of the log
// before anything of it is, whether or not somebody reads it to its end. The lines end with an
// error when the log cannot be read; they must be read, or stop called, to make room for the
// next export. More than ExportsMax at once are a fault.TooMany.
func (s *Service) Export(ctx context.Context, e Entry, r Range) (t Taken, lines *Lines, err error) {
	if err := r.Check(); err != nil {
		return t, nil, err
	}
	if r.Filter.Project != "" {
		if err := s.projects.Exists(ctx, r.Filter.Project); err != nil {
			return t, nil, err
		}
	}
	select {
	case s.exports <- struct{}{}:
	default:
		return t, nil, fault.New(fault.TooMany, "%d exports are under way: try again when one has ended", ExportsMax).Because("EXPORTS_BUSY")
	}
	defer func() {
		if err != nil {
			<-s.exports
		}
	}()
	if t, err = s.span(ctx, r); err != nil {
		return t, nil, err
	}
	e.Project, e.Action = r.Filter.Project, ActionExported
	if e.Detail, err = json.Marshal(exportDetail{t.After, t.Through, r.Filter.told()}); err != nil {
		return t, nil, fault.Wrap("export the audit", err)
	}
	if err := s.Act(ctx, e, func(context.Context) error { return nil }); err != nil {
		return t, nil, err
	}
	next, stop := iter.Pull2(s.lines(context.WithoutCancel(ctx), r.Filter, t))
	return t, &Lines{next: next, stop: func() { stop(); <-s.exports }}, nil
}

// Check returns a fault.Invalid for a range that chooses in a way that cannot be.
func (r Range) Check() error {
	switch {
	case r.After < 0:
		return fault.At("/after", "after is the number of an entry").Because("ENTRY_NUMBER")
	case r.Through < 0 || r.Through > 0 && r.Through <= r.After:
		return fault.At("/through", "through is the number of an entry behind after").Because("ENTRY_NUMBER")
	}
	return r.Filter.check()
}

// Holds reports whether an entry is in the range.
func (r Range) Holds(e Entry) bool {
	if e.Seq <= r.After || r.Through > 0 && e.Seq > r.Through {
		return false
	}
	f := r.Filter
	if !f.From.IsZero() && e.At.Before(f.From) || !f.To.IsZero() && !e.At.Before(f.To) {
		return false
	}
	for _, c := range [...][2]string{
		{f.Project, e.Project},
		{string(f.Kind), string(e.Kind)},
		{string(f.Outcome), string(e.Outcome)},
		{f.System, e.System},
		{f.Operation, e.Operation},
		{f.Run, e.Run},
		{f.Node, e.Node},
		{f.Plugin, e.Plugin},
		{f.Actor, e.Actor},
		{f.Action, e.Action},
	} {
		if c[0] != "" && c[0] != c[1] {
			return false
		}
	}
	return true
}

// span finds the numbers of a range.
func (s *Service) span(ctx context.Context, r Range) (Taken, error) {
	head, err := s.book.AuditHead(ctx)
	if err != nil {
		return Taken{}, fault.Wrap("export the audit", err)
	}
	after, through, err := s.book.AuditSpan(ctx, r.Filter)
	if err != nil {
		return Taken{}, fault.Wrap("export the audit", err)
	}
	t := Taken{After: max(r.After, after), Head: head.Seq}
	t.Through = min(through, t.After+ExportSpanMax)
	if r.Through > 0 {
		t.Through = min(t.Through, r.Through)
	}
	t.Through = max(t.Through, t.After) // nothing is in the range
	return t, nil
}

// lines reads a part of the log, some of it at a time.
func (s *Service) lines(ctx context.Context, f Filter, t Taken) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		for after := t.After; after < t.Through; {
			some, err := s.book.AuditAfter(ctx, f, after, t.Through, exportAtOnce)
			if err != nil {
				yield(Line{}, fault.Wrap("export the audit", err))
				return
			}
			for _, l := range some {
				if !yield(l, nil) {
					return
				}
			}
			if len(some) < exportAtOnce {
				return
			}
			var last struct {
				Seq int64 `json:"seq"`
			}
			if err := json.Unmarshal(some[len(some)-1].Entry, &last); err != nil || last.Seq <= after {
				yield(Line{}, fault.Wrap("export the audit", errors.Join(errNoOrder, err)))
				return
			}
			after = last.Seq
		}
	}
}

// errNoOrder is for a log whose entries do not say the numbers that they are stored under.
var errNoOrder = errors.New("audit: an entry does not say its number: verify the log")

// told is the filter as the entry of an export shows it.
func (f Filter) told() map[string]string {
	out := map[string]string{}
	for name, value := range map[string]string{
		"kind": string(f.Kind), "system": f.System, "operation": f.Operation, "run": f.Run, "node": f.Node, "plugin": f.Plugin,
		"actor": f.Actor, "action": f.Action, "outcome": string(f.Outcome),
	} {
		if value != "" {
			out[name] = value
		}
	}
	return out
}

// Lines are what an export hands out, as an io.ReadCloser of JSON lines: each the entry as it
// was written, and its hash. One goroutine.
type Lines struct {
	next func() (Line, error, bool)
	stop func()
	rest []byte
	err  error
}

var _ io.ReadCloser = (*Lines)(nil)

// Read implements io.Reader. It ends with io.EOF only when everything was read.
func (l *Lines) Read(p []byte) (int, error) {
	for len(l.rest) == 0 {
		if l.err != nil {
			return 0, l.err
		}
		line, err, more := l.next()
		switch {
		case !more:
			l.err = io.EOF
		case err != nil:
			l.err = err
		default:
			// By hand: the entry has to stand there as it was hashed, byte for byte.
			l.rest = append(append(append(append(l.rest[:0], `{"entry":`...), line.Entry...), `,"hash":"`+line.Hash...), "\"}\n"...)
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// Close ends the export; it may be called more than once.
func (l *Lines) Close() error {
	if l.stop != nil {
		l.stop()
		l.stop = nil
		l.err = errors.Join(l.err, io.ErrClosedPipe)
	}
	return nil
}
