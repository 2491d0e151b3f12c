package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/engine/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	storetest.Run(t, storetest.Driver{
		Open: func(t *testing.T) runner.Store {
			t.Helper()
			return open(t, filepath.Join(dir, t.Name(), "culm.db")).Store()
		},
		Reopen: func(t *testing.T, s runner.Store) runner.Store {
			t.Helper()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, filepath.Join(dir, t.Name(), "culm.db")).Store()
		},
	})
}

func open(t testing.TB, path string) *sqlite.DB {
	t.Helper()
	d, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}
