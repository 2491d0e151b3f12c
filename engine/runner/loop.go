package runner

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/culmhq/culm/engine"
)

// timerSleepMax bounds how long the loop sleeps without looking at the wall clock, which
// may have been set meanwhile.
const timerSleepMax = time.Minute

// loop owns all live runs: everything in it belongs to one goroutine. It applies events,
// gathers their records into a group while the group before is being committed, and
// does what follows from a group after its commit.
type loop struct {
	clock  Clock
	pub    Publisher
	log    *slog.Logger
	in     *inbox
	pool   *pool
	commit *committer
	limit  int // of live runs

	runs    map[string]*live
	births  map[string]*birth // children that are to be started, by id
	kin     []kin             // what steps have meant for other runs
	alarms  alarms
	wake    <-chan time.Time
	wakeAt  time.Time
	unset   func()
	pending []message // taken, not yet applied
	next    int       // of pending

	gathering *group
	flying    *group
	spare     *group // a used one, to be used again
	committed uint64
	calls     int // in the pool: waiting or running
	starting  []*call

	draining bool // take in nothing more, let calls end
	aborting bool // do not wait for calls
	failed   error
	onFail   func(error)
}

func newLoop(cfg *Config, in *inbox, p *pool, c *committer, onFail func(error)) *loop {
	return &loop{
		clock: cfg.Clock, pub: cfg.Publisher, log: cfg.Logger, in: in, pool: p, commit: c, limit: cfg.LiveRunsMax,
		runs: map[string]*live{}, births: map[string]*birth{}, gathering: &group{n: 1}, onFail: onFail,
	}
}

// run turns until the runner stops.
func (l *loop) run() {
	for {
		l.turn()
		if l.over() {
			break
		}
		select {
		case <-l.in.wake:
		case g := <-l.commit.out:
			l.settle(g)
		case <-l.wake:
			l.disarm()
		}
	}
	l.disarm()
	close(l.commit.in)
	err := ErrStopped
	if l.failed != nil {
		err = fmt.Errorf("%w: %w", ErrStopped, l.failed)
	}
	for ; l.next < len(l.pending); l.next++ {
		l.pending[l.next].refuse(err)
	}
	l.in.close(err)
}

// over reports whether there is nothing left to do before the end.
func (l *loop) over() bool {
	if l.flying != nil {
		return false
	}
	if l.failed != nil {
		return true
	}
	return l.draining && l.gathering.empty() && (l.calls == 0 || l.aborting)
}

// turn applies what has come, and hands a group over when the committer is free.
func (l *loop) turn() {
	l.fire()
	l.family()
	l.apply()
	// What the last group set off often ends within microseconds. Letting the workers
	// go first makes one commit of it where two would cost twice the fsync. It ends
	// as soon as a pass brings nothing, so a slow call delays nobody.
	for n := len(l.gathering.effects); l.mayGrow() && n > 0 && n < groupEffectsMin; {
		runtime.Gosched()
		l.apply()
		if len(l.gathering.effects) == n {
			break
		}
		n = len(l.gathering.effects)
	}
	l.startCalls()
	l.ship()
	l.arm()
}

// mayGrow reports whether it is worth waiting for calls that are about to end.
func (l *loop) mayGrow() bool {
	return l.flying == nil && l.calls > 0 && l.failed == nil && !l.draining && !l.gathering.full()
}

// apply applies the messages that are there.
func (l *loop) apply() {
	for n := 1; l.failed == nil && !l.gathering.full() && l.more(); n++ {
		m := l.pending[l.next]
		l.pending[l.next] = nil
		l.next++
		m.apply(l)
		l.family()
		if n%64 == 0 { // keep the committer busy
			select {
			case g := <-l.commit.out:
				l.settle(g)
			default:
			}
			if len(l.gathering.effects) >= groupEffectsMin {
				l.startCalls()
				l.ship()
			}
		}
	}
}

