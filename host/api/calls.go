package api

import (
	"context"
	"encoding/json"

	"github.com/culmhq/culm/host/tryout"
)

type callBody struct {
	Params map[string]json.RawMessage `json:"params,omitempty"`
	Body   json.RawMessage            `json:"body,omitempty"`
	// Confirm is needed for operations of risk destructive.
	Confirm bool `json:"confirm,omitempty"`
}

func (s *Server) callOperation(ctx context.Context, r *request) (answer, error) {
	var b callBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return ok(s.o.Tryout.Call(ctx, tryout.Request{
		Project: r.params["project"], System: r.params["system"], Operation: r.params["operation"], Actor: actor(),
		Params: b.Params, Body: b.Body, Confirm: b.Confirm,
	}))
}
