package sqlite

import (
	"errors"
	"fmt"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/culmhq/culm/engine/runner"
)

// classify gives an error of the driver its place among the errors of the port, by the
// driver's code. Errors of others, and those that have a place, are returned as they are.
func classify(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) || errors.Is(err, runner.ErrExists) || errors.Is(err, runner.ErrStoreBusy) || fatal(err) {
		return err
	}
	switch e.Code {
	case sqlite3.ErrConstraint:
		if e.ExtendedCode == sqlite3.ErrConstraintUnique || e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey {
			return fmt.Errorf("%w: %w", runner.ErrExists, err)
		}
		return err
	case sqlite3.ErrFull:
		return fmt.Errorf("%w: %w", runner.ErrStoreFull, err)
	case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrInterrupt:
		return fmt.Errorf("%w: %w", runner.ErrStoreBusy, err)
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return fmt.Errorf("%w: %w: %w", runner.ErrStoreFailed, ErrDamaged, err)
	case sqlite3.ErrIoErr, sqlite3.ErrCantOpen, sqlite3.ErrReadonly, sqlite3.ErrNomem,
		sqlite3.ErrProtocol, sqlite3.ErrPerm, sqlite3.ErrInternal:
		return fmt.Errorf("%w: %w", runner.ErrStoreFailed, err)
	default:
		return err
	}
}

// fatal reports whether nothing more may be written after err.
func fatal(err error) bool { return errors.Is(err, runner.ErrStoreFailed) }
