package runner_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/sqlite"
)

// Whatever stands in the rows of a run, the runner starts, the other runs go on, and
// nothing is called for the one whose rows make no sense.
func TestPoisonInAnyColumnOfARunLeavesTheOthersAlone(t *testing.T) {
	t.Parallel()
	of := func(set string) string { return "UPDATE runs SET " + set + " WHERE id = 'bad'" }
	chunk := func(set string) string {
		return "UPDATE chunks SET " + set + " WHERE id = (SELECT max(id) FROM chunks WHERE run = (SELECT n FROM runs WHERE id = 'bad'))"
	}
	for name, statement := range map[string]string{
		"a state that is none":    of("state = 'dreaming'"),
		"a state of the end":      of("state = 'succeeded'"),
		"an empty state":          of("state = ''"),
		"a version below nothing": of("version = -1"),
		"a time before all":       of("created_at = -9223372036854775808"),
		"a name of zero bytes":    of("name = ''"),
		"a hash that is none":     of("start_hash = 'x'"),
		"no operator":             of("operator = ''"),
		"another flow":            of("flow = 'x'"),
		"another digest":          of("digest = (SELECT digest FROM documents WHERE digest LIKE 'other%')"),
		"no records":              chunk("data = x''"),
		"records of nonsense":     chunk("data = x'00000004deadbeef'"),
		"records cut off":         chunk("data = substr(data, 1, length(data) / 2)"),
		"records of text":         chunk("data = x'000000056e756c6c20'"),
		"another JSON":            chunk("data = x'000000027b7d'"),
		"a length beyond the end": chunk("data = CAST(x'7fffffff' || data AS BLOB)"),
		"a number too high":       chunk("last = 9999"),
		"a document of nonsense":  "UPDATE documents SET body = x'7b' WHERE digest = (SELECT digest FROM runs WHERE id = 'bad')",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stage{t: t, open: stores()["sqlite"](t), exec: newScript(), clock: newFakeClock(), pub: newWatcher(), graphs: graphs{}, workers: 4}
			began, _ := s.exec.hold("x")
			began2, _ := s.exec.hold("y")
			s.start()
			s.run("bad", serial("x", "x2"))
			s.run("good", serial("y"))
			<-began
			<-began2
			s.runner.Kill()
			path := s.store.(*sqlite.Store).Path()
			closeStore(t, s.store)
			poison(t, path, statement)
			s.exec.on("y", nil)
			s.exec.on("x", nil)
			s.start()
			s.untilState("good", engine.RunSucceeded)
			q, err := s.runner.Quarantined(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if q["good"] != nil || len(q) > 1 {
				t.Errorf("in quarantine: %v", q)
			}
			if why := q["bad"]; why != nil {
				if n := len(s.exec.of("x2")); n != 0 {
					t.Errorf("%v, and yet it went on", why)
				}
				_, err := s.runner.Command(t.Context(), "p", "bad", by("li"), engine.Revoke{})
				wantIs(t, err, runner.ErrQuarantined)
			}
			s.stop()
			closeStore(t, s.store)
		})
	}
}

// The last records of a run that has ended are gone: it is not shown as if it went on.
func TestAnEndedRunWithoutItsEndIsNotShown(t *testing.T) {
	t.Parallel()
	dir, _ := ended(t)
	path := filepath.Join(dir, "culm.db")
	poison(t, path, "DELETE FROM chunks WHERE id = (SELECT max(id) FROM chunks WHERE run = (SELECT n FROM runs WHERE id = 'r1'))")
	s := &stage{t: t, exec: newScript(), clock: newFakeClock(), pub: newWatcher(), graphs: graphs{}, workers: 4}
	s.open = func() runner.Store { return openSQLite(t, path).Store() }
	s.graphs.compile(t, steps(6))
	s.start()
	_, err := s.runner.View(t.Context(), "r1")
	wantIs(t, err, runner.ErrQuarantined)
	s.view("r3")
	s.stop()
	closeStore(t, s.store)
}

// poison changes the database of a program that does not run.
func poison(t *testing.T, path, statement string) {
	t.Helper()
	d := openSQLite(t, path)
	err := d.Write(t.Context(), func(ctx context.Context, tx *sqlite.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO documents (digest, body) VALUES ('other', x'7b7d')`); err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, statement)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("%d rows changed, %w", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, d.Store())
}
