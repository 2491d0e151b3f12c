package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/culmhq/culm/host/fault"
)

// SystemRow is a registered system of a project as it is stored: its JSON document.
type SystemRow struct {
	Project, ID string
	Document    []byte
	UpdatedAt   time.Time
	UpdatedBy   string
}

// System returns a system, or a fault.NotFound.
func (s *Store) System(ctx context.Context, project, id string) (SystemRow, error) {
	r, err := scanSystem(s.db.Read().QueryRowContext(ctx,
		`SELECT project, id, document, updated_at, updated_by FROM systems WHERE project = ? AND id = ?`, project, id))
	return r, missing(err, "read system", "system", id)
}

// Systems returns the systems of a project by id.
func (s *Store) Systems(ctx context.Context, project string) ([]SystemRow, error) {
	rows, err := s.db.Read().QueryContext(ctx,
		`SELECT project, id, document, updated_at, updated_by FROM systems WHERE project = ? ORDER BY id`, project)
	if err != nil {
		return nil, fault.Wrap("read systems", err)
	}
	out, err := collect(rows, scanSystem)
	return out, fault.Wrap("read systems", err)
}

// PutSystem creates or replaces a system.
func (s *Store) PutSystem(ctx context.Context, r SystemRow) error {
	return fault.Wrap("store system", s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO systems (project, id, document, updated_at, updated_by) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (project, id) DO UPDATE SET document = excluded.document, updated_at = excluded.updated_at,
			updated_by = excluded.updated_by`, r.Project, r.ID, r.Document, micros(r.UpdatedAt), r.UpdatedBy)
		return err
	}))
}

func scanSystem(row scanner) (SystemRow, error) {
	var r SystemRow
	var at int64
	err := row.Scan(&r.Project, &r.ID, &r.Document, &at, &r.UpdatedBy)
	r.UpdatedAt = instant(at)
	return r, err
}
