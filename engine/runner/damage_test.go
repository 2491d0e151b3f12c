package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/sqlite"
)

// One byte of the database is another, anywhere: what can be read of a run is what was
// written, or an error.
func TestAChangedByteIsNeverReadAsHistory(t *testing.T) {
	t.Parallel()
	dir, want := ended(t)
	whole, err := os.ReadFile(filepath.Join(dir, "culm.db"))
	if err != nil {
		t.Fatal(err)
	}
	const changes = 1000
	rng := rand.New(rand.NewPCG(1, 9))
	var refused, failed, harmless int
	for range changes {
		b := bytes.Clone(whole)
		at, flip := rng.IntN(len(b)), byte(1)<<rng.IntN(8)
		b[at] ^= flip
		switch err := readAll(t, map[string][]byte{"culm.db": b}, want, false); {
		case errors.Is(err, errOpen):
			refused++
		case errors.Is(err, errRead):
			failed++
		case err != nil:
			t.Errorf("byte %d of %d ^ %#x: %v", at, len(b), flip, err)
		default:
			harmless++
		}
	}
	t.Logf("of %d changes %d were found at the start, %d when the run was read, %d hit nothing that a run needs", changes, refused, failed, harmless)
	if refused == 0 || failed == 0 {
		t.Error("nothing was found")
	}
}

// The log is cut off, or a byte of it is another: what is read are the first records of
// each run, as they were written. What the log held behind that place is lost.
func TestACutLogLeavesAnEarlierHistory(t *testing.T) {
	t.Parallel()
	s := newStage(t, stores()["sqlite"](t))
	for i := range 8 {
		s.run(fmt.Sprintf("r%d", i), steps(4))
		s.untilEnded(fmt.Sprintf("r%d", i))
	}
	s.stop()
	want := s.histories()
	dir := filepath.Dir(s.store.(*sqlite.Store).Path())
	var files [2][]byte
	for i, name := range []string{"culm.db", "culm.db-wal"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[i] = b
	}
	rng := rand.New(rand.NewPCG(2, 9))
	for i := range 60 {
		wal := bytes.Clone(files[1])
		at := rng.IntN(len(wal))
		if i%2 == 0 {
			wal = wal[:at]
		} else {
			wal[at] ^= 1 << rng.IntN(8)
		}
		err := readAll(t, map[string][]byte{"culm.db": files[0], "culm.db-wal": wal}, want, true)
		if err != nil && !errors.Is(err, errOpen) && !errors.Is(err, errRead) {
			t.Errorf("byte %d of %d (cut: %v): %v", at, len(files[1]), i%2 == 0, err)
		}
	}
}

var (
	errOpen = errors.New("refused at the start")
	errRead = errors.New("refused when it was read")
)

// readAll opens a database of these files and compares every run's records with those
// that were written. With earlier set the first of them are enough, and a run may be
// missing.
func readAll(t *testing.T, files map[string][]byte, want map[string]string, earlier bool) error {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	defer os.RemoveAll(dir)
	d, err := sqlite.Open(t.Context(), filepath.Join(dir, "culm.db"), sqlite.Options{QuickCheck: true})
	if err != nil {
		return errors.Join(errOpen, err)
	}
	defer d.Close()
	var problems []error
	for run, text := range want {
		rs, err := d.Store().Records(t.Context(), run, 0, 0)
		got := lines(rs)
		switch {
		case errors.Is(err, runner.ErrNotFound) && earlier:
		case err != nil:
			problems = append(problems, fmt.Errorf("%w: %s: %w", errRead, run, err))
		case got == text, earlier && strings.HasPrefix(text, got):
		case strings.HasPrefix(text, got): // the runner shows no run whose end is missing
			problems = append(problems, fmt.Errorf("%w: %s: it has ended, and its records have not", errRead, run))
		default:
			return fmt.Errorf("run %s reads\n%swhere this was written:\n%s", run, got, text)
		}
	}
	return errors.Join(problems...)
}

// ended makes a database with runs that have ended, closed.
func ended(t *testing.T) (dir string, want map[string]string) {
	t.Helper()
	s := &stage{t: t, open: stores()["sqlite"](t), exec: newScript(), clock: newFakeClock(), pub: newWatcher(), graphs: graphs{}, workers: 4}
	s.start()
	for i := range 30 {
		f := steps(6)
		if i%2 == 0 {
			f = wide("a", "b", "c")
		}
		s.run(fmt.Sprintf("r%d", i), f)
		s.untilEnded(fmt.Sprintf("r%d", i))
	}
	s.stop()
	want = s.histories()
	dir = filepath.Dir(s.store.(*sqlite.Store).Path())
	closeStore(t, s.store)
	return dir, want
}

// histories are the records of every run as text.
func (s *stage) histories() map[string]string {
	s.t.Helper()
	heads, err := s.store.List(context.Background(), runner.RunQuery{})
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]string{}
	for _, h := range heads {
		var rs []engine.Record
		if rs, err = s.store.Records(context.Background(), h.ID, 0, 0); err != nil {
			s.t.Fatal(err)
		}
		out[h.ID] = lines(rs)
	}
	return out
}