func (l *loop) more() bool {
	if l.next < len(l.pending) {
		return true
	}
	l.pending, l.next = l.in.take(l.pending[:0]), 0
	return len(l.pending) > 0
}

func (l *loop) ship() {
	if l.flying != nil || l.gathering.empty() || l.failed != nil {
		return
	}
	l.flying, l.gathering = l.gathering, l.gathering.next(l.spare)
	l.spare = nil
	l.commit.in <- l.flying
}

// settle does what follows from a group, now that it is durable.
func (l *loop) settle(g *group) {
	l.flying = nil
	if g.err != nil {
		l.fail(g)
		return
	}
	l.committed = g.n
	for i := range g.effects {
		e := &g.effects[i]
		if err := g.refused[e.run.id]; err != nil {
			l.refuse(e, err)
			continue
		}
		if len(e.records) > 0 {
			l.pub.Publish(e.run.id, e.records)
		}
		e.run.mu.Lock()
		e.run.caughtUp(e)
		l.perform(e.run, e.commands)
		if e.reply != nil {
			e.reply(nil)
		}
		l.retire(e.run)
		e.run.mu.Unlock()
	}
	l.startCalls()
	g.reset()
	l.spare = g
}

// refuse ends a run whose records the store does not take.
func (l *loop) refuse(e *effect, err error) {
	e.run.mu.Lock()
	defer e.run.mu.Unlock()
	if e.run.fault == nil {
		l.log.Error("the store refused a run's records", keyRun, e.run.id, "error", err)
		e.run.fault = fmt.Errorf("%w: %s: %w", ErrQuarantined, e.run.id, err)
		l.isolate(e.run)
	}
	if e.isNew && l.runs[e.run.id] == e.run {
		delete(l.runs, e.run.id)
		l.stillborn(e.run)
	}
	if e.reply != nil {
		e.reply(err)
	}
}

// fail gives up after the store failed: nothing that is in memory but not durable may
// have an effect any more.
func (l *loop) fail(g *group) {
	l.failed = g.err
	l.log.Error("the store failed; the runner stops", "error", g.err)
	err := fmt.Errorf("%w: %w", ErrStopped, g.err)
	for _, es := range [][]effect{g.effects, l.gathering.effects} {
		for _, e := range es {
			if e.reply != nil {
				e.reply(err)
			}
		}
	}
	l.gathering = &group{n: l.gathering.n + 1}
	l.pool.kill()
	l.pool.close()
	l.onFail(g.err)
}

