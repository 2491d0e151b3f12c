package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/page"
)

// replaced is the revision of a draft that a save replaces, as it is stored: packed before
// the transaction, because everybody waits for the one writer.
func replaced(d flows.Draft) (flows.Revision, error) {
	packed, err := pack(d.Document)
	return flows.Revision{
		Number: d.Revision, Nodes: d.Nodes, Valid: d.Valid, SavedAt: d.UpdatedAt, SavedBy: d.UpdatedBy,
		Document: packed, Bytes: len(packed),
	}, err
}

// keepRevision stores a revision and lets go of those that need not be kept.
func keepRevision(ctx context.Context, tx *sqlite.Tx, project, flow string, r flows.Revision) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO flow_revisions (project, flow, revision, nodes, valid, saved_at, saved_by, bytes, document)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		project, flow, r.Number, r.Nodes, r.Valid, micros(r.SavedAt), r.SavedBy, r.Bytes, []byte(r.Document)); err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT revision, nodes, valid, saved_at, saved_by, bytes FROM flow_revisions
		WHERE project = ? AND flow = ? ORDER BY revision DESC`, project, flow)
	if err != nil {
		return err
	}
	kept, err := collect(rows, func(row scanner) (flows.Revision, error) { return scanRevision(row) })
	if err != nil {
		return err
	}
	for _, number := range flows.Superfluous(kept) {
		if _, err := tx.ExecContext(ctx, `DELETE FROM flow_revisions WHERE project = ? AND flow = ? AND revision = ?`, project, flow, number); err != nil {
			return err
		}
	}
	return nil
}

// FlowRevision implements flows.Revisions.
func (s *Store) FlowRevision(ctx context.Context, project, flow string, number int) (flows.Revision, error) {
	d, err := s.Flow(ctx, project, flow)
	if err != nil {
		return flows.Revision{}, err
	}
	if d.Revision == number {
		return flows.Revision{
			Number: number, Nodes: d.Nodes, Valid: d.Valid, SavedAt: d.UpdatedAt, SavedBy: d.UpdatedBy, Document: d.Document,
		}, nil
	}
	var packed []byte
	row := s.db.Read().QueryRowContext(ctx, `SELECT revision, nodes, valid, saved_at, saved_by, bytes, document FROM flow_revisions
		WHERE project = ? AND flow = ? AND revision = ?`, project, flow, number)
	r, err := scanRevision(row, &packed)
	if err != nil {
		return flows.Revision{}, missing(err, "read revision", "revision", fmt.Sprint(number))
	}
	r.Document, err = unpack(packed)
	return r, fault.Wrap("read revision", err)
}

// FlowRevisions implements flows.Revisions.
func (s *Store) FlowRevisions(ctx context.Context, project, flow string, q page.Query) (page.Of[flows.Revision], error) {
	none := page.Of[flows.Revision]{}
	limit, err := q.Size()
	if err != nil {
		return none, err
	}
	before := 0
	if _, err := q.After(&before); err != nil {
		return none, err
	}
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT revision, nodes, valid, saved_at, saved_by, bytes FROM (
			SELECT revision, nodes, valid, updated_at AS saved_at, updated_by AS saved_by, 0 AS bytes FROM flows WHERE project = ?1 AND id = ?2
			UNION ALL
			SELECT revision, nodes, valid, saved_at, saved_by, bytes FROM flow_revisions WHERE project = ?1 AND flow = ?2)
		WHERE revision < ?3 OR ?3 = 0 ORDER BY revision DESC LIMIT ?4`, project, flow, before, limit+1)
	if err != nil {
		return none, fault.Wrap("list revisions", err)
	}
	items, err := collect(rows, func(row scanner) (flows.Revision, error) { return scanRevision(row) })
	if err != nil {
		return none, fault.Wrap("list revisions", err)
	}
	return page.Cut(items, limit, func(r flows.Revision) any { return r.Number })
}

func scanRevision(row scanner, more ...any) (flows.Revision, error) {
	var r flows.Revision
	var at int64
	err := row.Scan(append([]any{&r.Number, &r.Nodes, &r.Valid, &at, &r.SavedBy, &r.Bytes}, more...)...)
	r.SavedAt = instant(at)
	return r, err
}

func pack(document []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(document); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, flows.DocumentBytesMax+1))
}
