package runner

import (
	"log/slog"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// How far a run may be ahead of its last commit: so many calls of pure nodes, or so long
// since the oldest record that is not durable.
const (
	aheadNodesMax = 64
	aheadMax      = 20 * time.Millisecond
	// aheadTurn is after how many calls of one run a worker turns to others that wait.
	aheadTurn = 16
)

// stepped is what a worker has made of the end of a call, on its way to the loop.
type stepped struct {
	effect effect
	batch  Batch
	// begin are pure calls that need not wait for the commit, besides the one with
	// which the worker goes on itself.
	begin []*call
}

// finished steps the result of a call, on the worker's own goroutine, and returns the pure
// call with which the worker may go on at once, unless it is to turn to other runs. It
// reports whether the loop has to be told of it.
func (r *live) finished(p *pool, c *call, result engine.Result, turn bool) (next *call, tell bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(c)
	if r.fault != nil {
		return nil, false
	}
	m := hostMeta()
	m.At = p.clock.Now().UTC()
	r.hear(p.log, c, m)
	rs, cs, err := r.apply(p.log, m, result)
	if err != nil {
		p.log.Debug("a result was refused", keyRun, r.id, "error", err)
		return nil, r.fault != nil
	}
	if len(rs) == 0 {
		return nil, false
	}
	s := stepped{batch: r.batch(m.At, rs, cs), effect: effect{run: r, at: m.At, records: rs}}
	ends := result.Unknown == nil && result.Answer.Status == contract.StatusSucceeded
	s.effect.commands = cs[:0]
	for _, cmd := range cs {
		d, ok := cmd.(engine.Dispatch)
		if !ok || !ends || !r.mayRunAhead(p, d, m.At) {
			s.effect.commands = append(s.effect.commands, cmd)
			continue
		}
		k := &call{run: r, d: d, ahead: true}
		r.calls = append(r.calls, k)
		r.early++
		s.effect.early++
		if next == nil && !turn {
			next = k
		} else {
			s.begin = append(s.begin, k)
		}
	}
	r.ahead = append(r.ahead, s)
	tell, r.told = !r.told, true
	return next, tell
}

// hear applies the notes of a call that were not applied yet: the loop does so when it
// comes to them, and a worker before it applies the result, which would overtake them.
// The caller holds the run's lock.
func (r *live) hear(log *slog.Logger, c *call, m engine.Meta) {
	for _, n := range c.heard() {
		rs, cs, err := r.apply(log, m, n)
		if err == nil && len(rs) > 0 {
			r.ahead = append(r.ahead, stepped{batch: r.batch(m.At, rs, cs), effect: effect{run: r, at: m.At, records: rs}})
		}
	}
}

// mayRunAhead reports whether a call may begin before the record of it is durable.
func (r *live) mayRunAhead(p *pool, d engine.Dispatch, now time.Time) bool {
	if d.Reason != contract.ReasonExecute || d.Recovered || r.revived || r.early >= aheadNodesMax || p.stopping.Load() {
		return false
	}
	if r.early == 0 {
		r.since = now
	} else if now.Sub(r.since) >= aheadMax {
		return false
	}
	return p.exec.Pure(r.info, d)
}

// caughtUp notes that the records of an effect are durable: what is not was made later.
func (r *live) caughtUp(e *effect) {
	if len(e.records) == 0 {
		return
	}
	r.revived = false
	r.early -= e.early
	r.since = e.at
}

// collect gathers what workers have made of a run, before anything else is done with
// it. The caller holds the run's lock.
func (l *loop) collect(r *live) {
	r.told = false
	for i := range r.ahead {
		s := &r.ahead[i]
		l.gather(s.effect, s.batch)
		l.starting = append(l.starting, s.begin...)
	}
	clear(r.ahead)
	if r.ahead = r.ahead[:0]; cap(r.ahead) > 4 { // a run that waits shall be small
		r.ahead = nil
	}
	if r.fault != nil {
		l.isolate(r)
	}
}

// advanced says that a worker has stepped a run and goes on with it.
type advanced struct{ run *live }

func (m *advanced) apply(l *loop) {
	m.run.mu.Lock()
	defer m.run.mu.Unlock()
	l.collect(m.run)
}

func (*advanced) refuse(error) {}
