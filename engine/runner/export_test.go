package runner

import "errors"

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
