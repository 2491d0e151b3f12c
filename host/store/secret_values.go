package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/secrets"
)

// AddRunSecret implements secrets.ValueRows.
func (s Secrets) AddRunSecret(ctx context.Context, v secrets.RunValue, seal func(secrets.RunValue) ([]byte, error)) (secrets.RunValue, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) + 1 FROM run_secrets WHERE run = ? AND name = ?`, v.Run, v.Name).Scan(&v.Version)
		if err != nil {
			return err
		}
		if v.Cipher, err = seal(v); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO run_secrets (project, run, name, version, cipher, set_at) VALUES (?, ?, ?, ?, ?, ?)`,
			v.Project, v.Run, v.Name, v.Version, v.Cipher, micros(v.SetAt))
		return err
	})
	if err != nil {
		return v, fmt.Errorf("store: secret of run %s: %w", v.Run, err)
	}
	return v, nil
}

// LoadRunSecret implements secrets.ValueRows.
func (s Secrets) LoadRunSecret(ctx context.Context, project, run, name string, version int) (secrets.RunValue, error) {
	v := secrets.RunValue{Project: project, Run: run, Name: name, Version: version}
	var at int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT cipher, set_at FROM run_secrets WHERE run = ? AND name = ? AND version = ? AND project = ?`,
		run, name, version, project).Scan(&v.Cipher, &at)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return v, secrets.ErrNotFound
	case err != nil:
		return v, fmt.Errorf("store: secret of run %s: %w", run, err)
	}
	v.SetAt = instant(at)
	return v, nil
}

// RunSecrets implements secrets.ValueRows.
func (s Secrets) RunSecrets(ctx context.Context, project, run string) ([]secrets.RunValue, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT name, version, cipher, set_at FROM run_secrets WHERE run = ? AND project = ? ORDER BY name, version`, run, project)
	if err != nil {
		return nil, fmt.Errorf("store: secrets of run %s: %w", run, err)
	}
	all, err := collect(rows, func(r scanner) (secrets.RunValue, error) {
		v := secrets.RunValue{Project: project, Run: run}
		var at int64
		err := r.Scan(&v.Name, &v.Version, &v.Cipher, &at)
		v.SetAt = instant(at)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("store: secrets of run %s: %w", run, err)
	}
	return all, nil
}

// AddSecretUse implements secrets.RunRows. Nothing that the memo holds depends on it.
func (s Secrets) AddSecretUse(ctx context.Context, project, run, ref string, at time.Time) error {
	err := s.db.WriteUnseen(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO secret_uses (project, run, ref, set_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, project, run, ref, micros(at))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: secrets of run %s: %w", run, err)
	}
	return nil
}

// SecretUses implements secrets.RunRows.
func (s Secrets) SecretUses(ctx context.Context, project, run string) ([]string, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT ref FROM secret_uses WHERE run = ? AND project = ? ORDER BY ref`, run, project)
	if err != nil {
		return nil, fmt.Errorf("store: secrets of run %s: %w", run, err)
	}
	refs, err := collect(rows, func(r scanner) (ref string, err error) { return ref, r.Scan(&ref) })
	if err != nil {
		return nil, fmt.Errorf("store: secrets of run %s: %w", run, err)
	}
	return refs, nil
}

// DeleteRunSecrets implements secrets.ValueRows.
func (s Secrets) DeleteRunSecrets(ctx context.Context, run string) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM run_secrets WHERE run = ?`, run); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM secret_uses WHERE run = ?`, run)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: secrets of run %s: %w", run, err)
	}
	return nil
}

// RunsWithSecrets implements secrets.ValueRows.
func (s Secrets) RunsWithSecrets(ctx context.Context, before time.Time, after string, limit int) ([]string, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT run FROM (SELECT run, set_at FROM run_secrets WHERE run > ?1 UNION ALL SELECT run, set_at FROM secret_uses WHERE run > ?1)
		GROUP BY run HAVING max(set_at) <= ?2 ORDER BY run LIMIT ?3`, after, micros(before), limit)
	if err != nil {
		return nil, fmt.Errorf("store: runs with secrets: %w", err)
	}
	runs, err := collect(rows, func(r scanner) (run string, err error) { return run, r.Scan(&run) })
	if err != nil {
		return nil, fmt.Errorf("store: runs with secrets: %w", err)
	}
	return runs, nil
}

