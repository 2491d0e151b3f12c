package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"

	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

// Callbacks issues the tokens under which outside systems call back.
type Callbacks interface {
	// Issue returns a token that nobody can guess, once it is stored.
	Issue(ctx context.Context, p CallbackPlace) (token string, err error)
}

// CallbackPlace is what a token stands for: an attempt of a node, and the call that it goes
// out with.
type CallbackPlace struct {
	Project, Run, Node string
	Iteration, Attempt int
	System, Operation  string
}

// callback puts a token into a request that holds contract.CallbackToken, and takes it out
// of what comes back. It lies inside the journal, for which the request is the same whatever
// the token, and outside retry, so that each try goes out with the same one.
func callback(store Callbacks, log *slog.Logger, next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		if store == nil || !c.caller.Callbacks || !mentionsToken(c.req) {
			return next(ctx, c)
		}
		token, err := c.session.callbackToken(ctx, store, c.req)
		if err != nil {
			return failed(unavailable(ctx, log, "no callback can be prepared", err))
		}
		if f := c.withToken(token); f != nil {
			return failed(f)
		}
		// That a system says where it calls back is no leak: it is not counted as one.
		res, _ := scrub(secrets.NewScrubber().With(token), next(ctx, c))
		return res
	}
}

// mentionsToken reports whether a request asks for a token.
func mentionsToken(req contract.GatewayRequest) bool {
	for _, v := range req.Params {
		if bytes.Contains(v, []byte(contract.CallbackToken)) {
			return true
		}
	}
	return bytes.Contains(req.Body, []byte(contract.CallbackToken))
}

// callbackToken is the token of the plugin call for a system. Each system has its own, so
// that none can answer for another.
func (s *session) callbackToken(ctx context.Context, store Callbacks, req contract.GatewayRequest) (string, error) {
	if t, ok := s.tokens[req.System]; ok {
		return t, nil
	}
	t, err := store.Issue(ctx, CallbackPlace{
		Project: s.caller.Project, Run: s.caller.Run, Node: s.caller.Node, Iteration: s.caller.Iteration, Attempt: s.caller.Attempt,
		System: req.System, Operation: req.Operation,
	})
	if err != nil {
		return "", err
	}
	if s.tokens == nil {
		s.tokens = map[string]string{}
	}
	s.tokens[req.System] = t
	return t, nil
}

// withToken binds the request anew with the token in it. Its hash stays that of the request
// without.
func (c *call) withToken(token string) *contract.Failure {
	put := func(raw json.RawMessage) json.RawMessage {
		return bytes.ReplaceAll(raw, []byte(contract.CallbackToken), []byte(token))
	}
	req := c.req
	req.Params = maps.Clone(req.Params)
	for name, v := range req.Params {
		req.Params[name] = put(v)
	}
	if len(req.Body) > 0 {
		req.Body = put(req.Body)
	}
	r, err := bind(c.system, c.op, req, &c.held)
	if err != nil {
		return bindFailure(err)
	}
	r.hash = c.request.hash
	c.req, c.request = req, r
	return nil
}
