package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/recordings"
)

var _ recordings.Repository = (*Store)(nil)

const recordingColumns = `id, at, project, run, node, iteration, attempt, phase, call, reason, plugin, action, digest, status, code,
	events, truncated, bytes`

// SaveRecordings implements recordings.Repository.
func (s *Store) SaveRecordings(ctx context.Context, b recordings.Batch) (int64, error) {
	var stored int64
	err := s.db.WriteUnseen(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		for i := range b.Save {
			if err := saveRecording(ctx, tx, &b.Save[i]); err != nil {
				return err
			}
		}
		for _, p := range b.Settled {
			if _, err := tx.ExecContext(ctx, `DELETE FROM recordings WHERE run = ? AND node = ? AND iteration = ? AND attempt = ? AND phase = ''`,
				p.Run, p.Node, p.Iteration, p.Attempt); err != nil {
				return err
			}
		}
		return recordedBytes(ctx, tx, &stored)
	})
	return stored, fault.Wrap("store recordings", err)
}

func saveRecording(ctx context.Context, tx *sqlite.Tx, r *recordings.Row) error {
	if r.Run == "" {
		return saveChoices(ctx, tx, r)
	}
	err := insertRecording(ctx, tx, r)
	if err != nil || r.Call < recordings.CallsMax {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM recordings WHERE run = ? AND node = ? AND iteration = ? AND attempt = ? AND phase = ?
		AND call > 0 AND call <= ?`, r.Run, r.Node, r.Iteration, r.Attempt, r.Phase, r.Call-recordings.CallsMax+1)
	return err
}

// saveChoices stores a call that belongs to no run. Attempts number those of a field in
// all projects, so that each has a place of its own.
func saveChoices(ctx context.Context, tx *sqlite.Tx, r *recordings.Row) error {
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(attempt), 0) + 1 FROM recordings WHERE run = '' AND node = ?`, r.Node).Scan(&r.Attempt)
	if err == nil {
		err = insertRecording(ctx, tx, r)
	}
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM recordings WHERE run = '' AND node = ? AND project = ? AND id <= (
		SELECT id FROM recordings WHERE run = '' AND node = ? AND project = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`,
		r.Node, r.Project, r.Node, r.Project, recordings.CallsMax)
	return err
}

func insertRecording(ctx context.Context, tx *sqlite.Tx, r *recordings.Row) error {
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO recordings (at, project, run, node, iteration, attempt, phase, call, reason, plugin,
		action, digest, status, code, events, truncated, bytes, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		micros(r.At), r.Project, r.Run, r.Node, r.Iteration, r.Attempt, r.Phase, r.Call, string(r.Reason), r.Plugin, r.Action, r.Digest,
		string(r.Status), r.Code, r.Events, string(r.Truncated), r.Bytes, r.Body)
	return err
}

func recordedBytes(ctx context.Context, tx *sqlite.Tx, into *int64) error {
	return tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(bytes), 0) FROM recordings`).Scan(into)
}

// TrimRecordings implements recordings.Repository.
func (s *Store) TrimRecordings(ctx context.Context, before time.Time, total int64) (int64, error) {
	var stored int64
	err := s.db.WriteUnseen(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM recordings WHERE at < ?`, micros(before)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM recordings WHERE id IN (
			SELECT id FROM (SELECT id, SUM(bytes) OVER (ORDER BY at DESC, id DESC) AS newer FROM recordings) WHERE newer > ?)`, total); err != nil {
			return err
		}
		return recordedBytes(ctx, tx, &stored)
	})
	return stored, fault.Wrap("remove old recordings", err)
}

// Recordings implements recordings.Repository.
func (s *Store) Recordings(ctx context.Context, project, run, node string, after int64, limit int) ([]recordings.Meta, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+recordingColumns+` FROM recordings
		WHERE project = ? AND run = ? AND node = ? AND id > ? ORDER BY id LIMIT ?`, project, run, node, after, limit)
	if err != nil {
		return nil, fault.Wrap("list recordings", err)
	}
	out, err := collect(rows, func(row scanner) (recordings.Meta, error) { return scanRecording(row) })
	return out, fault.Wrap("list recordings", err)
}

// Recording implements recordings.Repository.
func (s *Store) Recording(ctx context.Context, project, run, node string, id int64) (recordings.Row, error) {
	var r recordings.Row
	var err error
	r.Meta, err = scanRecording(s.db.Read().QueryRowContext(ctx, `SELECT `+recordingColumns+`, body FROM recordings
		WHERE project = ? AND run = ? AND node = ? AND id = ?`, project, run, node, id), &r.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return recordings.Row{}, fault.Missing("recording", strconv.FormatInt(id, 10))
	}
	return r, fault.Wrap("read a recording", err)
}

func scanRecording(row scanner, more ...any) (recordings.Meta, error) {
	var m recordings.Meta
	var id, at int64
	err := row.Scan(append([]any{
		&id, &at, &m.Project, &m.Run, &m.Node, &m.Iteration, &m.Attempt, &m.Phase, &m.Call, &m.Reason, &m.Plugin, &m.Action, &m.Digest,
		&m.Status, &m.Code, &m.Events, &m.Truncated, &m.Bytes,
	}, more...)...)
	m.ID, m.At = strconv.FormatInt(id, 10), instant(at)
	return m, err
}
