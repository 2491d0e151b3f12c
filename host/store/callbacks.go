package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/audit"
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
	var head audit.Head
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
		if stored.ID, err = res.LastInsertId(); err != nil {
			return err
		}
		head, err = s.db.chain.put(ctx, tx, entryOfCallback(ctx, c))
		return err
	})
	if errors.Is(err, callbacks.ErrNonceUsed) {
		return stored, false, err
	}
	if err == nil {
		s.db.chain.known(head)
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

// Settle implements callbacks.Repository. What a run did not take has a second entry in the
// audit: the first says that it was accepted.
func (s *Store) Settle(ctx context.Context, c callbacks.Callback, at time.Time) error {
	var head audit.Head
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		head = audit.Head{}
		res, err := tx.ExecContext(ctx, `UPDATE callback_inbox SET outcome = ?, data = NULL WHERE id = ? AND outcome <> ?`, string(c.Outcome), c.ID, string(c.Outcome))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 || c.Outcome == callbacks.Delivered {
			return err
		}
		c.At = at
		head, err = s.db.chain.put(ctx, tx, entryOfCallback(ctx, c))
		return err
	})
	if err == nil {
		s.db.chain.known(head)
	}
	return fault.Wrap("settle a callback", err)
}

// entryOfCallback is what the audit says of a callback: which token of which attempt, by
// its hash, and what was sent, by its hash too.
func entryOfCallback(ctx context.Context, c callbacks.Callback) audit.Entry {
	e := audit.Entry{
		At: c.At, Kind: audit.KindCallback, Actor: "system:" + c.Ticket.System, Source: audit.SourceOf(ctx), Project: c.Ticket.Project,
		Run: c.Ticket.Run, Node: c.Ticket.Node, Iteration: c.Ticket.Iteration, Attempt: c.Ticket.Attempt,
		System: c.Ticket.System, Operation: c.Ticket.Operation, RequestHash: hex.EncodeToString(c.Body[:]),
		Action: "callback.accept", Outcome: audit.OutcomeOK,
	}
	switch c.Outcome {
	case callbacks.Pending, callbacks.Delivered:
	case callbacks.Late:
		e.Action, e.Outcome, e.Code = "callback.late", audit.OutcomeRefused, string(fault.Gone)
	case callbacks.Refused:
		e.Action, e.Outcome, e.Code = "callback.refuse", audit.OutcomeRefused, string(fault.Invalid)
	}
	return e
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
