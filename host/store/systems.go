package store

import (
	"context"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/registry"
)

var _ registry.Repository = (*Store)(nil)

const systemColumns = `project, id, document, digest, updated_at, updated_by`

// System implements registry.Repository.
func (s *Store) System(ctx context.Context, project, id string) (registry.Stored, error) {
	row := s.db.Read().QueryRowContext(ctx, `SELECT `+systemColumns+` FROM systems WHERE project = ? AND id = ?`, project, id)
	r, err := scanSystem(row)
	return r, missing(err, "read system", "system", id)
}

// Systems implements registry.Repository.
func (s *Store) Systems(ctx context.Context, project, after string, limit int) ([]registry.Stored, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+systemColumns+` FROM systems
		WHERE project = ? AND id > ? ORDER BY id LIMIT ?`, project, after, limit)
	if err != nil {
		return nil, fault.Wrap("read systems", err)
	}
	out, err := collect(rows, scanSystem)
	return out, fault.Wrap("read systems", err)
}

// PutSystem implements registry.Repository.
func (s *Store) PutSystem(ctx context.Context, r registry.Stored) error {
	return fault.Wrap("store system", s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO systems (`+systemColumns+`) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (project, id) DO UPDATE SET document = excluded.document, digest = excluded.digest,
			updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
			r.Project, r.ID, []byte(r.Document), r.Digest, micros(r.UpdatedAt), r.UpdatedBy)
		return err
	}))
}

func scanSystem(row scanner) (registry.Stored, error) {
	var r registry.Stored
	var document []byte
	var at int64
	err := row.Scan(&r.Project, &r.ID, &document, &r.Digest, &at, &r.UpdatedBy)
	r.Document, r.UpdatedAt = document, instant(at)
	return r, err
}
