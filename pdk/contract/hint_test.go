package contract_test

import (
	"testing"

	"github.com/culmhq/culm/pdk/contract"
)

func TestEveryFailureHasAnAdvice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		f    contract.Failure
		want contract.Hint
	}{
		"its own":             {contract.Failure{Code: "X", Hint: contract.HintFindOut, Origin: contract.OriginFlow}, contract.HintFindOut},
		"one that is no hint": {contract.Failure{Code: "X", Hint: "call me", Origin: contract.OriginFlow}, contract.HintFixInputs},
		"no grant":            {contract.Failure{Code: "DENIED", Origin: contract.OriginGateway}, contract.HintAskGrant},
		"unauthorised":        {contract.Failure{Code: "HTTP_STATUS", Origin: contract.OriginSystem, HTTPStatus: 401}, contract.HintCheckCredential},
		"too many":            {contract.Failure{Code: "HTTP_STATUS", Origin: contract.OriginSystem, HTTPStatus: 429}, contract.HintRetryLater},
		"not found":           {contract.Failure{Code: "HTTP_STATUS", Origin: contract.OriginSystem, HTTPStatus: 404}, contract.HintFixInputs},
		"a server's error":    {contract.Failure{Code: "HTTP_STATUS", Origin: contract.OriginSystem, HTTPStatus: 500}, contract.HintCheckSystem},
		"a limit":             {contract.Failure{Code: "X", Origin: contract.OriginLimit}, contract.HintAskLess},
		"the host":            {contract.Failure{Code: "X", Origin: contract.OriginHost}, contract.HintReadLog},
		"nothing known":       {contract.Failure{}, contract.HintReadMessage},
		"a broken plugin":     {contract.Failure{Code: "PLUGIN_TRAP", Origin: contract.OriginPlugin}, contract.HintReportPlugin},
		"what a plugin found": {contract.Failure{Code: "REJECTED", Origin: contract.OriginPlugin}, contract.HintReadMessage},
		"may pass":            {contract.Failure{Code: "X", Origin: contract.OriginPlugin, Retryable: true}, contract.HintRetryLater},
	} {
		if got := c.f.Advice(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
