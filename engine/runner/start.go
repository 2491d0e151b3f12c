package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/culmhq/culm/engine"
)

// check names what a request lacks.
func (q *StartRequest) check() error {
	missing := func(field string) error { return fmt.Errorf("%w: %s is missing", ErrRequest, field) }
	switch {
	case q.Options.Run == "":
		return missing("Options.Run")
	case q.Options.Project == "":
		return missing("Options.Project")
	case q.Options.Digest == "":
		return missing("Options.Digest")
	case len(q.Document) == 0:
		return missing("Document")
	case q.Graph == nil:
		return missing("Graph")
	case q.Key == "" && q.Hash != "":
		return missing("Key")
	}
	return nil
}

// again answers a start whose key is known.
func (r *Runner) again(ctx context.Context, q StartRequest, h RunHead, err error) (engine.RunView, error) {
	if err != nil {
		return engine.RunView{}, err
	}
	if h.StartHash != q.Hash {
		return engine.RunView{}, ErrKeyReused
	}
	return r.View(ctx, h.ID)
}

// begin has the core start the run, on the caller's goroutine: nobody else knows of the
// run yet.
func (r *Runner) begin(ctx context.Context, q StartRequest) (*begun, engine.RunView, error) {
	o := q.Options
	switch _, err := r.cfg.Store.Run(ctx, o.Run); {
	case err == nil:
		return nil, engine.RunView{}, fmt.Errorf("%w: %s", ErrExists, o.Run)
	case !errors.Is(err, ErrNotFound):
		return nil, engine.RunView{}, err
	}
	q.Meta.At = r.cfg.Clock.Now().UTC()
	return beget(r.cfg.Logger, q)
}

func startCore(log *slog.Logger, q StartRequest) (s *engine.State, rs []engine.Record, cs []engine.Command, err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("the core panicked at a start", keyRun, q.Options.Run, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %s: the core panicked: %v", ErrQuarantined, q.Options.Run, p)
		}
	}()
	return engine.Start(q.Graph, q.Meta, q.Options)
}

// commandEnded answers a command for a run that is not in memory.
func (r *Runner) commandEnded(ctx context.Context, project, run string, m engine.Meta) (uint64, error) {
	h, err := r.cfg.Store.Run(ctx, run)
	if err != nil {
		return 0, err
	}
	if h.Project != project {
		return 0, ErrNotFound
	}
	if m.CommandID != "" {
		rs, err := r.cfg.Store.Records(ctx, run, 0, 0)
		if err != nil {
			return 0, err
		}
		for i := range rs {
			if rs[i].CommandID == m.CommandID {
				return h.Seq, nil // applied before the run ended
			}
		}
	}
	return 0, &engine.Error{
		Code: engine.CodeEnded, Message: fmt.Sprintf("the run has ended (%s)", h.State), Seq: h.Seq,
	}
}
