package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/culmhq/culm/engine"
)

// restore takes in the runs that have not ended. It is called before the loop runs.
func (r *Runner) restore(ctx context.Context) error {
	heads, err := r.cfg.Store.Live(ctx)
	if err != nil {
		return fmt.Errorf("runner: recover: %w", err)
	}
	for i := range heads {
		if err := ctx.Err(); err != nil {
			return err
		}
		l, cs, err := r.revive(ctx, &heads[i])
		if errors.Is(err, ErrStoreFailed) {
			return fmt.Errorf("runner: recover %s: %w", heads[i].ID, err)
		}
		if err != nil {
			r.cfg.Logger.Error("a run cannot be recovered; it is quarantined", keyRun, heads[i].ID, "error", err)
			l = &live{id: heads[i].ID, project: heads[i].Project, fault: fmt.Errorf("%w: %s: %w", ErrQuarantined, heads[i].ID, err)}
		}
		r.loop.runs[l.id] = l
		r.loop.perform(l, cs)
	}
	r.loop.startCalls()
	return nil
}

// revive makes a live run of what the store has, with the commands that are outstanding.
func (r *Runner) revive(ctx context.Context, h *RunHead) (*live, []engine.Command, error) {
	g, s, first, err := r.replay(ctx, h)
	if err != nil {
		return nil, nil, err
	}
	if s.RunState().Ended() || s.RunState() != h.State {
		return nil, nil, fmt.Errorf("runner: the row says %s, the records %s", h.State, s.RunState())
	}
	l := &live{
		id: h.ID, project: h.Project, graph: g, state: s, revived: true,
		info: RunInfo{
			ID: h.ID, Project: h.Project, Flow: h.Flow, Operator: first.Operator, Zone: first.Zone, Plugins: first.Plugins,
		},
	}
	cs, err := outstanding(r.cfg.Logger, l)
	return l, cs, err
}

// replay reads a run's records and folds them.
func (r *Runner) replay(ctx context.Context, h *RunHead) (*engine.Graph, *engine.State, engine.RunStarted, error) {
	var first engine.RunStarted
	rs, err := r.cfg.Store.Records(ctx, h.ID, 0, 0)
	if err != nil {
		return nil, nil, first, err
	}
	if len(rs) == 0 {
		return nil, nil, first, fmt.Errorf("runner: run %s has no records", h.ID)
	}
	first, ok := rs[0].Data.(engine.RunStarted)
	if !ok {
		return nil, nil, first, fmt.Errorf("runner: run %s begins with %s", h.ID, rs[0].Kind)
	}
	g, err := r.cfg.Graphs.Graph(ctx, h.Digest, h.Document, first.Plugins)
	if err != nil {
		return nil, nil, first, fmt.Errorf("runner: graph of %s: %w", h.Digest, err)
	}
	s, err := replayCore(r.cfg.Logger, h.ID, g, rs)
	return g, s, first, err
}

// replayed is the view of a run that is not in memory.
func (r *Runner) replayed(ctx context.Context, run string) (engine.RunView, error) {
	h, err := r.cfg.Store.Run(ctx, run)
	if err != nil {
		return engine.RunView{}, err
	}
	_, s, _, err := r.replay(ctx, &h)
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
