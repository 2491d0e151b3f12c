package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/callbacks"
	"github.com/culmhq/culm/host/fault"
)

var _ callbacks.Repository = (*Store)(nil)

// SaveTicket implements callbacks.Repository.
func (s *Store) SaveTicket(ctx context.Context, t callbacks.Ticket) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO callback_tickets (hash, project, run, node, iteration, attempt, system, operation, issued_at, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, t.Hash[:], t.Project, t.Run, t.Node, t.Iteration, t.Attempt, t.System, t.Operation,
			micros(t.IssuedAt), micros(t.ExpiresAt))
		return err
	})
	return fault.Wrap("store a callback token", err)
}

const ticketColumns = `t.hash, t.project, t.run, t.node, t.iteration, t.attempt, t.system, t.operation, t.issued_at, t.expires_at`

const callbackColumns = `i.id, i.at, i.body, i.data, i.outcome, coalesce(i.nonce, '')`

// Ticket implements callbacks.Repository.
func (s *Store) Ticket(ctx context.Context, h callbacks.Hash) (callbacks.Ticket, *callbacks.Callback, error) {
	t, err := scanTicket(s.db.Read().QueryRowContext(ctx, `SELECT `+ticketColumns+` FROM callback_tickets t WHERE t.hash = ?`, h[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return t, nil, callbacks.ErrNotFound
	}
	if err != nil {
		return t, nil, fault.Wrap("read a callback token", err)
	}
	c, err := scanCallback(s.db.Read().QueryRowContext(ctx, callbackOf, h[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return t, nil, nil
	}
	return t, &c, fault.Wrap("read a callback", err)
}

const callbackOf = `SELECT ` + ticketColumns + `, ` + callbackColumns + ` FROM callback_inbox i JOIN callback_tickets t ON t.hash = i.hash WHERE i.hash = ?`

// Accept implements callbacks.Repository.
func (s *Store) Accept(ctx context.Context, c callbacks.Callback) (stored callbacks.Callback, fresh bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		var err error
		stored, err = scanCallback(tx.QueryRowContext(ctx, callbackOf, c.Ticket.Hash[:]))
		if !errors.Is(err, sql.ErrNoRows) {
			fresh = false
			return err
		}
		nonce := sql.NullString{String: c.Ticket.Project + "/" + c.Ticket.System + "/" + c.Nonce, Valid: c.Nonce != ""}
		res, err := tx.ExecContext(ctx, `INSERT INTO callback_inbox (hash, at, body, data, outcome, nonce) VALUES (?, ?, ?, ?, ?, ?)`,
			c.Ticket.Hash[:], micros(c.At), c.Body[:], []byte(c.Data), string(c.Outcome), nonce)
		if taken(err) {
			return callbacks.ErrNonceUsed
		}
		if err != nil {
			return err
		}
		stored, fresh = c, true
		stored.ID, err = res.LastInsertId()
		return err
	})
	if errors.Is(err, callbacks.ErrNonceUsed) {
		return stored, false, err
	}
	return stored, fresh, fault.Wrap("store a callback", err)
}

// PendingCallbacks implements callbacks.Repository.
func (s *Store) PendingCallbacks(ctx context.Context, after int64, limit int) ([]callbacks.Callback, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+ticketColumns+`, `+callbackColumns+` FROM callback_inbox i
		JOIN callback_tickets t ON t.hash = i.hash WHERE i.outcome = 'pending' AND i.id > ? ORDER BY i.id LIMIT ?`, after, limit)
	if err != nil {
		return nil, fault.Wrap("list callbacks", err)
	}
	out, err := collect(rows, scanCallback)
	return out, fault.Wrap("list callbacks", err)
}

// Settle implements callbacks.Repository.
func (s *Store) Settle(ctx context.Context, id int64, o callbacks.Outcome) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE callback_inbox SET outcome = ?, data = NULL WHERE id = ?`, string(o), id)
		return err
	})
	return fault.Wrap("settle a callback", err)
}

// SweepCallbacks implements callbacks.Repository. What was not handed on yet stays.
func (s *Store) SweepCallbacks(ctx context.Context, before time.Time) (int, error) {
	var n int64
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		const old = `expires_at < ? AND NOT EXISTS (SELECT 1 FROM callback_inbox i WHERE i.hash = callback_tickets.hash AND i.outcome = 'pending')`
		if _, err := tx.ExecContext(ctx, `DELETE FROM callback_inbox WHERE hash IN (SELECT hash FROM callback_tickets WHERE `+old+`)`, micros(before)); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM callback_tickets WHERE `+old, micros(before))
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return int(n), fault.Wrap("forget callback tokens", err)
}

func scanTicket(row scanner, more ...any) (callbacks.Ticket, error) {
	var t callbacks.Ticket
	var hash []byte
	var issued, expires int64
	err := row.Scan(append([]any{
		&hash, &t.Project, &t.Run, &t.Node, &t.Iteration, &t.Attempt, &t.System, &t.Operation, &issued, &expires,
	}, more...)...)
	copy(t.Hash[:], hash)
	t.IssuedAt, t.ExpiresAt = instant(issued), instant(expires)
	return t, err
}

func scanCallback(row scanner) (callbacks.Callback, error) {
	var c callbacks.Callback
	var at int64
	var body, data []byte
	t, err := scanTicket(row, &c.ID, &at, &body, &data, &c.Outcome, &c.Nonce)
	c.Ticket, c.At, c.Data = t, instant(at), data
	copy(c.Body[:], body)
	return c, err
}
