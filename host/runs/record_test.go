package runs_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/recordings"
	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/pdk/contract"
)

// shelf is a Recorder that takes everything.
type shelf struct {
	bytes int64
	kept  []recordings.Call
}

func (s *shelf) Bytes() int64 { return s.bytes }

func (s *shelf) Keep(_ context.Context, c recordings.Call) { s.kept = append(s.kept, c) }

// A recording is handed over once it is known how the call ended for its node, which is
// not always how it ended for the module.
func TestARecordingIsKeptWithTheOutcomeOfItsCall(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	toy, ok := p.Plugins.Latest("toy")
	if !ok {
		t.Fatal("no toy")
	}
	for name, c := range map[string]struct {
		out     string
		err     error
		unknown *contract.Failure
		reason  contract.Reason
		status  recordings.Status
		code    string
		phase   string
	}{
		"succeeded":     {out: `{"status":"succeeded","outputs":{"sum":3}}`, status: recordings.Succeeded},
		"failed":        {out: `{"status":"failed","failure":{"code":"NO","message":"no"}}`, status: recordings.Failed, code: "NO"},
		"no answer":     {out: `nonsense`, status: recordings.Failed, code: runs.CodeOutputInvalid},
		"wrong outputs": {out: `{"status":"succeeded","outputs":{"sum":"three"}}`, status: recordings.Failed, code: runs.CodeOutputInvalid},
		"trapped":       {err: &contract.Failure{Code: "PLUGIN_TRAP"}, status: recordings.Failed, code: "PLUGIN_TRAP"},
		"broken":        {err: errors.New("disk"), status: recordings.Failed, code: runs.CodeHostFault},
		"unknown":       {out: `{}`, unknown: &contract.Failure{Code: gateway.CodeOutcomeUnknown}, status: recordings.Unknown, code: gateway.CodeOutcomeUnknown},
		"rolled back": {
			out: `{"status":"succeeded"}`, reason: contract.ReasonRollback, status: recordings.Succeeded, phase: "rollback",
		},
	} {
		s := &shelf{bytes: 1000}
		e := runs.NewExecutor(runs.ExecutorOptions{
			Catalogue: p.Plugins, Gateway: &gate{unknown: c.unknown}, Recorder: s, Clock: newStopped(), Logger: slog.New(slog.DiscardHandler),
			Modules: taping{out: c.out, err: c.err},
		})
		reason := contract.ReasonExecute
		if c.reason != "" {
			reason = c.reason
		}
		d := engine.Dispatch{
			Node: "n", Epoch: 7, Iteration: 1, Attempt: 2, Call: 3, Plugin: "toy", Action: "add", Reason: reason,
			Inputs: json.RawMessage(`{"a":1,"b":2}`),
		}
		run := runner.RunInfo{ID: "r1", Project: hosttest.Project, Plugins: map[string]string{"toy": toy.Digest}}
		e.Execute(t.Context(), run, d, func(engine.Note) {})
		want := recordings.Place{Project: hosttest.Project, Run: "r1", Node: "n", Iteration: 1, Attempt: 2, Call: 3, Phase: c.phase}
		if len(s.kept) != 1 {
			t.Errorf("%s: %d recordings", name, len(s.kept))
			continue
		}
		k := s.kept[0]
		code := ""
		if k.Failure != nil {
			code = k.Failure.Code
		}
		if k.Status != c.status || code != c.code || k.Place != want || k.Recording == nil || len(k.Form) == 0 || string(k.Inputs) != string(d.Inputs) {
			t.Errorf("%s: %+v, %s", name, k, code)
		}
		s.bytes, s.kept = 0, nil
		if e.Execute(t.Context(), run, d, func(engine.Note) {}); len(s.kept) != 0 {
			t.Errorf("%s: recorded although nobody asked", name)
		}
	}
}

// taping is a module host that records where it is asked to.
type taping struct {
	out string
	err error
}

func (m taping) Call(_ context.Context, c runs.ModuleCall) ([]byte, error) {
	if c.RecordBytes > 0 {
		c.Recorded(&replay.Recording{Format: replay.Format, Input: c.Input})
	}
	return []byte(m.out), m.err
}
