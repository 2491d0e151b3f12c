package runner

import (
	"context"
	"time"

	"github.com/culmhq/culm/engine"
)

// begun brings a new run, which the core has started, with its first batch.
type begun struct {
	run      *live
	at       time.Time
	batch    Batch
	commands []engine.Command
	done     func(error)
}

func (m *begun) apply(l *loop) {
	r := m.run
	switch {
	case l.draining:
		m.done(ErrStopped)
		return
	case l.runs[r.id] != nil:
		m.done(ErrExists)
		return
	case len(l.runs) >= l.limit:
		m.done(ErrBusy)
		return
	}
	m.enter(l)
}

// enter takes the run in.
func (m *begun) enter(l *loop) {
	r := m.run
	r.mu.Lock()
	defer r.mu.Unlock()
	l.runs[r.id] = r
	l.gather(effect{run: r, isNew: true, at: m.at, records: m.batch.Records, commands: m.commands, reply: m.done}, m.batch)
}

func (m *begun) refuse(err error) { m.done(err) }

// commanded brings an operator's command or a callback.
type commanded struct {
	run, project string
	meta         engine.Meta
	event        engine.Event
	done         func(seq uint64, err error)
}

func (m *commanded) apply(l *loop) {
	r := l.runs[m.run]
	switch {
	case l.draining:
		m.done(0, ErrStopped)
	case r == nil:
		m.done(0, errNotLive)
	case r.project != m.project:
		m.done(0, ErrNotFound)
	default:
		l.step(r, m.meta, m.event, m.done)
	}
}

func (m *commanded) refuse(err error) { m.done(0, err) }

// ended says that a worker is done with a call, or a chain of them. What they came to
// waits in the run; there is nothing when the call never began, or was cut off because
// the program stops.
type ended struct{ call *call }

func (m *ended) apply(l *loop) {
	r := m.call.run
	r.mu.Lock()
	defer r.mu.Unlock()
	l.calls--
	r.drop(m.call)
	l.collect(r)
	l.retire(r)
}

func (m *ended) refuse(error) {}

// noted says that a call has a note, unless its result took it along.
type noted struct {
	call *call
	slot <-chan struct{}
}

func (m *noted) apply(l *loop) {
	<-m.slot
	r := m.call.run
	r.mu.Lock()
	defer r.mu.Unlock()
	l.collect(r)
	if r.fault != nil {
		return
	}
	meta := hostMeta()
	meta.At = l.now()
	r.hear(l.log, m.call, meta)
	l.collect(r)
}

func (m *noted) refuse(error) { <-m.slot }

// viewed asks for a view of a live run.
type viewed struct {
	run  string
	done func(engine.RunView, error)
}

func (m *viewed) apply(l *loop) {
	r := l.runs[m.run]
	if r == nil {
		m.done(engine.RunView{}, errNotLive)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l.collect(r)
	if r.fault != nil {
		m.done(engine.RunView{}, r.fault)
		return
	}
	v := r.state.View()
	l.after(r.group, r, func(err error) { m.done(v, err) })
}

func (m *viewed) refuse(err error) { m.done(engine.RunView{}, err) }

// survey asks a question about all live runs. It changes nothing and waits for no commit.
type survey[T any] struct {
	of   func(l *loop) T
	done func(T, error)
}

func (m *survey[T]) apply(l *loop) { m.done(m.of(l), nil) }

func (m *survey[T]) refuse(err error) {
	var none T
	m.done(none, err)
}

// surveyed has a question about all live runs answered on the loop.
func surveyed[T any](ctx context.Context, r *Runner, of func(l *loop) T) (T, error) {
	type answer struct {
		of  T
		err error
	}
	var none T
	if err := r.runs(); err != nil {
		return none, err
	}
	done := make(chan answer, 1)
	if err := r.in.ask(&survey[T]{of: of, done: func(v T, err error) { done <- answer{v, err} }}); err != nil {
		return none, err
	}
	select {
	case a := <-done:
		return a.of, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// drain tells the loop to end when the calls that run have ended.
type drain struct{}

func (drain) apply(l *loop) {
	l.draining = true
	for _, c := range l.pool.close() {
		l.calls--
		c.run.mu.Lock()
		c.run.drop(c)
		c.run.mu.Unlock()
	}
}

func (drain) refuse(error) {}

// abort tells the loop not to wait for the calls that run.
type abort struct{}

func (abort) apply(l *loop) {
	drain{}.apply(l)
	l.aborting = true
	l.pool.kill()
}

func (abort) refuse(error) {}
