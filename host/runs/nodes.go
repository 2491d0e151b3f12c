package runs

import (
	"context"
	"errors"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/pdk/contract"
)

// recordsPage is how many records are read at once to assemble a node.
const recordsPage = 2000

// Node returns everything about one node, which is named by its path. A node that was not reached yet has no
// attempts; one that the flow does not have is a fault.NotFound.
func (s *Service) Node(ctx context.Context, project, run, node string) (NodeDetail, error) {
	h, err := s.head(ctx, project, run)
	if err != nil {
		return NodeDetail{}, err
	}
	f, err := decodeFlow(h)
	if err != nil {
		return NodeDetail{}, err
	}
	if nodeAt(f, node) == nil {
		e := fault.Missing("node", node)
		e.Node = node
		return NodeDetail{}, e
	}
	story := teller{detail: NodeDetail{Node: node, Attempts: []Attempt{}}}
	for after := uint64(0); ; {
		rs, err := s.o.Runner.Records(ctx, run, after, recordsPage)
		if err != nil {
			return NodeDetail{}, refusal("read records", run, err)
		}
		for i := range rs {
			if rs[i].Node == node {
				story.take(&rs[i])
			}
		}
		if len(rs) > 0 {
			after = rs[len(rs)-1].Seq
		}
		if len(rs) < recordsPage {
			story.detail.Seq = after
			break
		}
	}
	calls, err := s.o.Audit.Calls(ctx, project, run, node)
	if err != nil {
		return NodeDetail{}, fault.Wrap("read the calls of node "+node, err)
	}
	story.calls(calls)
	return story.detail, nil
}

// teller assembles the story of a node from its records, in order.
type teller struct {
	detail NodeDetail
	// at is the attempt that the last record was about, its place plus one.
	at int
}

func (t *teller) take(r *engine.Record) {
	switch d := r.Data.(type) {
	case engine.NodeChanged:
		t.changed(r, d)
	case engine.NodeNoted:
		if a := t.last(); a != nil {
			a.Log = append(a.Log, d.Log...)
			if d.Progress != nil {
				a.Progress = d.Progress
			}
		}
	case engine.NodeHeld:
		t.detail.Held = d.Held
	case engine.NodeTimer:
		if a := t.last(); a != nil {
			a.Due = &d.Due
		}
	case engine.RunStarted, engine.RunChanged, engine.VariableSet, engine.NodeLate, engine.CallbackKept,
		engine.TokenMoved, engine.GatewayDecided, engine.ScopeEntered, engine.RollbackChanged:
		// They belong to the run's history, which is told elsewhere.
	}
}

func (t *teller) changed(r *engine.Record, d engine.NodeChanged) {
	t.detail.State = d.To
	if d.To == engine.NodeIdle {
		return // a rollback forgets the node; its attempts are still told
	}
	a := t.attempt(r, d)
	a.State, a.Wait, a.Due = d.To, d.Wait, d.Due
	switch {
	case d.Failure != nil:
		a.Failure = d.Failure
	case !ended(d.To) || d.To == engine.NodeSucceeded:
		a.Failure = nil // a skipped or cancelled attempt keeps what it failed of
	}
	a.told(d)
	switch {
	case d.To == engine.NodeRollingBack: // it has ended long ago
	case !ended(d.To):
		a.EndedAt = nil
	case a.EndedAt == nil: // what is decided about it later does not make it longer
		at := r.At
		a.EndedAt = &at
	}
}

// told takes over what a change says of its attempt.
func (a *Attempt) told(d engine.NodeChanged) {
	if d.Inputs != nil {
		a.Inputs = d.Inputs
	}
	if d.Outputs != nil {
		a.Outputs = d.Outputs
	}
	if d.Digest != "" {
		a.Digest = d.Digest
	}
	if d.By != "" {
		a.By = d.By
	}
	if d.Deadline != nil {
		a.Deadline = d.Deadline
	}
	if d.Repeat != 0 {
		a.Repeat = d.Repeat
	}
	if d.Child != "" {
		a.Child = d.Child
	}
}

// attempt finds the attempt that a change is about, or begins it. A rollback comes back
// to older ones.
func (t *teller) attempt(r *engine.Record, d engine.NodeChanged) *Attempt {
	for t.at = len(t.detail.Attempts); t.at > 0; t.at-- {
		if a := t.last(); a.Iteration == d.Iteration && a.Number == d.Attempt {
			return a
		}
	}
	t.detail.Attempts = append(t.detail.Attempts, Attempt{
		Iteration: d.Iteration, Number: d.Attempt, StartedAt: r.At,
		Log: []contract.LogLine{}, Calls: []Call{},
	})
	t.at = len(t.detail.Attempts)
	return t.last()
}

// last is the attempt that the last record was about, or nil.
func (t *teller) last() *Attempt {
	if t.at == 0 {
		return nil
	}
	return &t.detail.Attempts[t.at-1]
}

// calls puts the calls to the attempts that made them.
func (t *teller) calls(calls []Call) {
	for _, c := range calls {
		for i := range t.detail.Attempts {
			a := &t.detail.Attempts[i]
			if a.Iteration == c.Iteration && a.Number == c.Attempt {
				a.Calls = append(a.Calls, c)
			}
		}
	}
}

// ended reports whether nothing more happens to an attempt by itself in this state.
func ended(s engine.NodeState) bool {
	switch s {
	case engine.NodeSucceeded, engine.NodeFailed, engine.NodeSkipped, engine.NodeCancelled, engine.NodeUnknown,
		engine.NodeRolledBack, engine.NodeRollbackFailed:
		return true
	case engine.NodeIdle, engine.NodeReady, engine.NodeRunning, engine.NodeWaiting, engine.NodeSuspended,
		engine.NodeRollingBack:
		return false
	}
	return false
}

// withCurrent adds what is stored to a refusal.
func withCurrent(err error, current any) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	with := *e
	with.Current = current
	return &with
}
