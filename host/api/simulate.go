package api

import (
	"context"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/runs"
)

type simulateBody struct {
	Document *engine.Flow     `json:"document,omitempty"`
	Version  int              `json:"version,omitempty"`
	Script   *simulate.Script `json:"script,omitempty"`
	Records  bool             `json:"records,omitempty"`
}

func (s *Server) simulateFlow(ctx context.Context, r *request) (answer, error) {
	var b simulateBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	if b.Version < 0 {
		return answer{}, fault.At("/version", "a version is a number from 1").Because("FROM_ONE")
	}
	return ok(s.o.Runs.Simulate(ctx, runs.SimulateRequest{
		Project: r.params["project"], Flow: r.params["flow"],
		Document: b.Document, Version: b.Version, Script: b.Script, Records: b.Records,
	}))
}
