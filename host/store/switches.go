package store

import (
	"context"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins"
)

var _ plugins.Switches = (*Store)(nil)

// DisabledPlugins implements plugins.Switches.
func (s *Store) DisabledPlugins(ctx context.Context) ([]plugins.Switch, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT project, plugin, at, by FROM disabled_plugins ORDER BY project, plugin`)
	if err != nil {
		return nil, fault.Wrap("read switched off plugins", err)
	}
	out, err := collect(rows, func(row scanner) (plugins.Switch, error) {
		var off plugins.Switch
		var at int64
		err := row.Scan(&off.Project, &off.Plugin, &at, &off.By)
		off.At = instant(at)
		return off, err
	})
	return out, fault.Wrap("read switched off plugins", err)
}

// PutEnabled implements plugins.Switches.
func (s *Store) PutEnabled(ctx context.Context, w plugins.Switch, enabled bool) error {
	return fault.Wrap("switch plugin", s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		if enabled {
			_, err := tx.ExecContext(ctx, `DELETE FROM disabled_plugins WHERE project = ? AND plugin = ?`, w.Project, w.Plugin)
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO disabled_plugins (project, plugin, at, by) VALUES (?, ?, ?, ?)
			ON CONFLICT DO NOTHING`, w.Project, w.Plugin, micros(w.At), w.By)
		return err
	}))
}
