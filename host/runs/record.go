package runs

import (
	"context"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/recordings"
	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/pdk/contract"
)

// module calls a module on behalf of s, which holds the recording afterwards, if one is
// wanted.
func (e *Executor) module(ctx context.Context, c ModuleCall, s *services) ([]byte, error) {
	c.Services = s
	if e.o.Recorder != nil {
		if c.RecordBytes = e.o.Recorder.Bytes(); c.RecordBytes > 0 {
			c.Recorded = func(r *replay.Recording) { s.recording = r }
		}
	}
	return e.o.Modules.Call(ctx, c)
}

// keep hands the recording of a call over, now that it is known how the call ended.
func (e *Executor) keep(ctx context.Context, run runner.RunInfo, d engine.Dispatch, p *prepared, s *services, r *engine.Result) {
	if s.recording == nil {
		return
	}
	c := recordings.Call{
		Place: recordings.Place{
			Project: run.Project, Run: run.ID, Node: d.Node, Iteration: d.Iteration, Attempt: d.Attempt,
			Phase: recordings.PhaseOf(d.Reason), Call: d.Call,
		},
		Reason: d.Reason, Plugin: d.Plugin, Action: d.Action, Form: p.action.Inputs, Inputs: d.Inputs, Recording: s.recording,
	}
	switch {
	case r.Unknown != nil:
		c.Status, c.Failure = recordings.Unknown, r.Unknown
	case r.Answer.Status == contract.StatusWaiting:
		c.Status = recordings.Waiting
	case r.Answer.Status == contract.StatusSucceeded:
		c.Status = recordings.Succeeded
	default:
		c.Status, c.Failure = recordings.Failed, r.Answer.Failure
	}
	e.o.Recorder.Keep(ctx, c)
}

// keepCancel hands the recording of a call for cancel over.
func (e *Executor) keepCancel(ctx context.Context, run runner.RunInfo, d engine.Dispatch, p *prepared, s *services, err error) {
	r := engine.Result{Answer: contract.Answer{Status: contract.StatusSucceeded}}
	if err != nil {
		r.Answer = failed(e.failureOf(ctx, run, d, err))
	}
	e.keep(ctx, run, d, p, s, &r)
}
