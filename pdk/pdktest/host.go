package pdktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// host is the pdk.Host of a Bench, from one Execute to the next.
type host struct {
	bench   *Bench
	calls   []contract.GatewayRequest
	lines   []contract.LogLine
	percent int
	message string
	written map[string]json.RawMessage
}

// Gateway gives the next scripted answer. A call that was not declared or not scripted
// fails the test and the call.
func (h *host) Gateway(req contract.GatewayRequest) contract.GatewayResponse {
	h.calls = append(h.calls, req)
	b, n := h.bench, contract.Need{System: req.System, Operation: req.Operation}
	refuse := func(format string, args ...any) contract.GatewayResponse {
		text := fmt.Sprintf(format, args...)
		b.t.Error(text)
		return contract.GatewayResponse{Failure: &contract.Failure{
			Code: "NOT_SCRIPTED", Message: text, Origin: contract.OriginGateway, System: n.System, Operation: n.Operation,
		}}
	}
	if !slices.ContainsFunc(b.plugin.Needs, func(d contract.Need) bool { return covers(d, n) }) {
		return refuse("the plugin calls %s %s, which its Needs does not list", n.System, n.Operation)
	}
	left := b.replies[n]
	if len(left) == 0 {
		return refuse("no answer of %s %s is scripted", n.System, n.Operation)
	}
	b.replies[n] = left[1:]
	return left[0]
}

// Log keeps a line.
func (h *host) Log(level contract.Level, text string) {
	h.lines = append(h.lines, contract.LogLine{At: h.bench.Now, Level: level, Text: text})
}

// Progress keeps the last progress.
func (h *host) Progress(percent int, message string) { h.percent, h.message = percent, message }

// Var reads a variable as it was before the call.
func (h *host) Var(name string) (json.RawMessage, bool) {
	v, ok := h.bench.Vars[name]
	return v, ok
}

// SetVar keeps a variable until the call succeeded.
func (h *host) SetVar(name string, value json.RawMessage) error {
	h.written[name] = value
	return nil
}

// Now returns the bench's time.
func (h *host) Now() time.Time { return h.bench.Now }

func covers(declared, wanted contract.Need) bool {
	return (declared.System == "*" || declared.System == wanted.System) &&
		(declared.Operation == "*" || declared.Operation == wanted.Operation)
}
