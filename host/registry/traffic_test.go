package registry_test

import (
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/registry"
)

func TestTheStateOfASystemIsToldAndReset(t *testing.T) {
	t.Parallel()
	s := newService(t)
	actor := engine.Actor{ID: "ada"}
	if _, err := s.Put(t.Context(), registry.PutRequest{Project: "ops", ID: "cmdb", Actor: actor, Document: []byte(document)}); err != nil {
		t.Fatal(err)
	}
	state, err := s.State(t.Context(), "ops", "cmdb")
	if err != nil || state.Breaker.State != gateway.BreakerClosed || state.Limits.Concurrency != 16 || state.UnderWay != 0 || state.LastFailure != nil {
		t.Fatalf("got %+v, %v", state, err)
	}
	ask := registry.StateRequest{Project: "ops", System: "cmdb", Actor: actor, Command: registry.StateReset}
	if state, err := s.CommandState(t.Context(), ask); err != nil || state.Breaker.State != gateway.BreakerClosed {
		t.Errorf("got %+v, %v", state, err)
	}
	for want, change := range map[fault.Code]func(*registry.StateRequest){
		fault.Invalid:  func(r *registry.StateRequest) { r.Command = "open" },
		fault.NotFound: func(r *registry.StateRequest) { r.Project = "other" },
	} {
		r := ask
		change(&r)
		if _, err := s.CommandState(t.Context(), r); !fault.Is(err, want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := s.State(t.Context(), "ops", "nowhere"); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v", err)
	}
}
