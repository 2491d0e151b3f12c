package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// FailChildStart is the code of the failure of a node whose independent subflow could not
// be started: its inputs or its flow are not valid.
const FailChildStart = "CHILD_NOT_STARTED"

// birth is a child run that is to be started, from the record of that to its own first
// one. Its parent may be paused meanwhile, or want it no more.
type birth struct {
	parent  *live
	command engine.StartChild
	ordered bool // the parent's record is durable
	running bool // a worker is at it
	paused  bool
	revoked bool
}

// kin is what a step of one run means for another: an event for its child, or the end
// of the run for its parent. It goes into the same commit as the step, so that a crash
// loses both or none.
type kin struct {
	run   string
	meta  engine.Meta
	event engine.Event
}

// relate looks in a step for what concerns other runs. The caller holds the run's lock.
func (l *loop) relate(r *live, rs []engine.Record, cs []engine.Command) {
	for _, c := range cs {
		switch c := c.(type) {
		case engine.StartChild:
			if l.births[c.Run] == nil {
				l.births[c.Run] = &birth{parent: r, command: c}
			}
		case engine.ControlChild:
			l.kin = append(l.kin, kin{run: c.Run, meta: engine.Meta{Actor: rs[0].Actor}, event: c.Event})
		case engine.Finish:
			if p := r.parent; p != nil {
				l.kin = append(l.kin, kin{run: p.Run, meta: hostMeta(), event: childEnd(r.id, p, rs)})
			}
		case engine.Dispatch, engine.Cancel, engine.SetTimer, engine.ClearTimer:
		}
	}
}

// family does what steps have meant for other runs, and what that means in turn.
func (l *loop) family() {
	for i := 0; i < len(l.kin); i++ {
		k := l.kin[i]
		if r := l.runs[k.run]; r != nil {
			l.step(r, k.meta, k.event, nil)
		} else if b := l.births[k.run]; b != nil {
			l.control(b, k.event)
		}
	}
	clear(l.kin)
	l.kin = l.kin[:0]
}

// control is what Pause, Resume and Revoke do to a child that does not live yet.
func (l *loop) control(b *birth, e engine.Event) {
	switch e.(type) {
	case engine.Pause:
		b.paused = true
	case engine.Resume:
		b.paused = false
		l.launch(b)
	case engine.Revoke:
		b.revoked = true
		if !b.running {
			delete(l.births, b.command.Run)
		}
	default:
	}
}

// order lets a child be started, now that the record of it is durable. The caller holds
// the lock of the parent.
func (l *loop) order(r *live, c engine.StartChild) {
	if l.runs[c.Run] != nil || l.draining {
		return
	}
	b := l.births[c.Run]
	switch {
	case b == nil && !c.Recovered:
		return // revoked since
	case b == nil:
		b = &birth{parent: r, command: c}
		l.births[c.Run] = b
	}
	b.ordered = true
	l.launch(b)
}

func (l *loop) launch(b *birth) {
	if !b.ordered || b.running || b.paused || b.revoked || l.draining {
		return
	}
	b.running = true
	l.starting = append(l.starting, &call{run: b.parent, birth: b})
}

// born brings a child run that a worker has started, or why there is none.
type born struct {
	call  *call
	begun *begun
	// ended is set when the child has ended already, or cannot be started.
	ended *engine.ChildEnded
}

func (m *born) apply(l *loop) {
	b, p := m.call.birth, m.call.run
	p.mu.Lock()
	l.calls--
	l.collect(p)
	over := p.fault != nil || p.state.RunState().Ended()
	l.retire(p)
	p.mu.Unlock()
	b.running = false
	run := b.command.Run
	switch {
	case l.draining, over, b.revoked, l.births[run] != b, l.runs[run] != nil:
		delete(l.births, run)
	case m.ended != nil:
		delete(l.births, run)
		l.step(p, hostMeta(), *m.ended, nil)
	case b.paused: // it begins when it may, at the time of then
	case m.begun != nil:
		delete(l.births, run)
		m.begun.enter(l)
	}
}

func (*born) refuse(error) {}

// stillborn tells the parent of a child whose first records the store does not take.
func (l *loop) stillborn(r *live) {
	if p := r.parent; p != nil {
		l.kin = append(l.kin, kin{run: p.Run, meta: hostMeta(), event: engine.ChildEnded{
			Node: p.Node, Epoch: p.Epoch, State: engine.RunFailed,
			Failure: &contract.Failure{Code: FailChildStart, Origin: contract.OriginHost, Message: "the run could not be stored; the host's log says more"},
		}})
	}
}

