package runs

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/pdk/contract"
)

// Options are what the use cases of runs need; all fields are required.
type Options struct {
	Runner    Runner
	Flows     Flows
	Projects  Projects
	Catalogue Catalogue
	Graphs    *Graphs
	Audit     Audit
	Vault     Vault
	Clock     interface{ Now() time.Time }
}

// Service is the use cases of runs. It is safe for concurrent use.
type Service struct {
	o     Options
	forms forms.Cache

	mu    sync.Mutex
	names map[string]contract.Text // of flow versions, by digest

	simulations chan struct{} // holds one for each that is under way
}

// New makes the use cases.
func New(o Options) *Service {
	return &Service{o: o, names: map[string]contract.Text{}, simulations: make(chan struct{}, SimulateAtOnceMax)}
}

// List returns a page of runs, newest first.
func (s *Service) List(ctx context.Context, q ListQuery) (page.Of[Summary], error) {
	none := page.Of[Summary]{}
	limit, err := q.Page.Size()
	if err != nil {
		return none, err
	}
	before := ""
	if _, err := q.Page.After(&before); err != nil {
		return none, err
	}
	for _, state := range q.States {
		if !knownState(state) {
			return none, fault.At("/state", "no run state %q", state).Because("CHOICE")
		}
	}
	if _, err := s.o.Projects.Get(ctx, q.Project); err != nil {
		return none, err
	}
	heads, err := s.o.Runner.List(ctx, runner.RunQuery{
		Project: q.Project, Flow: q.Flow, States: q.States, Parent: q.Parent, Roots: q.Parent == "", Text: q.Search,
		Operator: q.Operator, From: q.From, To: q.To, Oldest: q.Oldest, Before: before, Limit: limit + 1,
	})
	if err != nil {
		return none, refusal("list runs", "", err)
	}
	cut, err := page.Cut(heads, limit, func(h runner.RunHead) any { return h.ID })
	if err != nil {
		return none, err
	}
	out := page.Of[Summary]{Items: make([]Summary, 0, len(cut.Items)), Next: cut.Next}
	for _, h := range cut.Items {
		name, err := s.flowName(ctx, h)
		if err != nil {
			return none, err
		}
		out.Items = append(out.Items, Summary{
			ID: h.ID, Name: h.Name, Flow: h.Flow, FlowName: name, Version: h.Version, State: h.State, Seq: h.Seq,
			Operator: h.Operator, CreatedAt: h.CreatedAt, EndedAt: h.EndedAt, Parent: h.Parent,
		})
	}
	return out, nil
}

// Get returns a run with its document, or a fault.NotFound.
func (s *Service) Get(ctx context.Context, project, run string) (Detail, error) {
	h, v, err := s.view(ctx, project, run)
	if err != nil {
		return Detail{}, err
	}
	name, err := s.flowName(ctx, h)
	if err != nil {
		return Detail{}, err
	}
	return Detail{RunView: v, FlowName: name, Document: h.Document}, nil
}

// View returns what the outside sees of a run at its last durable record: the
// snapshot that a live stream begins with, marked with its Seq.
func (s *Service) View(ctx context.Context, project, run string) (engine.RunView, error) {
	_, v, err := s.view(ctx, project, run)
	return v, err
}

// Seq returns the sequence number of a run's last durable record.
func (s *Service) Seq(ctx context.Context, project, run string) (uint64, error) {
	h, err := s.head(ctx, project, run)
	return h.Seq, err
}

// Records returns a part of the history.
func (s *Service) Records(ctx context.Context, q RecordsQuery) (Records, error) {
	limit := q.Limit
	switch {
	case limit == 0:
		limit = page.DefaultLimit
	case limit < 0 || limit > RecordsMax:
		return Records{}, fault.At("/limit", "limit must be from 1 to %d", RecordsMax).Because("LIMIT")
	}
	if _, err := s.head(ctx, q.Project, q.Run); err != nil {
		return Records{}, err
	}
	rs, err := s.o.Runner.Records(ctx, q.Run, q.After, limit+1)
	if err != nil {
		return Records{}, refusal("read records", q.Run, err)
	}
	if len(rs) <= limit {
		return Records{Items: append([]engine.Record{}, rs...)}, nil
	}
	return Records{Items: rs[:limit], Next: rs[limit-1].Seq}, nil
}

