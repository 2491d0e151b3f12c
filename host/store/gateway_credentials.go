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

// Secrets is the store of sealed credentials.
type Secrets struct{ db database }

var _ secrets.Rows = Secrets{}

// Secrets returns the store of sealed credentials.
func (s *Store) Secrets() Secrets { return Secrets{s.db} }

// credentialColumns are those that credentialRow reads.
const credentialColumns = `project, system, version, id, cipher, set_at, set_by, is_primary, used_at`

func credentialRow(row scanner) (secrets.Sealed, error) {
	var c secrets.Sealed
	var at, used int64
	err := row.Scan(&c.Project, &c.System, &c.Version, &c.ID, &c.Cipher, &at, &c.SetBy, &c.Primary, &used)
	c.SetAt = instant(at)
	if used != 0 {
		c.UsedAt = instant(used)
	}
	return c, err
}

// AddCredential implements secrets.CredentialRows.
func (s Secrets) AddCredential(ctx context.Context, c secrets.Sealed, alone bool, seal func(secrets.Sealed) ([]byte, error)) (secrets.Sealed, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		var others int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM credential_versions WHERE project = ? AND system = ?`, c.Project, c.System).Scan(&others); err != nil {
			return err
		}
		c.Primary = c.Primary || alone || others == 0
		// One stays besides the new one: the primary, which is not that any more when c is.
		drop := `DELETE FROM credential_versions WHERE project = ? AND system = ? AND (is_primary = 0 OR ?)`
		if _, err := tx.ExecContext(ctx, drop, c.Project, c.System, alone); err != nil {
			return err
		}
		if c.Primary {
			if _, err := tx.ExecContext(ctx, `UPDATE credential_versions SET is_primary = 0 WHERE project = ? AND system = ?`, c.Project, c.System); err != nil {
				return err
			}
		}
		err := tx.QueryRowContext(ctx, `INSERT INTO credential_numbers (project, system, last) VALUES (?, ?, 1)
			ON CONFLICT (project, system) DO UPDATE SET last = last + 1 RETURNING last`, c.Project, c.System).Scan(&c.Version)
		if err != nil {
			return err
		}
		if c.Cipher, err = seal(c); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO credential_versions (`+credentialColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`,
			c.Project, c.System, c.Version, c.ID, c.Cipher, micros(c.SetAt), c.SetBy, c.Primary)
		return err
	})
	if err != nil {
		return c, fmt.Errorf("store: credential of %s: %w", c.System, err)
	}
	return c, nil
}

// Credentials implements secrets.CredentialRows.
func (s Secrets) Credentials(ctx context.Context, project, system string) ([]secrets.Sealed, error) {
	type key struct{ project, system string }
	return memorized(s.db.memo, key{project, system}, func() ([]secrets.Sealed, error) {
		return s.credentials(ctx, `project = ? AND system = ?`, project, system)
	})
}

// ProjectCredentials implements secrets.CredentialRows.
func (s Secrets) ProjectCredentials(ctx context.Context, project string) ([]secrets.Sealed, error) {
	return s.credentials(ctx, `project = ?`, project)
}

func (s Secrets) credentials(ctx context.Context, where string, args ...any) ([]secrets.Sealed, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+credentialColumns+` FROM credential_versions WHERE `+where+` ORDER BY system, is_primary DESC, version DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("store: credentials: %w", err)
	}
	out, err := collect(rows, credentialRow)
	if err != nil {
		return nil, fmt.Errorf("store: credentials: %w", err)
	}
	return out, nil
}

// PromoteCredential implements secrets.CredentialRows.
func (s Secrets) PromoteCredential(ctx context.Context, project, system string, version int) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE credential_versions SET is_primary = 0 WHERE project = ? AND system = ?`, project, system); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE credential_versions SET is_primary = 1 WHERE project = ? AND system = ? AND version = ?`, project, system, version)
		return some(res, err)
	})
	if err != nil {
		return fmt.Errorf("store: credential of %s: %w", system, err)
	}
	return nil
}

// DeleteCredential implements secrets.CredentialRows.
func (s Secrets) DeleteCredential(ctx context.Context, project, system string, version int) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM credential_versions WHERE project = ? AND system = ? AND (version = ? OR ? = 0)`, project, system, version, version)
		if err := some(res, err); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE credential_versions SET is_primary = 1 WHERE project = ? AND system = ?
			AND version = (SELECT max(version) FROM credential_versions WHERE project = ? AND system = ?)
			AND NOT EXISTS (SELECT 1 FROM credential_versions WHERE project = ? AND system = ? AND is_primary = 1)`, project, system, project, system, project, system)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: credential of %s: %w", system, err)
	}
	return nil
}

// UsedCredentials implements secrets.CredentialRows.
func (s Secrets) UsedCredentials(ctx context.Context, at map[string]time.Time) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		for id, when := range at {
			if _, err := tx.ExecContext(ctx, `UPDATE credential_versions SET used_at = max(used_at, ?) WHERE id = ?`, micros(when), id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: use of credentials: %w", err)
	}
	return nil
}

// some turns a change of no row into secrets.ErrNoCredential.
func some(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return secrets.ErrNoCredential
	}
	return err
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