// bear starts a child run, on a worker.
func (p *pool) bear(ctx context.Context, c *call) *born {
	cmd := &c.birth.command
	m := &born{call: c}
	fail := func(code string, origin contract.Origin, err error) *born {
		m.ended = &engine.ChildEnded{
			Node: cmd.Node, Epoch: cmd.Epoch, State: engine.RunFailed,
			Failure: &contract.Failure{Code: code, Message: err.Error(), Origin: origin},
		}
		return m
	}
	h, err := p.store.Run(ctx, cmd.Run)
	if err == nil {
		m.ended, err = p.endOf(ctx, &h)
		if err == nil {
			return m
		}
	}
	if !errors.Is(err, ErrNotFound) {
		p.log.Error("a child run cannot be looked up", keyRun, cmd.Run, "error", err)
		return fail(FailPanic, contract.OriginHost, errors.New("the host could not look the run up; its log says more"))
	}
	m.begun, err = p.childRun(ctx, c.run, cmd)
	var refusal *engine.Error
	switch {
	case err == nil:
		return m
	case errors.As(err, &refusal):
		return fail(FailChildStart, contract.OriginFlow, refusal)
	}
	p.log.Error("a child run cannot be started", keyRun, cmd.Run, "parent", c.run.id, keyNode, cmd.Node, "error", err)
	return fail(FailChildStart, contract.OriginHost, errors.New("the flow of the run could not be made ready; the host's log says more"))
}

// endOf is the end of a child that has ended; it is nil for one that lives.
func (p *pool) endOf(ctx context.Context, h *RunHead) (*engine.ChildEnded, error) {
	if !h.State.Ended() || h.Parent == nil {
		return nil, nil //nolint:nilnil // no end is an answer.
	}
	rs, err := p.store.Records(ctx, h.ID, 0, 0)
	if err != nil {
		return nil, err
	}
	e := childEnd(h.ID, h.Parent, rs)
	return &e, nil
}

// childEnd is what a parent is told of the end of its child.
func childEnd(run string, p *engine.Parent, rs []engine.Record) engine.ChildEnded {
	e := engine.ChildEnded{Node: p.Node, Epoch: p.Epoch, Run: run}
	for i := len(rs) - 1; i >= 0; i-- {
		if c, ok := rs[i].Data.(engine.RunChanged); ok && c.To.Ended() {
			e.State, e.Outputs = c.To, c.Outputs
			break
		}
	}
	return e
}

// childRun has the core start a child: its flow comes from the parent's document, and
// plugins, environment and zone are the parent's.
func (p *pool) childRun(ctx context.Context, parent *live, c *engine.StartChild) (*begun, error) {
	f, ok := engine.ChildDocument(parent.graph.Flow(), c.Reference, c.Schemes...)
	if !ok {
		return nil, fmt.Errorf("runner: the document has no flow %q", c.Reference)
	}
	from := parent.from
	document, digest := engine.Canonical(f), engine.Digest(f)
	g, err := p.graphs.Graph(ctx, digest, document, from.Plugins)
	if err != nil {
		return nil, err
	}
	q := StartRequest{
		Options: engine.StartOptions{
			Run: c.Run, Name: from.Name + " / " + c.Node, Project: from.Project, Flow: c.Flow, Version: c.Version, Digest: digest,
			Plugins: from.Plugins, Env: from.Env, Zone: from.Zone, Parent: &c.Parent, Inputs: c.Inputs,
		},
		Document: document, Graph: g,
		Meta: engine.Meta{At: p.clock.Now().UTC(), Actor: engine.Actor{ID: from.Operator}},
	}
	b, _, err := beget(p.log, q)
	return b, err
}

// beget has the core start a run of which nobody knows yet.
func beget(log *slog.Logger, q StartRequest) (*begun, engine.RunView, error) {
	o := q.Options
	state, rs, cs, err := startCore(log, q)
	if err != nil {
		return nil, engine.RunView{}, err
	}
	l := newLive(q.Graph, state)
	b := l.batch(q.Meta.At, rs, cs)
	b.New = &RunHead{
		ID: o.Run, Project: o.Project, Name: o.Name, Flow: o.Flow, Version: o.Version, Digest: o.Digest,
		Document: q.Document, Operator: q.Meta.Actor.ID, StartKey: q.Key, StartHash: q.Hash, CreatedAt: q.Meta.At,
		Parent: o.Parent,
	}
	return &begun{run: l, at: q.Meta.At, batch: b, commands: cs}, state.View(), nil
}
