package runs

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/pdk/contract"
)

// CallbackRequest is what an outside system has to say to an attempt of a node.
type CallbackRequest struct {
	Project, Run, Node string
	Iteration, Attempt int
	// System is who calls.
	System string
	// CommandID makes a repetition have no second effect.
	CommandID string
	Data      json.RawMessage
}

// CheckCallback says whether a run would take a callback now: nil when the attempt waits for
// one, or may come to. The refusals: fault.NotFound, RunEnded, WrongState (the node is over,
// or not there yet), Conflict (another attempt is under way), Forbidden (the node asks a
// person), Invalid at /data.
func (s *Service) CheckCallback(ctx context.Context, r CallbackRequest) error {
	_, err := s.takes(ctx, r)
	return err
}

// Callback hands a callback to its run, which keeps one that comes before its wait. It
// returns a fault.Stopping for one that has to come again later.
func (s *Service) Callback(ctx context.Context, r CallbackRequest) error {
	ready, err := s.takes(ctx, r)
	switch {
	case fault.Is(err, fault.Conflict): // the history is to show it
	case err != nil:
		return err
	case !ready:
		return fault.New(fault.Stopping, "the node does not wait for a program yet, and may ask a person first").Because("WAITS_FOR_PERSON")
	}
	_, err = s.apply(ctx, r.Project, r.Run, engine.Meta{Actor: engine.Actor{ID: "callback:" + r.System}, CommandID: r.CommandID},
		engine.Callback{Node: r.Node, Iteration: r.Iteration, Attempt: r.Attempt, Data: r.Data})
	return err
}

// Scrub takes the secrets of a run, and the credentials that its calls may have used, out
// of what comes in for it.
func (s *Service) Scrub(ctx context.Context, project, run string, data json.RawMessage) (json.RawMessage, error) {
	values, err := s.o.Vault.OfRun(ctx, project, run)
	if err != nil {
		return nil, fault.Wrap("read the secrets of the run", err)
	}
	credentials, err := s.o.Vault.Scrubber(ctx, project)
	if err != nil {
		return nil, fault.Wrap("read the credentials of the project", err)
	}
	return gateway.Scrub(data, credentials, values), nil
}

// takes is CheckCallback. It is not ready when a callback given to the run now could end
// another wait than one for a program.
func (s *Service) takes(ctx context.Context, r CallbackRequest) (ready bool, err error) {
	h, err := s.head(ctx, r.Project, r.Run)
	if err != nil {
		return false, err
	}
	if h.State.Ended() {
		return false, fault.New(fault.RunEnded, "the run is over").Because("RUN_OVER")
	}
	v, err := s.o.Runner.View(ctx, h.ID)
	if err != nil {
		return false, refusal("read run", h.ID, err)
	}
	n := v.Nodes[r.Node]
	if n.Attempt != r.Attempt || n.Iteration != r.Iteration {
		return false, fault.New(fault.Conflict, "the callback is for another attempt of the node").Because("CALLBACK_ATTEMPT")
	}
	switch n.State {
	case engine.NodeReady, engine.NodeRunning, engine.NodeSuspended:
		return s.mayComeEarly(ctx, h, r.Node)
	case engine.NodeWaiting:
		return s.waits(ctx, h, r, n.Wait)
	case engine.NodeIdle, engine.NodeSucceeded, engine.NodeFailed, engine.NodeSkipped, engine.NodeCancelled, engine.NodeUnknown,
		engine.NodeRollingBack, engine.NodeRolledBack, engine.NodeRollbackFailed:
	}
	return false, fault.New(fault.WrongState, "the node does not wait any more").Because("NODE_DONE_WAITING")
}

// waits checks a callback against the wait that there is. A person is asked on the canvas,
// where it is known who answers; a link that was passed on does not answer for them.
func (s *Service) waits(ctx context.Context, h runner.RunHead, r CallbackRequest, w *contract.Wait) (bool, error) {
	switch {
	case w == nil:
		return false, fault.New(fault.WrongState, "the node does not wait").Because("NODE_NOT_WAITING")
	case w.Kind == contract.WaitHuman:
		return false, fault.New(fault.Forbidden, "the node asks a person, who answers in Culm").Because("ASKS_PERSON")
	case w.Kind != contract.WaitCallback:
		return s.mayComeEarly(ctx, h, r.Node)
	case len(w.Schema) == 0:
		return true, nil
	}
	form, err := s.forms.Form(w.Schema)
	if err != nil {
		return true, nil //nolint:nilerr // the plugin's schema is no schema: it takes any answer.
	}
	return true, firstFault("/data", form.Check(r.Data))
}

// mayComeEarly reports whether the run may keep a callback for later. Where the action may
// also ask a person it may not: what is kept would answer in the person's place.
func (s *Service) mayComeEarly(ctx context.Context, h runner.RunHead, path string) (bool, error) {
	node, action, err := s.action(ctx, h, path)
	if err != nil || node == nil {
		return false, err
	}
	return !slices.Contains(action.Waits, contract.WaitHuman), nil
}
