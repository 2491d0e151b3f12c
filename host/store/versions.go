package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/idempotency"
	"github.com/culmhq/culm/host/page"
)

// PublishFlow implements flows.Versions.
func (s *Store) PublishFlow(ctx context.Context, p flows.Publication, e *idempotency.Entry) (flows.Version, bool, error) {
	out, current := p.Version, true
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		var before flows.Version
		known, err := recall(ctx, tx, e, &before)
		if err != nil {
			return err
		}
		if known {
			out = before
			return nil
		}
		if current, err = atRevision(ctx, tx, p); err != nil || !current {
			return err
		}
		latest, err := scanVersion(tx.QueryRowContext(ctx, `SELECT `+versionColumns+` FROM flow_versions
			WHERE project = ? AND flow = ? ORDER BY number DESC LIMIT 1`, p.Project, p.Flow))
		switch {
		case err == nil && latest.Digest == p.Version.Digest:
			out = latest
		case err == nil || errors.Is(err, sql.ErrNoRows):
			if out, err = insertVersion(ctx, tx, p); err != nil {
				return err
			}
		default:
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE flows SET version = ?, published_revision = ? WHERE project = ? AND id = ?`,
			out.Number, p.Revision, p.Project, p.Flow); err != nil {
			return err
		}
		return remember(ctx, tx, e, out)
	})
	if err != nil {
		return flows.Version{}, false, fault.Wrap("publish flow", err)
	}
	return out, current, nil
}

// atRevision reports whether the draft has the revision that is to be published.
func atRevision(ctx context.Context, tx *sqlite.Tx, p flows.Publication) (bool, error) {
	var revision int
	err := tx.QueryRowContext(ctx, `SELECT revision FROM flows WHERE project = ? AND id = ?`, p.Project, p.Flow).Scan(&revision)
	return revision == p.Revision, missing(err, "read flow", "flow", p.Flow)
}

func insertVersion(ctx context.Context, tx *sqlite.Tx, p flows.Publication) (flows.Version, error) {
	v := p.Version
	err := tx.QueryRowContext(ctx, `INSERT INTO flow_numbers (project, flow, last) VALUES (?, ?, 1)
		ON CONFLICT (project, flow) DO UPDATE SET last = last + 1 RETURNING last`, p.Project, p.Flow).Scan(&v.Number)
	if err != nil {
		return v, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO flow_versions (project, flow, number, digest, document, note, created_at, created_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		p.Project, p.Flow, v.Number, v.Digest, []byte(v.Document), v.Note, micros(v.CreatedAt), v.CreatedBy)
	v.Document = nil
	return v, err
}

const versionColumns = `number, digest, note, created_at, created_by`

// FlowVersion implements flows.Versions.
func (s *Store) FlowVersion(ctx context.Context, project, flow string, number int) (flows.Version, error) {
	var document []byte
	row := s.db.Read().QueryRowContext(ctx, `SELECT `+versionColumns+`, document FROM flow_versions
		WHERE project = ? AND flow = ? AND (number = ? OR ? = 0) ORDER BY number DESC LIMIT 1`, project, flow, number, number)
	v, err := scanVersion(row, &document)
	v.Document = document
	return v, missing(err, "read flow version", "published version of flow", flow)
}

// FlowVersions implements flows.Versions.
func (s *Store) FlowVersions(ctx context.Context, project, flow string, q page.Query) (page.Of[flows.Version], error) {
	none := page.Of[flows.Version]{}
	limit, err := q.Size()
	if err != nil {
		return none, err
	}
	before := 0
	if _, err := q.After(&before); err != nil {
		return none, err
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+versionColumns+` FROM flow_versions
		WHERE project = ? AND flow = ? AND (number < ? OR ? = 0) ORDER BY number DESC LIMIT ?`,
		project, flow, before, before, limit+1)
	if err != nil {
		return none, fault.Wrap("list flow versions", err)
	}
	items, err := collect(rows, func(row scanner) (flows.Version, error) { return scanVersion(row) })
	if err != nil {
		return none, fault.Wrap("list flow versions", err)
	}
	return page.Cut(items, limit, func(v flows.Version) any { return v.Number })
}

func scanVersion(row scanner, more ...any) (flows.Version, error) {
	var v flows.Version
	var at int64
	dest := []any{&v.Number, &v.Digest, &v.Note, &at, &v.CreatedBy}
	if err := row.Scan(append(dest, more...)...); err != nil {
		return flows.Version{}, err
	}
	v.CreatedAt = instant(at)
	return v, nil
}
