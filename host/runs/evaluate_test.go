package runs

import (
	"encoding/json"
	"testing"

	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/pdk/contract"
)

func TestEvalSeesTheGivenValuesAndNothingElse(t *testing.T) {
	t.Parallel()
	values := map[string]json.RawMessage{
		"status":  json.RawMessage(`200`),
		"body":    json.RawMessage(`{"result":true,"n":3.5,"list":[1,2]}`),
		"nothing": json.RawMessage(`null`),
		"headers": json.RawMessage(`{}`),
	}
	for expression, want := range map[string]string{
		`status == 200 && body.result`:              `true`,
		`body.n > 3 && body.list.exists(x, x == 2)`: `true`,
		`nothing == null`:                           `true`,
		`has(body.missing) || "etag" in headers`:    `false`,
		`body.list`:                                 `[1,2]`,
	} {
		resp := (&services{}).Eval(t.Context(), contract.EvalRequest{Expression: expression, Values: values})
		if resp.Failure != nil || string(resp.Value) != want {
			t.Errorf("%s is %s (%v), want %s", expression, resp.Value, resp.Failure, want)
		}
	}
	for expression, code := range map[string]expr.Code{
		`status ==`:       expr.CodeSyntax,
		`statsu == 200`:   expr.CodeUnknownName,
		`body.missing`:    expr.CodeEval,
		`nodes.a == 1`:    expr.CodeUnknownName,
		`status + "text"`: expr.CodeEval,
	} {
		resp := (&services{}).Eval(t.Context(), contract.EvalRequest{Expression: expression, Values: values})
		if resp.Failure == nil || resp.Failure.Code != string(code) || resp.Failure.Origin != contract.OriginFlow {
			t.Errorf("%s is %s (%+v), want %s", expression, resp.Value, resp.Failure, code)
		}
	}
	resp := (&services{}).Eval(t.Context(), contract.EvalRequest{Expression: "1", Values: map[string]json.RawMessage{"run": json.RawMessage("1")}})
	if resp.Failure == nil {
		t.Error("a value hides a word of the language")
	}
}
