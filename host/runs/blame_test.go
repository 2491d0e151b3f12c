package runs

import (
	"testing"

	"github.com/culmhq/culm/pdk/contract"
)

func TestAFailureNamesTheCallThatItIsAbout(t *testing.T) {
	t.Parallel()
	req := contract.GatewayRequest{System: "cmdb", Operation: "list"}
	bad := unhappyCall(req, contract.GatewayResponse{Status: 503, RequestID: "r-1", Attempts: 3})
	if good := unhappyCall(req, contract.GatewayResponse{Status: 204}); good != nil {
		t.Errorf("a good answer is %+v", good)
	}
	for name, c := range map[string]struct {
		f    contract.Failure
		u    *unhappy
		want contract.Failure
	}{
		"a plugin that names nothing": {
			contract.Failure{Code: "X", Origin: contract.OriginPlugin},
			bad,
			contract.Failure{Code: "X", Origin: contract.OriginPlugin, System: "cmdb", Operation: "list", HTTPStatus: 503, RequestID: "r-1", Attempts: 3, Hint: contract.HintReadMessage},
		},
		"one that names the call": {
			contract.Failure{Code: "X", Origin: contract.OriginSystem, System: "cmdb", Operation: "list", HTTPStatus: 503},
			bad,
			contract.Failure{Code: "X", Origin: contract.OriginSystem, System: "cmdb", Operation: "list", HTTPStatus: 503, RequestID: "r-1", Attempts: 3, Hint: contract.HintRetryLater},
		},
		"one that means another call": {
			contract.Failure{Code: "X", Origin: contract.OriginSystem, System: "job", Operation: "run", HTTPStatus: 401},
			bad,
			contract.Failure{Code: "X", Origin: contract.OriginSystem, System: "job", Operation: "run", HTTPStatus: 401, Hint: contract.HintCheckCredential},
		},
		"wrong inputs": {
			contract.Failure{Code: "X", Origin: contract.OriginFlow},
			bad,
			contract.Failure{Code: "X", Origin: contract.OriginFlow, Hint: contract.HintFixInputs},
		},
		"no call went wrong": {
			contract.Failure{Code: "X", Origin: contract.OriginHost},
			nil,
			contract.Failure{Code: "X", Origin: contract.OriginHost, Hint: contract.HintReadLog},
		},
	} {
		got := c.f
		blame(&got, c.u)
		if got.Error() != c.want.Error() || got.System != c.want.System || got.Operation != c.want.Operation || got.HTTPStatus != c.want.HTTPStatus ||
			got.RequestID != c.want.RequestID || got.Attempts != c.want.Attempts || got.Hint != c.want.Hint || got.Origin != c.want.Origin {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	blame(nil, bad) // a success has none
}
