package api

import (
	"context"
	"encoding/json"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/runs"
)

type startBody struct {
	Name    string                     `json:"name,omitempty"`
	Version int                        `json:"version,omitempty"`
	Inputs  map[string]json.RawMessage `json:"inputs,omitempty"`
	runs.Selection
	StartAt string `json:"start_at,omitempty"`
}

type previewBody struct {
	Version int                        `json:"version,omitempty"`
	Inputs  map[string]json.RawMessage `json:"inputs,omitempty"`
	runs.Selection
}

type runCommandBody struct {
	Command     runs.RunCommand            `json:"command"`
	Reason      string                     `json:"reason,omitempty"`
	Scope       string                     `json:"scope,omitempty"`
	Values      map[string]json.RawMessage `json:"values,omitempty"`
	From        string                     `json:"from,omitempty"`
	To          string                     `json:"to,omitempty"`
	Mode        engine.RollbackMode        `json:"mode,omitempty"`
	ExpectedSeq uint64                     `json:"expected_seq,omitempty"`
}

type rollbackBody struct {
	From string              `json:"from"`
	To   string              `json:"to"`
	Mode engine.RollbackMode `json:"mode"`
}

// recordsBody is a page of a history; Next is the after of the next page.
type recordsBody struct {
	Items []engine.Record `json:"items"`
	Next  uint64          `json:"next,omitempty"`
}

func (s *Server) startRun(ctx context.Context, r *request) (answer, error) {
	var b startBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	if b.Version < 0 {
		return answer{}, fault.At("/version", "a version is a number from 1").Because("FROM_ONE")
	}
	return created(s.o.Runs.Start(ctx, runs.StartRequest{
		Project: r.params["project"], Actor: actor(), Flow: r.params["flow"],
		Name: b.Name, Version: b.Version, Selection: b.Selection, StartAt: b.StartAt, Inputs: b.Inputs, Key: r.key, Trace: r.trace,
	}))
}

func (s *Server) previewStart(ctx context.Context, r *request) (answer, error) {
	var b previewBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	if b.Version < 0 {
		return answer{}, fault.At("/version", "a version is a number from 1").Because("FROM_ONE")
	}
	return ok(s.o.Runs.Preview(ctx, runs.PreviewRequest{
		Project: r.params["project"], Flow: r.params["flow"], Version: b.Version, Selection: b.Selection,
		Inputs: b.Inputs, Actor: actor(),
	}))
}

func (s *Server) listRuns(ctx context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	states := make([]engine.RunState, 0, len(r.query["state"]))
	for _, v := range r.query["state"] {
		st := engine.RunState(v)
		if !knownRunState(st) {
			return answer{}, fault.At("/state", "no such state").Because("CHOICE")
		}
		states = append(states, st)
	}
	w, err := r.listed()
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Runs.List(ctx, runs.ListQuery{
		Project: r.params["project"], Flow: r.query.Get("flow"), Parent: r.query.Get("parent"), States: states,
		Search: r.query.Get("q"), Operator: r.query.Get("operator"), From: w.from, To: w.to, Oldest: w.ascending, Page: q,
	}))
}

func knownRunState(s engine.RunState) bool {
	switch s {
	case engine.RunCreated, engine.RunRunning, engine.RunSuspended, engine.RunBlocked,
		engine.RunSucceeded, engine.RunFailed, engine.RunRevoked:
		return true
	default:
		return false
	}
}

func (s *Server) getRun(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Runs.Get(ctx, r.params["project"], r.params["run"]))
}

func (s *Server) listRecords(ctx context.Context, r *request) (answer, error) {
	after, err := r.number("after")
	if err != nil {
		return answer{}, err
	}
	limit, err := r.number("limit")
	if err != nil {
		return answer{}, err
	}
	if limit > runs.RecordsMax {
		return answer{}, fault.At("/limit", "limit must be from 1 to %d", runs.RecordsMax).Because("LIMIT")
	}
	rs, err := s.o.Runs.Records(ctx, runs.RecordsQuery{
		Project: r.params["project"], Run: r.params["run"], After: after, Limit: int(limit),
	})
	if rs.Items == nil {
		rs.Items = []engine.Record{}
	}
	return ok(recordsBody(rs), err)
}

func (s *Server) commandRun(ctx context.Context, r *request) (answer, error) {
	var b runCommandBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	seq, err := s.o.Runs.Command(ctx, runs.CommandRequest{
		Project: r.params["project"], Run: r.params["run"], Actor: actor(),
		Command: b.Command, Reason: b.Reason, Scope: b.Scope, Values: b.Values,
		Rollback:    engine.Rollback{From: b.From, To: b.To, Mode: b.Mode},
		ExpectedSeq: b.ExpectedSeq, CommandID: r.key.Value,
	})
	return ok(seqBody{seq}, err)
}

func (s *Server) previewRollback(ctx context.Context, r *request) (answer, error) {
	var b rollbackBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return ok(s.o.Runs.PreviewRollback(ctx, runs.RollbackPreview{
		Project: r.params["project"], Run: r.params["run"],
		Rollback: engine.Rollback{From: b.From, To: b.To, Mode: b.Mode},
	}))
}
