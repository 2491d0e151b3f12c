// Package sqlite keeps runs in one SQLite file. One goroutine owns the only connection
// that writes, and commits for all who want to write at the same moment at once (group
// commit): the runner, and whoever else uses DB.Write. Reads go to a pool of read-only
// connections and never wait for a writer.
//
// What a commit has acknowledged survives kill -9 and loss of power: write-ahead log
// with synchronous=FULL. After an error of the disk nothing more is written, because
// the pages that a failed fsync was to write are lost and a second fsync would not say
// so; the program must restart and go on from what is durable.
package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/culmhq/culm/engine/runner"
)

// The errors of this package, besides those of the port (runner.ErrStoreBusy,
// runner.ErrStoreFailed, ...). Compare with errors.Is.
var (
	// ErrLocked: another process has the database open.
	ErrLocked = errors.New("sqlite: database is in use by another process")
	// ErrExposed: the file or its directory can be read by other users.
	ErrExposed = errors.New("sqlite: file is accessible to other users")
	// ErrNewer: the file was written by a newer version of the program.
	ErrNewer = errors.New("sqlite: database is newer than this program")
	// ErrDamaged: the file is not a database, or its content is damaged.
	ErrDamaged = errors.New("sqlite: database is damaged; restore a backup")
	// ErrClosed: the database has been closed. It is a runner.ErrStoreFailed.
	ErrClosed = fmt.Errorf("%w: database is closed", runner.ErrStoreFailed)
)

// Options are what may be chosen when a database is opened. The zero value is good.
type Options struct {
	// Readers is the number of connections that read; 0 means 4.
	Readers int
	// BusyTimeout is how long a write waits for another process that holds the file;
	// 0 means 5 s. Then it fails with runner.ErrStoreBusy.
	BusyTimeout time.Duration
	// QuickCheck verifies the structure of the whole file first. It reads all of
	// it: about a second per gigabyte.
	QuickCheck bool
	// Logger gets what nobody waits for; nil discards it.
	Logger *slog.Logger
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	path string
	busy time.Duration
	lock *os.File
	read *sql.DB
	pool *sql.DB // holds only the writer's connection
	log  *slog.Logger

	queue   chan *member
	closing chan struct{}
	exited  chan struct{}
	once    sync.Once
	closed  error

	failed chan struct{}
	cause  atomic.Pointer[error]
}

// Open opens the database, makes it if it does not exist, and brings its schema up to
// date. The directory is made with mode 0700 if it is missing; a directory or file that
// others may read is refused with ErrExposed.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	d := &DB{
		path: path, busy: cmp.Or(o.BusyTimeout, 5*time.Second), lock: lock, log: o.Logger,
		queue:   make(chan *member, groupMax),
		closing: make(chan struct{}),
		exited:  make(chan struct{}),
		failed:  make(chan struct{}),
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if err := d.open(ctx, o); err != nil {
		return nil, errors.Join(err, d.release())
	}
	return d, nil
}

func (d *DB) open(ctx context.Context, o Options) error {
	d.pool = sql.OpenDB(connector{dsn: dsn(d.path, d.busy, false)})
	d.pool.SetMaxOpenConns(1)
	if err := checkSettings(ctx, d.pool); err != nil {
		return err
	}
	if o.QuickCheck {
		if err := quickCheck(ctx, d.pool); err != nil {
			return err
		}
	}
	if err := migrate(ctx, d.pool, migrations(), versionTable); err != nil {
		return err
	}
	conn, err := d.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("sqlite: open %s: %w", d.path, classify(err))
	}
	w, err := newWriter(d, conn)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	d.read = sql.OpenDB(connector{dsn: dsn(d.path, d.busy, true)})
	readers := cmp.Or(o.Readers, 4)
	d.read.SetMaxOpenConns(readers)
	d.read.SetMaxIdleConns(readers)
	go w.loop() //nolint:contextcheck // it runs until Close, whatever becomes of the context of Open.
	return nil
}

// OpenReadOnly opens a database of this package for reading alone, also while a server has
// it open: what was committed when a query begins is what it sees. The file must exist.
// The caller closes it.
func OpenReadOnly(ctx context.Context, path string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	db := sql.OpenDB(connector{dsn: dsn(path, 5*time.Second, true)})
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: open %s: %w", path, classify(err)), db.Close())
	}
	return db, nil
}

// Write runs f in a transaction and returns once that is durable. The transaction is
// shared with others who write at the same moment, but f's part stands alone: when f
// returns an error only what f did is undone, and Write returns that error. f must be
// short, since everybody waits for it, and must neither begin nor end a transaction.
// When ctx ends before f was begun, f does not run; once begun, Write waits for its end.
func (d *DB) Write(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	return d.submit(&member{ctx: ctx, pages: pagesOfWrite, do: func(w *writer) error {
		tx := &Tx{w: w, conn: w.conn}
		defer tx.end()
		return f(context.WithoutCancel(ctx), tx)
	}})
}

// Read returns the pool of read-only connections. It must not be closed.
func (d *DB) Read() *sql.DB { return d.read }

// Store returns the runs of this database. Closing the store closes the database.
func (d *DB) Store() *Store { return &Store{db: d} }

// Failed is closed when an error of the disk ended writing; Err then says which.
func (d *DB) Failed() <-chan struct{} { return d.failed }

// Err is nil until Failed is closed, and then wraps runner.ErrStoreFailed.
func (d *DB) Err() error {
	if p := d.cause.Load(); p != nil {
		return *p
	}
	return nil
}

// Close waits for the writes that were accepted, and closes the file. It may be called
// again, and then returns the same.
func (d *DB) Close() error {
	d.once.Do(func() {
		close(d.closing)
		<-d.exited
		d.closed = d.release()
	})
	return d.closed
}

func (d *DB) release() error {
	var errs []error
	if d.read != nil {
		errs = append(errs, d.read.Close())
	}
	if d.pool != nil {
		errs = append(errs, d.pool.Close())
	}
	return errors.Join(append(errs, unlock(d.lock))...)
}

// fail ends writing for good; the first cause counts.
func (d *DB) fail(err error) error {
	err = fmt.Errorf("%w: %w", runner.ErrStoreFailed, err)
	if d.cause.CompareAndSwap(nil, &err) {
		d.log.Error("the database failed; nothing more is written until a restart", "path", d.path, "error", err)
		close(d.failed)
	}
	return d.Err()
}
