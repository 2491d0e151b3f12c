// Package storetest is the specification of a runner.Store: every store passes Run.
package storetest

import (
	"testing"

	"github.com/culmhq/culm/engine/runner"
)

// Driver opens the stores that are tested.
type Driver struct {
	// Open returns an empty store. It is closed by the test.
	Open func(t *testing.T) runner.Store
	// Reopen closes a store that Open returned and opens what is durable of it. It is
	// nil for a store that keeps nothing.
	Reopen func(t *testing.T, s runner.Store) runner.Store
}

// Run tests a store.
func Run(t *testing.T, d Driver) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s runner.Store)
	}{
		{"a new run is found by id and by key", testNewRun},
		{"an unknown run is not found", testUnknown},
		{"records come back as they were", testRecords},
		{"records after a number and up to a limit", testRecordsWindow},
		{"a gap in the records is refused", testGap},
		{"a broken batch is refused", testBroken},
		{"a commit is all or nothing", testAtomic},
		{"a run id is taken once", testRunIDOnce},
		{"a start key is taken once a project", testStartKeyOnce},
		{"a run ends once", testEndsOnce},
		{"several batches of one run in one commit", testManyBatches},
		{"lists are newest first and page by page", testList},
		{"lists are narrowed by text, operator, time and state", testSearch},
		{"live runs carry their documents", testLive},
		{"runs know their parents", testParents},
		{"timers are set, replaced and cleared", testTimers},
		{"the timer of a run has no node", testRunTimer},
		{"commits at the same time", testHammer},
		{"a commit whose context is done changes nothing", testDoneContext},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := d.Open(t)
			t.Cleanup(func() { closeStore(t, s) })
			c.run(t, s)
		})
	}
	if d.Reopen == nil {
		return
	}
	t.Run("everything survives closing and opening", func(t *testing.T) {
		t.Parallel()
		testReopen(t, d)
	})
}

func closeStore(t *testing.T, s runner.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
