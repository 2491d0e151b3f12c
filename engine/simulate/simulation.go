package simulate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// Plugins answers the calls that nodes make, and says how the runs of independent
// subflows end. It is asked in a fixed order and must give the same answers to the same
// questions, or the simulation is not deterministic.
type Plugins interface {
	// Call answers one call.
	Call(c Call) Reply
	// Child says how the run of an independent subflow node ends. False lets the
	// simulation run the flow of that node too.
	Child(c ChildCall) (ChildReply, bool)
}

// Call is one call of a plugin.
type Call struct {
	engine.Dispatch
	// Path is the node's path from the outermost run: that of an independent subflow
	// node is in front of the nodes of its run.
	Path string
	// Now is the virtual instant at which the call is made.
	Now time.Time
}

// Reply is how a call goes.
type Reply struct {
	// After is how long it takes.
	After time.Duration
	// Notes are what it says while it runs, in order of their time.
	Notes []Note
	// Answer is its end, unless Unknown is set: then nobody knows.
	Answer  contract.Answer
	Unknown *contract.Failure
	// Late lets it answer although it was cancelled.
	Late bool
}

// Note is what a call says while it runs, After its start.
type Note struct {
	After    time.Duration
	Log      []contract.LogLine
	Progress *engine.Progress
}

// ChildCall asks for the run of an independent subflow node.
type ChildCall struct {
	engine.StartChild
	// Path is the node's path from the outermost run, Now the virtual instant.
	Path string
	Now  time.Time
	// Iteration and Attempt are those of the node.
	Iteration, Attempt int
}

// ChildReply is how the run of an independent subflow node ends, After its start.
type ChildReply struct {
	After time.Duration
	// State is the run's last, Outputs are those of one that succeeded, Failure says why
	// it did not; nil leaves that to the core.
	State   engine.RunState
	Outputs []byte
	Failure *contract.Failure
}

// Config is what a Simulation is made from.
type Config struct {
	// Graph is the compiled flow.
	Graph *engine.Graph
	// Catalogue compiles the flows of independent subflow nodes.
	Catalogue engine.Catalogue
	Plugins   Plugins
	// Begin is the virtual instant at which the run starts.
	Begin time.Time
	// Start are the options of the run, Operator who starts it.
	Start    engine.StartOptions
	Operator engine.Actor
	// Limits bound the simulation; a zero field takes that of DefaultLimits.
	Limits Limits
}

// Limits bound a simulation.
type Limits struct {
	// Steps is how many events the core is given.
	Steps int
	// VirtualTime is how far the clock may get from where it began.
	VirtualTime time.Duration
	// Runs is how many runs there may be: the run itself and those of independent
	// subflows.
	Runs int
	// RecordBytes is the size of all records together, as JSON.
	RecordBytes int
}

// DefaultLimits are those of a simulation that says nothing.
func DefaultLimits() Limits {
	return Limits{Steps: 200_000, VirtualTime: 366 * 24 * time.Hour, Runs: 1000, RecordBytes: 64 << 20}
}

// orDefault fills in the fields that are zero.
func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	if l.Steps == 0 {
		l.Steps = d.Steps
	}
	if l.VirtualTime == 0 {
		l.VirtualTime = d.VirtualTime
	}
	if l.Runs == 0 {
		l.Runs = d.Runs
	}
	if l.RecordBytes == 0 {
		l.RecordBytes = d.RecordBytes
	}
	return l
}

// Simulation is a run in virtual time, with the runs of its independent subflows. It is
// not safe for concurrent use.
type Simulation struct {
	c     Config
	now   time.Time
	queue queue
	// runs are all that were started, the outermost first; byPath finds the newest of an
	// independent subflow node, byID one by its id.
	runs   []*run
	byPath map[string]*run
	byID   map[string]*run
	// graphs are those of the flows of independent subflow nodes, by reference and schemes.
	graphs map[string]*engine.Graph
	steps  int
	bytes  int
	// encoded is reused to measure records.
	encoded []byte
}

// New starts the run. An error is an *Error with CodeStart when the core refuses.
func New(c Config) (*Simulation, error) {
	c.Limits = c.Limits.orDefault()
	s := &Simulation{
		c: c, now: c.Begin.UTC(), byPath: map[string]*run{}, byID: map[string]*run{}, graphs: map[string]*engine.Graph{},
	}
	err := s.start(&run{graph: s.c.Graph}, engine.Meta{At: s.now, Actor: s.c.Operator}, s.c.Start)
	var refusal *engine.Error
	if errors.As(err, &refusal) {
		err = &Error{Code: CodeStart, Message: refusal.Message, Field: refusal.Field, Cause: err}
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Now returns the virtual instant.
func (s *Simulation) Now() time.Time { return s.now }

// Next returns the instant of what happens next by itself, or false when nothing does.
func (s *Simulation) Next() (time.Time, bool) {
	if e := s.queue.next(); e != nil {
		return e.at, true
	}
	return time.Time{}, false
}

// Step lets the next thing happen, and moves the clock there. It returns false when
// nothing is left that happens by itself. An error is an *Error.
func (s *Simulation) Step(ctx context.Context) (bool, error) {
	at, ok := s.Next()
	if !ok {
		return false, nil
	}
	if err := s.Wait(ctx, at); err != nil {
		return false, err
	}
	return true, s.queue.take().do()
}

// Wait moves the clock to an instant that is not behind what happens next. An instant
// in the past changes nothing. An error is an *Error.
func (s *Simulation) Wait(ctx context.Context, until time.Time) error {
	if err := ctx.Err(); err != nil {
		return stopped(err)
	}
	if until.Sub(s.c.Begin) > s.c.Limits.VirtualTime {
		return &Error{Code: CodeVirtualTime, Message: fmt.Sprintf("what happens next is more than %s after the start", s.c.Limits.VirtualTime)}
	}
	if until.After(s.now) {
		s.now = until
	}
	return nil
}

// Command gives an operator's event to the run of the independent subflow node at path,
// the empty path being the outermost run; node ids in it are those of that run. The
// refusal of the core is an *engine.Error, all else an *Error. At of m is set.
func (s *Simulation) Command(path string, m engine.Meta, e engine.Event) error {
	r := s.byPath[path]
	if r == nil {
		return &engine.Error{Code: engine.CodeUnknownNode, Node: path, Message: fmt.Sprintf("no run was started by %q", path)}
	}
	m.At = s.now
	return s.apply(r, m, e)
}

// View returns the run of the independent subflow node at path, or false.
func (s *Simulation) View(path string) (engine.RunView, bool) {
	r := s.byPath[path]
	if r == nil {
		return engine.RunView{}, false
	}
	return r.state.View(), true
}

// Records returns the history of the run of the independent subflow node at path. It
// must not be changed.
func (s *Simulation) Records(path string) []engine.Record {
	if r := s.byPath[path]; r != nil {
		return r.records
	}
	return nil
}

// Check holds the histories of all runs against the judge. An error is an *Error with
// CodeHistory: a fault of the engine.
func (s *Simulation) Check() error {
	for _, r := range s.runs {
		if err := engine.CheckHistory(r.graph, r.records); err != nil {
			return &Error{Code: CodeHistory, Message: fmt.Sprintf("run %s: %v", r.id, err), Cause: err}
		}
	}
	return nil
}
