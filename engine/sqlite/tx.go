package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
)

// errTxEnded is for a Tx that outlived its Write: a bug of the caller.
var errTxEnded = errors.New("sqlite: transaction used after its Write returned")

// Tx is the part of a shared transaction that belongs to one Write. It is valid until
// the function it was given to returns, and for one goroutine. A statement is not
// interrupted when its context ends: that would undo the transaction of the others.
type Tx struct {
	conn  *sql.Conn
	ended atomic.Bool
}

// ExecContext is that of database/sql.
func (t *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if t.ended.Load() {
		return nil, errTxEnded
	}
	r, err := t.conn.ExecContext(context.WithoutCancel(ctx), query, args...)
	return r, classify(err)
}

// QueryContext is that of database/sql. The rows must be closed before the function ends.
func (t *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if t.ended.Load() {
		return nil, errTxEnded
	}
	r, err := t.conn.QueryContext(context.WithoutCancel(ctx), query, args...)
	return r, classify(err)
}

// QueryRowContext is that of database/sql.
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if t.ended.Load() {
		// A Row cannot be made with an error of ours; a context that is done gives
		// one whose Scan fails.
		dead, cancel := context.WithCancelCause(ctx)
		cancel(errTxEnded)
		return t.conn.QueryRowContext(dead, query, args...)
	}
	return t.conn.QueryRowContext(context.WithoutCancel(ctx), query, args...)
}

func (t *Tx) end() { t.ended.Store(true) }
