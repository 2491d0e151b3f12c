package runner

import (
	"context"

	"github.com/culmhq/culm/engine"
)

// Waiting is what Census calls a running run of which no call is under way: it waits for a
// time, a callback, a person or another run.
const Waiting = "waiting"

// Census counts the live runs by their state, those of the state running that only wait as
// Waiting, and runs in quarantine as "quarantined". What is not there counts none.
func (r *Runner) Census(ctx context.Context) (map[string]int, error) {
	return surveyed(ctx, r, func(l *loop) map[string]int {
		out := map[string]int{}
		for _, r := range l.runs {
			out[r.standing()]++
		}
		return out
	})
}

// standing is the state of a run as Census counts it.
func (r *live) standing() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.fault != nil:
		return "quarantined"
	case r.state.RunState() == engine.RunRunning && len(r.calls) == 0:
		return Waiting
	default:
		return string(r.state.RunState())
	}
}
