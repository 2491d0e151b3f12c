package runner

import (
	"context"
	"errors"
	"runtime"
)

// errKilled is what those get who wait when a test kills a runner.
var errKilled = errors.New("runner: killed by a test")

// Kill ends a runner as a crash would: nothing more is applied, committed or answered,
// except for the one commit that may be under way. It returns when the loop has ended;
// calls see their context end.
func (r *Runner) Kill() {
	r.in.put(kill{})
	<-r.over
	<-r.commit.exited
	r.pool.wg.Wait()
}

// Exited waits until no worker runs any more, after a Stop that did not wait for them
// because the process would end.
func (r *Runner) Exited() { r.pool.wg.Wait() }

// Settle waits until all but so many workers have nothing to do and the loop has applied
// what they said.
func (r *Runner) Settle(ctx context.Context, busy int) error {
	quiet := func() bool {
		r.pool.mu.Lock()
		defer r.pool.mu.Unlock()
		return r.pool.idle == r.cfg.Workers-busy && r.pool.head == len(r.pool.queue) && len(r.pool.urgent) == 0
	}
	for {
		if _, err := r.Quarantined(ctx); err != nil { // the loop has taken what was there
			return err
		}
		if quiet() {
			if _, err := r.Quarantined(ctx); err != nil {
				return err
			}
			if quiet() {
				return nil
			}
		}
		runtime.Gosched()
	}
}

// Applied is the last record of a live run, durable or not.
func (r *Runner) Applied(run string) uint64 {
	got := make(chan uint64, 1)
	r.in.put(applied{run, got})
	return <-got
}

type applied struct {
	run string
	got chan uint64
}

func (m applied) apply(l *loop) {
	r := l.runs[m.run]
	r.mu.Lock()
	defer r.mu.Unlock()
	m.got <- r.state.Seq()
}

func (m applied) refuse(error) { m.got <- 0 }

// kill makes the loop end without a commit of what it has gathered.
type kill struct{}

func (kill) apply(l *loop) {
	l.failed = errKilled
	l.gathering = &group{n: l.gathering.n + 1}
	l.pool.kill()
	l.pool.close()
	if l.flying != nil { // it may or may not be durable; nobody learns of it
		g := <-l.commit.out
		l.flying = nil
		g.effects = nil
	}
}

func (kill) refuse(error) {}

// Lose makes a runner forget the calls and timers of a run, as a fault of its own would.
func (r *Runner) Lose(run string) {
	done := make(chan struct{})
	r.in.put(lose{run, done})
	<-done
}

type lose struct {
	run  string
	done chan struct{}
}

func (m lose) apply(l *loop) {
	r := l.runs[m.run]
	r.mu.Lock()
	defer r.mu.Unlock()
	l.alarms.forget(r)
	r.calls = nil
	close(m.done)
}

func (m lose) refuse(error) { close(m.done) }
