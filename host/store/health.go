package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/health"
)

var _ health.Store = (*Store)(nil)

// AddHealth implements health.Store.
func (s *Store) AddHealth(ctx context.Context, rows []health.Row, keep int64) error {
	return fault.Wrap("store health", s.db.WriteUnseen(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		for i := range rows {
			if err := addHealth(ctx, tx, &rows[i]); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM plugin_health WHERE hour < ?`, keep); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM plugin_health WHERE (project, hour, digest) IN (
			SELECT project, hour, digest FROM plugin_health ORDER BY hour
			LIMIT max((SELECT count(*) FROM plugin_health) - ?, 0))`, health.RowsMax)
		return err
	}))
}

// addHealth merges one row: counts are no numbers that SQL can add.
func addHealth(ctx context.Context, tx *sqlite.Tx, r *health.Row) error {
	var before []byte
	err := tx.QueryRowContext(ctx, `SELECT counts FROM plugin_health WHERE project = ? AND hour = ? AND digest = ?`,
		r.Cell.Project, r.Cell.Hour, r.Cell.Digest).Scan(&before)
	var counts health.Counts
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return err
	case json.Unmarshal(before, &counts) != nil:
		counts = health.Counts{} // a row that cannot be read must not stop the counting
	}
	counts.Merge(&r.Counts)
	after, err := json.Marshal(counts)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO plugin_health (project, hour, digest, plugin, counts) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (project, hour, digest) DO UPDATE SET counts = excluded.counts`,
		r.Cell.Project, r.Cell.Hour, r.Cell.Digest, r.Cell.Plugin, after)
	return err
}

// Health implements health.Store.
func (s *Store) Health(ctx context.Context, project string, from int64) ([]health.Row, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT plugin, digest, hour, counts FROM plugin_health
		WHERE project = ? AND hour >= ?`, project, from)
	if err != nil {
		return nil, fault.Wrap("read health", err)
	}
	out, err := collect(rows, func(row scanner) (health.Row, error) {
		r := health.Row{Cell: health.Cell{Project: project}}
		var counts []byte
		if err := row.Scan(&r.Cell.Plugin, &r.Cell.Digest, &r.Cell.Hour, &counts); err != nil {
			return r, err
		}
		return r, json.Unmarshal(counts, &r.Counts)
	})
	return out, fault.Wrap("read health", err)
}
