package store

import (
	"bytes"
	"compress/flate"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/registry"
)

var _ registry.Repository = (*Store)(nil)

const systemColumns = `project, id, document, digest, updated_at, updated_by, version`

// System implements registry.Repository.
func (s *Store) System(ctx context.Context, project, id string) (registry.Stored, error) {
	type key struct{ project, id string }
	return memorized(s.db.memo, key{project, id}, func() (registry.Stored, error) {
		row := s.db.Read().QueryRowContext(ctx, `SELECT `+systemColumns+` FROM systems WHERE project = ? AND id = ?`, project, id)
		r, err := scanSystem(row)
		return r, missing(err, "read system", "system", id)
	})
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
func (s *Store) PutSystem(ctx context.Context, r registry.Stored, e registry.Entry) (bool, error) {
	return s.changeSystem(ctx, r, e, func(ctx context.Context, tx *sqlite.Tx) error {
		for _, operation := range e.Revoke {
			if _, err := tx.ExecContext(ctx, `DELETE FROM grants WHERE project = ? AND system = ? AND operation = ?`, r.Project, r.ID, operation); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO systems (`+systemColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (project, id) DO UPDATE SET document = excluded.document, digest = excluded.digest,
			updated_at = excluded.updated_at, updated_by = excluded.updated_by, version = excluded.version`,
			r.Project, r.ID, []byte(r.Document), r.Digest, micros(r.UpdatedAt), r.UpdatedBy, r.Version)
		return err
	})
}

// DeleteSystem implements registry.Repository.
func (s *Store) DeleteSystem(ctx context.Context, r registry.Stored, e registry.Entry) (bool, error) {
	return s.changeSystem(ctx, r, e, func(ctx context.Context, tx *sqlite.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM grants WHERE project = ? AND system = ?`, r.Project, r.ID); err != nil {
			return err
		}
		// Another system of that name is not to find a credential that somebody set for this one.
		if _, err := tx.ExecContext(ctx, `DELETE FROM credential_versions WHERE project = ? AND system = ?`, r.Project, r.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM systems WHERE project = ? AND id = ?`, r.Project, r.ID)
		return err
	})
}

// changeSystem does a change with its entry in the history when it is to the version that is
// stored.
func (s *Store) changeSystem(ctx context.Context, r registry.Stored, e registry.Entry, change func(context.Context, *sqlite.Tx) error) (bool, error) {
	document, err := deflated(e.Document)
	if err != nil {
		return false, fault.Wrap("store system", err)
	}
	summary, err := asJSON(e.Summary)
	if err != nil {
		return false, fault.Wrap("store system", err)
	}
	done := false
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		var last int
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM system_versions WHERE project = ? AND system = ?`,
			r.Project, r.ID).Scan(&last); err != nil {
			return err
		}
		if last != r.Version-1 {
			return nil
		}
		done = true
		if err := change(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO system_versions (project, system, version, action, document, digest, summary, at, actor)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.Project, r.ID, e.Version, string(e.Action), document, e.Digest, summary, micros(e.At), e.Actor)
		return err
	})
	return done && err == nil, fault.Wrap("store system", err)
}

// LastVersion implements registry.Repository.
func (s *Store) LastVersion(ctx context.Context, project, id string) (int, error) {
	var n int
	err := s.db.Read().QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM system_versions WHERE project = ? AND system = ?`, project, id).Scan(&n)
	return n, fault.Wrap("read the history of a system", err)
}

// SystemGrants implements registry.Repository.
func (s *Store) SystemGrants(ctx context.Context, project, id string) ([]registry.Grant, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT plugin, operation FROM grants
		WHERE project = ? AND system = ? ORDER BY operation, plugin`, project, id)
	if err != nil {
		return nil, fault.Wrap("read grants", err)
	}
	out, err := collect(rows, func(row scanner) (registry.Grant, error) {
		var g registry.Grant
		return g, row.Scan(&g.Plugin, &g.Operation)
	})
	return out, fault.Wrap("read grants", err)
}

// SystemVersions implements registry.Repository.
func (s *Store) SystemVersions(ctx context.Context, project, id string, before, limit int) ([]registry.Entry, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT version, action, digest, summary, at, actor, x'' FROM system_versions
		WHERE project = ? AND system = ? AND (? = 0 OR version < ?) ORDER BY version DESC LIMIT ?`, project, id, before, before, limit)
	if err != nil {
		return nil, fault.Wrap("read the history of a system", err)
	}
	out, err := collect(rows, scanSystemVersion)
	return out, fault.Wrap("read the history of a system", err)
}

// SystemVersion implements registry.Repository.
func (s *Store) SystemVersion(ctx context.Context, project, id string, version int) (registry.Entry, error) {
	row := s.db.Read().QueryRowContext(ctx, `SELECT version, action, digest, summary, at, actor, document FROM system_versions
		WHERE project = ? AND system = ? AND version = ?`, project, id, version)
	e, err := scanSystemVersion(row)
	if errors.Is(err, sql.ErrNoRows) {
		return e, fault.Missing("version", fmt.Sprint(version))
	}
	return e, fault.Wrap("read a version of a system", err)
}

func scanSystemVersion(row scanner) (registry.Entry, error) {
	var e registry.Entry
	var action string
	var at int64
	var summary, document []byte
	if err := row.Scan(&e.Version, &action, &e.Digest, &summary, &at, &e.Actor, &document); err != nil {
		return e, err
	}
	e.Action, e.At = registry.Action(action), instant(at)
	if err := json.Unmarshal(summary, &e.Summary); err != nil {
		return e, fmt.Errorf("summary: %w", err)
	}
	var err error
	e.Document, err = inflated(document)
	return e, err
}

func scanSystem(row scanner) (registry.Stored, error) {
	var r registry.Stored
	var document []byte
	var at int64
	err := row.Scan(&r.Project, &r.ID, &document, &r.Digest, &at, &r.UpdatedBy, &r.Version)
	r.Document, r.UpdatedAt = document, instant(at)
	return r, err
}

// deflated compresses a document for the history; nothing stays nothing.
func deflated(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return []byte{}, nil
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// inflatedMax bounds what a stored document may be.
const inflatedMax = 64 << 20

func inflated(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, nil
	}
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), inflatedMax))
	if err != nil {
		return nil, fmt.Errorf("inflate: %w", err)
	}
	return out, nil
}
