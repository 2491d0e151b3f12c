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
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
)

// Store implements the repositories of the use cases. It is safe for concurrent use.
type Store struct{ db database }

//go:embed migrations/*.sql
var migrations embed.FS

// versionTable keeps this package's migrations apart from the engine's.
const versionTable = "host_migrations"

// Open brings the tables of the product up to date and makes the store. It is called
// before anything else is done with db, which stays the caller's to close.
func Open(ctx context.Context, db *sqlite.DB) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("store: migrations: %w", err)
	}
	if err := db.Migrate(ctx, files, versionTable); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s := &Store{db: database{DB: db, chain: &chain{}, piles: &piles{}, memo: &memo{}}}
	if err := s.adoptCalls(ctx); err != nil {
		return nil, fmt.Errorf("store: audit: %w", err)
	}
	return s, nil
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
