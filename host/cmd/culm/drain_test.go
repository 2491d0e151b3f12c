package main

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Told to stop in the middle of everything, the program lets calls end, takes nothing
// more, and ends without an error within its time; the next life goes on with what was
// under way.
func TestTermUnderLoadDrainsAndEndsWell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 5 {
		srv := w.launch(t, nil)
		if err := srv.ready(); err != nil {
			t.Fatal(err)
		}
		w.checkAcknowledged(t, srv)
		stop := w.load(srv)
		w.outlast()
		began := time.Now()
		if err := srv.stop(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %v", took)
		}
		stop()
	}
	w.settle(t)
}

// A second server on the same data refuses to start, names the reason, and does not
// disturb the first.
func TestASecondServerOnTheSameDataIsRefused(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	prepare(t, dir)
	first := startServer(t, dir)
	second := launch(t, nil, dir)
	<-second.done
	if code := second.cmd.ProcessState.ExitCode(); code <= 0 || !strings.Contains(second.logs.String(), "in use by another process") {
		t.Errorf("the second server ended with code %d and said:\n%s", code, second.logs)
	}
	if status, err := first.call(http.MethodGet, project+"/runs", nil, nil, nil); err != nil || status != http.StatusOK {
		t.Errorf("the first one answers %d, %v", status, err)
	}
	if err := first.stop(); err != nil {
		t.Error(err)
	}
	startServer(t, dir)
}

// A database that is not one, or whose pages are not what was written, is found at the
// start: nothing runs on it.
func TestADamagedDatabaseIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(b []byte) []byte{
		"another file": func([]byte) []byte { return []byte("this is a text and no database at all") },
		"cut":          func(b []byte) []byte { return b[:len(b)/2] },
		"bytes changed": func(b []byte) []byte {
			for i := 4096 + 8; i < len(b); i += 97 {
				b[i] ^= 0x5a
			}
			return b
		},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		prepare(t, dir)
		path := filepath.Join(dir, "culm.db")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, string(spoil(b)))
		srv := launch(t, nil, dir)
		<-srv.done
		if code := srv.cmd.ProcessState.ExitCode(); code <= 0 || !strings.Contains(srv.logs.String(), "database is damaged") {
			t.Errorf("%s: the server ended with code %d and said:\n%s", name, code, srv.logs)
		}
	}
}

// Another process holds the database for longer than anybody wants to wait: requests are
// told to come back, and everything goes on when it lets go.
func TestADatabaseThatIsHeldByAnotherProcessIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	srv := w.launch(t, nil)
	if err := srv.ready(); err != nil {
		t.Fatal(err)
	}
	stop := w.load(srv)
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(w.dir, "culm.db")+"?_txlock=immediate&_busy_timeout=10000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	await(t, "a request is told to come back", time.Minute, func() bool {
		return w.account.refused(http.StatusServiceUnavailable) > 0 || ended(srv)
	})
	t.Logf("told after %v", time.Since(began).Round(100*time.Millisecond))
	if status, err := srv.call(http.MethodGet, project+"/runs?limit=1", nil, nil, nil); err != nil || status != http.StatusOK {
		t.Errorf("reading meanwhile: %d, %v", status, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	effects := w.effects()
	await(t, "it goes on", time.Minute, func() bool { return w.effects() > effects+3 || ended(srv) })
	w.endWell(t, srv)
	stop()
	w.settle(t)
}
