package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// chunkRows is how many rows of chunks one statement inserts.
const chunkRows = 24

// statements are those of the hot path, prepared once. They go to the driver directly:
// database/sql takes a lock and allocates for each.
type statements struct {
	begin, commit, rollback, savepoint, undo, release driver.Stmt

	document, run, chunk, chunkMany, state, find, setTimer, clearTimer, clearTimers driver.Stmt
}

func (s *statements) prepare(c *sqlite3.SQLiteConn) error {
	many := []byte(`INSERT INTO chunks (run, last, data) VALUES (?, ?, ?)`)
	for range chunkRows - 1 {
		many = append(many, `, (?, ?, ?)`...)
	}
	for _, p := range []struct {
		to  *driver.Stmt
		sql string
	}{
		{&s.begin, `BEGIN IMMEDIATE`},
		{&s.commit, `COMMIT`},
		{&s.rollback, `ROLLBACK`},
		{&s.savepoint, `SAVEPOINT member`},
		{&s.undo, `ROLLBACK TO member`},
		{&s.release, `RELEASE member`},
		{&s.document, `INSERT INTO documents (digest, body) VALUES (?, ?) ON CONFLICT DO NOTHING`},
		{&s.run, `INSERT INTO runs (id, project, name, flow, version, digest, operator, state, start_key, start_hash,
			created_at, ended_at, parent, parent_node, parent_epoch, parent_depth)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&s.chunk, `INSERT INTO chunks (run, last, data) VALUES (?, ?, ?)`},
		{&s.chunkMany, string(many)},
		{&s.state, `UPDATE runs SET state = ?, ended_at = ? WHERE n = ?`},
		{&s.find, `SELECT n, state, (SELECT max(last) FROM chunks WHERE run = n) FROM runs WHERE id = ?`},
		{&s.setTimer, `INSERT INTO timers (run, node, epoch, due) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET epoch = excluded.epoch, due = excluded.due`},
		{&s.clearTimer, `DELETE FROM timers WHERE run = ? AND node = ? AND epoch <= ?`},
		{&s.clearTimers, `DELETE FROM timers WHERE run = ?`},
	} {
		st, err := c.Prepare(p.sql)
		if err != nil {
			return fmt.Errorf("%s: %w", p.sql, err)
		}
		*p.to = st
	}
	return nil
}

func (s *statements) close() {
	for _, st := range []driver.Stmt{
		s.begin, s.commit, s.rollback, s.savepoint, s.undo, s.release, s.document, s.run, s.chunk,
		s.chunkMany, s.state, s.find, s.setTimer, s.clearTimer, s.clearTimers,
	} {
		if st != nil {
			_ = st.Close()
		}
	}
}

// preparedMax bounds the statements of others that stay prepared: there are a handful.
const preparedMax = 64

// prepared returns the statement of a query of somebody else's, which is prepared once.
func (w *writer) prepared(query string) (driver.Stmt, error) {
	if st, ok := w.others[query]; ok {
		return st, nil
	}
	if len(w.others) >= preparedMax {
		return nil, fmt.Errorf("sqlite: more than %d queries want to stay prepared", preparedMax)
	}
	st, err := w.raw.Prepare(query)
	if err != nil {
		return nil, err
	}
	if w.others == nil {
		w.others = map[string]driver.Stmt{}
	}
	w.others[query] = st
	return st, nil
}

// exec runs a statement without a context, which for this driver means without a
// goroutine, and without any way to interrupt it.
func (w *writer) exec(st driver.Stmt, args ...driver.Value) error {
	_, err := w.execResult(st, args...)
	return err
}

func (w *writer) execResult(st driver.Stmt, args ...driver.Value) (driver.Result, error) {
	//nolint:staticcheck // StmtExecContext wants other arguments and gives nothing here.
	r, err := st.Exec(args)
	return r, classify(err)
}

// queryRow reads the one row of a statement into dest, and reports whether there is one.
func (w *writer) queryRow(st driver.Stmt, dest []driver.Value, args ...driver.Value) (found bool, err error) {
	//nolint:staticcheck // as above.
	rows, err := st.Query(args)
	if err != nil {
		return false, classify(err)
	}
	err = rows.Next(dest)
	if closed := rows.Close(); closed != nil {
		return false, classify(errors.Join(err, closed))
	}
	if errors.Is(err, errNoRow) {
		return false, nil
	}
	return err == nil, classify(err)
}