// SetProjectSecret implements secrets.ValueRows.
func (s Secrets) SetProjectSecret(ctx context.Context, v secrets.ProjectValue, seal func(secrets.ProjectValue) ([]byte, error)) (secrets.ProjectValue, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		var count int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM project_secrets WHERE project = ? AND name <> ?`, v.Project, v.Name).Scan(&count)
		if err != nil {
			return err
		}
		if count >= secrets.MaxPerProject {
			return secrets.ErrTooMany
		}
		err = tx.QueryRowContext(ctx, `INSERT INTO project_secret_numbers (project, name, last) VALUES (?, ?, 1)
			ON CONFLICT (project, name) DO UPDATE SET last = last + 1 RETURNING last`, v.Project, v.Name).Scan(&v.Version)
		if err != nil {
			return err
		}
		if v.Cipher, err = seal(v); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO project_secrets (project, name, version, cipher, fingerprint, set_at, set_by) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (project, name) DO UPDATE SET version = excluded.version, cipher = excluded.cipher, fingerprint = excluded.fingerprint,
			set_at = excluded.set_at, set_by = excluded.set_by`,
			v.Project, v.Name, v.Version, v.Cipher, v.Fingerprint, micros(v.SetAt), v.SetBy)
		return err
	})
	if err != nil {
		return v, fmt.Errorf("store: secret %s: %w", v.Name, err)
	}
	return v, nil
}

// LoadProjectSecret implements secrets.ValueRows.
func (s Secrets) LoadProjectSecret(ctx context.Context, project, name string) (secrets.ProjectValue, error) {
	v := secrets.ProjectValue{Project: project, Name: name}
	var at int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT version, cipher, fingerprint, set_at, set_by FROM project_secrets WHERE project = ? AND name = ?`,
		project, name).Scan(&v.Version, &v.Cipher, &v.Fingerprint, &at, &v.SetBy)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return v, secrets.ErrNotFound
	case err != nil:
		return v, fmt.Errorf("store: secret %s: %w", name, err)
	}
	v.SetAt = instant(at)
	return v, nil
}

// ProjectSecrets implements secrets.ValueRows.
func (s Secrets) ProjectSecrets(ctx context.Context, project string) ([]secrets.ProjectValue, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT name, version, fingerprint, set_at, set_by FROM project_secrets WHERE project = ? ORDER BY name`, project)
	if err != nil {
		return nil, fmt.Errorf("store: secrets of project %s: %w", project, err)
	}
	all, err := collect(rows, func(r scanner) (secrets.ProjectValue, error) {
		v := secrets.ProjectValue{Project: project}
		var at int64
		err := r.Scan(&v.Name, &v.Version, &v.Fingerprint, &at, &v.SetBy)
		v.SetAt = instant(at)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("store: secrets of project %s: %w", project, err)
	}
	return all, nil
}

// DeleteProjectSecret implements secrets.ValueRows.
func (s Secrets) DeleteProjectSecret(ctx context.Context, project, name string) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM project_secrets WHERE project = ? AND name = ?`, project, name)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err == nil && n == 0 {
			return secrets.ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: secret %s: %w", name, err)
	}
	return nil
}

// MACKey implements secrets.ValueRows.
func (s Secrets) MACKey(ctx context.Context) ([]byte, error) {
	var cipher []byte
	err := s.db.Read().QueryRowContext(ctx, `SELECT cipher FROM secret_mac_key WHERE id = 1`).Scan(&cipher)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("store: key of handles: %w", err)
	}
	return cipher, nil
}

// SaveMACKey implements secrets.ValueRows.
func (s Secrets) SaveMACKey(ctx context.Context, cipher []byte) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO secret_mac_key (id, cipher) VALUES (1, ?)`, cipher)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: key of handles: %w", err)
	}
	return nil
}
