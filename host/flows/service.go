package flows

import (
	"context"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
)

// Options are what the use cases of flows need; all fields are required.
type Options struct {
	Repository Repository
	Catalogue  engine.Catalogue
	Runs       Runs
	Clock      Clock
}

// Service is the use cases of flows. It is safe for concurrent use.
type Service struct{ o Options }

// New makes the use cases.
func New(o Options) *Service { return &Service{o: o} }

var errPending = fault.New(fault.Internal, "not built yet")

// Create stores a new draft, also one with problems.
func (s *Service) Create(ctx context.Context, r CreateRequest) (Detail, error) {
	return Detail{}, errPending
}

// Get returns a flow with its draft and the draft's problems.
func (s *Service) Get(ctx context.Context, project, id string) (Detail, error) {
	return Detail{}, errPending
}

// Save replaces the draft, also by one with problems.
func (s *Service) Save(ctx context.Context, r SaveRequest) (Detail, error) {
	return Detail{}, errPending
}

// Delete removes a flow and its versions; runs keep what they run.
func (s *Service) Delete(ctx context.Context, project, id string, by engine.Actor) error {
	return errPending
}

// List returns a page of flows, the newest change first.
func (s *Service) List(ctx context.Context, q ListQuery) (page.Of[Summary], error) {
	return page.Of[Summary]{}, errPending
}

// Validate returns every problem of a document; it stores nothing.
func (s *Service) Validate(f *engine.Flow) []engine.Problem { return nil }

// Publish makes the draft the next version. A draft that is the latest version
// already answers that one; one with errors is a fault.Invalid with Problems.
func (s *Service) Publish(ctx context.Context, r PublishRequest) (Version, error) {
	return Version{}, errPending
}

// Version returns a version with its document; number 0 is the latest.
func (s *Service) Version(ctx context.Context, project, flow string, number int) (Version, error) {
	return Version{}, errPending
}

// Versions returns a page of versions without documents, newest first.
func (s *Service) Versions(ctx context.Context, project, flow string, q page.Query) (page.Of[Version], error) {
	return page.Of[Version]{}, errPending
}
