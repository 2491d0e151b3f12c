package runs

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/pdk/contract"
)

// given are the values that an expression of a plugin may name: nothing of the run.
type given map[string]json.RawMessage

// Variable implements expr.Scope.
func (g given) Variable(name string) json.RawMessage { return g[name] }

// Outputs implements expr.Scope.
func (given) Outputs(string) json.RawMessage { return nil }

// Iterations implements expr.Scope.
func (given) Iterations(string) int { return 0 }

// Environment implements expr.Scope.
func (given) Environment() map[string]json.RawMessage { return nil }

// Run implements expr.Scope.
func (given) Run() expr.Run { return expr.Run{} }

// Eval answers a plugin's call of eval.
func (s *services) Eval(_ context.Context, req contract.EvalRequest) contract.EvalResponse {
	return Evaluate(req)
}

// Evaluate evaluates an expression of a plugin over the values that the plugin gives: the
// language and the limits are those of flows. It reaches nothing else and may be called
// concurrently.
func Evaluate(req contract.EvalRequest) contract.EvalResponse {
	value, err := evaluate(req)
	if err == nil {
		return contract.EvalResponse{Value: value}
	}
	f := &contract.Failure{Code: string(expr.CodeEval), Message: err.Error(), Origin: contract.OriginFlow}
	if e, ok := errors.AsType[*expr.Error](err); ok {
		f.Code, f.Message = string(e.Code), e.Message
	}
	return contract.EvalResponse{Failure: f}
}

func evaluate(req contract.EvalRequest) (json.RawMessage, error) {
	anything, err := expr.ParseSchema(json.RawMessage(`{}`))
	if err != nil {
		return nil, err
	}
	var c expr.Config
	for _, name := range slices.Sorted(maps.Keys(req.Values)) {
		if expr.Reserved(name) {
			return nil, &expr.Error{Code: expr.CodeUnknownName, Message: name + " is a word of the language", Name: name}
		}
		c.Variables = append(c.Variables, expr.Decl{Name: name, Schema: anything})
	}
	env, err := expr.NewEnv(c)
	if err != nil {
		return nil, err
	}
	p, err := env.Compile(req.Expression)
	if err != nil {
		return nil, err
	}
	return p.Eval(given(req.Values))
}
