package simulate

import (
	"encoding/json"
	"maps"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/expr"
)

// simulatedSecret begins the references that stand for secrets in a simulation, which
// needs none of their values.
const simulatedSecret = expr.SecretRefPrefix + "simulated/"

// withoutSecrets gives every secret input a reference, whether a value is given or not.
func withoutSecrets(f *engine.Flow, inputs map[string]json.RawMessage) map[string]json.RawMessage {
	secrets := engine.SecretVariables(f)
	if len(secrets) == 0 {
		return inputs
	}
	out := make(map[string]json.RawMessage, len(inputs)+len(secrets))
	maps.Copy(out, inputs)
	for name, v := range secrets {
		if _, given := inputs[name]; given || v.ShowIf == "" {
			out[name] = json.RawMessage(`"` + simulatedSecret + name + `"`)
		}
	}
	return out
}
