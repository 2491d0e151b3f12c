package cases

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/pdk/contract"
)

// Module is a plugin that can be called.
type Module interface {
	Manifest() *contract.Manifest
	// Invoke makes one call. The error wraps a *contract.Failure when the plugin broke
	// or met a limit; Usage is known in either case.
	Invoke(ctx context.Context, req contract.Request, s *Script) (contract.Answer, Usage, error)
}

// Usage is what a call used.
type Usage struct {
	// Duration is the wall time, Guest the part of it in the plugin's own code.
	Duration        time.Duration `json:"-"`
	Guest           time.Duration `json:"-"`
	PeakMemoryBytes int64         `json:"peak_memory_bytes"`
	HostCalls       int           `json:"host_calls"`
	OutputBytes     int           `json:"output_bytes"`
}

// MarshalJSON writes the times in microseconds.
func (u Usage) MarshalJSON() ([]byte, error) {
	type plain Usage
	return json.Marshal(struct {
		Duration int64 `json:"duration_us"`
		Guest    int64 `json:"guest_us"`
		plain
	}{u.Duration.Microseconds(), u.Guest.Microseconds(), plain(u)})
}

// Result is how a case went.
type Result struct {
	Name  string `json:"name"`
	Line  int    `json:"line,omitempty"`
	Steps []Done `json:"steps"`
}

// Called reports whether the plugin was called, or its inputs were refused as they are
// before a call: a case that was not run, or names no action of the plugin, shows nothing.
func (r Result) Called() bool { return len(r.Steps) > 0 && r.Steps[0].Answer.Status != "" }

// Problems are everything that was not as expected, in order.
func (r Result) Problems() []Mismatch {
	var all []Mismatch
	for i, s := range r.Steps {
		for _, p := range s.Problems {
			if len(r.Steps) > 1 {
				p.Call, p.Reason = i+1, s.Reason
			}
			all = append(all, p)
		}
	}
	return all
}

// Done is how one call went.
type Done struct {
	Reason   contract.Reason            `json:"reason"`
	Answer   contract.Answer            `json:"answer"`
	Log      []string                   `json:"log,omitempty"`
	Vars     map[string]json.RawMessage `json:"vars,omitempty"`
	Usage    Usage                      `json:"usage"`
	Problems []Mismatch                 `json:"problems,omitempty"`

	why *document.Problem // of a failure that the host makes
}

// Eval evaluates an expression for a plugin.
type Eval func(contract.EvalRequest) contract.EvalResponse

// Run makes the calls of a case and compares. The error is that of ctx, or of a schema of
// the manifest; what the plugin does wrong is in the Result.
func Run(ctx context.Context, m Module, f *File, index int, eval Eval) (Result, error) {
	c := &f.Cases[index]
	r := Result{Name: c.Name, Line: f.source.Line("/cases/" + strconv.Itoa(index))}
	a, ok := m.Manifest().Action(c.Action)
	if !ok {
		r.Steps = []Done{{Reason: contract.ReasonExecute, Problems: []Mismatch{mismatch("CASE_NO_ACTION", "the plugin has no action %q", c.Action)}}}
		return r, nil
	}
	at := &attempt{module: m, action: a, eval: eval}
	var err error
	if at.inputs, err = forms.Parse(a.Inputs); err != nil {
		return r, err
	}
	if at.outputs, err = forms.Parse(a.Outputs); err != nil {
		return r, err
	}
	at.request = contract.Request{ABI: contract.ABI, Action: c.Action, Inputs: c.Inputs, Context: contextOf(c)}
	if len(at.request.Inputs) == 0 {
		at.request.Inputs = json.RawMessage(`{}`)
	}
	for _, s := range c.steps() {
		done := at.step(ctx, s, c.Vars)
		r.Steps = append(r.Steps, done)
		if ctx.Err() != nil {
			return r, context.Cause(ctx)
		}
	}
	return r, nil
}

// contextOf is what the plugin is told about the run.
func contextOf(c *Case) contract.Context {
	var x contract.Context
	if c.Context != nil {
		x = *c.Context
	}
	for _, d := range []struct {
		at    *string
		value string
	}{{&x.Project, "test"}, {&x.Run, "r1"}, {&x.Node, "n1"}, {&x.Operator, "tester"}, {&x.Zone, "UTC"}} {
		if *d.at == "" {
			*d.at = d.value
		}
	}
	x.Attempt = max(x.Attempt, 1)
	return x
}

// attempt is a case on its way.
type attempt struct {
	module          Module
	action          *contract.Action
	inputs, outputs *forms.Form
	eval            Eval
	request         contract.Request // what the calls have in common
	last            contract.Answer
	polls           int
}

