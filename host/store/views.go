package store

import (
	"context"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/views"
)

var _ views.Repository = (*Store)(nil)

const viewColumns = `id, list, name, query, updated_at, updated_by`

// Views implements views.Repository.
func (s *Store) Views(ctx context.Context, project string, l views.List) ([]views.View, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+viewColumns+` FROM views WHERE project = ? AND list = ? ORDER BY name`, project, string(l))
	if err != nil {
		return nil, fault.Wrap("list views", err)
	}
	out, err := collect(rows, scanView)
	return out, fault.Wrap("list views", err)
}

// View implements views.Repository.
func (s *Store) View(ctx context.Context, project, id string) (views.View, error) {
	v, err := scanView(s.db.Read().QueryRowContext(ctx, `SELECT `+viewColumns+` FROM views WHERE project = ? AND id = ?`, project, id))
	return v, missing(err, "read view", "view", id)
}

// PutView implements views.Repository.
func (s *Store) PutView(ctx context.Context, project string, v views.View) error {
	return fault.Wrap("store view", s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO views (project, id, list, name, query, updated_at, updated_by) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (project, id) DO UPDATE SET name = excluded.name, query = excluded.query,
			updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
			project, v.ID, string(v.List), v.Name, v.Query, micros(v.UpdatedAt), v.UpdatedBy)
		if taken(err) {
			e := fault.New(fault.Exists, "another view has this name").Because("VIEW_NAME")
			e.Field = "/name"
			return e
		}
		return err
	}))
}

// DeleteView implements views.Repository.
func (s *Store) DeleteView(ctx context.Context, project, id string) error {
	return fault.Wrap("delete view", s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		r, err := tx.ExecContext(ctx, `DELETE FROM views WHERE project = ? AND id = ?`, project, id)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return fault.Missing("view", id)
	}))
}

func scanView(row scanner) (views.View, error) {
	var v views.View
	var at int64
	err := row.Scan(&v.ID, &v.List, &v.Name, &v.Query, &at, &v.UpdatedBy)
	v.UpdatedAt = instant(at)
	return v, err
}
