package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/fault"
)

func TestWrapKeepsARefusalAndHidesTheRest(t *testing.T) {
	t.Parallel()
	if fault.Wrap("read", nil) != nil {
		t.Error("wrapping nothing gave an error")
	}
	refusal := fmt.Errorf("store: %w", fault.Missing("flow", "f"))
	if got := fault.Wrap("read", refusal); !fault.Is(got, fault.NotFound) {
		t.Errorf("a refusal became %v", got)
	}
	cause := errors.New("disk on fire")
	got := fault.Wrap("read flow", cause)
	var e *fault.Error
	if !errors.As(got, &e) || e.Code != fault.Internal || e.Message != "read flow failed" || !errors.Is(got, cause) {
		t.Errorf("wrapped %+v", got)
	}
}

func TestTextOfAnError(t *testing.T) {
	t.Parallel()
	e := fault.At("/inputs/a", "must be %s", "a number")
	e.Node = "add"
	if got, want := e.Error(), "INVALID node add /inputs/a: must be a number"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWrapSaysWhenTheStoreTakesNothing(t *testing.T) {
	t.Parallel()
	for cause, want := range map[error]fault.Code{
		runner.ErrStoreFull: fault.DiskFull, runner.ErrStoreBusy: fault.Stopping, runner.ErrStoreFailed: fault.Stopping,
	} {
		if got := fault.Wrap("store flow", fmt.Errorf("store: %w", cause)); !fault.Is(got, want) || !errors.Is(got, cause) {
			t.Errorf("%v became %v", cause, got)
		}
	}
}
