package runs

import (
	"context"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
)

// Service is the use cases of runs. It is safe for concurrent use.
type Service struct{}

var errPending = fault.New(fault.Internal, "not built yet")

// Start pins a flow version and the plugins it uses, and starts a run. Inputs that
// are missing, unknown or wrong give a fault.Invalid whose Field is "/inputs/NAME".
func (s *Service) Start(ctx context.Context, r StartRequest) (Summary, error) {
	return Summary{}, errPending
}

// List returns a page of runs, newest first.
func (s *Service) List(ctx context.Context, q ListQuery) (page.Of[Summary], error) {
	return page.Of[Summary]{}, errPending
}

// Get returns a run with its document, or a fault.NotFound.
func (s *Service) Get(ctx context.Context, project, run string) (Detail, error) {
	return Detail{}, errPending
}

// View returns what the outside sees of a run at its last durable record: the
// snapshot that a live stream begins with, marked with its Seq.
func (s *Service) View(ctx context.Context, project, run string) (engine.RunView, error) {
	return engine.RunView{}, errPending
}

// Node returns everything about one node.
func (s *Service) Node(ctx context.Context, project, run, node string) (NodeDetail, error) {
	return NodeDetail{}, errPending
}

// Records returns a part of the history.
func (s *Service) Records(ctx context.Context, q RecordsQuery) (Records, error) {
	return Records{}, errPending
}

// Command applies an operator's command and returns the run's last sequence number
// once it is durable.
func (s *Service) Command(ctx context.Context, r CommandRequest) (uint64, error) {
	return 0, errPending
}

// NodeCommand applies an operator's command to a node and returns the run's last
// sequence number once it is durable.
func (s *Service) NodeCommand(ctx context.Context, r NodeCommandRequest) (uint64, error) {
	return 0, errPending
}
