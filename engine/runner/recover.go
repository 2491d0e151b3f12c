package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/culmhq/culm/engine"
)

// restore takes in the runs that have not ended. It is called before the loop runs.
func (r *Runner) restore(ctx context.Context) error {
	heads, err := r.cfg.Store.Live(ctx)
	if err != nil {
		return fmt.Errorf("runner: recover: %w", err)
	}
	revived, err := r.reviveAll(ctx, heads)
	if err != nil {
		return err
	}
	for i := range revived {
		r.loop.runs[heads[i].ID] = revived[i].run
	}
	for i := range revived {
		r.loop.perform(revived[i].run, revived[i].commands)
		r.loop.restrain(revived[i].commands)
	}
	r.loop.orphans()
	r.loop.startCalls()
	return nil
}

// revival is a run that was taken in, with what it has outstanding.
type revival struct {
	run      *live
	commands []engine.Command
}

// reviveAll makes live runs of all heads, on all processors: it is what a restart takes
// its time for.
func (r *Runner) reviveAll(ctx context.Context, heads []RunHead) ([]revival, error) {
	out := make([]revival, len(heads))
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(heads)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(heads) && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				var err error
				if out[i].run, out[i].commands, err = r.reviveOrIsolate(ctx, &heads[i]); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return out, nil
}

// reviveOrIsolate makes a live run of what the store has, in quarantine if need be.
func (r *Runner) reviveOrIsolate(ctx context.Context, h *RunHead) (*live, []engine.Command, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	l, cs, err := r.revive(ctx, h)
	switch {
	case err == nil:
		return l, cs, nil
	case errors.Is(err, ErrStoreFailed) || ctx.Err() != nil:
		return nil, nil, fmt.Errorf("runner: recover %s: %w", h.ID, err)
	}
	r.cfg.Logger.Error("a run cannot be recovered; it is quarantined", keyRun, h.ID, "error", err)
	return &live{id: h.ID, project: h.Project, parent: h.Parent, fault: fmt.Errorf("%w: %s: %w", ErrQuarantined, h.ID, err)}, nil, nil
}

// restrain passes on what children were told that do not live yet. Those that live have
// it on record: it went into the same commit as their parent's.
func (l *loop) restrain(cs []engine.Command) {
	for _, c := range cs {
		if c, ok := c.(engine.ControlChild); ok && l.births[c.Run] != nil {
			l.control(l.births[c.Run], c.Event)
		}
	}
}

func (r *live) waitsFor(child *live) bool {
	run, epoch, ok := r.state.Child(child.parent.Node)
	return ok && run == child.id && epoch == child.parent.Epoch
}

// orphans revokes the children that nobody waits for: their parents have ended, or have
// gone on without them.
func (l *loop) orphans() {
	for _, r := range l.runs {
		if r.parent == nil || r.fault != nil {
			continue
		}
		p := l.runs[r.parent.Run]
		if p == nil || p.fault == nil && !p.waitsFor(r) {
			l.step(r, hostMeta(), engine.Revoke{Reason: "nothing waits for the run"}, nil)
		}
	}
}

// revive makes a live run of what the store has, with the commands that are outstanding.
func (r *Runner) revive(ctx context.Context, h *RunHead) (*live, []engine.Command, error) {
	g, s, err := r.replay(ctx, h)
	if err != nil {
		return nil, nil, err
	}
	if s.RunState().Ended() || s.RunState() != h.State {
		return nil, nil, fmt.Errorf("runner: the row says %s, the records %s", h.State, s.RunState())
	}
	l := newLive(g, s)
	l.revived = true
	cs, err := outstanding(r.cfg.Logger, l)
	return l, cs, err
}

// replay reads a run's records and folds them.
func (r *Runner) replay(ctx context.Context, h *RunHead) (*engine.Graph, *engine.State, error) {
	rs, err := r.cfg.Store.Records(ctx, h.ID, 0, 0)
	if err != nil {
		return nil, nil, err
	}
	if len(rs) == 0 {
		return nil, nil, fmt.Errorf("runner: run %s has no records", h.ID)
	}
	first, ok := rs[0].Data.(engine.RunStarted)
	if !ok {
		return nil, nil, fmt.Errorf("runner: run %s begins with %s", h.ID, rs[0].Kind)
	}
	g, err := r.cfg.Graphs.Graph(ctx, h.Digest, h.Document, first.Plugins)
	if err != nil {
		return nil, nil, fmt.Errorf("runner: graph of %s: %w", h.Digest, err)
	}
	s, err := replayCore(r.cfg.Logger, h.ID, g, rs)
	return g, s, err
}

// replayed is the view of a run that is not in memory.
func (r *Runner) replayed(ctx context.Context, run string) (engine.RunView, error) {
	h, err := r.cfg.Store.Run(ctx, run)
	if err != nil {
		return engine.RunView{}, err
	}
	_, s, err := r.replay(ctx, &h)
	if err == nil && h.State.Ended() && s.RunState() != h.State { // its last records are gone
		err = fmt.Errorf("runner: the row says %s, the records %s", h.State, s.RunState())
	}
	if err != nil {
		return engine.RunView{}, fmt.Errorf("%w: %s: %w", ErrQuarantined, run, err)
	}
	return s.View(), nil
}

func replayCore(log *slog.Logger, run string, g *engine.Graph, rs []engine.Record) (s *engine.State, err error) {
	defer guard(log, run, "replay", &err)
	return engine.Replay(g, rs)
}

func outstanding(log *slog.Logger, l *live) (cs []engine.Command, err error) {
	defer guard(log, l.id, "outstanding", &err)
	return engine.Outstanding(l.graph, l.state), nil
}

// guard turns a panic of the core into an error.
func guard(log *slog.Logger, run, doing string, err *error) {
	if p := recover(); p != nil {
		log.Error("the core panicked", keyRun, run, "doing", doing, "panic", p, "stack", string(debug.Stack()))
		*err = fmt.Errorf("runner: the core panicked in %s: %v", doing, p)
	}
}
