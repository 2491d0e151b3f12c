package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/secrets"
)

// hands is a clock that is set by hand.
type hands struct{ at time.Time }

func (h *hands) Now() time.Time { return h.at }

// The secrets of a run are kept while it lives, and for the retention after its end; those
// that were stored for a run which was never started go after an hour.
func TestSecretsOfARunGoWhenItIsOverForLongEnough(t *testing.T) {
	t.Parallel()
	p, clock := open(t, t.TempDir()), &hands{time.Now()}
	v, err := secrets.Open(t.Context(), p.key(), p.rows, clock)
	if err != nil {
		t.Fatal(err)
	}
	ended := map[string]time.Duration{"over": 2 * time.Hour, "just-over": time.Hour, "recent": time.Hour - time.Second, "live": -1}
	refs := map[string]string{}
	put := func(run string) {
		t.Helper()
		if refs[run], err = v.PutRun(t.Context(), "ops", run, "password", secrets.NewSecret("hunter2-hunter2")); err != nil {
			t.Fatal(err)
		}
	}
	for _, run := range []string{"over", "just-over", "recent", "live", "orphan"} {
		put(run)
	}
	clock.at = clock.at.Add(2 * time.Hour)
	put("young-orphan")
	of := func(_ context.Context, run string) (time.Time, bool, error) {
		ago, exists := ended[run]
		if ago < 0 {
			return time.Time{}, exists, nil
		}
		return clock.at.Add(-ago), exists, nil
	}
	if n, err := v.Sweep(t.Context(), time.Hour, of); n != 3 || err != nil {
		t.Errorf("swept the secrets of %d runs, %v", n, err)
	}
	for run, kept := range map[string]bool{"over": false, "just-over": false, "orphan": false, "recent": true, "live": true, "young-orphan": true} {
		if s, err := v.Resolve(t.Context(), "ops", refs[run]); (err == nil) != kept || kept && s.Reveal() != "hunter2-hunter2" {
			t.Errorf("%s: %v", run, err)
		}
	}
	if n, err := v.Sweep(t.Context(), time.Hour, of); n != 0 || err != nil {
		t.Errorf("swept again: %d, %v", n, err)
	}
	clock.at = clock.at.Add(30 * 24 * time.Hour)
	if n, err := v.Sweep(t.Context(), time.Hour, of); n != 1 || err != nil { // "recent" is as long over as before
		t.Errorf("after a month: %d, %v", n, err)
	}
	if _, err := v.Resolve(t.Context(), "ops", refs["live"]); err != nil {
		t.Errorf("a run that lives for a month has lost its secret: %v", err)
	}
}

// More runs than are looked at at once are all swept, whichever of them stay; and a store
// that fails is told, with what was swept before.
func TestASweepGoesThroughAllRuns(t *testing.T) {
	t.Parallel()
	p, clock := open(t, t.TempDir()), &hands{time.Now()}
	v, err := secrets.Open(t.Context(), p.key(), p.rows, clock)
	if err != nil {
		t.Fatal(err)
	}
	const all = 450
	for i := range all {
		if _, err := v.PutRun(t.Context(), "ops", fmt.Sprintf("%s-%04d", []string{"over", "live"}[i%2], i), "password", secrets.NewSecret("hunter2-hunter2")); err != nil {
			t.Fatal(err)
		}
	}
	clock.at = clock.at.Add(time.Minute)
	n, err := v.Sweep(t.Context(), 0, func(_ context.Context, run string) (time.Time, bool, error) {
		if strings.HasPrefix(run, "live") {
			return time.Time{}, true, nil
		}
		return clock.at, true, nil
	})
	if n != all/2 || err != nil {
		t.Errorf("swept %d of %d, %v", n, all/2, err)
	}
	broken := errors.New("the store is gone")
	if _, err := v.Sweep(t.Context(), 0, func(context.Context, string) (time.Time, bool, error) { return time.Time{}, false, broken }); !errors.Is(err, broken) {
		t.Errorf("a store that fails: %v", err)
	}
}
