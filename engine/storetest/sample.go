package storetest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/pdk/contract"
)

// epoch is when the sample histories happen.
func epoch() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC) }

func record(seq uint64) engine.Record {
	at := epoch().Add(time.Duration(seq) * time.Second)
	r := engine.Record{Seq: seq, At: at, Actor: engine.Actor{ID: "local"}}
	switch seq % 4 {
	case 1:
		r.Kind, r.CommandID = engine.KindRunState, "c-1"
		r.Data = engine.RunChanged{From: engine.RunCreated, To: engine.RunRunning, Reason: "数据 \x00 \" text"}
	case 2:
		r.Kind, r.Node = engine.KindNodeState, "check"
		r.Data = engine.NodeChanged{
			From: engine.NodeRunning, To: engine.NodeFailed, Epoch: seq, Attempt: 1,
			Inputs:  json.RawMessage(`{"a":[1,2.50,"x"]}`),
			Failure: &contract.Failure{Code: "X", Message: "m", Origin: contract.OriginSystem, HTTPStatus: 503},
			Due:     &at,
		}
	case 3:
		r.Kind, r.Data = engine.KindVariable, engine.VariableSet{Name: "v", Value: json.RawMessage(`{"b":null}`)}
	default:
		r.Kind, r.Node, r.Data = engine.KindTokenMoved, "check", engine.TokenMoved{Token: 1, From: "a", To: "check", Edge: "e1"}
	}
	return r
}

func started(run string) engine.Record {
	return engine.Record{
		Seq: 1, At: epoch(), Kind: engine.KindRunStarted, Actor: engine.Actor{ID: "local", OnBehalfOf: "li"},
		Data: engine.RunStarted{
			Format: engine.RecordFormat, Run: run, Name: "n", Flow: "f", Version: 3, Digest: "sha256:1", Project: "p",
			Plugins: map[string]string{"core": "sha256:2"}, Operator: "local",
			Variables: map[string]json.RawMessage{"x": json.RawMessage(`"1"`)},
		},
	}
}

func records(from, to uint64) []engine.Record {
	var rs []engine.Record
	for seq := from; seq <= to; seq++ {
		rs = append(rs, record(seq))
	}
	return rs
}

func head(run string) runner.RunHead {
	return runner.RunHead{
		ID: run, Project: "p", Name: "name of " + run, Flow: "f", Version: 3, Digest: "sha256:1",
		Document: []byte(`{"format":"culm.flow/v1"}`), Operator: "local", CreatedAt: epoch(),
	}
}

// first is the first batch of a run with n records.
func first(run string, n uint64) runner.Batch {
	h := head(run)
	return runner.Batch{Run: run, New: &h, State: engine.RunRunning, Records: append([]engine.Record{started(run)}, records(2, n)...)}
}

func next(run string, from, to uint64) runner.Batch {
	return runner.Batch{Run: run, State: engine.RunRunning, Records: records(from, to)}
}

func last(run string, from, to uint64, s engine.RunState) runner.Batch {
	b := next(run, from, to)
	at := epoch().Add(time.Hour)
	b.State, b.EndedAt = s, &at
	return b
}

func commit(t *testing.T, s runner.Store, bs ...runner.Batch) {
	t.Helper()
	if err := s.Commit(t.Context(), bs); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

func runID(i int) string { return fmt.Sprintf("0199-%06d", i) }
