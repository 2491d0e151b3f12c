package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/audit"
)

var _ audit.Log = (*Store)(nil)

// AuditHead implements audit.Log.
func (s *Store) AuditHead(ctx context.Context) (audit.Head, error) {
	var h audit.Head
	err := s.db.Read().QueryRowContext(ctx, `SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`).Scan(&h.Seq, &h.Hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return h, fmt.Errorf("store: read the audit: %w", err)
	}
	return h, nil
}

// AuditHash implements audit.Log.
func (s *Store) AuditHash(ctx context.Context, seq int64) (string, error) {
	var hash string
	err := s.db.Read().QueryRowContext(ctx, `SELECT hash FROM audit WHERE seq = ?`, seq).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil // deleted, or taken out: not the one that was asked for
	}
	if err != nil {
		return "", fmt.Errorf("store: read the audit: %w", err)
	}
	return hash, nil
}

// ShortenAudit implements audit.Log.
func (s *Store) ShortenAudit(ctx context.Context, before time.Time, limit int, entry func(audit.Shortened) (audit.Entry, error)) (int64, error) {
	var n int64
	var head audit.Head
	err := s.db.DB.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		var cut audit.Shortened
		// From the oldest on, without a gap: up to the first one that is young enough.
		err := tx.QueryRowContext(ctx, `SELECT seq, hash FROM audit WHERE seq < coalesce(
			(SELECT min(seq) FROM (SELECT seq, at FROM audit ORDER BY seq LIMIT ?2) WHERE at >= ?1),
			(SELECT seq FROM audit ORDER BY seq LIMIT 1) + ?2)
			AND seq < (SELECT max(seq) FROM audit) ORDER BY seq DESC LIMIT 1`, micros(before), limit).Scan(&cut.Through.Seq, &cut.Through.Hash)
		if errors.Is(err, sql.ErrNoRows) {
			n = 0
			return nil
		}
		if err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `DELETE FROM audit WHERE seq <= ?`, cut.Through.Seq)
		if err != nil {
			return err
		}
		if n, err = done.RowsAffected(); err != nil {
			return err
		}
		cut.Entries = n
		e, err := entry(cut)
		if err != nil {
			return err
		}
		head, err = s.db.chain.put(ctx, tx, e)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store: shorten the audit: %w", err)
	}
	s.db.chain.known(head)
	return n, nil
}

// ReadAudit reads the audit of a database file from its oldest entry on, also while a
// server has it open, and changes nothing. It needs nothing of a server: what it reads
// is what is in the file.
func ReadAudit(ctx context.Context, path string) iter.Seq2[audit.Line, error] {
	return func(yield func(audit.Line, error) bool) {
		db, err := sqlite.OpenReadOnly(ctx, path)
		if err != nil {
			yield(audit.Line{}, fmt.Errorf("store: %w", err))
			return
		}
		defer db.Close() //nolint:errcheck // read only
		rows, err := db.QueryContext(ctx, `SELECT entry, hash, seq, at, kind, project, run, node, plugin, system, operation, actor, action, outcome
			FROM audit ORDER BY seq`)
		if err != nil {
			yield(audit.Line{}, fmt.Errorf("store: read the audit: %w", err))
			return
		}
		defer rows.Close() //nolint:errcheck // rows.Err says it
		for rows.Next() {
			l, err := scanWhole(rows)
			if !yield(l, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(audit.Line{}, fmt.Errorf("store: read the audit: %w", err))
		}
	}
}

// scanWhole reads a row and compares its columns with the entry.
func scanWhole(row scanner) (audit.Line, error) {
	var l audit.Line
	var body []byte
	var e, c audit.Entry
	var at int64
	err := row.Scan(&body, &l.Hash, &c.Seq, &at, &c.Kind, &c.Project, &c.Run, &c.Node, &c.Plugin, &c.System, &c.Operation, &c.Actor, &c.Action, &c.Outcome)
	l.Entry = body
	if err != nil {
		return l, fmt.Errorf("store: read the audit: %w", err)
	}
	if !json.Valid(body) || json.Unmarshal(body, &e) != nil {
		return l, nil //nolint:nilerr // the verification says what it is
	}
	for _, f := range []struct {
		name string
		same bool
	}{
		{"seq", c.Seq == e.Seq},
		{"at", at == micros(e.At)},
		{"kind", c.Kind == e.Kind},
		{"project", c.Project == e.Project},
		{"run", c.Run == e.Run},
		{"node", c.Node == e.Node},
		{"plugin", c.Plugin == e.Plugin},
		{"system", c.System == e.System},
		{"operation", c.Operation == e.Operation},
		{"actor", c.Actor == e.Actor},
		{"action", c.Action == e.Action},
		{"outcome", c.Outcome == e.Outcome},
	} {
		if !f.same {
			l.Differs = f.name
		}
	}
	return l, nil
}