// head returns the row of a run of the project.
func (s *Service) head(ctx context.Context, project, run string) (runner.RunHead, error) {
	h, err := s.o.Runner.Head(ctx, run)
	if err != nil {
		return h, refusal("read run", run, err)
	}
	if h.Project != project {
		return runner.RunHead{}, fault.Missing("run", run)
	}
	return h, nil
}

func (s *Service) view(ctx context.Context, project, run string) (runner.RunHead, engine.RunView, error) {
	h, err := s.head(ctx, project, run)
	if err != nil {
		return h, engine.RunView{}, err
	}
	v, err := s.o.Runner.View(ctx, run)
	return h, v, refusal("read run", run, err)
}

// namesMax bounds how many names of flow versions are kept.
const namesMax = 4096

// flowName returns the name of the flow version that a run runs.
func (s *Service) flowName(ctx context.Context, h runner.RunHead) (contract.Text, error) {
	s.mu.Lock()
	name, ok := s.names[h.Digest]
	s.mu.Unlock()
	if ok {
		return name, nil
	}
	if len(h.Document) == 0 {
		full, err := s.o.Runner.Head(ctx, h.ID)
		if err != nil {
			return name, refusal("read run", h.ID, err)
		}
		h = full
	}
	f, err := decodeFlow(h)
	if err != nil {
		return name, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.names) >= namesMax {
		s.names = map[string]contract.Text{}
	}
	s.names[h.Digest] = f.Name
	return f.Name, nil
}

// History tells the use cases of flows about runs. It is apart from Service because
// those are made first.
type History struct{ lister Lister }

var _ flows.Runs = History{}

// NewHistory makes a History over a runner.
func NewHistory(l Lister) History { return History{lister: l} }

// LastRun implements flows.Runs.
func (h History) LastRun(ctx context.Context, project, flow string) (*flows.LastRun, error) {
	heads, err := h.lister.List(ctx, runner.RunQuery{Project: project, Flow: flow, Limit: 1})
	if err != nil {
		return nil, refusal("list runs", "", err)
	}
	if len(heads) == 0 {
		return nil, nil //nolint:nilnil // the port says so: no run is no error.
	}
	return &flows.LastRun{ID: heads[0].ID, State: heads[0].State, CreatedAt: heads[0].CreatedAt}, nil
}

func knownState(s engine.RunState) bool {
	switch s {
	case engine.RunCreated, engine.RunRunning, engine.RunSuspended, engine.RunBlocked,
		engine.RunSucceeded, engine.RunFailed, engine.RunRevoked:
		return true
	default:
		return false
	}
}

// refusal says in the host's words what the runner or the core refused. A nil err
// gives nil.
func refusal(op, run string, err error) error {
	if err == nil {
		return nil
	}
	var core *engine.Error
	switch {
	case errors.As(err, &core):
		return coreRefusal(core)
	case errors.Is(err, runner.ErrNotFound):
		return fault.Missing("run", run)
	case errors.Is(err, runner.ErrQuarantined):
		return &fault.Error{Code: fault.WrongState, Message: "the run was set aside because its records cannot be continued", Reason: "RUN_SET_ASIDE", Cause: err}
	case errors.Is(err, runner.ErrStoreBusy):
		return fault.Wrap(op, err)
	case errors.Is(err, runner.ErrBusy):
		return &fault.Error{Code: fault.Stopping, Message: "too much to do at the moment: try again", Reason: "BUSY", Cause: err}
	case errors.Is(err, runner.ErrStopped), errors.Is(err, runner.ErrStoreFailed):
		return &fault.Error{Code: fault.Stopping, Message: "the server is not running flows now", Reason: "NOT_RUNNING", Cause: err}
	default:
		return fault.Wrap(op, err)
	}
}

func coreRefusal(core *engine.Error) error {
	code := fault.Invalid
	switch core.Code {
	case engine.CodeConflict:
		code = fault.Conflict
	case engine.CodeWrongState:
		code = fault.WrongState
	case engine.CodeUnknownNode:
		// A node that only the body of a request names is wrong data.
		if code = fault.NotFound; core.Field != "" {
			code = fault.Invalid
		}
	case engine.CodeEnded:
		code = fault.RunEnded
	case engine.CodeInvalid:
	}
	return &fault.Error{
		Code: code, Message: core.Message, Reason: core.Reason, Args: core.Args, Node: core.Node, Field: core.Field, Cause: core,
	}
}
