package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/audit"
)

var _ audit.Reader = (*Store)(nil)

// errCut is for a log that ends before the entry that was written last.
var errCut = errors.New("store: the end of the audit is missing: somebody changed the database")

// chain puts entries behind each other. Only the writer of the database does, so that
// there is one at a time; what a transaction that was undone had put is gone with it.
type chain struct {
	// last is the number of the last entry that is known to be durable.
	last atomic.Int64
}

// known notes an entry that was committed.
func (c *chain) known(h audit.Head) {
	for {
		had := c.last.Load()
		if h.Seq <= had || c.last.CompareAndSwap(had, h.Seq) {
			return
		}
	}
}

// put adds an entry in a transaction.
func (c *chain) put(ctx context.Context, tx *sqlite.Tx, e audit.Entry) (audit.Head, error) {
	head, err := c.end(ctx, tx)
	if err != nil {
		return head, err
	}
	return c.putBehind(tx, head, e)
}

// end is the place of the last entry that the transaction sees.
func (c *chain) end(ctx context.Context, tx *sqlite.Tx) (audit.Head, error) {
	var head audit.Head
	err := tx.QueryRowContext(ctx, `SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`).Scan(&head.Seq, &head.Hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return head, err
	}
	if head.Seq < c.last.Load() {
		return head, errCut
	}
	return head, nil
}

// putBehind adds an entry behind the last one, whose place head is.
func (c *chain) putBehind(tx *sqlite.Tx, head audit.Head, e audit.Entry) (audit.Head, error) {
	line, head, err := audit.Seal(head, e)
	if err != nil {
		return head, err
	}
	_, err = tx.ExecPrepared(`INSERT INTO audit (seq, at, kind, project, run, node, plugin, system, operation, actor, action, outcome, entry, hash)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		head.Seq, micros(e.At), string(e.Kind), e.Project, e.Run, e.Node, e.Plugin, e.System, e.Operation, e.Actor, e.Action, string(e.Outcome),
		[]byte(line.Entry), line.Hash)
	return head, err
}

// AppendAudit puts an entry at the end of the log, and returns once it is durable.
func (s *Store) AppendAudit(ctx context.Context, e audit.Entry) (audit.Head, error) {
	return s.db.append(ctx, e)
}

func (d database) append(ctx context.Context, e audit.Entry) (audit.Head, error) {
	var head audit.Head
	err := d.DB.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		var err error
		head, err = d.chain.put(ctx, tx, e)
		return err
	})
	if err != nil {
		return audit.Head{}, fmt.Errorf("store: audit: %w", err)
	}
	d.chain.known(head)
	return head, nil
}

// slackOfTime is by how much the order of the log and that of its times may differ: an
// entry is written when what it is about has ended.
const slackOfTime = time.Hour

// AuditLines implements audit.Reader.
func (s *Store) AuditLines(ctx context.Context, f audit.Filter, before int64, limit int) ([]audit.Line, error) {
	where, args := auditWhere(f, before)
	rows, err := s.db.Read().QueryContext(ctx, `SELECT entry, hash FROM audit `+where+` ORDER BY seq DESC LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("store: read the audit: %w", err)
	}
	return collect(rows, scanLine)
}

// auditWhere writes a filter as a condition.
func auditWhere(f audit.Filter, before int64) (string, []any) {
	var terms []string
	var args []any
	add := func(term string, values ...any) {
		terms = append(terms, term)
		args = append(args, values...)
	}
	for _, c := range []struct{ column, value string }{
		{"run", f.Run},
		{"project", f.Project},
		{"kind", string(f.Kind)},
		{"node", f.Node},
		{"plugin", f.Plugin},
		{"system", f.System},
		{"operation", f.Operation},
		{"actor", f.Actor},
		{"action", f.Action},
		{"outcome", string(f.Outcome)},
	} {
		if c.value != "" {
			add(c.column+" = ?", c.value)
		}
	}
	if before > 0 {
		add("seq < ?", before)
	}
	// The times of the log are nearly in its order: the part of it that is looked
	// through is found by the index of times.
	if !f.From.IsZero() {
		add("at >= ?", micros(f.From))
		add("seq >= coalesce((SELECT seq FROM audit WHERE at >= ? ORDER BY at LIMIT 1), 0)", micros(f.From.Add(-slackOfTime)))
	}
	if !f.To.IsZero() {
		add("at < ?", micros(f.To))
		add("seq <= coalesce((SELECT seq FROM audit WHERE at < ? ORDER BY at DESC LIMIT 1), 0)", micros(f.To.Add(slackOfTime)))
	}
	if terms == nil {
		return "", nil
	}
	return "WHERE " + strings.Join(terms, " AND "), args
}

func scanLine(row scanner) (audit.Line, error) {
	var l audit.Line
	var entry []byte
	err := row.Scan(&entry, &l.Hash)
	l.Entry = json.RawMessage(entry)
	return l, err
}
