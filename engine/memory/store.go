// Package memory keeps runs in memory, for tests and simulations. It refuses what
// engine/sqlite refuses, so that what works here works there; nothing survives it.
package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
)

// ErrClosed is what a Commit gets after Close. It is a runner.ErrStoreFailed.
var ErrClosed = fmt.Errorf("%w: memory store is closed", runner.ErrStoreFailed)

// Store implements runner.Store. It is safe for concurrent use.
type Store struct {
	mu        sync.RWMutex
	runs      map[string]*run
	order     []*run // as created
	keys      map[startKey]*run
	documents map[string][]byte
	closed    bool
}

type startKey struct{ project, key string }

type run struct {
	n       int
	head    runner.RunHead // without its document
	records []engine.Record
	timers  map[string]runner.Timer
}

var _ runner.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{runs: map[string]*run{}, keys: map[startKey]*run{}, documents: map[string][]byte{}}
}

// Commit implements runner.Store.
func (s *Store) Commit(ctx context.Context, batches []runner.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range batches {
		if err := batches[i].Check(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if err := s.check(batches); err != nil {
		return err
	}
	for i := range batches {
		s.apply(&batches[i])
	}
	return nil
}

// Run implements runner.Store.
func (s *Store) Run(_ context.Context, id string) (runner.RunHead, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.withDocument(s.runs[id])
}

// ByStartKey implements runner.Store.
func (s *Store) ByStartKey(_ context.Context, project, key string) (runner.RunHead, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.withDocument(s.keys[startKey{project, key}])
}

// List implements runner.Store.
func (s *Store) List(_ context.Context, q runner.RunQuery) ([]runner.RunHead, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	from, step := len(s.order)-1, -1
	if q.Oldest {
		from, step = 0, 1
	}
	if q.Before != "" {
		r, ok := s.runs[q.Before]
		if !ok {
			return nil, fmt.Errorf("%w: %s", runner.ErrNotFound, q.Before)
		}
		from = r.n + step
	}
	q.Text = runner.Fold(q.Text)
	var out []runner.RunHead
	for i := from; i >= 0 && i < len(s.order) && (q.Limit <= 0 || len(out) < q.Limit); i += step {
		h := s.order[i].head
		if selects(&q, &h) {
			out = append(out, h)
		}
	}
	return out, nil
}

func selects(q *runner.RunQuery, h *runner.RunHead) bool {
	switch {
	case q.Project != "" && q.Project != h.Project, q.Flow != "" && q.Flow != h.Flow,
		q.Operator != "" && q.Operator != h.Operator:
		return false
	case q.Roots && h.Parent != nil, q.Parent != "" && (h.Parent == nil || h.Parent.Run != q.Parent):
		return false
	case !q.From.IsZero() && h.CreatedAt.Before(q.From), !q.To.IsZero() && !h.CreatedAt.Before(q.To):
		return false
	case q.Text != "" && !contains(q.Text, h.Name, h.ID, h.Flow):
		return false
	}
	return len(q.States) == 0 || slices.Contains(q.States, h.State)
}

// contains reports whether a folded text is in one of the others.
func contains(text string, in ...string) bool {
	return slices.ContainsFunc(in, func(s string) bool { return strings.Contains(runner.Fold(s), text) })
}

// Records implements runner.Store.
func (s *Store) Records(_ context.Context, id string, after uint64, limit int) ([]engine.Record, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.runs[id]
	if !ok {
		return nil, fmt.Errorf("%w: %s", runner.ErrNotFound, id)
	}
	if after >= uint64(len(r.records)) {
		return nil, nil
	}
	rs := r.records[after:]
	if limit > 0 && limit < len(rs) {
		rs = rs[:limit]
	}
	return slices.Clone(rs), nil
}

// Live implements runner.Store.
func (s *Store) Live(context.Context) ([]runner.RunHead, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []runner.RunHead
	for _, r := range s.order {
		if r.head.EndedAt == nil {
			h := r.head
			h.Document = s.documents[h.Digest]
			out = append(out, h)
		}
	}
	return out, nil
}

// Timers implements runner.Store.
func (s *Store) Timers(context.Context) ([]runner.Timer, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []runner.Timer
	for _, r := range s.order {
		for _, t := range r.timers {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b runner.Timer) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(s.runs[a.Run].n, s.runs[b.Run].n), cmp.Compare(a.Node, b.Node))
	})
	return out, nil
}

