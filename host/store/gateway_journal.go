package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/pdk/contract"
)

// Journal is the store as the gateway's journal.
type Journal struct{ db database }

var _ gateway.Journal = Journal{}

// Journal returns the store as the gateway's journal.
func (s *Store) Journal() Journal { return Journal{s.db} }

// The place of an entry, as columns and as a condition.
const (
	journalPlace = `run, node, iteration, attempt, phase, call`
	journalAt    = `run = ? AND node = ? AND iteration = ? AND attempt = ? AND phase = ? AND call = ?`
)

func journalArgs(k gateway.Key, more ...any) []any {
	return append([]any{k.Run, k.Node, k.Iteration, k.Attempt, k.Phase, k.Call}, more...)
}

// Begin implements gateway.Journal.
func (j Journal) Begin(ctx context.Context, key gateway.Key, in gateway.Intent) (gateway.Entry, error) {
	var found gateway.Entry
	err := j.db.WriteUnseen(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		r, err := tx.ExecPrepared(`INSERT INTO gateway_journal (`+journalPlace+`, idx, system, operation, origin, retry, hash, sent_as, at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			journalArgs(key, key.Index, in.System, in.Operation, in.Origin, string(in.Retry), in.Hash, in.SentAs, micros(in.At))...)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 1 { // nearly always
			found = gateway.Entry{State: gateway.EntryNew}
			return err
		}
		found, err = scanEntry(tx.QueryRowContext(ctx, `SELECT system, operation, origin, retry, hash, sent_as, at, answer FROM gateway_journal
			WHERE `+journalAt+` AND idx = ?`, journalArgs(key, key.Index)...))
		return err
	})
	if err != nil {
		return gateway.Entry{}, fmt.Errorf("store: begin %s: %w", key, err)
	}
	return found, nil
}

// Finish implements gateway.Journal.
func (j Journal) Finish(ctx context.Context, key gateway.Key, a gateway.Answer) error {
	answer, err := json.Marshal(a.Response)
	if err != nil {
		return fmt.Errorf("store: finish %s: %w", key, err)
	}
	err = j.db.WriteUnseen(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		if a.Void {
			_, err := tx.ExecPrepared(`DELETE FROM gateway_journal WHERE `+journalAt+` AND idx = ?`, journalArgs(key, key.Index)...)
			return err
		}
		args := append([]any{answer, micros(a.At), a.Uncertain}, journalArgs(key, key.Index)...)
		r, err := tx.ExecPrepared(`UPDATE gateway_journal SET answer = ?, answered_at = ?, uncertain = ? WHERE `+journalAt+` AND idx = ?`, args...)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, errors.New("no intent"))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: finish %s: %w", key, err)
	}
	return nil
}

// listed are the columns of an entry in a list.
const listed = `attempt, call, idx, system, operation, origin, retry, hash, sent_as, at, answer IS NOT NULL, uncertain`

// List implements gateway.Journal.
func (j Journal) List(ctx context.Context, key gateway.Key) ([]gateway.Listed, error) {
	return j.list(ctx, key, `SELECT `+listed+` FROM gateway_journal WHERE `+journalAt+` ORDER BY idx`, journalArgs(key)...)
}

// Earlier implements gateway.Journal.
func (j Journal) Earlier(ctx context.Context, key gateway.Key) ([]gateway.Listed, error) {
	return j.list(ctx, key, `SELECT `+listed+` FROM gateway_journal
		WHERE run = ? AND node = ? AND iteration = ? AND attempt < ? AND phase = ? ORDER BY attempt, call, idx`,
		key.Run, key.Node, key.Iteration, key.Attempt, key.Phase)
}

func (j Journal) list(ctx context.Context, key gateway.Key, query string, args ...any) ([]gateway.Listed, error) {
	rows, err := j.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: list %s: %w", key, err)
	}
	out, err := collect(rows, func(row scanner) (gateway.Listed, error) {
		l := gateway.Listed{Key: key, State: gateway.EntryOpen}
		var at int64
		var answered bool
		err := row.Scan(&l.Key.Attempt, &l.Key.Call, &l.Key.Index, &l.Intent.System, &l.Intent.Operation, &l.Intent.Origin, &l.Intent.Retry,
			&l.Intent.Hash, &l.Intent.SentAs, &at, &answered, &l.Uncertain)
		l.Intent.At = instant(at)
		if answered {
			l.State = gateway.EntryAnswered
		}
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("store: list %s: %w", key, err)
	}
	return out, nil
}

func scanEntry(row scanner) (gateway.Entry, error) {
	e := gateway.Entry{State: gateway.EntryOpen}
	var at int64
	var answer []byte
	if err := row.Scan(&e.Intent.System, &e.Intent.Operation, &e.Intent.Origin, &e.Intent.Retry, &e.Intent.Hash, &e.Intent.SentAs, &at, &answer); err != nil {
		return e, err
	}
	e.Intent.At = instant(at)
	if answer == nil {
		return e, nil
	}
	e.State = gateway.EntryAnswered
	var res contract.GatewayResponse
	if err := json.Unmarshal(answer, &res); err != nil {
		return e, fmt.Errorf("the stored answer is damaged: %w", err)
	}
	e.Response = res
	return e, nil
}
