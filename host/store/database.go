package store

import (
	"context"
	"errors"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/audit"
)

// database is the file, with one thing added to its writes: what an administrator does
// is in the audit in the same transaction as what it changed.
type database struct {
	*sqlite.DB
	chain *chain
	piles *piles
	memo  *memo
}

// WriteUnseen writes what the memo does not hold: the rows of calls and attempts, of which
// there are many.
func (d database) WriteUnseen(ctx context.Context, f func(ctx context.Context, tx *sqlite.Tx) error) error {
	return d.DB.Write(ctx, f)
}

// Write is that of sqlite.DB.
func (d database) Write(ctx context.Context, f func(ctx context.Context, tx *sqlite.Tx) error) error {
	defer d.memo.forget()
	pending := audit.PendingOf(ctx)
	if pending == nil || !pending.Take() {
		return d.DB.Write(ctx, f)
	}
	var head audit.Head
	err := d.DB.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		head = audit.Head{}
		before, err := changes(ctx, tx)
		if err != nil {
			return err
		}
		if err := f(ctx, tx); err != nil {
			return err
		}
		if after, err := changes(ctx, tx); err != nil || after == before {
			return err // nothing was changed: that it was asked for is entered later
		}
		if head, err = d.chain.put(ctx, tx, pending.Entry); err != nil {
			return errors.Join(audit.ErrUnwritable, err)
		}
		return nil
	})
	if err != nil {
		pending.Return()
		return err
	}
	if head.Seq == 0 {
		pending.Return()
		return nil
	}
	d.chain.known(head)
	return nil
}

// changes counts the rows that the connection has changed.
func changes(ctx context.Context, tx *sqlite.Tx) (int64, error) {
	var n int64
	err := tx.QueryRowContext(ctx, `SELECT total_changes()`).Scan(&n)
	return n, err
}
