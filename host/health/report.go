package health

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/pdk/contract"
)

// Window is a span of time that is reported, back from now.
type Window string

// The windows.
const (
	Day  Window = "day"
	Week Window = "week"
)

// hours is the length of a window, 0 for one that there is not.
func (w Window) hours() int64 {
	switch w {
	case Day:
		return 24
	case Week:
		return 7 * 24
	}
	return 0
}

// Figures are how calls went.
type Figures struct {
	// Calls counts those that ended with an answer; Cancelled those that the host gave
	// up because their run was ended.
	Calls     uint64 `json:"calls"`
	Failures  uint64 `json:"failures"`
	Cancelled uint64 `json:"cancelled"`
	// LimitsHit counts the failures by a limit of the host.
	LimitsHit uint64 `json:"limits_hit"`
	// P50MS, P99MS and LongestMS are durations of calls in milliseconds, the first two
	// at most 19 % too long.
	P50MS     float64 `json:"p50_ms"`
	P99MS     float64 `json:"p99_ms"`
	LongestMS float64 `json:"longest_ms"`
	// Codes are the failures by their code, the most frequent first.
	Codes []CodeCount `json:"codes"`
	// LastFailure is where a call failed last, if one did.
	LastFailure *Last `json:"last_failure,omitempty"`
}

// CodeCount is how often a failure happened.
type CodeCount struct {
	Code   string          `json:"code"`
	Origin contract.Origin `json:"origin,omitempty"`
	Count  uint64          `json:"count"`
}

// Version is the health of one module.
type Version struct {
	Digest string `json:"digest"`
	Figures
}

// Hour is one hour of all versions of a plugin together.
type Hour struct {
	At       time.Time `json:"at"`
	Calls    uint64    `json:"calls"`
	Failures uint64    `json:"failures"`
}

// Report is the health of a plugin in a project.
type Report struct {
	Plugin string    `json:"plugin"`
	Window Window    `json:"window"`
	Since  time.Time `json:"since"`
	// Total is that of all versions together.
	Total Figures `json:"total"`
	// Versions are those that were called, by digest.
	Versions []Version `json:"versions"`
	// Hours are all hours of the window, the oldest first.
	Hours []Hour `json:"hours"`
}

// Summary is the health of a plugin in a project, in short.
type Summary struct {
	Plugin    string  `json:"plugin"`
	Calls     uint64  `json:"calls"`
	Failures  uint64  `json:"failures"`
	LimitsHit uint64  `json:"limits_hit"`
	P99MS     float64 `json:"p99_ms"`
}

// Projects tells whether a project exists: nil, or a fault.NotFound.
type Projects interface {
	Exists(ctx context.Context, project string) error
}

// Service tells how plugins do. It is safe for concurrent use.
type Service struct {
	recorder *Recorder
	projects Projects
}

// NewService makes the use cases over what a recorder counts.
func NewService(r *Recorder, p Projects) *Service { return &Service{recorder: r, projects: p} }

// Summaries returns the last day of every plugin that was called in a project, by id.
func (s *Service) Summaries(ctx context.Context, project string) ([]Summary, error) {
	rows, _, err := s.rows(ctx, project, Day)
	if err != nil {
		return nil, err
	}
	by := map[string]*Counts{}
	for i := range rows {
		sum(by, rows[i].Cell.Plugin, &rows[i].Counts)
	}
	out := make([]Summary, 0, len(by))
	for _, plugin := range slices.Sorted(maps.Keys(by)) {
		f := figures(by[plugin])
		out = append(out, Summary{Plugin: plugin, Calls: f.Calls, Failures: f.Failures, LimitsHit: f.LimitsHit, P99MS: f.P99MS})
	}
	return out, nil
}

// Plugin returns the health of a plugin in a project. One that was not called, or that
// there is not, has empty figures. A window that there is not is a fault.Invalid; the
// empty one is Day.
func (s *Service) Plugin(ctx context.Context, project, plugin string, w Window) (Report, error) {
	if w == "" {
		w = Day
	}
	rows, from, err := s.rows(ctx, project, w)
	if err != nil {
		return Report{}, err
	}
	r := Report{Plugin: plugin, Window: w, Since: hourAt(from), Versions: []Version{}, Hours: make([]Hour, w.hours())}
	for i := range r.Hours {
		r.Hours[i].At = hourAt(from + int64(i))
	}
	var total Counts
	by := map[string]*Counts{}
	for i := range rows {
		row := &rows[i]
		if row.Cell.Plugin != plugin {
			continue
		}
		total.Merge(&row.Counts)
		sum(by, row.Cell.Digest, &row.Counts)
		if n := row.Cell.Hour - from; n < int64(len(r.Hours)) {
			r.Hours[n].Calls += row.Counts.Calls
			r.Hours[n].Failures += row.Counts.Failures
		}
	}
	r.Total = figures(&total)
	for _, digest := range slices.Sorted(maps.Keys(by)) {
		r.Versions = append(r.Versions, Version{Digest: digest, Figures: figures(by[digest])})
	}
	return r, nil
}

// rows returns the rows of a project in a window, stored or not, and its first hour.
func (s *Service) rows(ctx context.Context, project string, w Window) ([]Row, int64, error) {
	hours := w.hours()
	if hours == 0 {
		return nil, 0, fault.At("/window", "must be day or week").Because("CHOICE")
	}
	if err := s.projects.Exists(ctx, project); err != nil {
		return nil, 0, err
	}
	from := hourOf(s.recorder.o.Clock.Now()) - hours + 1
	rows, err := s.recorder.rows(ctx, project, from)
	return rows, from, err
}

// rows returns what is stored and what waits for it. Nothing is stored in between, so
// that nothing is told twice.
func (r *Recorder) rows(ctx context.Context, project string, from int64) ([]Row, error) {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	stored, err := r.o.Store.Health(ctx, project, from)
	if err != nil {
		return nil, err
	}
	return append(stored, r.waiting(project, from)...), nil
}

func sum(by map[string]*Counts, key string, c *Counts) {
	if by[key] == nil {
		by[key] = &Counts{}
	}
	by[key].Merge(c)
}

func figures(c *Counts) Figures {
	f := Figures{
		Calls: c.Calls, Failures: c.Failures, Cancelled: c.Cancelled, LimitsHit: c.Limits,
		P50MS:     milliseconds(min(c.Durations.Quantile(0.50), c.Longest)),
		P99MS:     milliseconds(min(c.Durations.Quantile(0.99), c.Longest)),
		LongestMS: milliseconds(c.Longest),
		Codes:     make([]CodeCount, 0, len(c.Codes)), LastFailure: c.Last,
	}
	for code, n := range c.Codes {
		f.Codes = append(f.Codes, CodeCount{Code: code, Origin: n.Origin, Count: n.Count})
	}
	slices.SortFunc(f.Codes, func(a, b CodeCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	return f
}

// milliseconds is a duration for people: to a tenth of a millisecond.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond)/(100*time.Microsecond)) / 10
}
