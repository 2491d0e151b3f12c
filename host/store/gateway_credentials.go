package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/secrets"
)

// Secrets is the store of sealed credentials.
type Secrets struct{ db database }

var _ secrets.Rows = Secrets{}

// Secrets returns the store of sealed credentials.
func (s *Store) Secrets() Secrets { return Secrets{s.db} }

// SaveCredential implements secrets.Rows.
func (s Secrets) SaveCredential(ctx context.Context, c secrets.Sealed) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		var version int
		err := tx.QueryRowContext(ctx, `SELECT version FROM credentials WHERE project = ? AND system = ?`, c.Project, c.System).Scan(&version)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if c.Version != version+1 {
			return secrets.ErrVersion
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO credentials (project, system, id, version, cipher, set_at, set_by) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (project, system) DO UPDATE SET id = excluded.id, version = excluded.version, cipher = excluded.cipher,
			set_at = excluded.set_at, set_by = excluded.set_by`,
			c.Project, c.System, c.ID, c.Version, c.Cipher, micros(c.SetAt), c.SetBy)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: credential of %s: %w", c.System, err)
	}
	return nil
}

// LoadCredential implements secrets.Rows.
func (s Secrets) LoadCredential(ctx context.Context, project, system string) (secrets.Sealed, error) {
	type key struct{ project, system string }
	return memorized(s.db.memo, key{project, system}, func() (secrets.Sealed, error) { return s.loadCredential(ctx, project, system) })
}

func (s Secrets) loadCredential(ctx context.Context, project, system string) (secrets.Sealed, error) {
	c := secrets.Sealed{Project: project, System: system}
	var at int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT id, version, cipher, set_at, set_by FROM credentials WHERE project = ? AND system = ?`,
		project, system).Scan(&c.ID, &c.Version, &c.Cipher, &at, &c.SetBy)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return secrets.Sealed{}, secrets.ErrNoCredential
	case err != nil:
		return secrets.Sealed{}, fmt.Errorf("store: credential of %s: %w", system, err)
	}
	c.SetAt = instant(at)
	return c, nil
}

// ProjectCredentials implements secrets.Rows.
func (s Secrets) ProjectCredentials(ctx context.Context, project string) ([]secrets.Sealed, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT system, id, version, cipher, set_at, set_by FROM credentials WHERE project = ?`, project)
	if err != nil {
		return nil, fmt.Errorf("store: credentials of %s: %w", project, err)
	}
	out, err := collect(rows, func(row scanner) (secrets.Sealed, error) {
		c := secrets.Sealed{Project: project}
		var at int64
		err := row.Scan(&c.System, &c.ID, &c.Version, &c.Cipher, &at, &c.SetBy)
		c.SetAt = instant(at)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("store: credentials of %s: %w", project, err)
	}
	return out, nil
}

// DeleteCredential implements secrets.Rows.
func (s Secrets) DeleteCredential(ctx context.Context, project, system string) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM credentials WHERE project = ? AND system = ?`, project, system)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: credential of %s: %w", system, err)
	}
	return nil
}

// Canary implements secrets.Rows.
func (s Secrets) Canary(ctx context.Context) ([]byte, error) {
	var cipher []byte
	err := s.db.Read().QueryRowContext(ctx, `SELECT cipher FROM secret_canary WHERE id = 1`).Scan(&cipher)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("store: canary: %w", err)
	}
	return cipher, nil
}

// SaveCanary implements secrets.Rows.
func (s Secrets) SaveCanary(ctx context.Context, cipher []byte) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO secret_canary (id, cipher) VALUES (1, ?)`, cipher)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: canary: %w", err)
	}
	return nil
}
