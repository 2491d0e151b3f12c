package pdk

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/culmhq/culm/pdk/contract"
)

// The codes of failures that the package itself answers with.
const (
	// CodeInput: an input is missing, unknown or of the wrong type; the origin
	// is the flow.
	CodeInput = "INVALID_INPUT"
	// CodePlugin: a function returned an error without a code.
	CodePlugin = "PLUGIN_ERROR"
	// CodePanic: a function panicked.
	CodePanic = "PLUGIN_PANIC"
	// CodeUnsupported: the plugin has no such action, or the action does not
	// offer such a call.
	CodeUnsupported = "UNSUPPORTED_CALL"
	// CodeWait: a function wants to wait in a way that the action does not
	// declare.
	CodeWait = "UNDECLARED_WAIT"
)

// Handle performs one call of an export, as the module does: the request and the
// answer are JSON. The error says that the request itself cannot be understood.
// It is for hosts that run plugins natively, such as pdktest.
func (p *Plugin) Handle(h Host, export string, input []byte) ([]byte, error) {
	var req contract.Request
	if err := json.Unmarshal(input, &req); err != nil {
		return nil, fmt.Errorf("the request is not JSON: %w", err)
	}
	if req.ABI != contract.ABI {
		return nil, fmt.Errorf("the request is of ABI %d, this plugin speaks %d", req.ABI, contract.ABI)
	}
	if want := exportOf(req.Reason); want != export {
		return nil, fmt.Errorf("a request with reason %q does not go to export %q", req.Reason, export)
	}
	return json.Marshal(p.answer(h, &req))
}

func exportOf(r contract.Reason) string {
	switch r {
	case contract.ReasonExecute:
		return contract.ExportExecute
	case contract.ReasonPoll, contract.ReasonTimer, contract.ReasonCallback:
		return contract.ExportResume
	case contract.ReasonCancel:
		return contract.ExportCancel
	case contract.ReasonRollback:
		return contract.ExportRollback
	case contract.ReasonOptions:
		return contract.ExportOptions
	}
	return ""
}

func (p *Plugin) answer(h Host, req *contract.Request) (ans contract.Answer) {
	defer func() {
		if r := recover(); r != nil {
			ans = failed(Fail(CodePanic, "the plugin panicked: %v", r))
		}
	}()
	a, err := p.action(req.Action)
	if err != nil {
		return failed(Fail(CodeUnsupported, "%v", err))
	}
	return a.call(&Ctx{host: h, req: req})
}

func (a Action[In, Out]) call(c *Ctx) contract.Answer {
	var in In
	if c.req.Reason == contract.ReasonOptions {
		return a.options(c)
	}
	if err := decodeInputs(c.req.Inputs, a.Defaults, &in); err != nil {
		return failed(err)
	}
	switch c.req.Reason {
	case contract.ReasonExecute:
		return a.run(c, a.Execute, in)
	case contract.ReasonPoll, contract.ReasonTimer, contract.ReasonCallback:
		return a.run(c, a.Resume, in)
	case contract.ReasonCancel:
		if a.Cancel == nil {
			return unsupported(c)
		}
		return settled(a.Cancel(c, in))
	case contract.ReasonRollback:
		return a.rollback(c, in)
	case contract.ReasonOptions:
	}
	return unsupported(c)
}

// run calls one of the two functions that make outputs.
func (a Action[In, Out]) run(c *Ctx, f func(*Ctx, In) (Out, error), in In) contract.Answer {
	if f == nil {
		return unsupported(c)
	}
	out, err := f(c, in)
	if w, ok := errors.AsType[*waiting](err); ok {
		return w.answer(a.ID, a.Waits)
	}
	if err != nil {
		ans := failed(err)
		// What is known counts for a failure too; an empty value says nothing.
		if !reflect.ValueOf(&out).Elem().IsZero() {
			ans.Outputs, _ = encodeOutputs(&out)
		}
		return ans
	}
	raw, err := encodeOutputs(&out)
	if err != nil {
		return failed(fmt.Errorf("the outputs are not JSON: %w", err))
	}
	return contract.Answer{Status: contract.StatusSucceeded, Outputs: raw}
}

func (a Action[In, Out]) rollback(c *Ctx, in In) contract.Answer {
	if a.Rollback == nil {
		return unsupported(c)
	}
	var out Out
	if len(c.req.Outputs) > 0 {
		if err := json.Unmarshal(c.req.Outputs, &out); err != nil {
			return failed(Fail(CodePlugin, "the outputs to roll back are not those of %s: %v", a.ID, err))
		}
	}
	return settled(a.Rollback(c, in, out))
}

func (a Action[In, Out]) options(c *Ctx) contract.Answer {
	if a.Options == nil {
		return unsupported(c)
	}
	var form In
	decodeForm(c.req.Form, &form)
	choices, err := a.Options(c, c.req.Field, form)
	if err != nil {
		return failed(err)
	}
	answer := struct {
		Choices []Choice `json:"choices"`
	}{choices}
	raw, err := encodeOutputs(&answer)
	if err != nil {
		return failed(fmt.Errorf("the choices are not JSON: %w", err))
	}
	return contract.Answer{Status: contract.StatusSucceeded, Outputs: raw}
}

// warm decodes and encodes a value of each type once, so that the tables which
// encoding/json builds per type are part of the module's image after initialisation
// and not made anew in every call.
func (a Action[In, Out]) warm() {
	var in In
	var out Out
	_ = json.Unmarshal([]byte("{}"), &in)
	_ = json.Unmarshal([]byte("{}"), &out)
	_, _ = json.Marshal(out)
}

// settled is the answer of a call that has no outputs.
func settled(err error) contract.Answer {
	if err != nil {
		return failed(err)
	}
	return contract.Answer{Status: contract.StatusSucceeded}
}

func unsupported(c *Ctx) contract.Answer {
	return failed(Fail(CodeUnsupported, "action %s does not offer the call %q", c.req.Action, c.req.Reason))
}
