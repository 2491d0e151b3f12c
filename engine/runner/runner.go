package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/culmhq/culm/engine"
)

// The errors of a Runner, besides those of its Store and the *engine.Error of a
// refused command. Compare with errors.Is.
var (
	// ErrStopped: the runner has not been started, is stopping, or gave up because
	// its store failed (then the error wraps the store's too).
	ErrStopped = errors.New("runner: not running")
	// ErrBusy: a queue or the number of live runs is at its limit; try again later.
	ErrBusy = errors.New("runner: too busy")
	// ErrKeyReused: the start key was used with another body. It is an ErrExists.
	ErrKeyReused = fmt.Errorf("%w: start key used with another body", ErrExists)
	// ErrQuarantined: the run broke an invariant of the core or its records cannot be
	// replayed; it is left as it is, and other runs go on.
	ErrQuarantined = errors.New("runner: run is quarantined")
)

// The defaults of Config.
const (
	DefaultWorkers     = 64
	DefaultQueueMax    = 4096
	DefaultLiveRunsMax = 20_000
)

// Config is what a Runner is made from. Store, Executor, Publisher, Clock, Graphs and
// Logger must be set; a zero number means its default.
type Config struct {
	Store     Store
	Executor  Executor
	Publisher Publisher
	Clock     Clock
	Graphs    Graphs
	Logger    *slog.Logger
	// Workers is how many calls of the executor run at the same time.
	Workers int
	// QueueMax is how many starts, commands and questions may wait for the loop, and
	// how many notes of running calls. Above it callers get ErrBusy, and calls wait.
	QueueMax int
	// LiveRunsMax is how many runs may be live; above it a start gets ErrBusy. Runs
	// that were live before a restart are always taken in.
	LiveRunsMax int
}

// StartRequest asks for a new run.
type StartRequest struct {
	// Options go to the core as they are. Options.Run is the new run's id, which the
	// caller makes (a UUIDv7), and Options.Digest the hash of Document.
	Options engine.StartOptions
	// Document is the JSON of the flow version, Graph what it compiles to.
	Document []byte
	Graph    *engine.Graph
	// Key makes the start idempotent within the project, and Hash is that of what
	// was asked for: the same key and hash give the run that exists, the same key
	// and another hash ErrKeyReused. An empty key always starts a run.
	Key, Hash string
	// Meta says who starts the run; At is set by the runner.
	Meta engine.Meta
}

// Runner drives all live runs of one store. Its methods are safe for concurrent use.
type Runner struct {
	cfg Config
}

// New checks the configuration. The runner does nothing until Start.
func New(cfg Config) (*Runner, error) { return &Runner{cfg: cfg}, nil }

// Start takes in every run that has not ended, performs what was outstanding, and
// returns when commands are accepted. A run that cannot be recovered is quarantined
// and does not stop the others.
func (r *Runner) Start(ctx context.Context) error { return ErrStopped }

// Stop accepts nothing more, lets the calls that run end until ctx is done, commits
// what they answered, and returns. What did not end in time is cancelled without a
// record, and made again after the next start.
func (r *Runner) Stop(ctx context.Context) error { return ErrStopped }

// Failed is closed when the runner gave up because its store failed; Err then says why.
// The program should exit.
func (r *Runner) Failed() <-chan struct{} { return nil }

// Err is nil until Failed is closed.
func (r *Runner) Err() error { return nil }

// StartRun starts a run and returns once that is durable. An *engine.Error names the
// input that is wrong. When ctx ends early the run may still come to be; the same key
// finds it.
func (r *Runner) StartRun(ctx context.Context, q StartRequest) (engine.RunView, error) {
	return engine.RunView{}, ErrStopped
}

// Command applies an operator's command or a callback to a run of the project, and
// returns the run's last record once that is durable. A refusal is an *engine.Error;
// a run of another project is ErrNotFound. Meta.At is set by the runner.
func (r *Runner) Command(ctx context.Context, project, run string, m engine.Meta, e engine.Event) (seq uint64, err error) {
	return 0, ErrStopped
}

// View returns a run as its durable records describe it: live runs from memory, ended
// ones by replay.
func (r *Runner) View(ctx context.Context, run string) (engine.RunView, error) {
	return engine.RunView{}, ErrStopped
}

// Records returns the durable records of a run after seq, at most limit (0 = all).
func (r *Runner) Records(ctx context.Context, run string, after uint64, limit int) ([]engine.Record, error) {
	return nil, ErrStopped
}

// Head returns the row of a run, with its document, or ErrNotFound.
func (r *Runner) Head(ctx context.Context, run string) (RunHead, error) { return RunHead{}, ErrStopped }

// List returns rows of runs, newest first, without documents.
func (r *Runner) List(ctx context.Context, q RunQuery) ([]RunHead, error) { return nil, ErrStopped }
