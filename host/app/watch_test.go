package app_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/app"
)

// A run that is found stuck twice in a row is told once; one that moved in between is
// not.
func TestStuckRunsAreToldOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	ticks := make(chan time.Time)
	rounds := []map[string]string{
		{"r1": "no call of a", "r2": "no call of a"},
		{"r1": "no call of a", "r2": "no timer of b"},
		{"r1": "no call of a"},
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	asked := make(chan struct{}, len(rounds))
	go func() {
		defer close(over)
		app.Watch(ctx, func(context.Context) (map[string]string, error) {
			now := rounds[0]
			rounds = rounds[1:]
			asked <- struct{}{}
			return now, nil
		}, func(time.Duration) (<-chan time.Time, func()) { return ticks, func() {} }, slog.New(slog.NewTextHandler(&out, nil)))
	}()
	for range 3 {
		ticks <- time.Time{}
		<-asked
	}
	stop()
	<-over
	if text := out.String(); strings.Count(text, "run_id=r1") != 1 || strings.Contains(text, "r2") {
		t.Errorf("the log says:\n%s", text)
	}
}
