package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/sqlite"
)

func path(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "data", "culm.db")
}

// openTable opens a database with a table of the test's own.
func openTable(t *testing.T) *sqlite.DB {
	t.Helper()
	d := open(t, path(t))
	err := d.Write(t.Context(), func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func insert(text string) func(ctx context.Context, tx *sqlite.Tx) error {
	return func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO notes (text) VALUES (?)`, text)
		return err
	}
}

func count(t *testing.T, d *sqlite.DB) (n int) {
	t.Helper()
	if err := d.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM notes`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	t.Parallel()
	p := path(t)
	d := open(t, p)
	if err := d.Write(t.Context(), func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE x (y)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{"": 0o700, "/culm.db": 0o600, "/culm.db-wal": 0o600, "/culm.db-shm": 0o600, "/culm.db.lock": 0o600} {
		st, err := os.Stat(filepath.Dir(p) + name)
		if err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %o", name, st.Mode(), err, want)
		}
	}
}

func TestExposedFilesAreRefused(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string][2]os.FileMode{"directory": {0o750, 0o600}, "file": {0o700, 0o604}} {
		p := path(t)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.WriteFile(p, nil, 0o600), os.Chmod(p, mode[1]), os.Chmod(filepath.Dir(p), mode[0])); err != nil {
			t.Fatal(err)
		}
		_, err := sqlite.Open(t.Context(), p, sqlite.Options{})
		wantIs(t, name, err, sqlite.ErrExposed)
	}
	_, err := sqlite.Open(t.Context(), "relative.db", sqlite.Options{})
	if err == nil {
		t.Error("a relative path is accepted")
	}
}

func TestASecondProcessIsRefused(t *testing.T) {
	t.Parallel()
	p := path(t)
	d := open(t, p)
	_, err := sqlite.Open(t.Context(), p, sqlite.Options{})
	wantIs(t, "open", err, sqlite.ErrLocked)
	wantIs(t, "verify", sqlite.Verify(t.Context(), p, nil), sqlite.ErrLocked)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, p)
}

