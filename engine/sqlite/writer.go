package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/culmhq/culm/engine/runner"
)

const (
	// groupMax is how many writes share one transaction at most.
	groupMax = 256
	// checkpointPages is how large the log may grow before its pages are copied to
	// the database: 16 MiB at 4 KiB a page.
	checkpointPages = 4096
	// pagesOfWrite is an estimate of the pages that a Write adds to the log.
	pagesOfWrite = 8
)

// member is one write that wants to be part of a group.
type member struct {
	ctx   context.Context //nolint:containedctx // it is the caller's, asked once before do.
	do    func(w *writer) error
	pages int // estimate of what it adds to the log
	done  chan error
	taken atomic.Bool // by the writer, or by a caller who gave up
	told  bool        // the writer's: whether done has its answer
}

// writer owns the connection that writes; everything in it belongs to its goroutine.
type writer struct {
	db   *DB
	conn *sql.Conn
	raw  *sqlite3.SQLiteConn // of conn, which nobody else uses
	runs *runCache
	stmt statements
	// others are the statements of those who call Write, by their text.
	others map[string]driver.Stmt
	// unsaved estimates the pages of the log that no checkpoint has copied.
	unsaved int
}

func newWriter(d *DB, conn *sql.Conn) (*writer, error) {
	w := &writer{db: d, conn: conn, runs: newRunCache(), unsaved: checkpointPages}
	err := conn.Raw(func(c any) error {
		raw, ok := c.(*sqlite3.SQLiteConn)
		if !ok {
			return fmt.Errorf("sqlite: connection is a %T", c)
		}
		w.raw = raw
		return w.stmt.prepare(raw)
	})
	if err != nil {
		return nil, fmt.Errorf("sqlite: prepare: %w", classify(err))
	}
	return w, nil
}

// submit hands a member to the writer and waits for its end.
func (d *DB) submit(m *member) error {
	if err := m.ctx.Err(); err != nil {
		return err
	}
	m.done = make(chan error, 1)
	select {
	case <-d.closing:
		return ErrClosed
	case <-m.ctx.Done():
		return m.ctx.Err()
	case d.queue <- m:
	}
	select {
	case err := <-m.done:
		return err
	case <-d.exited:
	case <-m.ctx.Done():
		if m.taken.CompareAndSwap(false, true) {
			return m.ctx.Err()
		}
	}
	// Begun, or the writer has gone: what it said counts.
	select {
	case err := <-m.done:
		return err
	case <-d.exited:
	}
	select {
	case err := <-m.done:
		return err
	default:
		return ErrClosed
	}
}

func (w *writer) loop() {
	defer close(w.db.exited)
	defer w.close()
	var group []*member
	for {
		select {
		case m := <-w.db.queue:
			group = w.gather(append(group[:0], m))
			w.commit(group)
			w.checkpoint()
		case <-w.db.closing:
			for {
				group = w.gather(group[:0])
				if len(group) == 0 {
					return
				}
				w.commit(group)
			}
		}
	}
}

// gather takes what else is waiting, and leaves out what its caller gave up.
func (w *writer) gather(group []*member) []*member {
	for len(group) < groupMax {
		select {
		case m := <-w.db.queue:
			group = append(group, m)
			continue
		default:
		}
		break
	}
	kept := group[:0]
	for _, m := range group {
		if m.taken.CompareAndSwap(false, true) {
			kept = append(kept, m)
		}
	}
	return kept
}

// commit writes a group in one transaction and tells each member what became of it.
func (w *writer) commit(group []*member) {
	if len(group) == 0 {
		return
	}
	if err := w.db.Err(); err != nil {
		answer(group, err)
		return
	}
	if err := w.exec(w.stmt.begin); err != nil {
		answer(group, w.settle(err))
		return
	}
	good, err := w.members(group)
	switch {
	case err != nil:
	case len(good) == 0: // each has its answer, and nothing is left to commit
		if err := w.rollback(); err != nil {
			_ = w.db.fail(err)
		}
		return
	default:
		err = w.exec(w.stmt.commit)
	}
	if err != nil {
		answer(group, w.settle(err))
		return
	}
	for _, m := range good {
		w.unsaved += m.pages
	}
	answer(good, nil)
}

// members does every member's part and answers those that failed alone. An error
// concerns the whole group.
func (w *writer) members(group []*member) (good []*member, err error) {
	for _, m := range group {
		err := w.member(m, len(group) > 1)
		if w.raw.AutoCommit() { // SQLite undid the whole transaction
			return nil, undone(err)
		}
		if err == nil {
			good = append(good, m)
			continue
		}
		w.runs.clear()
		if fatal(err) {
			return nil, err
		}
		answer([]*member{m}, err)
	}
	return good, nil
}

// answer tells those members that have not been told yet.
func answer(group []*member, err error) {
	for _, m := range group {
		if !m.told {
			m.told = true
			m.done <- err
		}
	}
}

// undone is the error of a group whose transaction SQLite has undone.
func undone(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		// A statement was interrupted against the rule of Write. Nothing is lost.
		return fmt.Errorf("%w: %w", runner.ErrStoreBusy, err)
	}
	if err == nil {
		return fmt.Errorf("%w: a write ended the transaction", runner.ErrStoreFailed)
	}
	return err
}

// settle undoes the transaction after an error that concerns all of it, and says
// whether writing may go on.
func (w *writer) settle(err error) error {
	w.runs.clear()
	err = classify(err)
	if undo := w.rollback(); undo != nil {
		return w.db.fail(errors.Join(err, undo))
	}
	if errors.Is(err, runner.ErrStoreBusy) {
		return err
	}
	return w.db.fail(err)
}

// rollback undoes the transaction, if SQLite has not done so itself.
func (w *writer) rollback() error {
	if w.raw.AutoCommit() {
		return nil
	}
	return w.exec(w.stmt.rollback)
}

// member does one member's part. In a group only that part is undone when it fails; a
// member that is alone needs no savepoint, for then the transaction is rolled back.
func (w *writer) member(m *member, shared bool) error {
	if !shared {
		return w.guard(m)
	}
	if err := w.exec(w.stmt.savepoint); err != nil {
		return err
	}
	err := w.guard(m)
	if err != nil && (fatal(err) || w.raw.AutoCommit()) {
		return err
	}
	if err != nil {
		if undo := w.exec(w.stmt.undo); undo != nil {
			return errors.Join(err, undo)
		}
	}
	return errors.Join(err, w.exec(w.stmt.release))
}

// guard keeps a panic of a member's function from ending the writer.
func (w *writer) guard(m *member) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.db.log.Error("a write panicked", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("sqlite: write panicked: %v", p)
		}
	}()
	return classify(m.do(w))
}

// checkpoint copies the log to the database when it has grown, so that the log can be
// begun anew. Its fsyncs count like those of a commit.
func (w *writer) checkpoint() {
	if w.unsaved < checkpointPages || w.db.Err() != nil {
		return
	}
	var busy, pages, saved int
	err := w.conn.QueryRowContext(context.Background(), `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &pages, &saved)
	if err != nil {
		if err = classify(err); !errors.Is(err, runner.ErrStoreBusy) {
			_ = w.db.fail(fmt.Errorf("checkpoint: %w", err))
		}
		return
	}
	w.unsaved = max(pages-saved, 0)
}

func (w *writer) close() {
	w.stmt.close()
	for _, st := range w.others {
		_ = st.Close()
	}
	if err := w.conn.Close(); err != nil {
		w.db.log.Warn("close the writer", "error", err)
	}
}
