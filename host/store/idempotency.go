package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/idempotency"
)

// recall looks up what the call with this key answered before. It reports false when
// there was none, or none that is remembered still; a key that came with another body
// is idempotency.Reused.
func recall(ctx context.Context, tx *sqlite.Tx, e *idempotency.Entry, answer any) (bool, error) {
	if e == nil || e.Key.IsZero() {
		return false, nil
	}
	// Old keys go first: what is left is remembered.
	if _, err := tx.ExecContext(ctx, `DELETE FROM idempotency WHERE at < ?`, micros(e.At.Add(-idempotency.Life))); err != nil {
		return false, err
	}
	var hash string
	var stored []byte
	err := tx.QueryRowContext(ctx, `SELECT hash, answer FROM idempotency WHERE digest = ?`,
		e.Scope.Digest(e.Key.Value)).Scan(&hash, &stored)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case hash != e.Key.Hash:
		return false, idempotency.Reused()
	}
	return true, json.Unmarshal(stored, answer)
}

// remember keeps the answer for the key, in the transaction that creates.
func remember(ctx context.Context, tx *sqlite.Tx, e *idempotency.Entry, answer any) error {
	if e == nil || e.Key.IsZero() {
		return nil
	}
	b, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO idempotency (digest, hash, answer, at) VALUES (?, ?, ?, ?)`,
		e.Scope.Digest(e.Key.Value), e.Key.Hash, b, micros(e.At))
	return err
}
