package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/store"
)

// held keeps the writer of a database busy until release is called: what is written meanwhile
// waits together.
func held(t *testing.T, db *sqlite.DB) (release func()) {
	t.Helper()
	begun, end := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := db.Write(context.Background(), func(context.Context, *sqlite.Tx) error {
			close(begun)
			<-end
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	return func() { close(end); wg.Wait() }
}

// checkAudited fails unless the log is a whole chain that has each of the calls once that are
// to be there, and no other.
func checkAudited(t *testing.T, s *store.Store, path string, calls int, isThere func(call int) bool) {
	t.Helper()
	report, err := audit.Verify(store.ReadAudit(t.Context(), path), nil)
	if err != nil || !report.OK() {
		t.Fatal(report, err)
	}
	rows, err := s.Audit().Rows(t.Context(), "demo", "r", "n")
	if err != nil {
		t.Fatal(err)
	}
	times := make([]int, calls)
	for _, r := range rows {
		times[r.Call]++
	}
	for i, n := range times {
		if want := isThere(i); n > 1 || (n == 1) != want {
			t.Errorf("call %d is in the log %d times, and is to be there: %t", i, n, want)
		}
	}
}

func callRow(call int) gateway.AuditRow {
	return gateway.AuditRow{At: auditedAt(), Project: "demo", Run: "r", Node: "n", Call: call}
}

func TestCallsThatEndTogetherAreOneChain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "culm.db")
	p := hosttest.OpenAt(t, path)
	release := held(t, p.DB)
	const calls = 700 // more than one pile
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			if err := p.Store.Audit().Append(t.Context(), callRow(i)); err != nil {
				t.Error(err)
			}
		})
	}
	release()
	wg.Wait()
	checkAudited(t, p.Store, path, calls, func(int) bool { return true })
}

func TestACallThatCannotBeAuditedIsNoneOfTheOthersBusiness(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "culm.db")
	p := hosttest.OpenAt(t, path)
	release := held(t, p.DB)
	const calls = 50
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			row := callRow(i)
			if i%10 == 3 {
				row.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) // no JSON says when that is
			}
			if err := p.Store.Audit().Append(t.Context(), row); (err != nil) != (i%10 == 3) {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	release()
	wg.Wait()
	checkAudited(t, p.Store, path, calls, func(i int) bool { return i%10 != 3 })
}

// Whoever gives up, the first of a pile too, leaves no entry behind and takes none with him.
func TestACallThatGivesUpWaitingForTheAuditIsNotInIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "culm.db")
	p := hosttest.OpenAt(t, path)
	release := held(t, p.DB)
	ctx, giveUp := context.WithCancel(t.Context())
	const calls = 40
	var gone, stay sync.WaitGroup
	for i := range calls {
		if i%2 == 0 {
			gone.Go(func() {
				if err := p.Store.Audit().Append(ctx, callRow(i)); !errors.Is(err, context.Canceled) {
					t.Errorf("call %d: %v", i, err)
				}
			})
			continue
		}
		stay.Go(func() {
			if err := p.Store.Audit().Append(t.Context(), callRow(i)); err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	giveUp()
	gone.Wait() // although nothing can be written
	release()
	stay.Wait()
	checkAudited(t, p.Store, path, calls, func(i int) bool { return i%2 != 0 })
}
