package conformance

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/culmhq/culm/engine"
)

// world drives one run of the core in virtual time: the records that are durable, a queue
// of what will happen, and the plugin.
type world struct {
	t       *translated
	g       *engine.Graph
	s       *engine.State
	records []engine.Record
	now     time.Duration // since the start
	queue   []happening
	order   int
	plugin  *plugin
	watch   *observer

	// commits counts the steps that made records; at crash the state is lost before that
	// one is durable, or with after, when it is.
	commits, crash int
	after          bool
	crashed        bool
	// partial is set while an operator retries one iteration only.
	partial bool
	// recovered is set after a crash: what was left in the queue then is gone.
	recovered bool
	steps     int
}

// happening is something that will happen: a call that is made, the end of a call, or a
// timer that fires.
type happening struct {
	at    time.Duration
	order int
	event engine.Event
	call  *engine.Dispatch
	node  string // of a timer
}

const stepsMax = 5000

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newWorld(t *translated, g *engine.Graph) *world {
	w := &world{t: t, g: g, crash: -1}
	w.plugin = &plugin{w: w, journal: map[string]journaled{}, counts: map[string]int{}}
	w.watch = newObserver(w)
	return w
}

func (w *world) meta() engine.Meta {
	return engine.Meta{At: epoch.Add(w.now), Actor: engine.Actor{ID: "tester"}}
}

// start begins the run.
func (w *world) start(startAt string) error {
	m := w.meta()
	s, rs, cmds, err := engine.Start(w.g, m, engine.StartOptions{Run: "01980000-0000-7000-8000-000000000001", Flow: "case", StartAt: startAt})
	if err != nil {
		return err
	}
	w.s = s
	if lost := w.commit(rs); lost {
		return w.start(startAt) // nobody was told that it had begun
	}
	if w.crashed {
		w.crashed = false
		return nil
	}
	w.perform(cmds)
	return nil
}

// step hands an event to the core. When a crash comes before the commit, the event is
// handed in once more: a result is journalled, a timer is set again, an operator who had
// no answer asks again.
func (w *world) step(m engine.Meta, e engine.Event) error {
	if w.steps++; w.steps > stepsMax {
		return fmt.Errorf("more than %d steps", stepsMax)
	}
	rs, cmds, err := engine.Step(w.g, w.s, m, e)
	if err != nil {
		return err
	}
	if lost := w.commit(rs); lost {
		if _, isResult := e.(engine.Result); isResult {
			return nil // recovery asks for the call again, and the journal answers
		}
		if _, isTimer := e.(engine.TimerFired); isTimer {
			return nil // recovery sets it again
		}
		return w.step(m, e)
	}
	if w.crashed {
		w.crashed = false // it came behind the commit: recovery has performed the commands
		return nil
	}
	w.perform(cmds)
	return nil
}

// commit makes records durable. It returns true when a crash came before that.
func (w *world) commit(rs []engine.Record) bool {
	if len(rs) == 0 {
		return false
	}
	w.commits++
	if w.commits == w.crash && !w.after {
		w.crash = -1
		w.recover()
		return true
	}
	w.records = append(w.records, rs...)
	w.watch.fold(rs)
	if w.commits == w.crash {
		w.crash = -1
		w.crashed = true
		w.recover()
	}
	return false
}

// recover is what a driver does after a crash: the state from the durable records, then
// the commands that are outstanding. Calls that were under way are lost with the process.
func (w *world) recover() {
	w.queue, w.recovered = nil, true
	if len(w.records) == 0 {
		return
	}
	s, err := engine.Replay(w.g, w.records)
	if err != nil {
		panic(err)
	}
	w.s = s
	w.perform(engine.Outstanding(w.g, s))
}

func (w *world) perform(cmds []engine.Command) {
	for _, c := range cmds {
		switch c := c.(type) {
		case engine.Dispatch:
			w.enqueue(happening{at: w.now, call: &c})
		case engine.SetTimer:
			w.clear(c.Node)
			w.enqueue(happening{at: max(c.Due.Sub(epoch), w.now), event: engine.TimerFired{Node: c.Node, Epoch: c.Epoch}, node: "timer:" + c.Node})
		case engine.ClearTimer:
			w.clear(c.Node)
		case engine.Cancel, engine.StartChild, engine.ControlChild, engine.Finish:
		}
	}
}

// clear takes a timer back. The original's message stays in its queue and is dropped when
// it comes: until then there is something left to happen.
func (w *world) clear(node string) {
	for i := range w.queue {
		if w.queue[i].node == "timer:"+node {
			w.queue[i].event, w.queue[i].node = nil, ""
		}
	}
}

func (w *world) enqueue(h happening) {
	w.order++
	h.order = w.order
	w.queue = append(w.queue, h)
}

// next returns the place in the queue of what happens next, or -1.
func (w *world) next() int {
	first := -1
	for i, h := range w.queue {
		if first < 0 || h.at < w.queue[first].at || h.at == w.queue[first].at && h.order < w.queue[first].order {
			first = i
		}
	}
	return first
}

// turn lets the next thing happen. It returns false when there is nothing.
func (w *world) turn() (bool, error) {
	i := w.next()
	if i < 0 {
		return false, nil
	}
	h := w.queue[i]
	w.queue = slices.Delete(w.queue, i, i+1)
	w.now = h.at
	if h.call == nil && h.event == nil {
		return true, nil
	}
	if h.call == nil {
		return true, w.step(w.meta(), h.event)
	}
	answer, after := w.plugin.call(*h.call)
	result := engine.Result{Node: h.call.Node, Epoch: h.call.Epoch, Answer: answer}
	if after > 0 {
		w.enqueue(happening{at: w.now + after, event: result})
		return true, nil
	}
	return true, w.step(w.meta(), result)
}

// idle lets everything happen.
func (w *world) idle() error {
	for {
		if more, err := w.turn(); err != nil || !more {
			return err
		}
	}
}

// until lets everything happen that is due until a time, and then it is that time.
func (w *world) until(at time.Duration) error {
	for {
		i := w.next()
		if i < 0 || w.queue[i].at > at {
			w.now = max(w.now, at)
			return nil
		}
		if _, err := w.turn(); err != nil {
			return err
		}
	}
}

// nodeAt returns the node of the tree for a node of the graph.
func (w *world) nodeAt(path string) *treeNode {
	for id, p := range w.t.path {
		if p == path {
			return w.t.node[id]
		}
	}
	return nil
}

// rawObject reads an object of raw values; nil gives an empty one.
func rawObject(raw json.RawMessage) map[string]any {
	out := map[string]any{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &out); err != nil {
			panic(err)
		}
	}
	return out
}
