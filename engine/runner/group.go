package runner

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/culmhq/culm/engine"
)

const (
	// groupRecordsMax is at how many records a group takes no more.
	groupRecordsMax = 8192
	// groupEffectsMin is from how many effects on a group does not wait for more: while
	// it is written the next one gathers, which costs less than another fsync.
	groupEffectsMin = 256
	// busyPause is how long a commit waits after the store was busy.
	busyPause = time.Second
	// busyMax is how long callers wait while the store is busy; then they are told,
	// although what they asked for may still be done.
	busyMax = 5 * time.Second
)

// group is what one commit makes durable, and what follows from it. While the committer
// has it, batches are the committer's and effects the loop's.
type group struct {
	n       uint64
	batches []Batch
	effects []effect
	records int

	// err is set when the store failed, refused when it refused single runs.
	err     error
	refused map[string]error
}

// effect is what is done after the commit: in this order.
type effect struct {
	run      *live
	isNew    bool
	at       time.Time // of the records
	early    int       // pure calls that began before the commit
	records  []engine.Record
	commands []engine.Command
	reply    func(error)
}

// next is the group after g, in the memory of a used one if there is one.
func (g *group) next(used *group) *group {
	if used == nil {
		used = &group{}
	}
	used.n = g.n + 1
	return used
}

// reset lets go of everything but the memory of the slices.
func (g *group) reset() {
	clear(g.batches)
	clear(g.effects)
	*g = group{batches: g.batches[:0], effects: g.effects[:0]}
}

func (g *group) full() bool  { return g.records >= groupRecordsMax }
func (g *group) empty() bool { return len(g.effects) == 0 }

// committer makes groups durable, one after the other.
type committer struct {
	store  Store
	clock  Clock
	log    *slog.Logger
	in     chan *group
	out    chan *group
	quit   chan struct{}
	busy   atomic.Pointer[error] // why the store is busy, if it is, so that callers can be told
	exited chan struct{}

	// stuck holds a channel that is closed when the store has been busy for busyMax, and
	// another one when that is over.
	stuck atomic.Pointer[chan struct{}]
}

func newCommitter(cfg *Config) *committer {
	c := &committer{
		store: cfg.Store, clock: cfg.Clock, log: cfg.Logger,
		in: make(chan *group, 1), out: make(chan *group, 1), quit: make(chan struct{}), exited: make(chan struct{}),
	}
	c.flow()
	return c
}

// flow says that commits go through.
func (c *committer) flow() {
	ch := make(chan struct{})
	c.stuck.Store(&ch)
}

func (c *committer) run() {
	defer close(c.exited)
	for g := range c.in {
		c.commit(g)
		c.out <- g
	}
}

func (c *committer) commit(g *group) {
	if len(g.batches) == 0 {
		return
	}
	err := c.write(g.batches)
	if err == nil || errors.Is(err, ErrStoreFailed) {
		g.err = err
		return
	}
	// One run's batch is at fault: the others must not suffer.
	g.refused = map[string]error{}
	for _, bs := range byRun(g.batches) {
		err := c.write(bs)
		if errors.Is(err, ErrStoreFailed) {
			g.err = err
			return
		}
		if err != nil {
			g.refused[bs[0].Run] = err
		}
	}
}

// write commits, and waits as long as the store is busy: what the core has decided
// cannot be taken back.
func (c *committer) write(bs []Batch) error {
	var stuck bool
	for since := c.clock.Now(); ; {
		err := c.store.Commit(context.Background(), bs)
		if !errors.Is(err, ErrStoreBusy) {
			c.busy.Store(nil)
			if stuck {
				c.flow()
			}
			return err
		}
		if c.busy.Swap(&err) == nil {
			c.log.Warn("the store is busy; commits wait", "error", err)
		}
		if !stuck && c.clock.Now().Sub(since) >= busyMax {
			stuck = true
			close(*c.stuck.Load())
		}
		pause, stop := c.clock.After(busyPause)
		select {
		case <-pause:
			stop()
		case <-c.quit:
			stop()
			return errors.Join(ErrStoreFailed, err)
		}
	}
}

// byRun splits batches into those of each run, in the order of their first.
func byRun(bs []Batch) [][]Batch {
	at := map[string]int{}
	var out [][]Batch
	for i := range bs {
		k, ok := at[bs[i].Run]
		if !ok {
			k = len(out)
			at[bs[i].Run] = k
			out = append(out, nil)
		}
		out[k] = append(out[k], bs[i])
	}
	return slices.Clip(out)
}