// step applies an event to a run and puts what it makes into the group that gathers.
// reply, which may be nil, is called after the commit.
func (l *loop) step(r *live, m engine.Meta, e engine.Event, reply func(seq uint64, err error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.collect(r)
	m.At = l.now()
	if r.fault != nil {
		if reply != nil {
			reply(0, r.fault)
		}
		return
	}
	rs, cs, err := r.apply(l.log, m, e)
	if r.fault != nil {
		l.isolate(r)
	}
	if err != nil {
		if reply != nil {
			// What the refusal tells of the run must be durable too.
			l.after(r.group, r, func(failed error) { reply(0, errors.Join(failed, err)) })
		} else {
			l.log.Debug("an event was refused", keyRun, r.id, "error", err)
		}
		return
	}
	var done func(error)
	if reply != nil {
		seq := r.state.Seq()
		done = func(err error) { reply(seq, err) }
	}
	if len(rs) == 0 { // a command that was applied before
		if done != nil {
			l.after(r.group, r, done)
		}
		return
	}
	b := r.batch(m.At, rs, cs)
	if t, ok := e.(engine.TimerFired); ok {
		b.Timers = append([]TimerChange{{Node: t.Node, Epoch: t.Epoch}}, b.Timers...)
	}
	l.gather(effect{run: r, at: m.At, records: rs, commands: cs, reply: done}, b)
}

func (l *loop) gather(e effect, b Batch) {
	l.relate(e.run, e.records, e.commands)
	g := l.gathering
	g.batches = append(g.batches, b)
	g.effects = append(g.effects, e)
	g.records += len(b.Records)
	e.run.group = g.n
}

// after calls reply once a group is durable: at once if it is.
func (l *loop) after(group uint64, r *live, reply func(error)) {
	e := effect{run: r, reply: reply}
	switch {
	case group <= l.committed:
		reply(nil)
	case l.flying != nil && l.flying.n == group:
		l.flying.effects = append(l.flying.effects, e)
	default:
		l.gathering.effects = append(l.gathering.effects, e)
	}
}

// perform carries out commands whose records are durable. The caller holds the run's lock.
func (l *loop) perform(r *live, cs []engine.Command) {
	if r.fault != nil {
		return
	}
	for _, c := range cs {
		switch c := c.(type) {
		case engine.Dispatch:
			if !l.draining {
				k := &call{run: r, d: c}
				r.calls = append(r.calls, k)
				l.starting = append(l.starting, k)
			}
		case engine.Cancel:
			l.cancel(r, c)
		case engine.SetTimer:
			l.alarms.set(r, c.Node, c.Epoch, c.Due)
		case engine.ClearTimer:
			l.alarms.clear(r, c.Node, c.Epoch)
		case engine.StartChild:
			l.order(r, c)
		case engine.ControlChild: // it went into the same commit
		case engine.Finish:
			l.alarms.forget(r)
		}
	}
}

// cancel stops the call of that epoch and has the plugin's cancel export called, unless
// the plugin has never been called for this attempt.
func (l *loop) cancel(r *live, c engine.Cancel) {
	called := true
	for _, k := range r.calls {
		if k.d.Node == c.Node && k.d.Epoch == c.Epoch {
			called = k.halt() || k.d.Recovered || k.d.Call > 0
		}
	}
	if called {
		l.starting = append(l.starting, &call{run: r, d: c.Dispatch, cancels: true})
	}
}

// startCalls gives the pool all calls of a group at once.
func (l *loop) startCalls() {
	if len(l.starting) == 0 {
		return
	}
	if l.pool.push(l.starting...) {
		for _, c := range l.starting {
			if !c.cancels {
				l.calls++
			}
		}
	}
	clear(l.starting)
	l.starting = l.starting[:0]
}

// isolate stops what a quarantined run still does. The caller holds its lock.
func (l *loop) isolate(r *live) {
	l.alarms.forget(r)
	for _, c := range r.calls {
		c.halt()
	}
	for id, b := range l.births {
		if b.parent == r {
			delete(l.births, id)
		}
	}
}

// retire forgets a run that has ended durably and of which nothing runs any more. The
// caller holds its lock.
func (l *loop) retire(r *live) {
	if r.ended && r.fault == nil && len(r.calls) == 0 && len(r.ahead) == 0 && r.group <= l.committed && l.runs[r.id] == r {
		delete(l.runs, r.id)
	}
}

// fire applies the timers that are due.
func (l *loop) fire() {
	t := l.alarms.next()
	if t == nil || l.draining {
		return
	}
	now := l.now()
	for t != nil && !t.due.After(now) && !l.gathering.full() {
		l.alarms.pop()
		l.step(t.run, hostMeta(), engine.TimerFired{Node: t.node, Epoch: t.epoch}, nil)
		t = l.alarms.next()
	}
}

// arm has the loop woken for the earliest timer.
func (l *loop) arm() {
	t := l.alarms.next()
	if t == nil || l.draining || l.gathering.full() {
		l.disarm()
		return
	}
	if l.wake != nil && !t.due.Before(l.wakeAt) {
		return // it is woken early enough, and then looks again
	}
	l.disarm()
	now := l.now()
	d := min(max(t.due.Sub(now), 0), timerSleepMax)
	l.wakeAt = now.Add(d)
	l.wake, l.unset = l.clock.After(d)
}

func (l *loop) disarm() {
	if l.wake != nil {
		l.unset()
		l.wake, l.unset = nil, nil
	}
}

func (l *loop) now() time.Time { return l.clock.Now().UTC() }
