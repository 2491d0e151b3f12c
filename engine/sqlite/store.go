package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
)

// Store keeps runs in a DB. It implements runner.Store.
type Store struct {
	db   *DB
	room room
}

var _ runner.Store = (*Store)(nil)

const headColumns = `r.n, r.id, r.project, r.name, r.flow, r.version, r.digest, r.operator, r.state,
	coalesce(r.start_key, ''), r.start_hash, r.created_at, r.ended_at,
	coalesce(r.parent, ''), coalesce(r.parent_node, ''), coalesce(r.parent_epoch, 0), coalesce(r.parent_depth, 0),
	coalesce((SELECT max(last) FROM chunks WHERE run = r.n), 0)`

// Commit implements runner.Store. It joins the group commit: several callers share one
// transaction, and a refused caller does not spoil the others.
func (s *Store) Commit(ctx context.Context, batches []runner.Batch) error {
	if len(batches) == 0 {
		return nil
	}
	c := s.room.take()
	defer s.room.give(c)
	if err := c.prepare(batches); err != nil {
		return err
	}
	return s.db.submit(&member{ctx: ctx, do: c.write, pages: c.pages()})
}

// Run implements runner.Store.
func (s *Store) Run(ctx context.Context, id string) (runner.RunHead, error) {
	return s.one(ctx, `r.id = ?`, id)
}

// ByStartKey implements runner.Store.
func (s *Store) ByStartKey(ctx context.Context, project, key string) (runner.RunHead, error) {
	return s.one(ctx, `r.project = ? AND r.start_key = ?`, project, key)
}

// Records implements runner.Store.
func (s *Store) Records(ctx context.Context, run string, after uint64, limit int) ([]engine.Record, error) {
	n, err := s.number(ctx, run)
	if err != nil {
		return nil, err
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT data FROM chunks WHERE run = ? AND last > ? ORDER BY last`, n, int64(after))
	if err != nil {
		return nil, fmt.Errorf("sqlite: records of %s: %w", run, classify(err))
	}
	defer func() { _ = rows.Close() }() // what it could say, Err says
	var out []engine.Record
	next := after + 1
	full := func() bool { return limit > 0 && len(out) >= limit }
	for !full() && rows.Next() {
		var data sql.RawBytes
		if err := rows.Scan(&data); err != nil {
			return nil, fmt.Errorf("sqlite: records of %s: %w", run, classify(err))
		}
		// The records keep what they were decoded from.
		err := eachRecord(run, append([]byte(nil), data...), func(r engine.Record) bool {
			if r.Seq > after {
				out = append(out, r)
			}
			return !full()
		})
		for ; err == nil && next-after <= uint64(len(out)); next++ {
			if seq := out[next-after-1].Seq; seq != next {
				err = fmt.Errorf("%w: record %d where %d should be", ErrDamaged, seq, next)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("sqlite: records of %s: %w", run, err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlite: records of %s: %w", run, classify(err))
	}
	return out, nil
}

// Live implements runner.Store.
func (s *Store) Live(ctx context.Context) ([]runner.RunHead, error) {
	heads, err := s.heads(ctx, `SELECT `+headColumns+` FROM runs r WHERE r.ended_at IS NULL ORDER BY r.n`)
	if err != nil {
		return nil, err
	}
	documents := map[string][]byte{}
	for i := range heads {
		h := &heads[i]
		if _, ok := documents[h.Digest]; !ok {
			if documents[h.Digest], err = s.document(ctx, h.Digest); err != nil {
				return nil, err
			}
		}
		h.Document = documents[h.Digest]
	}
	return heads, nil
}

// Timers implements runner.Store.
func (s *Store) Timers(ctx context.Context) ([]runner.Timer, error) {
	rows, err := s.db.read.QueryContext(ctx,
		`SELECT r.id, t.node, t.epoch, t.due FROM timers t JOIN runs r ON r.n = t.run ORDER BY t.due, t.run, t.node`)
	if err != nil {
		return nil, fmt.Errorf("sqlite: timers: %w", classify(err))
	}
	defer func() { _ = rows.Close() }() // what it could say, Err says
	var out []runner.Timer
	for rows.Next() {
		var t runner.Timer
		var due int64
		if err := rows.Scan(&t.Run, &t.Node, &t.Epoch, &due); err != nil {
			return nil, fmt.Errorf("sqlite: timers: %w", classify(err))
		}
		t.Due = fromMicros(due)
		out = append(out, t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlite: timers: %w", classify(err))
	}
	return out, nil
}

// Path returns the path of the database file.
func (s *Store) Path() string { return s.db.path }

// Close implements runner.Store: it closes the DB.
func (s *Store) Close() error { return s.db.Close() }

func (s *Store) one(ctx context.Context, cond string, args ...any) (runner.RunHead, error) {
	heads, err := s.heads(ctx, `SELECT `+headColumns+` FROM runs r WHERE `+cond, args...)
	if err != nil {
		return runner.RunHead{}, err
	}
	if len(heads) == 0 {
		return runner.RunHead{}, runner.ErrNotFound
	}
	heads[0].Document, err = s.document(ctx, heads[0].Digest)
	return heads[0], err
}

func (s *Store) heads(ctx context.Context, query string, args ...any) ([]runner.RunHead, error) {
	rows, err := s.db.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("sqlite: runs: %w", classify(err))
	}
	defer func() { _ = rows.Close() }() // what it could say, Err says
	var out []runner.RunHead
	for rows.Next() {
		var h runner.RunHead
		var n, created int64
		var ended sql.NullInt64
		var p engine.Parent
		if err := rows.Scan(&n, &h.ID, &h.Project, &h.Name, &h.Flow, &h.Version, &h.Digest, &h.Operator, &h.State,
			&h.StartKey, &h.StartHash, &created, &ended, &p.Run, &p.Node, &p.Epoch, &p.Depth, &h.Seq); err != nil {
			return nil, fmt.Errorf("sqlite: runs: %w", classify(err))
		}
		h.CreatedAt = fromMicros(created)
		if p.Run != "" {
			h.Parent = &p
		}
		if ended.Valid {
			t := fromMicros(ended.Int64)
			h.EndedAt = &t
		}
		out = append(out, h)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlite: runs: %w", classify(err))
	}
	return out, nil
}

func (s *Store) number(ctx context.Context, run string) (int64, error) {
	var n int64
	err := s.db.read.QueryRowContext(ctx, `SELECT n FROM runs WHERE id = ?`, run).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("%w: %s", runner.ErrNotFound, run)
	}
	if err != nil {
		return 0, fmt.Errorf("sqlite: run %s: %w", run, classify(err))
	}
	return n, nil
}

func (s *Store) document(ctx context.Context, digest string) ([]byte, error) {
	var body []byte
	if err := s.db.read.QueryRowContext(ctx, `SELECT body FROM documents WHERE digest = ?`, digest).Scan(&body); err != nil {
		return nil, fmt.Errorf("sqlite: document %s: %w", digest, classify(err))
	}
	return body, nil
}

// micros and fromMicros are how times are kept: UTC, to the microsecond.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }
