package health

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/pdk/contract"
)

// FlushEvery is how often what was counted is stored: what a crash loses at most.
const FlushEvery = 10 * time.Second

// pendingMax bounds the cells that wait to be stored. Calls of further ones are not
// counted; it takes thousands of modules in ten seconds.
const pendingMax = 4096

// Options are what a recorder needs; all fields are required.
type Options struct {
	Store  Store
	Clock  runner.Clock
	Logger *slog.Logger
}

// Recorder counts calls. It is safe for concurrent use; counting never waits for the
// store.
type Recorder struct {
	o Options
	// flushing lets one flush at a time: rows that it failed to store come back.
	flushing sync.Mutex

	mu      sync.Mutex
	pending map[Cell]*Counts
}

// NewRecorder makes a recorder.
func NewRecorder(o Options) *Recorder { return &Recorder{o: o, pending: map[Cell]*Counts{}} }

// Run stores what was counted from time to time until ctx is done, and then once more.
func (r *Recorder) Run(ctx context.Context) {
	for {
		tick, stop := r.o.Clock.After(FlushEvery)
		select {
		case <-tick:
			stop()
			r.flush(ctx)
		case <-ctx.Done():
			stop()
			r.flush(context.WithoutCancel(ctx))
			return
		}
	}
}

// flush stores what was counted. What cannot be stored now is tried again: a full disk
// or a busy store must not cost the numbers.
func (r *Recorder) flush(ctx context.Context) {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	r.mu.Lock()
	taken := r.pending
	r.pending = map[Cell]*Counts{}
	r.mu.Unlock()
	if len(taken) == 0 {
		return
	}
	rows := make([]Row, 0, len(taken))
	for cell, counts := range taken {
		rows = append(rows, Row{Cell: cell, Counts: *counts})
	}
	if err := r.o.Store.AddHealth(ctx, rows, hourOf(r.o.Clock.Now().Add(-Retention))); err != nil {
		r.o.Logger.WarnContext(ctx, "the health of plugins was not stored; it is tried again", "error", err)
		r.mu.Lock()
		defer r.mu.Unlock()
		for cell, counts := range taken {
			if p := r.cell(cell); p != nil {
				p.Merge(counts)
			}
		}
	}
}

// cell returns the counts of a cell that wait to be stored, or nil when there are too
// many. The caller holds mu.
func (r *Recorder) cell(c Cell) *Counts {
	p, ok := r.pending[c]
	if !ok && len(r.pending) < pendingMax {
		p = &Counts{}
		r.pending[c] = p
	}
	return p
}

// waiting returns copies of the rows of a project that are not stored yet, from an hour
// on.
func (r *Recorder) waiting(project string, from int64) []Row {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Row
	for cell, counts := range r.pending {
		if cell.Project == project && cell.Hour >= from {
			row := Row{Cell: cell}
			row.Counts.Merge(counts)
			out = append(out, row)
		}
	}
	return out
}

// Watch returns an executor that counts the calls of another one.
func (r *Recorder) Watch(e runner.Executor) runner.Executor { return watched{Executor: e, r: r} }

type watched struct {
	runner.Executor
	r *Recorder
}

// Execute implements runner.Executor.
func (w watched) Execute(ctx context.Context, run runner.RunInfo, d engine.Dispatch, emit func(engine.Note)) engine.Result {
	begun := w.r.o.Clock.Now()
	out := w.Executor.Execute(ctx, run, d, emit)
	now := w.r.o.Clock.Now()
	w.r.count(run, d, &out, now, now.Sub(begun))
	return out
}

// count takes one call that ended.
func (r *Recorder) count(run runner.RunInfo, d engine.Dispatch, out *engine.Result, at time.Time, took time.Duration) {
	failure := failureOf(out)
	if out.Digest == "" || failure != nil && failure.Origin == contract.OriginFlow {
		return // the drawing was wrong: the plugin was not called
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.cell(Cell{Project: run.Project, Plugin: d.Plugin, Digest: out.Digest, Hour: hourOf(at)})
	switch {
	case p == nil:
	case failure != nil && failure.Code == codeCancelled:
		p.Cancelled++
	case failure != nil:
		p.answered(took)
		p.failed(failure, Last{At: at.UTC(), Run: run.ID, Node: d.Node})
	default:
		p.answered(took)
	}
}

func (c *Counts) answered(took time.Duration) {
	c.Calls++
	if c.Durations == nil {
		c.Durations = Histogram{}
	}
	c.Durations[bucketOf(took)]++
	c.Longest = max(c.Longest, took)
}

func (c *Counts) failed(f *contract.Failure, last Last) {
	c.Failures++
	if f.Origin == contract.OriginLimit {
		c.Limits++
	}
	last.Code = c.count(f.Code, Code{Count: 1, Origin: f.Origin})
	c.Last = &last
}

// failureOf returns why a call failed, nil when it did not.
func failureOf(out *engine.Result) *contract.Failure {
	switch {
	case out.Unknown != nil:
		return &contract.Failure{Code: codeUnknown, Origin: out.Unknown.Origin}
	case out.Answer.Status == contract.StatusFailed && out.Answer.Failure != nil:
		return out.Answer.Failure
	case out.Answer.Status == contract.StatusFailed:
		return &contract.Failure{Code: codeOther, Origin: contract.OriginPlugin}
	}
	return nil
}
