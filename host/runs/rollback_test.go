package runs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/pdk/contract"
)

func (b *bench) rollback(action string) engine.Result {
	return b.Execute(context.Background(), b.run, engine.Dispatch{
		Node: "n", Epoch: 9, Iteration: 1, Attempt: 2, Plugin: "toy", Action: action, Reason: contract.ReasonRollback,
		Inputs: json.RawMessage(`{"a":3}`), Outputs: json.RawMessage(`{"sum":5}`),
	}, func(engine.Note) {})
}

func TestARollbackGetsWhatTheAttemptGave(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(_ context.Context, c runs.ModuleCall, r contract.Request) (string, error) {
		if c.Export != contract.ExportRollback || r.Reason != contract.ReasonRollback || string(r.Inputs) != `{"a":3}` || string(r.Outputs) != `{"sum":5}` {
			return "", fmt.Errorf("export %s, request %+v", c.Export, r)
		}
		return `{"status":"succeeded"}`, nil
	})
	r := b.rollback("add")
	if r.Answer.Status != contract.StatusSucceeded || r.Answer.Outputs != nil || r.Epoch != 9 {
		t.Errorf("result %+v, failure %v", r, r.Answer.Failure)
	}
	if c := b.gate.callers[0]; c.Reason != contract.ReasonRollback || c.Iteration != 1 || c.Attempt != 2 {
		t.Errorf("gateway opened for %+v", c)
	}
}

func TestARollbackThatDoesNotSucceed(t *testing.T) {
	t.Parallel()
	for out, code := range map[string]string{
		`{"status":"failed","failure":{"code":"CHANGED","message":"m"},"outputs":{"sum":"x"}}`: "CHANGED",
		`{"status":"waiting","wait":{"kind":"poll"}}`:                                          runs.CodeOutputInvalid,
		`{"status":"gone"}`: runs.CodeOutputInvalid,
		`gone`:              runs.CodeOutputInvalid,
	} {
		b := newBench(t, func(context.Context, runs.ModuleCall, contract.Request) (string, error) { return out, nil })
		r := b.rollback("add")
		if f := r.Answer.Failure; r.Answer.Status != contract.StatusFailed || f == nil || f.Code != code || r.Answer.Outputs != nil || len(r.Log) > 0 {
			t.Errorf("%s: %+v, failure %+v", out, r, f)
		}
	}
}

func TestARollbackThatIsStoppedDoesNotCancelTheAction(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(context.Context, runs.ModuleCall, contract.Request) (string, error) {
		return "", errors.New("called")
	})
	b.Cancel(t.Context(), b.run, engine.Dispatch{Node: "n", Plugin: "toy", Action: "ask", Reason: contract.ReasonRollback})
	if len(b.gate.callers) != 0 {
		t.Errorf("cancel was called: %+v", b.gate.callers)
	}
}
