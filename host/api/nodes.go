package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/runs"
)

type nodeCommandBody struct {
	Command     runs.NodeCommand           `json:"command"`
	Inputs      map[string]json.RawMessage `json:"inputs,omitempty"`
	Only        bool                       `json:"only,omitempty"`
	Edges       []string                   `json:"edges,omitempty"`
	Part        engine.Repeated            `json:"part,omitempty"`
	At          *time.Time                 `json:"at,omitempty"`
	Reason      string                     `json:"reason,omitempty"`
	As          engine.Resolution          `json:"as,omitempty"`
	Outputs     json.RawMessage            `json:"outputs,omitempty"`
	Data        json.RawMessage            `json:"data,omitempty"`
	Attempt     int                        `json:"attempt,omitempty"`
	Iteration   int                        `json:"iteration,omitempty"`
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
	var at time.Time
	if b.At != nil {
		at = *b.At
	}
	seq, err := s.o.Runs.NodeCommand(ctx, runs.NodeCommandRequest{
		Project: r.params["project"], Run: r.params["run"], Node: r.params["node"], Actor: actor(),
		Command: b.Command, Inputs: b.Inputs, Only: b.Only, Edges: b.Edges, Reason: b.Reason, As: b.As, Outputs: b.Outputs,
		Part: b.Part, At: at, Data: b.Data, Attempt: b.Attempt, Iteration: b.Iteration, ExpectedSeq: b.ExpectedSeq, CommandID: r.key.Value,
	})
	return ok(seqBody{seq}, err)
}
