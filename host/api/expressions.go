package api

import (
	"context"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/runs"
)

type expressionsBody struct {
	Run       string                `json:"run,omitempty"`
	Variables []engine.Variable     `json:"variables,omitempty"`
	Items     []runs.ExpressionItem `json:"items"`
}

func (s *Server) previewExpressions(ctx context.Context, r *request) (answer, error) {
	var b expressionsBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return ok(s.o.Runs.Expressions(ctx, runs.ExpressionsRequest{
		Project: r.params["project"], Flow: r.params["flow"], Run: b.Run, Variables: b.Variables, Items: b.Items,
	}))
}
