package pdk

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// Host is what a call can reach. In a module it is the host functions; tests give
// their own (pdktest). It is used by one goroutine.
type Host interface {
	Gateway(req contract.GatewayRequest) contract.GatewayResponse
	Log(level contract.Level, text string)
	Progress(percent int, message string)
	Var(name string) (json.RawMessage, bool)
	SetVar(name string, value json.RawMessage) error
	Eval(req contract.EvalRequest) contract.EvalResponse
	Now() time.Time
}

// Params are the parameters of an operation by name. A nil value is left out.
type Params map[string]any

// Ctx is one call: what it is about, and the way to the outside. It is valid until the
// function that got it returns, for one goroutine.
type Ctx struct {
	host Host
	req  *contract.Request
}

// Run says on whose behalf the call is made.
func (c *Ctx) Run() contract.Context { return c.req.Context }

// Reason says why the call is made.
func (c *Ctx) Reason() contract.Reason { return c.req.Reason }

// Polls counts the polls of this attempt before this one.
func (c *Ctx) Polls() int { return c.req.Polls }

// Now returns the host's time in UTC.
func (c *Ctx) Now() time.Time { return c.host.Now().UTC() }

// Log writes a line to the node's log. Line breaks become spaces.
func (c *Ctx) Log(level contract.Level, format string, args ...any) {
	c.host.Log(level, oneLine(fmt.Sprintf(format, args...)))
}

// Info logs at level info.
func (c *Ctx) Info(format string, args ...any) { c.Log(contract.LevelInfo, format, args...) }

// Warn logs at level warn.
func (c *Ctx) Warn(format string, args ...any) { c.Log(contract.LevelWarn, format, args...) }

// Progress says how far the call is, from 0 to 100.
func (c *Ctx) Progress(percent int, format string, args ...any) {
	c.host.Progress(min(max(percent, 0), 100), oneLine(fmt.Sprintf(format, args...)))
}

// CallbackURL is where a program calls back to end a wait for Callback. It may be sent in
// any parameter or body as it is; the gateway puts the token in on the way out, so the URL
// is of no use in an output, in a log, or encoded. It is empty where the server takes no
// callbacks, and for actions whose Waits do not list contract.WaitCallback.
func (c *Ctx) CallbackURL() string { return c.req.Context.CallbackURL }

// State decodes what the wait before this call carried.
func (c *Ctx) State(v any) error {
	if len(c.req.State) == 0 {
		return Fail(CodePlugin, "the call carries no state")
	}
	return json.Unmarshal(c.req.State, v)
}

// Callback decodes the data that ended the wait.
func (c *Ctx) Callback(v any) error {
	if len(c.req.Callback) == 0 {
		return Fail(CodePlugin, "the call carries no callback data")
	}
	if err := json.Unmarshal(c.req.Callback, v); err != nil {
		return InvalidInput("callback", "%v", err)
	}
	return nil
}

// Var decodes a variable that the flow maps to this node, and reports whether it is
// set.
func (c *Ctx) Var(name string, v any) (bool, error) {
	raw, ok := c.host.Var(name)
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(raw, v)
}

// SetVar sets an output that the action declares, which the flow maps to a variable. It
// takes effect with the success of the call, and never on failure.
func (c *Ctx) SetVar(name string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("variable %s: %w", name, err)
	}
	return c.host.SetVar(name, raw)
}

// Gateway calls one operation of a registered system and decodes its answer into out,
// which may be nil. Body may be nil where the operation takes none. An answer with
// an HTTP status from 400 is a failure of the system with the answer in its detail;
// the error is then, as for everything the gateway refuses, a *contract.Failure.
func (c *Ctx) Gateway(system, operation string, params Params, body, out any) error {
	req, err := request(system, operation, params, body)
	if err != nil {
		return err
	}
	resp := c.Call(req)
	if err := Check(req, resp); err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	if len(resp.Body) == 0 {
		return systemFailure(req, resp, CodeAnswer, "%s %s answered something that is not JSON", system, operation)
	}
	if err := json.Unmarshal(resp.Body, out); err != nil {
		return systemFailure(req, resp, CodeAnswer, "the answer of %s %s does not have the expected form: %v", system, operation, err)
	}
	return nil
}

// Call makes a gateway call and returns all that came back: for actions that must
// look at the status or at an answer that is not JSON.
func (c *Ctx) Call(req contract.GatewayRequest) contract.GatewayResponse {
	return c.host.Gateway(req)
}

// Holds evaluates a condition in CEL over the given values, by name. The host does it, with
// the expression language of flows; a condition that cannot be evaluated, or is not of
// type bool, is a failure of the flow.
func (c *Ctx) Holds(condition string, values map[string]any) (bool, error) {
	req := contract.EvalRequest{Expression: condition, Values: make(map[string]json.RawMessage, len(values))}
	for name, v := range values {
		raw, err := json.Marshal(v)
		if err != nil {
			return false, fmt.Errorf("value %s of the condition: %w", name, err)
		}
		req.Values[name] = raw
	}
	resp := c.host.Eval(req)
	if resp.Failure != nil {
		f := *resp.Failure
		return false, &f
	}
	var holds bool
	if err := json.Unmarshal(resp.Value, &holds); err != nil {
		return false, InvalidInput("condition", "%s gives %s, not true or false", condition, resp.Value)
	}
	return holds, nil
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, s)
}
