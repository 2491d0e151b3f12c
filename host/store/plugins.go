package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins"
)

var _ plugins.Repository = (*Store)(nil)

// PutModule implements plugins.Repository.
func (s *Store) PutModule(ctx context.Context, m plugins.Module, wasm []byte, e plugins.Event) error {
	manifest, err := asJSON(m.Manifest)
	if err != nil {
		return fault.Wrap("store plugin", err)
	}
	held, err := asJSON(m.Held)
	if err != nil {
		return fault.Wrap("store plugin", err)
	}
	return fault.Wrap("store plugin", s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO modules (digest, plugin, version, manifest, bytes, installed_at, installed_by,
			state, held, shipped) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			m.Digest, m.Plugin, m.Version, manifest, len(wasm), micros(m.InstalledAt), m.InstalledBy, string(m.State), held, m.Shipped); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO module_code (digest, code) VALUES (?, ?)`, m.Digest, wasm); err != nil {
			return err
		}
		if err := putSignatures(ctx, tx, m.Digest, m.Envelopes); err != nil {
			return err
		}
		if err := putLatest(ctx, tx, m); err != nil {
			return err
		}
		return putEvent(ctx, tx, e)
	}))
}

// PutState implements plugins.Repository.
func (s *Store) PutState(ctx context.Context, m plugins.Module, e plugins.Event) error {
	held, err := asJSON(m.Held)
	if err != nil {
		return fault.Wrap("store plugin", err)
	}
	return fault.Wrap("store plugin", s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE modules SET state = ?, held = ? WHERE digest = ?`,
			string(m.State), held, m.Digest); err != nil {
			return err
		}
		if err := putLatest(ctx, tx, m); err != nil {
			return err
		}
		return putEvent(ctx, tx, e)
	}))
}

// putLatest makes a module the latest of its plugin, or no longer.
func putLatest(ctx context.Context, tx *sqlite.Tx, m plugins.Module) error {
	if !m.Latest {
		_, err := tx.ExecContext(ctx, `DELETE FROM latest_modules WHERE digest = ?`, m.Digest)
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO latest_modules (plugin, digest) VALUES (?, ?)
		ON CONFLICT (plugin) DO UPDATE SET digest = excluded.digest`, m.Plugin, m.Digest)
	return err
}

// Modules implements plugins.Repository.
func (s *Store) Modules(ctx context.Context) ([]plugins.Module, error) {
	envelopes, err := s.signatures(ctx)
	if err != nil {
		return nil, fault.Wrap("read plugins", err)
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT m.digest, m.plugin, m.version, m.manifest, m.bytes, m.installed_at,
		m.installed_by, m.state, m.held, m.shipped, l.digest IS NOT NULL FROM modules m LEFT JOIN latest_modules l ON l.digest = m.digest
		ORDER BY m.plugin, m.installed_at, m.digest`)
	if err != nil {
		return nil, fault.Wrap("read plugins", err)
	}
	out, err := collect(rows, scanModule)
	for i := range out {
		out[i].Envelopes = envelopes[out[i].Digest]
	}
	return out, fault.Wrap("read plugins", err)
}

// ModuleCode implements plugins.Repository.
func (s *Store) ModuleCode(ctx context.Context, digest string) ([]byte, error) {
	var code []byte
	err := s.db.Read().QueryRowContext(ctx, `SELECT code FROM module_code WHERE digest = ?`, digest).Scan(&code)
	return code, missing(err, "read plugin code", "plugin module", digest)
}

// Grants implements plugins.Repository.
func (s *Store) Grants(ctx context.Context, project, plugin string) ([]plugins.Grant, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT system, operation FROM grants
		WHERE project = ? AND plugin = ? ORDER BY system, operation`, project, plugin)
	if err != nil {
		return nil, fault.Wrap("read grants", err)
	}
	out, err := collect(rows, func(row scanner) (plugins.Grant, error) {
		var g plugins.Grant
		return g, row.Scan(&g.System, &g.Operation)
	})
	return out, fault.Wrap("read grants", err)
}

// PutGrants implements plugins.Repository.
func (s *Store) PutGrants(ctx context.Context, r plugins.GrantsRequest, at time.Time) error {
	return fault.Wrap("store grants", s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM grants WHERE project = ? AND plugin = ?`, r.Project, r.Plugin); err != nil {
			return err
		}
		for _, g := range r.Grants {
			if _, err := tx.ExecContext(ctx, `INSERT INTO grants (project, plugin, system, operation, granted_at, granted_by)
				VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				r.Project, r.Plugin, g.System, g.Operation, micros(at), r.Actor.ID); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Granted implements plugins.Repository.
func (s *Store) Granted(ctx context.Context, project, plugin string, g plugins.Grant) (bool, error) {
	type key struct {
		project, plugin string
		grant           plugins.Grant
	}
	read := func() (yes bool, err error) {
		err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM grants
			WHERE project = ? AND plugin = ? AND system = ? AND operation = ?)`, project, plugin, g.System, g.Operation).Scan(&yes)
		return yes, fault.Wrap("read grant", err)
	}
	if len(g.System)+len(g.Operation) > nameMax {
		return read() // a plugin made the names up
	}
	return memorized(s.db.memo, key{project, plugin, g}, read)
}

func scanModule(row scanner) (plugins.Module, error) {
	var m plugins.Module
	var manifest, held []byte
	var at int64
	var state string
	if err := row.Scan(&m.Digest, &m.Plugin, &m.Version, &manifest, &m.Bytes, &at, &m.InstalledBy,
		&state, &held, &m.Shipped, &m.Latest); err != nil {
		return m, err
	}
	m.InstalledAt, m.State = instant(at), plugins.State(state)
	if err := json.Unmarshal(manifest, &m.Manifest); err != nil {
		return m, fmt.Errorf("manifest of %s: %w", m.Plugin, err)
	}
	if err := json.Unmarshal(held, &m.Held); err != nil {
		return m, fmt.Errorf("review of %s: %w", m.Plugin, err)
	}
	return m, nil
}
