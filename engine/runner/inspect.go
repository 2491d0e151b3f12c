package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine"
)

// Inspect has a question answered about the state of a run of the project, and returns
// once that state is durable. f gets the state itself, for a live run on the loop: it
// must be quick, change nothing, and keep nothing of it. An error of f is returned as it
// is. A run of another project is ErrNotFound; a run in quarantine whose records cannot
// be replayed is ErrQuarantined.
func (r *Runner) Inspect(ctx context.Context, project, run string, f func(g *engine.Graph, s *engine.State) error) error {
	if err := r.runs(); err != nil {
		return err
	}
	done := make(chan error, 1)
	if err := r.in.ask(&inspected{run: run, project: project, f: f, done: func(err error) { done <- err }}); err != nil {
		return err
	}
	select {
	case err := <-done:
		if !errors.Is(err, errNotLive) && !errors.Is(err, ErrQuarantined) {
			return err
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	h, err := r.cfg.Store.Run(ctx, run)
	if err != nil {
		return err
	}
	if h.Project != project {
		return ErrNotFound
	}
	g, s, err := r.replay(ctx, &h)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrQuarantined, run, err)
	}
	return f(g, s)
}

// inspected asks a question about a live run.
type inspected struct {
	run, project string
	f            func(g *engine.Graph, s *engine.State) error
	done         func(error)
}

func (m *inspected) apply(l *loop) {
	r := l.runs[m.run]
	switch {
	case r == nil:
		m.done(errNotLive)
		return
	case r.project != m.project:
		m.done(ErrNotFound)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l.collect(r)
	if r.fault != nil {
		m.done(r.fault)
		return
	}
	answer := m.ask(l, r)
	l.after(r.group, r, func(err error) { m.done(errors.Join(err, answer)) })
}

// ask keeps a panic of the question from ending the loop.
func (m *inspected) ask(l *loop, r *live) (err error) {
	defer guard(l.log, r.id, "inspect", &err)
	return m.f(r.graph, r.state)
}

func (m *inspected) refuse(err error) { m.done(err) }

// Stuck returns the live runs that nothing will ever move, with what is missing: a call
// that should be running, a timer that should be set, a child that should live, or
// anything at all. It is empty unless this package or the core has a fault. Runs that
// wait for a human, or are in quarantine, are not stuck.
func (r *Runner) Stuck(ctx context.Context) (map[string]string, error) {
	return surveyed(ctx, r, func(l *loop) map[string]string {
		out := map[string]string{}
		for id, r := range l.runs {
			if why := l.stuck(r); why != "" && !l.draining {
				out[id] = why
			}
		}
		return out
	})
}

// stuck says what a run lacks of what its state says is under way, or nothing. A run
// whose last records are not durable is under way as such.
func (l *loop) stuck(r *live) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.collect(r)
	if r.fault != nil || r.group > l.committed || r.state.RunState().Ended() {
		return ""
	}
	var missing []string
	cs := engine.Outstanding(r.graph, r.state)
	for _, c := range cs {
		if what := l.absent(r, c); what != "" {
			missing = append(missing, what)
		}
	}
	if len(cs) == 0 && !waitsForSomebody(r.state.View()) {
		missing = append(missing, "nothing is under way, and nobody is waited for")
	}
	return strings.Join(missing, "; ")
}

// absent says that what a command asked for is not there.
func (l *loop) absent(r *live, c engine.Command) string {
	switch c := c.(type) {
	case engine.Dispatch:
		if !slices.ContainsFunc(r.calls, func(k *call) bool { return k.d.Node == c.Node && k.d.Epoch == c.Epoch }) {
			return fmt.Sprintf("no call of %s, epoch %d", c.Node, c.Epoch)
		}
	case engine.SetTimer:
		if a := r.alarms[c.Node]; a == nil || !a.due.Equal(c.Due) || a.epoch != c.Epoch {
			return fmt.Sprintf("no timer of %q, epoch %d, due %s", c.Node, c.Epoch, c.Due)
		}
	case engine.StartChild:
		if l.runs[c.Run] == nil && l.births[c.Run] == nil {
			return fmt.Sprintf("no run %s below %s", c.Run, c.Node)
		}
	case engine.ControlChild, engine.Cancel, engine.ClearTimer, engine.Finish:
	}
	return ""
}

// waitsForSomebody reports whether a run goes on when somebody outside wants it to: an
// operator, or who has a callback to give.
func waitsForSomebody(v engine.RunView) bool {
	if v.State == engine.RunSuspended || v.State == engine.RunBlocked {
		return true
	}
	for _, n := range v.Nodes {
		switch n.State {
		case engine.NodeFailed, engine.NodeUnknown, engine.NodeSuspended, engine.NodeReady, engine.NodeRollbackFailed, engine.NodeWaiting:
			return true
		case engine.NodeIdle, engine.NodeRunning, engine.NodeSucceeded, engine.NodeSkipped, engine.NodeCancelled,
			engine.NodeRollingBack, engine.NodeRolledBack:
		}
	}
	return false
}