// Close implements runner.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// plan is what a commit would make of the store, as far as it has been checked.
type plan struct {
	store *Store
	runs  map[string]position
	keys  map[startKey]bool
}

// position is how far a run is.
type position struct {
	seq   uint64
	state engine.RunState
}

// check verifies all batches against the store before any is applied.
func (s *Store) check(batches []runner.Batch) error {
	p := &plan{store: s, runs: map[string]position{}, keys: map[startKey]bool{}}
	for i := range batches {
		if err := p.add(&batches[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) add(b *runner.Batch) error {
	at, err := p.before(b)
	if err != nil {
		return err
	}
	if b.Records[0].Seq != at.seq+1 {
		return fmt.Errorf("%w: run %s is at %d, records begin at %d", runner.ErrSequence, b.Run, at.seq, b.Records[0].Seq)
	}
	if b.State != at.state {
		if err := b.CheckState(at.state); err != nil {
			return err
		}
	}
	p.runs[b.Run] = position{b.Records[len(b.Records)-1].Seq, b.State}
	return nil
}

// before is where the batch's run is before it.
func (p *plan) before(b *runner.Batch) (position, error) {
	at, known := p.runs[b.Run]
	if r, ok := p.store.runs[b.Run]; ok && !known {
		at, known = position{r.head.Seq, r.head.State}, true
	}
	switch {
	case b.New == nil && !known:
		return at, fmt.Errorf("%w: %s", runner.ErrNotFound, b.Run)
	case b.New == nil:
		return at, nil
	case known:
		return at, fmt.Errorf("%w: %s", runner.ErrExists, b.Run)
	}
	k := startKey{b.New.Project, b.New.StartKey}
	if k.key != "" && (p.keys[k] || p.store.keys[k] != nil) {
		return at, fmt.Errorf("%w: start key %q", runner.ErrExists, k.key)
	}
	p.keys[k] = true
	return position{0, b.State}, nil
}

func (s *Store) apply(b *runner.Batch) {
	r := s.runs[b.Run]
	if b.New != nil {
		r = &run{n: len(s.order), head: *b.New, timers: map[string]runner.Timer{}}
		r.head.CreatedAt = kept(r.head.CreatedAt)
		r.head.Document, r.head.EndedAt = nil, nil
		if p := r.head.Parent; p != nil {
			own := *p
			r.head.Parent = &own
		}
		if _, ok := s.documents[b.New.Digest]; !ok {
			s.documents[b.New.Digest] = slices.Clone(b.New.Document)
		}
		s.runs[b.Run] = r
		s.order = append(s.order, r)
		if b.New.StartKey != "" {
			s.keys[startKey{b.New.Project, b.New.StartKey}] = r
		}
	}
	r.records = append(r.records, b.Records...)
	r.head.Seq = b.Records[len(b.Records)-1].Seq
	r.head.State = b.State
	if b.EndedAt != nil && r.head.EndedAt == nil {
		t := kept(*b.EndedAt)
		r.head.EndedAt = &t
	}
	for _, t := range b.Timers {
		if !t.Due.IsZero() {
			r.timers[t.Node] = runner.Timer{Run: b.Run, Node: t.Node, Epoch: t.Epoch, Due: kept(t.Due)}
		} else if old, ok := r.timers[t.Node]; ok && old.Epoch <= t.Epoch {
			delete(r.timers, t.Node)
		}
	}
	if r.head.EndedAt != nil {
		clear(r.timers)
	}
}

func (s *Store) withDocument(r *run) (runner.RunHead, error) {
	if r == nil {
		return runner.RunHead{}, runner.ErrNotFound
	}
	h := r.head
	h.Document = s.documents[h.Digest]
	return h, nil
}

// kept is a time as a store keeps it: UTC, to the microsecond.
func kept(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
