package store

import (
	"context"
	"math"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins"
)

// PutSignatures implements plugins.Ledger.
func (s *Store) PutSignatures(ctx context.Context, digest string, envelopes [][]byte, e plugins.Event) error {
	return fault.Wrap("store signatures", s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		if err := putSignatures(ctx, tx, digest, envelopes); err != nil {
			return err
		}
		return putEvent(ctx, tx, e)
	}))
}

func putSignatures(ctx context.Context, tx *sqlite.Tx, digest string, envelopes [][]byte) error {
	for _, e := range envelopes {
		if _, err := tx.ExecContext(ctx, `INSERT INTO module_signatures (digest, envelope) VALUES (?, ?) ON CONFLICT DO NOTHING`,
			digest, string(e)); err != nil {
			return err
		}
	}
	return nil
}

// signatures returns the envelopes of all modules, by digest.
func (s *Store) signatures(ctx context.Context) (map[string][][]byte, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT digest, envelope FROM module_signatures ORDER BY digest, envelope`)
	if err != nil {
		return nil, err
	}
	type pair struct{ digest, envelope string }
	all, err := collect(rows, func(row scanner) (pair, error) {
		var p pair
		return p, row.Scan(&p.digest, &p.envelope)
	})
	out := map[string][][]byte{}
	for _, p := range all {
		out[p.digest] = append(out[p.digest], []byte(p.envelope))
	}
	return out, err
}

// RevokeKey implements plugins.Ledger.
func (s *Store) RevokeKey(ctx context.Context, key string, e plugins.Event) error {
	return fault.Wrap("revoke key", s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO revoked_keys (key, revoked_at, revoked_by, reason) VALUES (?, ?, ?, ?)
			ON CONFLICT DO NOTHING`, key, micros(e.At), e.Actor.ID, e.Detail); err != nil {
			return err
		}
		return putEvent(ctx, tx, e)
	}))
}

// RevokedKeys implements plugins.Ledger.
func (s *Store) RevokedKeys(ctx context.Context) ([]string, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT key FROM revoked_keys ORDER BY key`)
	if err != nil {
		return nil, fault.Wrap("read revoked keys", err)
	}
	out, err := collect(rows, func(row scanner) (string, error) {
		var key string
		return key, row.Scan(&key)
	})
	return out, fault.Wrap("read revoked keys", err)
}

// PutEvent implements plugins.Ledger.
func (s *Store) PutEvent(ctx context.Context, e plugins.Event) error {
	return fault.Wrap("store history", s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error { return putEvent(ctx, tx, e) }))
}

func putEvent(ctx context.Context, tx *sqlite.Tx, e plugins.Event) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO plugin_history (at, actor, on_behalf_of, kind, plugin, version, digest, detail)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		micros(e.At), e.Actor.ID, e.Actor.OnBehalfOf, string(e.Kind), e.Plugin, e.Version, e.Digest, e.Detail)
	return err
}

// History implements plugins.Ledger.
func (s *Store) History(ctx context.Context, plugin string, before int64, limit int) ([]plugins.Event, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, at, actor, on_behalf_of, kind, plugin, version, digest, detail
		FROM plugin_history WHERE (plugin = ?1 OR ?1 = '') AND id < ?2 ORDER BY id DESC LIMIT ?3`, plugin, before, limit)
	if err != nil {
		return nil, fault.Wrap("read history", err)
	}
	out, err := collect(rows, func(row scanner) (plugins.Event, error) {
		var e plugins.Event
		var at int64
		var kind string
		err := row.Scan(&e.ID, &at, &e.Actor.ID, &e.Actor.OnBehalfOf, &kind, &e.Plugin, &e.Version, &e.Digest, &e.Detail)
		e.At, e.Kind = instant(at), plugins.EventKind(kind)
		return e, err
	})
	return out, fault.Wrap("read history", err)
}
