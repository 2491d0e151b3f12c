package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

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
	// ErrRequest: a StartRequest lacks something; the error names the field.
	ErrRequest = errors.New("runner: incomplete request")
	// ErrQuarantined: the run broke an invariant of the core or its records cannot be
	// replayed; it is left as it is, and other runs go on.
	ErrQuarantined = errors.New("runner: run is quarantined")
)

// errNotLive: the run is not in memory. It never leaves the package.
var errNotLive = errors.New("runner: not live")

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
	// Slack lets so many bytes of garbage pile up before memory is collected, besides what
	// the collector allows anyway. It costs memory only as far as garbage piles up. Zero
	// is none, ServerSlack what a server wants.
	Slack int
}

// ServerSlack is the Slack of a program that has the machine to itself. The live heap of a
// thousand runs is a few megabytes: without slack the collector runs dozens of times a
// second and takes a quarter of the processor.
const ServerSlack = 48 << 20

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
	cfg    Config
	in     *inbox
	pool   *pool
	commit *committer
	loop   *loop
	keys   *keyLocks
	// slack is never touched, so that it takes no memory: the collector counts it as live
	// and lets as much garbage pile up.
	slack []byte

	mu      sync.Mutex
	phase   phase
	over    chan struct{} // closed when the loop has ended
	failed  chan struct{}
	failure error
}

// phase is where a runner is in its life, which it goes through once.
type phase int

const (
	phaseNew phase = iota
	phaseStarting
	phaseRunning
	phaseStopping
)

// New checks the configuration. The runner does nothing until Start.
func New(cfg Config) (*Runner, error) {
	missing := func(name string) error { return fmt.Errorf("runner: Config.%s is missing", name) }
	switch {
	case cfg.Store == nil:
		return nil, missing("Store")
	case cfg.Executor == nil:
		return nil, missing("Executor")
	case cfg.Publisher == nil:
		return nil, missing("Publisher")
	case cfg.Clock == nil:
		return nil, missing("Clock")
	case cfg.Graphs == nil:
		return nil, missing("Graphs")
	case cfg.Logger == nil:
		return nil, missing("Logger")
	case cfg.Workers < 0 || cfg.QueueMax < 0 || cfg.LiveRunsMax < 0:
		return nil, errors.New("runner: Config has a negative number")
	}
	cfg.Workers = cmp.Or(cfg.Workers, DefaultWorkers)
	cfg.QueueMax = cmp.Or(cfg.QueueMax, DefaultQueueMax)
	cfg.LiveRunsMax = cmp.Or(cfg.LiveRunsMax, DefaultLiveRunsMax)
	r := &Runner{cfg: cfg, slack: newSlack(cfg.Slack), keys: newKeyLocks(), over: make(chan struct{}), failed: make(chan struct{})}
	r.in = newInbox(cfg.QueueMax)
	r.pool = newPool(&cfg, r.in)
	r.commit = newCommitter(&cfg)
	r.loop = newLoop(&cfg, r.in, r.pool, r.commit, r.fail)
	return r, nil
}

// Start takes in every run that has not ended, performs what was outstanding, and
// returns when commands are accepted. A run that cannot be recovered is quarantined
// and does not stop the others. A runner starts once.
func (r *Runner) Start(ctx context.Context) error {
	if !r.enter(phaseNew, phaseStarting) {
		return errors.New("runner: started before")
	}
	if err := r.restore(ctx); err != nil {
		return err
	}
	r.pool.start(r.cfg.Workers) //nolint:contextcheck // what runs until Stop does not end with the context of Start.
	go r.commit.run()           //nolint:contextcheck // as above.
	go func() {
		defer close(r.over)
		r.loop.run()
	}()
	r.enter(phaseStarting, phaseRunning)
	return nil
}

// Stop accepts nothing more, lets the calls that run end until ctx is done, commits
// what they answered, and returns. What did not end in time is cancelled without a
// record, and made again after the next start; then the error is that of ctx.
func (r *Runner) Stop(ctx context.Context) error {
	if !r.enter(phaseRunning, phaseStopping) {
		return ErrStopped
	}
	r.in.put(drain{})
	select {
	case <-r.over:
	case <-ctx.Done():
		r.in.put(abort{})
		close(r.commit.quit)
		<-r.over
		<-r.commit.exited
		return ctx.Err()
	}
	<-r.commit.exited
	err := r.Err()
	if err == nil {
		r.pool.wg.Wait()
	}
	r.pool.kill()
	return err
}

// Failed is closed when the runner gave up because its store failed; Err then says why.
// The program should exit.
func (r *Runner) Failed() <-chan struct{} { return r.failed }

// Err is nil until Failed is closed.
func (r *Runner) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failure
}

