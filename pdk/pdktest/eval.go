package pdktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"cel.dev/cel-go/cel"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
)

// Eval evaluates an expression with plain CEL: the host's own language has some more
// functions, which tests of a plugin do without.
func (h *host) Eval(req contract.EvalRequest) contract.EvalResponse {
	value, err := evaluate(req)
	if err != nil {
		return contract.EvalResponse{Failure: pdk.InvalidInput("condition", "%v", err)}
	}
	return contract.EvalResponse{Value: value}
}

func evaluate(req contract.EvalRequest) (json.RawMessage, error) {
	var options []cel.EnvOption
	values := map[string]any{}
	for name, raw := range req.Values {
		options = append(options, cel.Variable(name, cel.DynType))
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("value %s: %w", name, err)
		}
		values[name] = numbers(v)
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(req.Expression)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	program, err := env.Program(ast)
	if err != nil {
		return nil, err
	}
	out, _, err := program.Eval(values)
	if err != nil {
		return nil, err
	}
	v, err := out.ConvertToNative(reflect.TypeFor[*structpb.Value]())
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// numbers makes integers of the numbers that are, as the host does.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return v
}