// step makes one call.
func (a *attempt) step(ctx context.Context, s *Step, vars map[string]json.RawMessage) Done {
	req := a.next(s)
	done := Done{Reason: req.Reason}
	script := NewScript(s.Gateway, vars, a.module.Manifest().Needs, a.eval)
	if done.why = a.refused(req); done.why != nil {
		done.Answer = contract.Answer{Status: contract.StatusFailed, Failure: &contract.Failure{
			Code: "INPUT_INVALID", Origin: contract.OriginFlow, Message: done.why.Message,
		}}
	} else {
		done.Answer, done.why, done.Usage = a.call(ctx, req, script)
	}
	for _, l := range script.log {
		done.Log = append(done.Log, l.Text)
	}
	if done.Answer.Status == contract.StatusSucceeded {
		done.Vars = script.written
	}
	done.Problems = append(script.Problems(), compare(s.Expect, done)...)
	if f := done.Answer.Failure; s.Expect == nil && done.Answer.Status == contract.StatusFailed &&
		(f.Code != CodeNotScripted || len(done.Problems) == 0) { // which is told already
		done.Problems = append(done.Problems, mismatch("CASE_FAILED", "failed").because(" with %s", f, done.why))
	}
	a.last = done.Answer
	return done
}

// next makes the request of a call out of what the call before left.
func (a *attempt) next(s *Step) contract.Request {
	req := a.request
	req.Reason = s.Reason
	if req.Reason == "" {
		req.Reason = contract.ReasonExecute
		if w := a.last.Wait; w != nil {
			req.Reason = reasonOf(w.Kind)
		}
	}
	req.State, req.Callback, req.Outputs = a.last.State, s.Callback, s.Outputs
	if len(s.State) > 0 {
		req.State = s.State
	}
	if req.Reason == contract.ReasonPoll {
		req.Polls = max(s.Polls, a.polls)
		a.polls = req.Polls + 1
	}
	if req.Reason == contract.ReasonRollback {
		if len(req.Outputs) == 0 {
			req.Outputs = a.last.Outputs
		}
	}
	req.Field, req.Form = s.Field, s.Form
	return req
}

// reasonOf is why a plugin is called after a wait.
func reasonOf(k contract.WaitKind) contract.Reason {
	switch k {
	case contract.WaitTimer:
		return contract.ReasonTimer
	case contract.WaitCallback, contract.WaitHuman, contract.WaitRun:
		return contract.ReasonCallback
	case contract.WaitPoll:
	}
	return contract.ReasonPoll
}

// refused checks the inputs as the host does before it calls a plugin.
func (a *attempt) refused(req contract.Request) *document.Problem {
	if req.Reason != contract.ReasonExecute {
		return nil
	}
	if faults := a.inputs.Check(req.Inputs); len(faults) > 0 {
		return faulty("CASE_INPUTS", "%s: %s", faults[0])
	}
	return nil
}

// call makes the call and checks the answer as the host does.
func (a *attempt) call(ctx context.Context, req contract.Request, script *Script) (contract.Answer, *document.Problem, Usage) {
	ans, usage, err := a.module.Invoke(ctx, req, script)
	if err != nil {
		f := &contract.Failure{Code: "HOST_FAULT", Origin: contract.OriginHost, Message: err.Error()}
		var own *contract.Failure
		if errors.As(err, &own) {
			f = own
		}
		return contract.Answer{Status: contract.StatusFailed, Failure: f}, nil, usage
	}
	executed := req.Reason != contract.ReasonOptions && req.Reason != contract.ReasonCancel && req.Reason != contract.ReasonRollback
	var why *document.Problem
	if ans.Status == contract.StatusSucceeded && executed {
		why = a.check(&ans, script.written)
	}
	if ans.Status == contract.StatusWaiting && !waits(a.action, ans.Wait) {
		why = broken("CASE_WAITS", "the plugin waits for %s, which the manifest's waits do not list", ans.Wait.Kind)
	}
	if why != nil { // the answer that the host makes of one that it refuses
		ans = contract.Answer{Status: contract.StatusFailed, Failure: &contract.Failure{
			Code: "OUTPUT_INVALID", Origin: contract.OriginPlugin, Message: why.Message,
		}}
	}
	return ans, why, usage
}

// check adds the variables that were set to the outputs, and says what is wrong with these.
func (a *attempt) check(ans *contract.Answer, set map[string]json.RawMessage) *document.Problem {
	members := map[string]json.RawMessage{}
	if len(ans.Outputs) > 0 {
		if err := json.Unmarshal(ans.Outputs, &members); err != nil || members == nil {
			return broken("CASE_OUTPUTS_OBJECT", "the plugin's outputs are not an object")
		}
	}
	whole := ans.Outputs
	if len(set) > 0 || len(whole) == 0 {
		for k, v := range set {
			members[k] = v
		}
		raw, err := json.Marshal(members)
		if err != nil {
			return broken("CASE_OUTPUTS_JSON", "the plugin's outputs: %v", err)
		}
		whole = raw
	}
	if faults := a.outputs.Check(whole); len(faults) > 0 {
		return faulty("CASE_OUTPUTS", "the plugin's outputs are not valid: %s: %s", faults[0])
	}
	ans.Outputs = whole
	return nil
}

func waits(a *contract.Action, w *contract.Wait) bool {
	for _, k := range a.Waits {
		if w != nil && w.Kind == k {
			return true
		}
	}
	return false
}

// broken is why the host refuses an answer.
func broken(code, format string, args ...any) *document.Problem {
	p := document.Coded(code, format, args...)
	return &p
}

// faulty is why the host refuses a value: a fault and, as the argument "place", its field.
func faulty(code, format string, f forms.Fault) *document.Problem {
	p := broken(code, format, f.Field, f.Message)
	p.Args = f.Args("place", f.Field)
	return p
}
