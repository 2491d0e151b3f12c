package store

import (
	"context"
	"fmt"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/runs"
)

// Deaths is the store as the memory of which calls were under way at a death.
type Deaths struct{ db database }

var _ runs.Deaths = Deaths{}

// Deaths returns the store as the memory of which calls were under way at a death.
func (s *Store) Deaths() Deaths { return Deaths{s.db} }

// Times implements runs.Deaths.
func (d Deaths) Times(ctx context.Context, c runs.SuspectCall) (int, error) {
	var times int
	err := d.db.Read().QueryRowContext(ctx, `SELECT coalesce(max(times), 0) FROM suspects WHERE run = ? AND node = ? AND epoch = ?`,
		c.Run, c.Node, int64(c.Epoch)).Scan(&times)
	if err != nil {
		return 0, fmt.Errorf("store: count call of %s/%s: %w", c.Run, c.Node, err)
	}
	return times, nil
}

// Begin implements runs.Deaths.
func (d Deaths) Begin(ctx context.Context, c runs.SuspectCall) error {
	err := d.db.WriteUnseen(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO suspects (run, node, epoch, times) VALUES (?, ?, ?, 1)
			ON CONFLICT DO UPDATE SET times = times + 1`, c.Run, c.Node, int64(c.Epoch))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: note call of %s/%s: %w", c.Run, c.Node, err)
	}
	return nil
}

// End implements runs.Deaths.
func (d Deaths) End(ctx context.Context, c runs.SuspectCall) error {
	err := d.db.WriteUnseen(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM suspects WHERE run = ? AND node = ? AND epoch = ?`, c.Run, c.Node, int64(c.Epoch))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: forget call of %s/%s: %w", c.Run, c.Node, err)
	}
	return nil
}