// StartRun starts a run and returns once that is durable. An *engine.Error names the
// input that is wrong. When ctx ends early, or the store is busy for seconds (ErrBusy),
// the run may still come to be; the same key finds it.
func (r *Runner) StartRun(ctx context.Context, q StartRequest) (engine.RunView, error) {
	if err := r.accepts(); err != nil {
		return engine.RunView{}, err
	}
	if err := q.check(); err != nil {
		return engine.RunView{}, err
	}
	unlock := func() {}
	if q.Key != "" {
		var err error
		if unlock, err = r.keys.lock(ctx, q.Options.Project+"\x00"+q.Key); err != nil {
			return engine.RunView{}, err
		}
		h, err := r.cfg.Store.ByStartKey(ctx, q.Options.Project, q.Key)
		if !errors.Is(err, ErrNotFound) {
			unlock()
			return r.again(ctx, q, h, err)
		}
	}
	ask, v, err := r.begin(ctx, q)
	if err != nil {
		unlock()
		return engine.RunView{}, err
	}
	done := make(chan error, 1)
	ask.done = func(err error) {
		unlock()
		done <- err
	}
	if err := r.in.ask(ask); err != nil {
		unlock()
		return engine.RunView{}, err
	}
	select {
	case err := <-done:
		return v, err
	case <-*r.commit.stuck.Load():
		return engine.RunView{}, r.stuck()
	case <-ctx.Done():
		return engine.RunView{}, ctx.Err()
	}
}

// stuck is what those are told who have waited for the store too long.
func (r *Runner) stuck() error {
	why := ErrStoreBusy
	if p := r.commit.busy.Load(); p != nil {
		why = *p
	}
	return fmt.Errorf("%w: it may still be done: %w", ErrBusy, why)
}

// Command applies an operator's command or a callback to a run of the project, and
// returns the run's last record once that is durable. A refusal is an *engine.Error;
// a run of another project is ErrNotFound. Meta.At is set by the runner. When ctx ends
// early, or the store is busy for seconds (ErrBusy), the command may still be applied; the
// same CommandID then has no second effect.
func (r *Runner) Command(ctx context.Context, project, run string, m engine.Meta, e engine.Event) (seq uint64, err error) {
	if err := r.accepts(); err != nil {
		return 0, err
	}
	type answer struct {
		seq uint64
		err error
	}
	done := make(chan answer, 1)
	err = r.in.ask(&commanded{run: run, project: project, meta: m, event: e, done: func(seq uint64, err error) {
		done <- answer{seq, err}
	}})
	if err != nil {
		return 0, err
	}
	select {
	case a := <-done:
		if errors.Is(a.err, errNotLive) {
			return r.commandEnded(ctx, project, run, m)
		}
		return a.seq, a.err
	case <-*r.commit.stuck.Load():
		return 0, r.stuck()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// View returns a run as its durable records describe it: live runs from memory, others
// by replay. A run in quarantine whose records cannot be replayed is ErrQuarantined.
func (r *Runner) View(ctx context.Context, run string) (engine.RunView, error) {
	type answer struct {
		view engine.RunView
		err  error
	}
	if err := r.runs(); err != nil {
		return engine.RunView{}, err
	}
	done := make(chan answer, 1)
	err := r.in.ask(&viewed{run: run, done: func(v engine.RunView, err error) { done <- answer{v, err} }})
	if err != nil {
		return engine.RunView{}, err
	}
	select {
	case a := <-done:
		if errors.Is(a.err, errNotLive) || errors.Is(a.err, ErrQuarantined) {
			return r.replayed(ctx, run)
		}
		return a.view, a.err
	case <-ctx.Done():
		return engine.RunView{}, ctx.Err()
	}
}

// Records returns the durable records of a run after seq, at most limit (0 = all).
func (r *Runner) Records(ctx context.Context, run string, after uint64, limit int) ([]engine.Record, error) {
	return r.cfg.Store.Records(ctx, run, after, limit)
}

// Head returns the row of a run, with its document, or ErrNotFound.
func (r *Runner) Head(ctx context.Context, run string) (RunHead, error) {
	return r.cfg.Store.Run(ctx, run)
}

// List returns rows of runs, newest first, without documents.
func (r *Runner) List(ctx context.Context, q RunQuery) ([]RunHead, error) {
	return r.cfg.Store.List(ctx, q)
}

// Quarantined returns why each run in quarantine is there, by run id.
func (r *Runner) Quarantined(ctx context.Context) (map[string]error, error) {
	return surveyed(ctx, r, func(l *loop) map[string]error {
		out := map[string]error{}
		for id, r := range l.runs {
			r.mu.Lock()
			if r.fault != nil {
				out[id] = r.fault
			}
			r.mu.Unlock()
		}
		return out
	})
}

func (r *Runner) enter(from, to phase) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.phase != from {
		return false
	}
	r.phase = to
	return true
}

// accepts says whether new work is taken.
func (r *Runner) accepts() error {
	if err := r.runs(); err != nil {
		return err
	}
	if why := r.commit.busy.Load(); why != nil {
		return fmt.Errorf("%w: %w", ErrBusy, *why)
	}
	return nil
}

// runs says whether there is a loop that answers.
func (r *Runner) runs() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.failure != nil:
		return fmt.Errorf("%w: %w", ErrStopped, r.failure)
	case r.phase != phaseRunning:
		return ErrStopped
	}
	return nil
}

func (r *Runner) fail(err error) {
	r.mu.Lock()
	r.failure = err
	r.mu.Unlock()
	close(r.failed)
}
