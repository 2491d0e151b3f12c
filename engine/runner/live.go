package runner

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
)

// The keys of what this package logs.
const (
	keyRun  = "run_id"
	keyNode = "node_id"
)

// FailPanic is the code of a node's failure when the executor panicked.
const FailPanic = "EXECUTOR_PANIC"

// live is a run in memory. The workers that end its calls share with the loop what mu
// guards; what stands above it never changes, and the rest belongs to the loop.
type live struct {
	id, project string
	info        RunInfo
	from        *engine.RunStarted // the state's
	parent      *engine.Parent     // nil for a run that no run started
	graph       *engine.Graph

	mu      sync.Mutex
	state   *engine.State
	ended   bool
	calls   []*call   // those that have not ended
	ahead   []stepped // what workers have made and the loop has not gathered
	told    bool      // the loop knows of ahead
	early   int       // pure calls begun whose records are not durable
	since   time.Time // no record that is not durable is older, while early > 0
	revived bool      // taken in after a restart, without a commit since
	fault   error     // why the run is in quarantine

	alarms map[string]*alarm // by node
	group  uint64            // the last group that holds records of the run
}

func newLive(g *engine.Graph, s *engine.State) *live {
	from := s.Started()
	return &live{
		id: from.Run, project: from.Project, graph: g, state: s, from: from, parent: from.Parent,
		info: RunInfo{
			ID: from.Run, Project: from.Project, Flow: from.Flow, Operator: from.Operator, Zone: from.Zone, Plugins: from.Plugins,
		},
	}
}

// apply gives one event to the core; the caller holds the lock. When the core panics the run goes into quarantine:
// its state may be half changed, so nothing of it is used again.
func (r *live) apply(log *slog.Logger, m engine.Meta, e engine.Event) (rs []engine.Record, cs []engine.Command, err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("the core panicked; the run is quarantined", keyRun, r.id, "event", fmt.Sprintf("%T", e),
				"panic", p, "stack", string(debug.Stack()))
			r.fault = fmt.Errorf("%w: %s: the core panicked: %v", ErrQuarantined, r.id, p)
			rs, cs, err = nil, nil, r.fault
		}
	}()
	return engine.Step(r.graph, r.state, m, e)
}

// batch is what the store is told of an event.
func (r *live) batch(now time.Time, rs []engine.Record, cs []engine.Command) Batch {
	b := Batch{Run: r.id, Records: rs, State: r.state.RunState()}
	if b.State.Ended() && !r.ended {
		r.ended = true
		b.EndedAt = &now
	}
	for _, c := range cs {
		switch c := c.(type) {
		case engine.SetTimer:
			b.Timers = append(b.Timers, TimerChange{Node: c.Node, Epoch: c.Epoch, Due: c.Due})
		case engine.ClearTimer:
			b.Timers = append(b.Timers, TimerChange{Node: c.Node, Epoch: c.Epoch})
		case engine.Dispatch, engine.Cancel, engine.StartChild, engine.ControlChild, engine.Finish:
		}
	}
	return b
}

func (r *live) drop(c *call) {
	if i := slices.Index(r.calls, c); i >= 0 {
		r.calls = slices.Delete(r.calls, i, i+1)
	}
}

// hostMeta is that of events which no person causes.
func hostMeta() engine.Meta { return engine.Meta{Actor: engine.Actor{ID: "host"}} }
