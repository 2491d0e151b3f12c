package runner_test

import (
	"context"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/pdk/contract"
)

// Verify passes at the end of every test on SQLite; here it must not.
func TestVerifySeesWhatWasTamperedWith(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"a state":            `UPDATE runs SET state = 'failed' WHERE id = 'ended'`,
		"a time of the end":  `UPDATE runs SET ended_at = 1 WHERE id = 'live'`,
		"a version":          `UPDATE runs SET version = 7 WHERE id = 'ended'`,
		"a missing piece":    `DELETE FROM chunks WHERE id = (SELECT min(id) FROM chunks)`,
		"no last piece":      `DELETE FROM chunks WHERE id = (SELECT max(id) FROM chunks WHERE run = (SELECT n FROM runs WHERE id = 'ended'))`,
		"a cut piece":        `UPDATE chunks SET data = substr(data, 1, length(data) - 1) WHERE id = 1`,
		"another's piece":    `UPDATE chunks SET data = (SELECT data FROM chunks WHERE id = 2) WHERE id = 1`,
		"a timer too many":   `INSERT INTO timers SELECT n, 'a', 1, 1 FROM runs WHERE id = 'ended'`,
		"a timer too little": `DELETE FROM timers`,
		"a timer moved":      `UPDATE timers SET due = due + 1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := stores()["sqlite"](t)
			s := &stage{t: t, open: open, exec: newScript(), clock: newFakeClock(), pub: newWatcher(), graphs: graphs{}}
			s.exec.on("w", sleeper(contract.Wait{Kind: contract.WaitTimer, AfterMS: 60_000}))
			s.start()
			s.run("ended", serial("a", "b"))
			s.untilState("ended", engine.RunSucceeded)
			s.run("live", serial("w"))
			s.untilNode("live", "w", engine.NodeWaiting)
			s.stop()
			path := s.store.(*sqlite.Store).Path()
			closeStore(t, s.store)
			if err := sqlite.Verify(t.Context(), path, s.graphs); err != nil {
				t.Fatalf("before: %v", err)
			}
			d := openSQLite(t, path)
			err := d.Write(t.Context(), func(ctx context.Context, tx *sqlite.Tx) error {
				r, err := tx.ExecContext(ctx, statement)
				if err != nil {
					return err
				}
				if n, err := r.RowsAffected(); err != nil || n != 1 {
					t.Errorf("%d rows changed, %v", n, err)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			closeStore(t, d.Store())
			if err := sqlite.Verify(t.Context(), path, s.graphs); err == nil {
				t.Error("nothing was noticed")
			}
		})
	}
}

func closeStore(t *testing.T, s runner.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
