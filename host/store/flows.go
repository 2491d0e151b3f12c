package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/idempotency"
)

var _ flows.Repository = (*Store)(nil)

// CreateFlow implements flows.Repository.
func (s *Store) CreateFlow(ctx context.Context, d flows.Draft, e *idempotency.Entry) (flows.Draft, error) {
	name, doc, err := texts(d)
	if err != nil {
		return flows.Draft{}, fault.Wrap("store flow", err)
	}
	out := d
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		var before flows.Draft
		known, err := recall(ctx, tx, e, &before)
		if err != nil {
			return err
		}
		if known {
			out = before
			return nil
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO flows
			(project, id, name, doc, search, document, nodes, valid, revision, version, published_revision, updated_at, updated_by)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?)`,
			d.Project, d.ID, name, doc, searchText(d), []byte(d.Document), d.Nodes, d.Valid, d.Revision,
			micros(d.UpdatedAt), d.UpdatedBy)
		if taken(err) {
			return fault.New(fault.Exists, "flow %q exists", d.ID).Because("FLOW_EXISTS")
		}
		if err != nil {
			return err
		}
		return remember(ctx, tx, e, d)
	})
	if err != nil {
		return flows.Draft{}, fault.Wrap("store flow", err)
	}
	return out, nil
}

// SaveFlow implements flows.Repository.
func (s *Store) SaveFlow(ctx context.Context, d flows.Draft) (bool, error) {
	name, doc, err := texts(d)
	if err != nil {
		return false, fault.Wrap("store flow", err)
	}
	before, err := s.Flow(ctx, d.Project, d.ID)
	if err != nil || before.Revision != d.Revision-1 {
		return false, present(err)
	}
	old, err := replaced(before)
	if err != nil {
		return false, fault.Wrap("store flow", err)
	}
	saved := false
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE flows SET name = ?, doc = ?, search = ?, document = ?, nodes = ?,
			valid = ?, revision = ?, updated_at = ?, updated_by = ? WHERE project = ? AND id = ? AND revision = ?`,
			name, doc, searchText(d), []byte(d.Document), d.Nodes, d.Valid, d.Revision,
			micros(d.UpdatedAt), d.UpdatedBy, d.Project, d.ID, d.Revision-1)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if saved = n == 1; err != nil || !saved {
			return err
		}
		// The revision that the statement asked for is the one that was read.
		return keepRevision(ctx, tx, d.Project, d.ID, old)
	})
	return saved && err == nil, fault.Wrap("store flow", err)
}

// present lets a flow that is not there be no error: there is nothing to save over.
func present(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// draftColumns are those of scanDraft, without the document.
const draftColumns = `project, id, name, doc, nodes, valid, revision, version, published_revision, updated_at, updated_by`

// Flow implements flows.Repository.
func (s *Store) Flow(ctx context.Context, project, id string) (flows.Draft, error) {
	var document []byte
	row := s.db.Read().QueryRowContext(ctx, `SELECT `+draftColumns+`, document FROM flows WHERE project = ? AND id = ?`, project, id)
	d, err := scanDraft(row, &document)
	d.Document = document
	return d, missing(err, "read flow", "flow", id)
}

// DeleteFlow implements flows.Repository.
func (s *Store) DeleteFlow(ctx context.Context, project, id string) error {
	return fault.Wrap("delete flow", s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		if err := unused(ctx, tx, project, id); err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, `DELETE FROM flows WHERE project = ? AND id = ?`, project, id)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Missing("flow", id)
		}
		if _, err = tx.ExecContext(ctx, `DELETE FROM flow_versions WHERE project = ? AND flow = ?`, project, id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM flow_revisions WHERE project = ? AND flow = ?`, project, id)
		return err
	}))
}

// usersMax bounds how many flows a refusal names.
const usersMax = 10

// unused refuses a flow that other flows contain.
func unused(ctx context.Context, tx *sqlite.Tx, project, id string) error {
	// Documents are read as they are, and only here: deleting is rare, and a table of
	// who uses whom would have to be kept right by every other statement.
	rows, err := tx.QueryContext(ctx, `
		WITH documents (flow, body) AS (
			SELECT id, CAST(document AS TEXT) FROM flows WHERE project = ?1 AND id <> ?2
			UNION ALL
			SELECT v.flow, CAST(v.document AS TEXT) FROM flow_versions v
			JOIN flows f ON f.project = v.project AND f.id = v.flow AND f.version = v.number
			WHERE v.project = ?1 AND v.flow <> ?2)
		SELECT DISTINCT flow FROM documents, json_each(body, '$.nodes') AS node
		WHERE instr(body, '"' || ?2 || '"') > 0 AND node.value ->> 'type' = 'subflow' AND node.value ->> 'flow' = ?2
		ORDER BY flow LIMIT ?3`, project, id, usersMax+1)
	if err != nil {
		return err
	}
	users, err := collect(rows, func(row scanner) (string, error) {
		var user string
		return user, row.Scan(&user)
	})
	if err != nil || len(users) == 0 {
		return err
	}
	if len(users) > usersMax {
		users[usersMax] = "…"
	}
	return fault.New(fault.InUse, "flow %q is a subflow of %s", id, strings.Join(users, ", ")).Because("FLOW_IN_USE")
}

func texts(d flows.Draft) (name, doc string, err error) {
	if name, err = asJSON(d.Name); err != nil {
		return "", "", err
	}
	doc, err = asJSON(d.Doc)
	return name, doc, err
}

func searchText(d flows.Draft) string {
	return strings.ToLower(d.ID + "\n" + d.Name.En + "\n" + d.Name.Zh)
}

func scanDraft(row scanner, more ...any) (flows.Draft, error) {
	var d flows.Draft
	var name, doc []byte
	var at int64
	dest := []any{&d.Project, &d.ID, &name, &doc, &d.Nodes, &d.Valid, &d.Revision, &d.Version, &d.PublishedRevision, &at, &d.UpdatedBy}
	if err := row.Scan(append(dest, more...)...); err != nil {
		return flows.Draft{}, err
	}
	d.UpdatedAt = instant(at)
	if err := json.Unmarshal(name, &d.Name); err != nil {
		return flows.Draft{}, fmt.Errorf("name of flow %s: %w", d.ID, err)
	}
	if err := json.Unmarshal(doc, &d.Doc); err != nil {
		return flows.Draft{}, fmt.Errorf("doc of flow %s: %w", d.ID, err)
	}
	return d, nil
}
