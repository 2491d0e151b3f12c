package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/culmhq/culm/engine"
)

// The errors of a Store that a caller can do something about. Any other error of
// Commit concerns what was committed: nothing of it was written, and the store goes on.
var (
	// ErrNotFound: no such run.
	ErrNotFound = errors.New("runner: run not found")
	// ErrExists: the run id or the start key is taken.
	ErrExists = errors.New("runner: run exists")
	// ErrSequence: the records of a batch do not follow those of the run.
	ErrSequence = errors.New("runner: records out of sequence")
	// ErrStoreBusy: nothing was written, and the same commit may succeed later (the
	// disk is full, or another process holds the database).
	ErrStoreBusy = errors.New("runner: store is busy")
	// ErrStoreFull: the disk is full. It is an ErrStoreBusy: what waits goes on as soon
	// as there is space.
	ErrStoreFull = fmt.Errorf("%w: no space is left on the disk", ErrStoreBusy)
	// ErrStoreFailed: the disk can no longer be trusted. The store accepts nothing
	// more; only a restart, which reads what is durable, can go on.
	ErrStoreFailed = errors.New("runner: store failed")
)

// Store keeps runs. Every method is safe for concurrent use. What Commit has
// acknowledged survives kill -9 and loss of power.
type Store interface {
	// Commit makes all batches durable in one transaction, or none. Batches of
	// one run come in order. A batch whose records do not follow the run's last one
	// is refused with ErrSequence (a broken invariant, not a conflict between users),
	// one of an unknown run with ErrNotFound, a new run whose id or start key is taken
	// with ErrExists, and one that Batch.Check refuses with its error. The slice is
	// the caller's again when Commit returns; what is in it is not changed any more.
	Commit(ctx context.Context, batches []Batch) error
	// Run returns a run's head, or ErrNotFound.
	Run(ctx context.Context, id string) (RunHead, error)
	// ByStartKey returns the run that was started with that key, or ErrNotFound.
	ByStartKey(ctx context.Context, project, key string) (RunHead, error)
	// List returns heads, newest first, without their documents.
	List(ctx context.Context, q RunQuery) ([]RunHead, error)
	// Records returns the records after seq, at most limit (0 = all).
	Records(ctx context.Context, run string, after uint64, limit int) ([]engine.Record, error)
	// Live returns the heads of the runs that have not ended, oldest first. Runs of
	// one version share the bytes of their document, which must not be changed.
	Live(ctx context.Context) ([]RunHead, error)
	// Timers returns the timers that are set, earliest first.
	Timers(ctx context.Context) ([]Timer, error)
	// Close releases the store after the commits under way.
	Close() error
}

// Batch is what one event made of one run.
type Batch struct {
	Run string
	// New is set in a run's first batch.
	New     *RunHead
	Records []engine.Record
	// State is the run's state after the records.
	State engine.RunState
	// EndedAt is set in the batch that ended the run.
	EndedAt *time.Time
	// Timers are the timers that were set and cleared.
	Timers []TimerChange
}

// TimerChange sets a node's timer, replacing the one before, or clears it when Due is
// zero, unless the timer has a later epoch. The end of a run clears all of its timers.
type TimerChange struct {
	Node  string
	Epoch uint64
	Due   time.Time
}

// Timer is a timer that is set: one a node.
type Timer struct {
	Run, Node string
	Epoch     uint64
	Due       time.Time
}

// RunHead is the row of a run: what a list shows and what a restart needs.
type RunHead struct {
	ID, Project, Name string
	// Flow, Version and Document identify and hold the flow version: the document
	// is its JSON, kept once per digest.
	Flow     string
	Version  int
	Digest   string
	Document []byte
	Operator string
	State    engine.RunState
	Seq      uint64
	// StartKey is the Idempotency-Key of the start, StartHash the hash of its body.
	StartKey, StartHash string
	CreatedAt           time.Time
	EndedAt             *time.Time
	// Parent is set for the run of an independent subflow node, as in its RunStarted.
	Parent *engine.Parent
}

// RunQuery selects runs of one project. Zero fields do not restrict.
type RunQuery struct {
	Project, Flow string
	States        []engine.RunState
	// Parent selects the runs that nodes of that run started; Roots those that no run
	// started.
	Parent string
	Roots  bool
	// Text selects runs whose name, id or flow contains it, whatever the case of its
	// ASCII letters.
	Text string
	// Operator selects the runs that this one started.
	Operator string
	// From and To bound when a run was created: From counts, To does not any more.
	From, To time.Time
	// Oldest lists the oldest run first.
	Oldest bool
	// Before is the cursor: the id of the last run of the page before.
	Before string
	Limit  int
}

// Fold returns a text with its ASCII capitals in lower case: what RunQuery.Text is
// compared by, because every database can do that.
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// Executor performs dispatches. Execute blocks until the call ended or ctx is done,
// and must not be called on the runner's loop. ctx may go on when Execute returns: what
// is derived from it must be released. emit may be called from it, until it
// returns, with notes.
type Executor interface {
	Execute(ctx context.Context, run RunInfo, d engine.Dispatch, emit func(engine.Note)) engine.Result
	// Pure reports whether the call of a node can have no effect on anything but its
	// result: then it may be made before the record of it is durable. It is asked for
	// each call, must be quick, and may be called on any goroutine. A call that is made
	// so has RunInfo.Ahead set, and the executor must see to it that it stays pure.
	Pure(run RunInfo, d engine.Dispatch) bool
	// Cancel calls the plugin's cancel export; best effort, bounded.
	Cancel(ctx context.Context, run RunInfo, d engine.Dispatch)
}

// RunInfo is what an executor needs to know of the run.
type RunInfo struct {
	ID, Project, Flow, Operator, Zone string
	// Plugins are the digests pinned at start, by plugin id.
	Plugins map[string]string
	// Ahead is set for a call that runs ahead of the commit (Executor.Pure).
	Ahead bool
}

// Publisher is handed the records of each commit, after it, in order per run. It
// must not block.
type Publisher interface {
	Publish(run string, rs []engine.Record)
}

// Clock tells the time and waits. Tests inject their own.
type Clock interface {
	Now() time.Time
	// After sends the time on the channel once d has passed; stop releases it.
	After(d time.Duration) (c <-chan time.Time, stop func())
}

// Graphs finds the compiled graph of a flow version; it caches. Plugins are the digests
// that the run pinned at start (StartOptions.Plugins, RunStarted.Plugins), by plugin
// id: a graph is compiled against those manifests, also when newer ones are installed.
type Graphs interface {
	Graph(ctx context.Context, digest string, document []byte, plugins map[string]string) (*engine.Graph, error)
}
