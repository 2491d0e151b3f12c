package cases

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/culmhq/culm/pdk/contract"
)

// Script is the host of one call: the gateway answers from a list, and what the plugin
// logs and sets is kept. It belongs to one call and its goroutine.
type Script struct {
	exchanges []Exchange
	needs     []contract.Need
	vars      map[string]json.RawMessage
	eval      Eval

	used    int
	log     []contract.LogLine
	written map[string]json.RawMessage
	wrong   []Mismatch
}

// NewScript makes the host of one call of a plugin that asks for needs.
func NewScript(exchanges []Exchange, vars map[string]json.RawMessage, needs []contract.Need, eval Eval) *Script {
	return &Script{exchanges: exchanges, vars: vars, needs: needs, eval: eval}
}

// CodeNotScripted is the code of a call of the gateway that the case does not know.
const CodeNotScripted = "NOT_SCRIPTED"

// Gateway gives the next answer. A call of another operation than the next, or with other
// parameters, is a problem of the case; the plugin gets a failure.
func (s *Script) Gateway(_ context.Context, req contract.GatewayRequest) contract.GatewayResponse {
	refuse := func(code, format string, args ...any) contract.GatewayResponse {
		m := mismatch(code, format, args...)
		s.wrong = append(s.wrong, m)
		return contract.GatewayResponse{Failure: &contract.Failure{
			Code: CodeNotScripted, Message: m.Message, Origin: contract.OriginGateway, System: req.System, Operation: req.Operation,
		}}
	}
	if !Covered(s.needs, req.System, req.Operation) {
		return refuse("CASE_NO_NEED", "the plugin calls %s/%s, which the manifest's needs do not list", req.System, req.Operation)
	}
	if s.used == len(s.exchanges) {
		return refuse("CASE_NO_ANSWER", "the plugin calls %s/%s, and the case answers no further call", req.System, req.Operation)
	}
	x := s.exchanges[s.used]
	s.used++
	if x.System != req.System || x.Operation != req.Operation {
		return refuse("CASE_OTHER_CALL", "call %d of the gateway is %s/%s, want %s/%s", s.used, req.System, req.Operation, x.System, x.Operation)
	}
	if x.Params != nil {
		s.differ(x, differences("params", object(x.Params), object(req.Params)))
	}
	if len(x.Body) > 0 {
		s.differ(x, differences("body", x.Body, req.Body))
	}
	res := x.Answer
	if f := res.Failure; f != nil && f.System == "" {
		own := *f
		own.System, own.Operation = x.System, x.Operation
		res.Failure = &own
	}
	return res
}

// differ notes what the last call has otherwise than the exchange.
func (s *Script) differ(x Exchange, ps []Mismatch) {
	for _, m := range ps {
		m.Exchange, m.Of = s.used, x.System+"/"+x.Operation
		s.wrong = append(s.wrong, m)
	}
}

// Problems are those of the gateway, an answer that nobody asked for included.
func (s *Script) Problems() []Mismatch {
	out := s.wrong
	for _, x := range s.exchanges[s.used:] {
		out = append(out, mismatch("CASE_NOT_CALLED", "the plugin did not call %s/%s", x.System, x.Operation))
	}
	return out
}

// Log keeps a line.
func (s *Script) Log(line contract.LogLine) { s.log = append(s.log, line) }

// Progress is not kept: a case says nothing about it.
func (s *Script) Progress(int, string) {}

// Var reads a variable as it was before the call.
func (s *Script) Var(name string) (json.RawMessage, bool) {
	v, ok := s.vars[name]
	return v, ok
}

// SetVar keeps a variable until the call succeeded.
func (s *Script) SetVar(name string, value json.RawMessage) error {
	if s.written == nil {
		s.written = map[string]json.RawMessage{}
	}
	s.written[name] = value
	return nil
}

// Eval evaluates an expression.
func (s *Script) Eval(_ context.Context, req contract.EvalRequest) contract.EvalResponse {
	return s.eval(req)
}

// Covered reports whether a manifest asks for an operation, by name or by *.
func Covered(needs []contract.Need, system, operation string) bool {
	return slices.ContainsFunc(needs, func(n contract.Need) bool {
		return (n.System == "*" || n.System == system) && (n.Operation == "*" || n.Operation == operation)
	})
}

// object encodes members; nil is the empty object.
func object(members map[string]json.RawMessage) json.RawMessage {
	if len(members) == 0 {
		return json.RawMessage(`{}`)
	}
	raw, err := json.Marshal(members)
	if err != nil {
		return json.RawMessage(`{}`)
	}
	return raw
}
