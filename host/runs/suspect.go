package runs

import (
	"context"
	"log/slog"
	"strconv"
	"sync"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/pdk/contract"
)

// CodeCrashSuspect says that the program died each time while this call was being made, so
// that it is not made again by itself.
const CodeCrashSuspect = "CRASH_SUSPECT"

// deathsMax is how often a call may be under way when the program dies: after the third
// time it is not made again.
const deathsMax = 3

// Deaths remembers which calls were under way when the program died. Safe for concurrent
// use.
type Deaths interface {
	// Times returns how often the call was begun again and has not ended.
	Times(ctx context.Context, c SuspectCall) (int, error)
	// Begin notes, durably, that the call is made again.
	Begin(ctx context.Context, c SuspectCall) error
	// End forgets a call, because it has ended.
	End(ctx context.Context, c SuspectCall) error
}

// SuspectCall names a call of a node.
type SuspectCall struct {
	Run, Node string
	Epoch     uint64
}

// Suspects is an executor that keeps a call from killing the program over and over: what
// was under way at a death is made again at most twice, and then is unknown, for an
// operator to decide. From the second time on such calls are made one at a time, so that
// those that only happened to run beside the culprit end. It is safe for concurrent use.
type Suspects struct {
	runner.Executor
	deaths Deaths
	log    *slog.Logger
	alone  sync.Mutex
}

// NewSuspects puts the watch around an executor.
func NewSuspects(next runner.Executor, d Deaths, log *slog.Logger) *Suspects {
	return &Suspects{Executor: next, deaths: d, log: log}
}

// Execute implements runner.Executor.
func (s *Suspects) Execute(ctx context.Context, run runner.RunInfo, d engine.Dispatch, emit func(engine.Note)) engine.Result {
	if !d.Recovered {
		return s.Executor.Execute(ctx, run, d, emit)
	}
	c := SuspectCall{Run: run.ID, Node: d.Node, Epoch: d.Epoch}
	before, err := s.deaths.Times(ctx, c)
	if err == nil && before > 0 {
		s.alone.Lock()
		defer s.alone.Unlock()
	}
	if err == nil {
		err = s.deaths.Begin(ctx, c)
	}
	if err != nil {
		s.log.WarnContext(ctx, "a call that was under way when the program died cannot be counted", "run_id", c.Run, "node_id", c.Node, "error", err)
		return s.Executor.Execute(ctx, run, d, emit)
	}
	defer func() {
		// The call has ended, whatever becomes of the context.
		if err := s.deaths.End(context.WithoutCancel(ctx), c); err != nil {
			s.log.WarnContext(ctx, "a call that has ended still counts as under way", "run_id", c.Run, "node_id", c.Node, "error", err)
		}
	}()
	if deaths := before + 1; deaths >= deathsMax {
		s.log.ErrorContext(ctx, "a call is not made again: the program died each time", "run_id", c.Run, "node_id", c.Node, "plugin", d.Plugin, "deaths", deaths)
		return engine.Result{Node: d.Node, Epoch: d.Epoch, Digest: run.Plugins[d.Plugin], Unknown: &contract.Failure{
			Code: CodeCrashSuspect, Origin: contract.OriginHost,
			Message: "the server died " + strconv.Itoa(deaths) + " times while this call was being made; it was not made again",
		}}
	}
	return s.Executor.Execute(ctx, run, d, emit)
}
