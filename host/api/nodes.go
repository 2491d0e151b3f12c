package api

import (
	"context"
	"encoding/json"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/runs"
)

type nodeCommandBody struct {
	Command     runs.NodeCommand           `json:"command"`
	Inputs      map[string]json.RawMessage `json:"inputs,omitempty"`
	Edges       []string                   `json:"edges,omitempty"`
	Reason      string                     `json:"reason,omitempty"`
	As          engine.Resolution          `json:"as,omitempty"`
	Outputs     json.RawMessage            `json:"outputs,omitempty"`
	Data        json.RawMessage            `json:"data,omitempty"`
	Attempt     int                        `json:"attempt,omitempty"`
	ExpectedSeq uint64                     `json:"expected_seq,omitempty"`
}

func (s *Server) getNode(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Runs.Node(ctx, r.params["project"], r.params["run"], r.params["node"]))
}

func (s *Server) commandNode(ctx context.Context, r *request) (answer, error) {
	var b nodeCommandBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	seq, err := s.o.Runs.NodeCommand(ctx, runs.NodeCommandRequest{
		Project: r.params["project"], Run: r.params["run"], Node: r.params["node"], Actor: actor(),
		Command: b.Command, Inputs: b.Inputs, Edges: b.Edges, Reason: b.Reason, As: b.As, Outputs: b.Outputs,
		Data: b.Data, Attempt: b.Attempt, ExpectedSeq: b.ExpectedSeq, CommandID: r.key.Value,
	})
	return ok(seqBody{seq}, err)
}
