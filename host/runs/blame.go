package runs

import (
	"net/http"

	"github.com/culmhq/culm/pdk/contract"
)

// unhappy is the last gateway call of a plugin call that did not go well: what a plugin that
// fails without saying which call it was most likely means.
type unhappy struct {
	system, operation string
	status            int
	requestID         string
	attempts          int
}

// unhappyCall reads one from a response, or returns nil for a good one.
func unhappyCall(req contract.GatewayRequest, res contract.GatewayResponse) *unhappy {
	if f := res.Failure; f != nil {
		return &unhappy{f.System, f.Operation, f.HTTPStatus, f.RequestID, f.Attempts}
	}
	if res.Status < http.StatusBadRequest {
		return nil
	}
	return &unhappy{req.System, req.Operation, res.Status, res.RequestID, res.Attempts}
}

// blame completes a failure with the facts of the call that failed, where the plugin left
// them out, and with what to do next. What the plugin says itself stays.
func blame(f *contract.Failure, u *unhappy) {
	if f == nil {
		return
	}
	if u != nil && (f.System == "" || f.System == u.system && f.Operation == u.operation) && f.Origin != contract.OriginFlow {
		f.System, f.Operation = u.system, u.operation
		if f.HTTPStatus == 0 {
			f.HTTPStatus = u.status
		}
		if f.RequestID == "" {
			f.RequestID = u.requestID
		}
		if f.Attempts == 0 {
			f.Attempts = u.attempts
		}
	}
	f.Hint = f.Advice()
}

// unhappy returns the last gateway call that did not go well, or nil.
func (s *services) unhappy() *unhappy {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastUnhappy
}
