package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/pdk/contract"
)

func TestEnvelopeThatSaysNoIsAFailureOfTheSystemAndNoCallInDoubt(t *testing.T) {
	t.Parallel()
	answer := `{"result":false,"message":"no such biz"}`
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, answer) },
		setting{limits: "{}\nsuccess: {rule: body.result == true, message: body.message}"})
	for _, op := range []string{"read", "create"} {
		res := b.call(op, map[string]any{"id": "1"}, "")
		if op == "create" {
			res = b.call(op, nil, `{"name":"x"}`)
		}
		if res.Failure == nil || res.Failure.Code != gateway.CodeUpstreamRefused || res.Failure.Origin != contract.OriginSystem {
			t.Fatalf("%s: %+v", op, res.Failure)
		}
		if res.Failure.Message != "no such biz" || res.Failure.HTTPStatus != 200 || res.Failure.Retryable || !strings.Contains(string(res.Body), "no such biz") {
			t.Errorf("%s: %+v, body %s", op, res.Failure, res.Body)
		}
	}
	answer = `{"result":true}`
	if res := b.call("read", map[string]any{"id": "1"}, ""); res.Failure != nil {
		t.Errorf("a yes: %+v", res.Failure)
	}
}

func TestDisabledOperationIsNotCalled(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{}`) }, setting{})
	c, err := b.System(t.Context(), project, "things")
	if err != nil {
		t.Fatal(err)
	}
	o, _ := c.Operation("read")
	o.Disabled = true
	refused(t, b, b.call("read", map[string]any{"id": "1"}, ""), gateway.CodeOperationDisabled, contract.OriginGateway)
}
