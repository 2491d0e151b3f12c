package gateway_test

import (
	"net/http"
	"testing"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/pdk/contract"
)

// A plugin call cannot pass as one of a person by leaving out the plugin's name.
func TestOnlyTheDirectWayNeedsNoGrant(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	res := b.gateway.Open(gateway.Caller{Project: project, Operator: "ada"}).Call(t.Context(), ask(t, "read", map[string]any{"id": "1"}, ""))
	refused(t, b, res, gateway.CodeDenied, contract.OriginGateway)
	who := gateway.DirectCaller{Project: project, Operator: "ada"}
	if res = b.gateway.Direct().Call(t.Context(), who, ask(t, "read", map[string]any{"id": "1"}, "")); res.Status != http.StatusOK {
		t.Fatalf("got %+v", res.Failure)
	}
	who.Project = "other"
	res = b.gateway.Direct().Call(t.Context(), who, ask(t, "read", map[string]any{"id": "1"}, ""))
	fails(t, res, gateway.CodeUnknownSystem, contract.OriginGateway)
}

func TestADirectCallWithoutAnAnswerIsUnknownWhereItMayNotBeRepeated(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, setting{})
	who := gateway.DirectCaller{Project: project, Operator: "ada"}
	for range 2 { // the second is a call of its own: no journal answers it
		res := b.gateway.Direct().Call(t.Context(), who, ask(t, "create", nil, `{"name":"x"}`))
		fails(t, res, gateway.CodeOutcomeUnknown, contract.OriginGateway)
	}
	if n := len(b.up.all()); n != 2 {
		t.Errorf("%d requests went out", n)
	}
}
