package runs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/host/strict"
	"github.com/culmhq/culm/pdk/contract"
)

// The limits of what a plugin says about its failure.
const (
	failureCodeMax    = 64
	failureMessageMax = 2000
	failureDetailMax  = 16 << 10
)

// answer reads what a module wrote, adds the variables that it set, and checks it.
// What is no valid answer becomes a failed one. It reports true when the outputs of a
// failed answer are not valid and were dropped.
func (p *prepared) answer(out []byte, set map[string]json.RawMessage) (contract.Answer, bool) {
	a, f := decodeAnswer(out)
	if f != nil {
		return failed(f), false
	}
	switch a.Status {
	case contract.StatusSucceeded:
		return p.succeeded(a, set), false
	case contract.StatusFailed:
		return p.failed(a)
	case contract.StatusWaiting:
		return p.waiting(a), false
	default:
		return failed(badAnswer("the plugin's answer has no known status")), false
	}
}

// undone reads the answer of a rollback, which has no outputs and cannot wait. Variables
// that it sets are not kept.
func (p *prepared) undone(out []byte) contract.Answer {
	a, f := decodeAnswer(out)
	if f != nil {
		return failed(f)
	}
	switch a.Status {
	case contract.StatusSucceeded:
		return contract.Answer{Status: contract.StatusSucceeded}
	case contract.StatusFailed:
		a.Outputs = nil
		answer, _ := p.failed(a)
		return answer
	case contract.StatusWaiting:
		return failed(badAnswer("a rollback cannot wait"))
	}
	return failed(badAnswer("the plugin's answer has no known status"))
}

func decodeAnswer(out []byte) (contract.Answer, *contract.Failure) {
	a, err := strict.Answer(out)
	if err != nil {
		return a, badAnswer(short("the plugin's output is not an answer: "+err.Error(), failureMessageMax))
	}
	return a, nil
}

func (p *prepared) succeeded(a contract.Answer, set map[string]json.RawMessage) contract.Answer {
	outputs, err := merge(a.Outputs, set)
	if err != nil {
		return failed(badAnswer("the plugin's outputs are not an object"))
	}
	if f := invalid(CodeOutputInvalid, contract.OriginPlugin, "output", p.outputs.Check(outputs)); f != nil {
		return failed(f)
	}
	return contract.Answer{Status: contract.StatusSucceeded, Outputs: outputs}
}

// failed keeps what the plugin says of its failure, within limits. A plugin may pass
// on the fault of a system or of the gateway, but not blame the host.
func (p *prepared) failed(a contract.Answer) (contract.Answer, bool) {
	f := a.Failure
	if f == nil || f.Code == "" {
		f = badAnswer("the plugin failed without saying why")
	}
	own := *f
	own.Code, own.Message = short(own.Code, failureCodeMax), short(own.Message, failureMessageMax)
	own.System, own.Operation, own.RequestID = short(own.System, failureCodeMax), short(own.Operation, failureCodeMax), short(own.RequestID, failureCodeMax*2)
	if len(own.Detail) > failureDetailMax {
		own.Detail = nil
	}
	if own.Origin == "" || own.Origin == contract.OriginHost {
		own.Origin = contract.OriginPlugin
	}
	out := failed(&own)
	if len(a.Outputs) == 0 || bytes.Equal(bytes.TrimSpace(a.Outputs), []byte("null")) {
		return out, false
	}
	if len(p.outputs.Check(a.Outputs)) > 0 {
		return out, true
	}
	out.Outputs = a.Outputs
	return out, false
}

func (p *prepared) waiting(a contract.Answer) contract.Answer {
	switch w := a.Wait; {
	case w == nil:
		return failed(badAnswer("the plugin waits without saying what for"))
	case !slices.Contains(p.action.Waits, w.Kind):
		return failed(badAnswer(fmt.Sprintf("action %s does not declare that it waits for %q", p.action.ID, short(string(w.Kind), failureCodeMax))))
	case w.AfterMS < 0:
		return failed(badAnswer("the plugin waits for a negative time"))
	}
	return contract.Answer{Status: contract.StatusWaiting, Wait: a.Wait, State: a.State}
}

// merge adds the variables that were set to the outputs; an output that the answer
// names itself wins.
func merge(outputs json.RawMessage, set map[string]json.RawMessage) (json.RawMessage, error) {
	if len(set) == 0 && len(outputs) > 0 && !bytes.Equal(bytes.TrimSpace(outputs), []byte("null")) {
		return outputs, nil
	}
	all := make(map[string]json.RawMessage, len(set))
	for name, v := range set {
		all[name] = v
	}
	if len(outputs) > 0 {
		if err := json.Unmarshal(outputs, &all); err != nil {
			return nil, err
		}
	}
	if all == nil { // the answer's outputs were null
		all = set
	}
	if len(all) == 0 {
		return json.RawMessage("{}"), nil
	}
	return json.Marshal(all)
}

// invalid makes a failure of what is wrong with a value, with the fields and without
// values; nil when nothing is.
func invalid(code string, origin contract.Origin, what string, faults []forms.Fault) *contract.Failure {
	if len(faults) == 0 {
		return nil
	}
	type field struct {
		Field   string `json:"field"`
		Message string `json:"message"`
	}
	fields := make([]field, len(faults))
	for i, f := range faults {
		fields[i] = field{"/" + what + "s" + f.Field, f.Message}
	}
	message := fmt.Sprintf("%s: %s", fields[0].Field, fields[0].Message)
	if more := len(fields) - 1; more > 0 {
		message += fmt.Sprintf(" (and %d more)", more)
	}
	out := &contract.Failure{Code: code, Origin: origin, Message: short(message, failureMessageMax)}
	if b, err := json.Marshal(map[string]any{"fields": fields}); err == nil && len(b) <= failureDetailMax {
		out.Detail = b
	}
	return out
}

func badAnswer(message string) *contract.Failure {
	return &contract.Failure{Code: CodeOutputInvalid, Origin: contract.OriginPlugin, Message: message}
}

func failed(f *contract.Failure) contract.Answer {
	return contract.Answer{Status: contract.StatusFailed, Failure: f}
}

// short cuts a text to at most limit bytes of valid UTF-8.
func short(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= limit {
		return s
	}
	cut := limit - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
