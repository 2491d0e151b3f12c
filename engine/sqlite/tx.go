package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
)

// errTxEnded is for a Tx that outlived its Write: a bug of the caller.
var errTxEnded = errors.New("sqlite: transaction used after its Write returned")

// Tx is the part of a shared transaction that belongs to one Write. It is valid until
// the function it was given to returns, and for one goroutine. A statement is not
// interrupted when its context ends: that would undo the transaction of the others.
type Tx struct {
	w     *writer
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

// ExecPrepared is ExecContext for a statement that is made very often: it stays prepared, so
// that the query must be a constant. Its arguments may be what database/sql takes.
func (t *Tx) ExecPrepared(query string, args ...any) (sql.Result, error) {
	if t.ended.Load() {
		return nil, errTxEnded
	}
	st, err := t.w.prepared(query)
	if err != nil {
		return nil, classify(err)
	}
	values := make([]driver.Value, len(args))
	for i, a := range args {
		if values[i], err = driver.DefaultParameterConverter.ConvertValue(a); err != nil {
			return nil, fmt.Errorf("sqlite: argument %d: %w", i+1, err)
		}
	}
	t.w.unsaved++ // besides the pages of the Write itself, which may hold many of these
	return t.w.execResult(st, values...)
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