func TestDamagedFilesAreRefused(t *testing.T) {
	t.Parallel()
	p := path(t)
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte("this is a text and no database at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.Open(t.Context(), p, sqlite.Options{})
	wantIs(t, "a text file", err, sqlite.ErrDamaged)

	p = path(t)
	d := open(t, p)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096 + 8; i < len(b); i += 7 { // every page but the first
		b[i] ^= 0x5a
	}
	if err := os.WriteFile(p, b, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.Open(t.Context(), p, sqlite.Options{QuickCheck: true})
	wantIs(t, "flipped bits", err, sqlite.ErrDamaged)
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	p := path(t)
	d := open(t, p)
	if err := d.Write(t.Context(), func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO engine_version (version_id, is_applied) VALUES (9999, 1)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.Open(t.Context(), p, sqlite.Options{})
	wantIs(t, "open", err, sqlite.ErrNewer)
}

func TestAFailingWriteDoesNotSpoilTheOthers(t *testing.T) {
	t.Parallel()
	d := openTable(t)
	refusal := errors.New("changed my mind")
	// The writer is held, so that all of these share its next transaction.
	held, free := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := d.Write(t.Context(), func(context.Context, *sqlite.Tx) error {
			close(held)
			<-free
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-held
	const n = 30
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			errs[i] = d.Write(t.Context(), func(ctx context.Context, tx *sqlite.Tx) error {
				if err := insert(fmt.Sprint(i))(ctx, tx); err != nil {
					return err
				}
				switch i % 3 {
				case 1:
					return refusal
				case 2:
					panic("oh")
				}
				return nil
			})
		})
	}
	close(free)
	wg.Wait()
	for i, err := range errs {
		if (err == nil) != (i%3 == 0) || i%3 == 1 && !errors.Is(err, refusal) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if got := count(t, d); got != n/3 {
		t.Errorf("%d rows; want %d", got, n/3)
	}
}

func TestErrorsOfWritesByCode(t *testing.T) {
	t.Parallel()
	d := openTable(t)
	if err := d.Write(t.Context(), insert("a")); err != nil {
		t.Fatal(err)
	}
	wantIs(t, "the same again", d.Write(t.Context(), insert("a")), runner.ErrExists)
	if err := d.Write(t.Context(), insert("b")); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantIs(t, "a context that is done", d.Write(ctx, insert("c")), context.Canceled)
	// The context ends while the function runs: nothing is interrupted.
	ctx, cancel = context.WithCancel(t.Context())
	err := d.Write(ctx, func(inner context.Context, tx *sqlite.Tx) error {
		cancel()
		return errors.Join(insert("d")(inner, tx), insert("e")(ctx, tx))
	})
	if err != nil || count(t, d) != 4 {
		t.Errorf("a context that ended in the middle: %v, %d rows", err, count(t, d))
	}
}

func TestReadersCannotWriteAndSeeWhatWasWritten(t *testing.T) {
	t.Parallel()
	d := openTable(t)
	if _, err := d.Read().ExecContext(t.Context(), `INSERT INTO notes (text) VALUES ('x')`); err == nil {
		t.Error("a reader wrote")
	}
	for i := range 20 {
		if err := d.Write(t.Context(), insert(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		if got := count(t, d); got != i+1 {
			t.Fatalf("%d rows after write %d", got, i)
		}
	}
}

func TestATransactionIsOverAfterItsWrite(t *testing.T) {
	t.Parallel()
	d := openTable(t)
	var kept *sqlite.Tx
	if err := d.Write(t.Context(), func(_ context.Context, tx *sqlite.Tx) error {
		kept = tx
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := insert("late")(t.Context(), kept); err == nil {
		t.Error("Exec after the end")
	}
	var n int
	if err := kept.QueryRowContext(t.Context(), `SELECT count(*) FROM notes`).Scan(&n); err == nil {
		t.Error("QueryRow after the end")
	}
}

func TestClosedAndFailedDatabases(t *testing.T) {
	t.Parallel()
	d := openTable(t)
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	wantIs(t, "write", d.Write(t.Context(), insert("a")), sqlite.ErrClosed)

	d = openTable(t)
	// What ends the shared transaction breaks the promise to everybody in it.
	err := d.Write(t.Context(), func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `COMMIT`)
		return err
	})
	wantIs(t, "a write that commits", err, runner.ErrStoreFailed)
	<-d.Failed()
	wantIs(t, "err", d.Err(), runner.ErrStoreFailed)
	wantIs(t, "write", d.Write(t.Context(), insert("a")), runner.ErrStoreFailed)
}

func TestWritesAtTheSameTimeShareCommits(t *testing.T) {
	t.Parallel()
	d := openTable(t)
	const writers, each = 8, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := d.Write(t.Context(), insert(fmt.Sprintf("%d-%d", w, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := count(t, d); got != writers*each {
		t.Errorf("%d rows; want %d", got, writers*each)
	}
}

func TestAForeignLockMakesWritersWait(t *testing.T) {
	t.Parallel()
	p := path(t)
	d, err := sqlite.Open(t.Context(), p, sqlite.Options{BusyTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { wantIs(t, "close", d.Close(), nil) }()
	other, err := sql.Open("sqlite3", "file:"+p+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = d.Write(t.Context(), func(ctx context.Context, tx *sqlite.Tx) error { return nil })
	wantIs(t, "while another process writes", err, runner.ErrStoreBusy)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), func(context.Context, *sqlite.Tx) error { return nil }); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func wantIs(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v; want %v", what, got, want)
	}
}

// A child process that is just being started has every file of its parent open until it
// becomes another program: the lock must not wait for that.
func TestAClosedDatabaseIsFreeWhileAChildIsBeingStarted(t *testing.T) {
	t.Parallel()
	p := filepath.Join(t.TempDir(), "data", "culm.db")
	d, err := sqlite.Open(t.Context(), p, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("open files cannot be listed here: %v", err)
	}
	held := false
	for _, fd := range fds {
		n, err := strconv.Atoi(fd.Name())
		if to, linkErr := os.Readlink("/proc/self/fd/" + fd.Name()); held || err != nil || linkErr != nil || to != p+".lock" {
			continue
		}
		child, err := syscall.Dup(n)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(child)
		held = true
	}
	if !held {
		t.Fatal("the lock is not open")
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if d, err = sqlite.Open(t.Context(), p, sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}
