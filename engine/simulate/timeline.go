package simulate

import (
	"cmp"
	"slices"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// Span is one attempt of a node in virtual time. All times are milliseconds from the
// start of the outermost run.
type Span struct {
	// Node is the node's path from the outermost run, Type its type.
	Node      string          `json:"node"`
	Type      engine.NodeType `json:"type"`
	Iteration int             `json:"iteration,omitempty"`
	Attempt   int             `json:"attempt"`
	// Repeat is the ordinal of the iteration in a Repeat, from 1.
	Repeat  int   `json:"repeat,omitempty"`
	StartMS int64 `json:"start_ms"`
	// EndMS is absent while the attempt is not over.
	EndMS *int64           `json:"end_ms,omitempty"`
	State engine.NodeState `json:"state"`
	// By is what made the state, when an operator or an option of the node did.
	By      string            `json:"by,omitempty"`
	Failure *contract.Failure `json:"failure,omitempty"`
	// Calls counts the calls of the plugin.
	Calls int `json:"calls,omitempty"`
	// Parts are the states that the attempt went through, in order.
	Parts []Part `json:"parts"`
}

// Part is a stretch of an attempt in one state.
type Part struct {
	State  engine.NodeState `json:"state"`
	FromMS int64            `json:"from_ms"`
	// ToMS is the end of the simulation when the stretch was not over.
	ToMS int64 `json:"to_ms"`
	// Wait says what a waiting attempt waits for.
	Wait contract.WaitKind `json:"wait,omitempty"`
}

// Gap is a stretch of the run in which no plugin was called and nothing ran.
type Gap struct {
	FromMS int64 `json:"from_ms"`
	ToMS   int64 `json:"to_ms"`
	// Waiting are the nodes that waited for something meanwhile; without any, the run was
	// blocked or suspended.
	Waiting []string `json:"waiting,omitempty"`
}

// spanKey names an attempt.
type spanKey struct {
	node               string
	iteration, attempt int
}

// timeline makes spans of records.
type timeline struct {
	begin time.Time
	end   int64
	paths *paths
	spans []*openSpan
	// attempts are those of the run at hand.
	attempts map[spanKey]*openSpan
}

// openSpan is a span that is being told. Its last part is live while the node is in a
// state that has still to end.
type openSpan struct {
	Span
	live bool
}

// timelineOf tells all runs of a simulation as spans, in order of their start.
func (s *Simulation) timelineOf(p *paths, end time.Time) []Span {
	t := &timeline{begin: s.c.Begin, end: s.elapsed(end).Milliseconds(), paths: p}
	for _, r := range s.runs {
		t.attempts = map[spanKey]*openSpan{}
		for i := range r.records {
			if d, ok := r.records[i].Data.(engine.NodeChanged); ok && d.To != engine.NodeIdle {
				t.changed(join(r.path, r.records[i].Node), r.records[i].At, d)
			}
		}
	}
	slices.SortStableFunc(t.spans, func(a, b *openSpan) int { return cmp.Compare(a.StartMS, b.StartMS) })
	out := make([]Span, len(t.spans))
	for i, sp := range t.spans {
		out[i] = sp.Span
	}
	return out
}

func (t *timeline) changed(path string, at time.Time, d engine.NodeChanged) {
	key, ms := spanKey{path, d.Iteration, d.Attempt}, at.Sub(t.begin).Milliseconds()
	sp := t.attempts[key]
	if sp == nil {
		sp = &openSpan{Span: Span{Node: path, Iteration: d.Iteration, Attempt: d.Attempt, StartMS: ms, Parts: []Part{}}}
		if where, ok := t.paths.find(path); ok {
			sp.Type = where.node.Type
		}
		t.attempts[key] = sp
		t.spans = append(t.spans, sp)
	}
	if sp.live {
		sp.Parts[len(sp.Parts)-1].ToMS = ms
	}
	sp.live = live(d.To)
	if d.To == engine.NodeRunning && d.Reason != "" {
		sp.Calls++
	}
	sp.State, sp.By = d.To, d.By
	if d.Repeat > 0 {
		sp.Repeat = d.Repeat
	}
	switch {
	case d.Failure != nil:
		sp.Failure = d.Failure
	case d.To == engine.NodeSucceeded:
		sp.Failure = nil // what was in doubt has been resolved
	}
	if !sp.live {
		if sp.EndMS == nil {
			sp.EndMS = &ms
		}
		return
	}
	part := Part{State: d.To, FromMS: ms, ToMS: max(t.end, ms)}
	if d.Wait != nil {
		part.Wait = d.Wait.Kind
	}
	sp.Parts = append(sp.Parts, part)
}

// live reports whether a node in a state has still to end.
func live(s engine.NodeState) bool {
	switch s {
	case engine.NodeReady, engine.NodeRunning, engine.NodeWaiting, engine.NodeSuspended, engine.NodeUnknown, engine.NodeRollingBack:
		return true
	case engine.NodeIdle, engine.NodeSucceeded, engine.NodeFailed, engine.NodeSkipped, engine.NodeCancelled, engine.NodeRolledBack,
		engine.NodeRollbackFailed:
	}
	return false
}

// gaps finds the stretches up to end in which nothing ran.
func gaps(spans []Span, end int64) []Gap {
	var busy, waiting []interval
	for _, sp := range spans {
		if sp.Type == engine.TypeSubflow {
			continue // what runs is inside
		}
		for _, p := range sp.Parts {
			switch at := (interval{p.FromMS, p.ToMS, sp.Node}); p.State {
			case engine.NodeRunning, engine.NodeRollingBack:
				busy = append(busy, at)
			case engine.NodeWaiting:
				waiting = append(waiting, at)
			default:
			}
		}
	}
	slices.SortFunc(busy, func(a, b interval) int { return cmp.Compare(a.from, b.from) })
	var out []Gap
	at := int64(0)
	for _, b := range append(busy, interval{from: end, to: end}) {
		if b.from > at && at < end {
			out = append(out, Gap{FromMS: at, ToMS: min(b.from, end), Waiting: during(waiting, at, b.from)})
		}
		at = max(at, b.to)
	}
	return out
}

// interval is a stretch of time of one node.
type interval struct {
	from, to int64
	node     string
}

// during names the nodes whose intervals lie at least partly between two instants.
func during(all []interval, from, to int64) []string {
	var out []string
	for _, i := range all {
		if i.from < to && i.to > from && !slices.Contains(out, i.node) {
			out = append(out, i.node)
		}
	}
	return out
}
