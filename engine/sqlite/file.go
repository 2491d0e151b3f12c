package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

const versionTable = "engine_version"

//go:embed migrations/*.sql
var embedded embed.FS

// connector opens connections with our settings without registering a driver for the
// whole process.
type connector struct{ dsn string }

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(c.dsn)
	if err != nil {
		return nil, classify(err)
	}
	return conn, nil
}

// Driver implements driver.Connector. The two settings made here have no name in the
// DSN. Checkpoints are made by the writer, who sees their errors; SQLite's automatic
// ones would hide a failed fsync.
func (connector) Driver() driver.Driver {
	return &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		_, err := c.Exec(`PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864`, nil)
		return err
	}}
}

func dsn(path string, busy time.Duration, readOnly bool) string {
	q := url.Values{
		"_busy_timeout":    {strconv.FormatInt(busy.Milliseconds(), 10)},
		"_foreign_keys":    {"1"},
		"_cache_size":      {"-16384"}, // KiB
		"_stmt_cache_size": {"32"},
	}
	if readOnly {
		q.Set("mode", "ro")
		q.Set("_query_only", "1")
	} else {
		q.Set("_journal_mode", "WAL")
		q.Set("_synchronous", "FULL")
		q.Set("_txlock", "immediate")
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String()
}

// prepareFile makes directory and file where they are missing and refuses those that
// others may read. SQLite gives its side files the mode of the main file.
func prepareFile(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("sqlite: path %q is not absolute", path)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("sqlite: make the data directory: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("sqlite: open the database: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("sqlite: open the database: %w", err)
	}
	for _, p := range []struct{ path, want string }{{dir, "0700"}, {path, "0600"}} {
		st, err := os.Stat(p.path)
		if err != nil {
			return fmt.Errorf("sqlite: %w", err)
		}
		if st.Mode().Perm()&0o077 != 0 {
			return fmt.Errorf("%w: %s has mode %04o; run chmod %s %s", ErrExposed, p.path, st.Mode().Perm(), p.want, p.path)
		}
	}
	return nil
}

// lockFile takes the lock that tells a second process to stay away. It is the kernel's
// and ends with the process, however that ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open the lock: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%w (%s)", ErrLocked, path)
	} else {
		err = fmt.Errorf("sqlite: lock %s: %w", path, err)
	}
	return nil, errors.Join(err, f.Close())
}

// unlock gives the lock of lockFile back at once. Closing the file would not always do: a
// child process that is being started has the file open until it becomes another program.
func unlock(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

// checkSettings reads back what durability rests on: a misspelt or unsupported setting
// is ignored by SQLite without a word.
func checkSettings(ctx context.Context, db *sql.DB) error {
	for _, p := range []struct{ name, want string }{
		{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"}, {"wal_autocheckpoint", "0"},
	} {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+p.name).Scan(&got); err != nil {
			return fmt.Errorf("sqlite: read %s: %w", p.name, classify(err))
		}
		if got != p.want {
			return fmt.Errorf("sqlite: %s is %q, not %q", p.name, got, p.want)
		}
	}
	return nil
}

func quickCheck(ctx context.Context, db *sql.DB) error {
	var got string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&got); err != nil {
		return fmt.Errorf("sqlite: quick_check: %w", classify(err))
	}
	if got != "ok" {
		return fmt.Errorf("%w: quick_check: %s", ErrDamaged, got)
	}
	return nil
}

func migrations() fs.FS {
	sub, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}

// Migrate brings further tables of this file up to date, from the numbered .sql files
// at the root of files, for a package that keeps its own tables here. table is that
// package's own version table. It is called before anything else is done with d.
func (d *DB) Migrate(ctx context.Context, files fs.FS, table string) error {
	db := sql.OpenDB(connector{dsn: dsn(d.path, d.busy, false)})
	db.SetMaxOpenConns(1)
	return errors.Join(migrate(ctx, db, files, table), db.Close())
}

func migrate(ctx context.Context, db *sql.DB, files fs.FS, table string) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithTableName(table), goose.WithAllowOutofOrder(true), goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("sqlite: migrations of %s: %w", table, err)
	}
	has, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("sqlite: read %s: %w", table, classify(err))
	}
	sources := p.ListSources()
	if knows := sources[len(sources)-1].Version; has > knows {
		return fmt.Errorf("%w: %s is at %d, this program knows up to %d", ErrNewer, table, has, knows)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("sqlite: migrate %s: %w", table, classify(err))
	}
	return nil
}
