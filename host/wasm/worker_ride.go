package wasm

import (
	"context"
	"runtime"
	"time"

	"github.com/culmhq/culm/host/wasm/lane"
	"github.com/culmhq/culm/host/wasm/wire"
)

// When there are more calls than places to run in, a call that gets one takes some of those
// along that wait for one and that the same process may serve: they are queued behind it on
// lanes, and run one after the other in its place. So what it costs to switch between two
// processes is paid once for all of them. A call that turns out not to be short goes on alone,
// with the place, and those behind it wait again.

const (
	// rideBytes bounds the input of a call that rides with another.
	rideBytes = 64 << 10
	// aloneTurns is for how many turns calls of a process ride with no other after some were
	// given back.
	aloneTurns = 8
	// comingAgain is how often others are let run for that: the first time they get their
	// results, then they ask for places.
	comingAgain = 2
	// fewRiders are worth their switch even where that leaves none for another place.
	fewRiders = 3
)

// rider is a call that waits for a place.
type rider struct {
	call *Call
	at   *place
	// ready gets the call when somebody has taken it along and knows how it stands.
	ready chan *workerCall
}

// busy is how many calls of its own the process has. The caller holds ws.mu.
func (w *worker) busy() int { return w.inflight - w.light }

// admit takes a place to run in, or has the call taken along by one that got one: then it is
// returned. It reports false when the context ended first.
func (ws *Workers) admit(ctx context.Context, key workerKey, r rider, mayRide bool) (*workerCall, bool) {
	if !mayRide || ctx.Err() != nil || r.at.try() {
		return nil, r.at.held || r.at.enter(ctx)
	}
	r.ready = make(chan *workerCall, 1)
	ws.mu.Lock()
	ws.riders[key] = append(ws.riders[key], &r)
	ws.mu.Unlock()
	select {
	case v := <-r.ready:
		return v, true
	case r.at.slots <- struct{}{}:
		if ws.unlist(key, &r) {
			r.at.held = true
			return nil, true
		}
		<-r.at.slots // whoever took the call along may be about to hand it a place
	case <-ctx.Done():
		if ws.unlist(key, &r) {
			return nil, false
		}
	}
	return <-r.ready, true
}

// unlist takes a call from those that wait, and reports whether nobody has taken it along.
func (ws *Workers) unlist(key workerKey, r *rider) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	list := ws.riders[key]
	for i := range list {
		if list[i] == r {
			ws.keep(key, append(list[:i:i], list[i+1:]...))
			return true
		}
	}
	return false
}

// keep sets the calls that wait. The caller holds ws.mu.
func (ws *Workers) keep(key workerKey, list []*rider) {
	if len(list) == 0 {
		delete(ws.riders, key)
		return
	}
	ws.riders[key] = list
}

// takeAlong takes calls from those that wait for the process of w: as many as there are for
// each place, so that all places have some.
func (ws *Workers) takeAlong(w *worker) []*rider {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	list := ws.riders[w.key]
	if len(list) == 0 || w.retired {
		return nil
	}
	if w.alone > 0 {
		w.alone--
		return nil
	}
	places := cap(ws.host.slots)
	n := min(max((len(list)+places-1)/places, min(len(list), fewRiders)), lane.BehindMax)
	if w.pace > 0 {
		n = min(n, int(ws.patience/2/w.pace))
	}
	if n == 0 { // calls may be shorter again some time
		w.pace /= 2
		return nil
	}
	taken := append([]*rider(nil), list[:n]...)
	ws.keep(w.key, append([]*rider(nil), list[n:]...))
	w.inflight += n
	w.light += n
	return taken
}

// crowded reports whether there are more calls in their places than processors for both
// sides of each.
func (ws *Workers) crowded() bool { return 2*len(ws.host.slots) > ws.processors }

// party is calls behind another.
type party []passenger

type passenger struct {
	*workerCall
	ready chan<- *workerCall
}

// lanes are the lanes of the party.
func (p party) lanes() []*lane.Lane {
	if len(p) == 0 {
		return nil
	}
	all := make([]*lane.Lane, len(p))
	for i := range p {
		all[i] = p[i].lane
	}
	return all
}

// part lets each call go on for itself.
func (p party) part() {
	for i := range p {
		p[i].ready <- p[i].workerCall
	}
}

// board queues calls that wait for a place, to be asked for behind v.
func (v *workerCall) board() party {
	if v.w.shared.Load() {
		// Those that rode last, and whom they woke, may be about to come again.
		for range comingAgain {
			runtime.Gosched()
		}
	}
	taken := v.w.ws.takeAlong(v.w)
	v.w.shared.Store(len(taken) > 0)
	if len(taken) == 0 {
		return nil
	}
	p := make(party, 0, len(taken))
	for _, r := range taken {
		c := v.w.newCall(r.call, r.at)
		c.rides, c.light, c.stood, c.started = true, true, lane.Withdrawn, v.started
		c.given = wire.Frame{Kind: wire.Invoke, Body: r.call.encode()}
		v.w.enter(c)
		if c.lane == nil || !c.lane.Queue(c.id, c.given.Body) {
			r.ready <- c
			continue
		}
		p = append(p, passenger{c, r.ready})
	}
	return p
}

// settle waits until the calls behind v, which were asked for with it, have ended or are given
// back. One of all may go on: the place is its own then.
func (v *workerCall) settle(p party) {
	if len(p) == 0 {
		return
	}
	defer p.part()
	p[len(p)-1].lane.AwaitLast(v.w.ws.patience)
	given, running := 0, []*workerCall(nil)
	for i := len(p) - 1; i >= 0; i-- {
		switch p[i].stood = p[i].lane.Settle(); p[i].stood {
		case lane.Withdrawn:
			given++
		case lane.Running:
			running = append(running, p[i].workerCall)
		case lane.Done, lane.Question, lane.Slow:
		}
	}
	if !v.lane.IsDone() {
		running = append(running, v)
	}
	if len(running) > 1 {
		v.w.kill(demise{code: CodeTrap, why: "it serves calls at once that are one after the other"})
	}
	if len(running) == 1 && running[0] != v {
		next := running[0]
		next.held, v.held = v.held, false
		next.light, v.light = false, true
	}
	v.w.ws.settled(v.w, given > 0, v.w.ws.host.now().Sub(v.started)/time.Duration(len(p)+1))
}

// settled notes how it went to take calls along.
func (ws *Workers) settled(w *worker, givenBack bool, pace time.Duration) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if w.pace = pace; givenBack {
		w.alone = aloneTurns
	}
}

// ride makes a call that was taken along, up to its end.
func (v *workerCall) ride(ctx context.Context) (Result, error) {
	defer v.w.leave(v)
	defer v.pause()
	v.since = v.started
	if v.stood == lane.Running {
		v.stood = v.await()
	}
	return v.goOn(ctx, v.stood)
}
