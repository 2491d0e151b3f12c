package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// storeTimeout bounds a read or write of the journal or audit that must not end with
// the plugin call.
const storeTimeout = 10 * time.Second

// session is the gateway of one plugin call.
type session struct {
	gateway *Gateway
	caller  Caller
	// direct is set for a call without a plugin, by Direct only.
	direct bool
	// tokens are the callback tokens that went out, by system.
	tokens map[string]string
	// calls counts all calls, index those that the journal keeps.
	calls, index int
	unknown      *contract.Failure
	// repeated are the keys of earlier attempts under which this one has called again.
	repeated map[string]bool
}

// Call makes one call.
func (s *session) Call(ctx context.Context, req contract.GatewayRequest) (res contract.GatewayResponse) {
	defer func() {
		if p := recover(); p != nil {
			s.gateway.log.Error("the gateway panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			res = failed(fault(contract.OriginHost, CodeGatewayUnavailable, "an internal fault of the gateway; the log of the server says more"))
		}
	}()
	s.calls++
	switch {
	case s.calls > s.gateway.calls:
		// Not audited: a plugin could fill the audit with nothing else.
		return failed(named(req, fault(contract.OriginLimit, CodeHostcallLimit,
			fmt.Sprintf("a plugin call may make %d calls to systems", s.gateway.calls))))
	case s.unknown != nil:
		return failed(s.unknown) // nothing more happens behind the operator's back
	}
	c := &call{session: s, caller: s.caller, req: req}
	res = s.gateway.handle(ctx, c)
	if res.Failure != nil {
		res.Failure = named(c.req, res.Failure)
	}
	return res
}

// Unknown says whether the attempt must end as unknown.
func (s *session) Unknown() *contract.Failure {
	if s.unknown != nil || !s.caller.Recovered || s.caller.Run == "" {
		return s.unknown
	}
	// The caller has no context left to give: the plugin call is over.
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	left, err := s.gateway.journal.List(ctx, s.key())
	if err != nil {
		s.gateway.log.Error("the journal cannot be read", slog.String("run_id", s.caller.Run), slog.String("node_id", s.caller.Node), slog.Any("error", err))
		s.unknown = fault(contract.OriginHost, CodeJournalFailed, "what was called before the restart cannot be read")
		return s.unknown
	}
	for _, e := range left {
		if e.Key.Index >= s.index {
			s.unknown = fault(contract.OriginGateway, CodeOutcomeUnknown,
				"a call made before the restart was not made again, because the plugin went another way: its effect may be there")
			s.unknown.System, s.unknown.Operation = e.Intent.System, e.Intent.Operation
			return s.unknown
		}
	}
	return nil
}

// key is the place of the session's next journalled call.
func (s *session) key() Key {
	k := Key{Run: s.caller.Run, Node: s.caller.Node, Iteration: s.caller.Iteration, Attempt: s.caller.Attempt, Call: s.caller.Call, Index: s.index}
	switch s.caller.Reason {
	case contract.ReasonCancel, contract.ReasonRollback:
		k.Phase = string(s.caller.Reason)
	default:
	}
	return k
}

// named adds to a failure what was called.
func named(req contract.GatewayRequest, f *contract.Failure) *contract.Failure {
	if f.System != "" {
		return f
	}
	out := *f
	out.System, out.Operation = clip(req.System), clip(req.Operation)
	return &out
}

// clip bounds a name that a plugin made up.
func clip(s string) string {
	const most = 64
	if len(s) > most {
		return s[:most]
	}
	return s
}
