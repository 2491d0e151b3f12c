// Package store keeps what the use cases own (projects, flows, plugins, grants,
// systems) in the SQLite database that the engine's runs are in. It holds no rule of
// its own: what may be stored is decided by the use cases, what a port promises is
// written at the port.
package store

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"

	"github.com/culmhq/culm/host/fault"
)

// Database is the shared SQLite file. The engine's SQLite store offers it.
type Database interface {
	// Write runs f inside a transaction, possibly one that it shares with others,
	// and returns once that is durable. When f returns an error nothing of it is
	// kept, and the error is returned as it is or wrapped.
	Write(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error
	// Read returns the pool for queries; it sees what Write has acknowledged.
	Read() *sql.DB
}

// Store implements the repositories of the use cases. It is safe for concurrent use.
type Store struct{ db Database }

//go:embed migrations/*.sql
var migrations embed.FS

// versionTable keeps this package's migrations apart from the engine's.
const versionTable = "host_migrations"

// New makes a store over a database that Migrate has brought up to date.
func New(db Database) *Store { return &Store{db: db} }

// Migrate creates and updates the tables of the product. It is called once, before
// New, with a connection that may write and that nobody else uses meanwhile.
func Migrate(ctx context.Context, writer *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	// Out of order: the files of different owners have ranges of numbers, and a
	// range may grow after a later one was applied.
	p, err := goose.NewProvider(goose.DialectSQLite3, writer, files, goose.WithTableName(versionTable),
		goose.WithAllowOutofOrder(true), goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	return nil
}

// taken reports whether err is the refusal of a row whose key exists.
func taken(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) &&
		(e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey || e.ExtendedCode == sqlite3.ErrConstraintUnique)
}

// missing turns the absence of a row into a fault.NotFound and wraps other errors.
func missing(err error, op, kind, id string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.Missing(kind, id)
	}
	return fault.Wrap(op, err)
}

// micros is how instants are stored.
func micros(t time.Time) int64 { return t.UnixMicro() }

func instant(us int64) time.Time { return time.UnixMicro(us).UTC() }

// scanner is what *sql.Row and *sql.Rows have in common.
type scanner interface{ Scan(dest ...any) error }

// collect reads every row of a query with scan and closes it.
func collect[T any](rows *sql.Rows, scan func(scanner) (T, error)) ([]T, error) {
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// asJSON encodes v for a JSON column.
func asJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}
