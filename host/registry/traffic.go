package registry

import (
	"context"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/systems"
)

// State is what goes on between a project and one of its systems: calls under way, and
// whether the gateway lets any through.
type State = gateway.State

// Traffic knows what is under way. Safe for concurrent use.
type Traffic interface {
	State(project string, s *systems.Compiled) State
	// Reset lets calls through again to a system that is left alone.
	Reset(project, system string)
}

// StateCommand is what an operator can do about the state of a system.
type StateCommand string

// StateReset lets calls through again at once: whoever repaired the system need not wait.
const StateReset StateCommand = "reset"

// StateRequest is a command to the state of a system.
type StateRequest struct {
	Project, System string
	Actor           engine.Actor
	Command         StateCommand
}

// State tells what goes on with a system, or gives a fault.NotFound.
func (s *Service) State(ctx context.Context, project, id string) (State, error) {
	c, err := s.System(ctx, project, id)
	if err != nil {
		return State{}, err
	}
	return s.o.Traffic.State(project, c), nil
}

// CommandState does a command and tells the state after it.
func (s *Service) CommandState(ctx context.Context, r StateRequest) (State, error) {
	c, err := s.System(ctx, r.Project, r.System)
	if err != nil {
		return State{}, err
	}
	if r.Command != StateReset {
		return State{}, fault.At("/command", "must be %s", StateReset).Because("MUST_BE")
	}
	s.o.Traffic.Reset(r.Project, r.System)
	return s.o.Traffic.State(r.Project, c), nil
}
