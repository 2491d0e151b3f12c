package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/plugins/cases"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/pdk/contract"
)

// pluginRun is one attempt of an action, for its author.
type pluginRun struct {
	*program
	options  runPluginOptions
	box      *sandbox
	reach    *app.Trial  // real systems, or nil
	recorded *cases.Case // or the case that answers for them
	calls    []cases.Step
	done     []cases.Done
}

// all makes the first call and those that its waits lead to.
func (t *pluginRun) all(ctx context.Context, req contract.Request) error {
	first := req
	for {
		ans, err := t.call(ctx, req)
		if err != nil {
			return err
		}
		w := ans.Wait
		if ans.Status != contract.StatusWaiting || t.options.once || w == nil || w.Kind != contract.WaitPoll && w.Kind != contract.WaitTimer {
			break
		}
		if err := t.wait(ctx, w); err != nil {
			return err
		}
		polls := req.Polls
		if req.Reason == contract.ReasonPoll {
			polls++
		}
		req = first
		req.State, req.Reason, req.Polls = ans.State, contract.ReasonTimer, 0
		if w.Kind == contract.WaitPoll {
			req.Reason, req.Polls = contract.ReasonPoll, polls
		}
	}
	if t.options.record != "" {
		if err := t.record(first); err != nil {
			return err
		}
	}
	return t.end()
}

// wait lets the time of a wait pass.
func (t *pluginRun) wait(ctx context.Context, w *contract.Wait) error {
	d := time.Duration(w.AfterMS) * time.Millisecond
	if w.At != nil {
		d = time.Until(*w.At)
	}
	if !t.options.asJSON {
		fmt.Fprintf(t.err, "%s (%s) %s\n", t.text.of("waiting"), t.text.of(string(w.Kind)), shortTime(max(d, 0)))
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return &exitError{exitFailed, errors.New(t.text.of("interrupted"))}
	case <-timer.C:
		return nil
	}
}

// call makes one call and keeps what it did.
func (t *pluginRun) call(ctx context.Context, req contract.Request) (contract.Answer, error) {
	s := &trialServices{run: t, written: map[string]json.RawMessage{}}
	switch {
	case t.reach != nil:
		s.session = t.reach.Session(req.Reason)
	case t.recorded != nil:
		s.script = cases.NewScript(t.exchanges(), t.recorded.Vars, t.box.Manifest().Needs, runs.Evaluate)
	}
	ans, usage, err := t.box.invoke(ctx, req, s)
	if err != nil {
		var f *contract.Failure
		if !errors.As(err, &f) {
			return ans, failed(err)
		}
		ans = contract.Answer{Status: contract.StatusFailed, Failure: f}
	}
	d := cases.Done{Reason: req.Reason, Answer: ans, Log: s.log, Usage: usage}
	if ans.Status == contract.StatusSucceeded && len(s.written) > 0 {
		d.Vars = s.written
	}
	if s.script != nil {
		d.Problems = s.script.Problems()
	}
	t.done = append(t.done, d)
	step := cases.Step{Gateway: s.exchanges}
	if len(t.calls) == 0 && req.Reason != contract.ReasonExecute {
		step.Reason, step.State, step.Callback, step.Outputs = req.Reason, req.State, req.Callback, req.Outputs
		step.Field, step.Form = req.Field, req.Form
	}
	t.calls = append(t.calls, step)
	return ans, nil
}

// exchanges are the answers of the case for the next call.
func (t *pluginRun) exchanges() []cases.Exchange {
	n := len(t.done)
	switch {
	case n == 0:
		return t.recorded.Gateway
	case n <= len(t.recorded.Then):
		return t.recorded.Then[n-1].Gateway
	default:
		return nil
	}
}

// record adds what happened to a file of cases.
func (t *pluginRun) record(first contract.Request) error {
	c := cases.Case{Name: "run of " + first.Action, Action: first.Action, Inputs: first.Inputs, Step: t.calls[0], Then: t.calls[1:]}
	for i := range t.done {
		e := t.done[i].Observed()
		if i == 0 {
			c.Expect = &e
		} else {
			c.Then[i-1].Expect = &e
		}
	}
	text, err := os.ReadFile(t.options.record)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	out, err := cases.Append(text, c)
	if err != nil {
		return say("%s: %s", t.options.record, err)
	}
	if err := os.WriteFile(t.options.record, out, 0o644); err != nil { //nolint:gosec // source that others may read
		return failed(err)
	}
	fmt.Fprintf(t.err, t.text.of("run.recorded")+"\n", t.options.record)
	return nil
}

// end shows the answer and decides.
func (t *pluginRun) end() error {
	last := t.done[len(t.done)-1]
	if t.options.asJSON {
		if err := t.json(struct {
			Answer contract.Answer `json:"answer"`
			Calls  []cases.Done    `json:"calls"`
		}{last.Answer, t.done}); err != nil {
			return err
		}
	} else if err := t.show(last); err != nil {
		return err
	}
	switch last.Answer.Status {
	case contract.StatusSucceeded:
		if len(last.Problems) > 0 {
			return &exitError{code: exitFailed}
		}
		return nil
	case contract.StatusWaiting:
		return &exitError{code: exitBlocked}
	case contract.StatusFailed:
	}
	return &exitError{code: exitFailed}
}

func (t *pluginRun) show(last cases.Done) error {
	l := t.box.module.Limits()
	for _, d := range t.done {
		for _, q := range d.Problems {
			fmt.Fprintln(t.err, t.text.mismatch(q))
		}
		of := t.text.of("test.of")
		fmt.Fprintf(t.err, "%s  %s %s %s  %s %s %s  "+t.text.of("run.calls")+"\n", t.text.of(string(d.Answer.Status)),
			shortTime(d.Usage.Duration), of, l.Timeout, bytesText(d.Usage.PeakMemoryBytes), of, bytesText(l.MemoryBytes), d.Usage.HostCalls, l.HostCalls)
	}
	if f := last.Answer.Failure; f != nil {
		fmt.Fprintln(t.err, t.text.failureText(f))
		help := t.text.failureHelp(f)
		if f.Code == codeAbsent { // nobody's system is wrong
			help[len(help)-1] = t.text.labelled(t.text.of("next"),
				t.text.in("give --demo for the demo systems, --data for those of a server, or --recorded for the answers of a recording"))
		}
		for _, l := range help {
			fmt.Fprintf(t.err, "  %s\n", l)
		}
	}
	if last.Answer.Status == contract.StatusWaiting {
		return t.json(last.Answer)
	}
	if len(last.Answer.Outputs) > 0 {
		return t.json(last.Answer.Outputs)
	}
	return nil
}

// trialServices is what a call of the author's plugin reaches. It shows what happens as
// it happens.
type trialServices struct {
	run       *pluginRun
	session   gateway.Session
	script    *cases.Script
	exchanges []cases.Exchange
	log       []string
	written   map[string]json.RawMessage
}

// codeAbsent says that there are no systems to call.
const codeAbsent = "GATEWAY_ABSENT"

// Gateway calls a system, a recorded one, or refuses.
func (s *trialServices) Gateway(ctx context.Context, req contract.GatewayRequest) contract.GatewayResponse {
	began := time.Now()
	var res contract.GatewayResponse
	switch {
	case s.session != nil:
		res = s.session.Call(ctx, req)
	case s.script != nil:
		res = s.script.Gateway(ctx, req)
	default:
		res.Failure = &contract.Failure{
			Code: codeAbsent, Origin: contract.OriginGateway, System: req.System, Operation: req.Operation,
			Message: "no systems here: --demo, --data or --recorded brings some",
		}
	}
	s.exchanges = append(s.exchanges, cases.Exchange{System: req.System, Operation: req.Operation, Params: req.Params, Body: req.Body, Answer: res})
	if !s.run.options.asJSON {
		outcome := fmt.Sprint(res.Status)
		if res.Failure != nil {
			outcome = s.run.text.failureText(res.Failure)
		}
		fmt.Fprintf(s.run.err, "-> %s/%s  %s  %s\n", req.System, req.Operation, outcome, shortTime(time.Since(began)))
	}
	return res
}

// Log shows a line.
func (s *trialServices) Log(line contract.LogLine) {
	s.log = append(s.log, line.Text)
	if !s.run.options.asJSON {
		fmt.Fprintf(s.run.err, "%s  %s\n", line.Level, line.Text)
	}
}

// Progress shows it.
func (s *trialServices) Progress(percent int, message string) {
	if !s.run.options.asJSON {
		fmt.Fprintf(s.run.err, "%d %%  %s\n", percent, message)
	}
}

// Var reads a variable of the recorded case; there are no others.
func (s *trialServices) Var(name string) (json.RawMessage, bool) {
	if s.run.recorded == nil {
		return nil, false
	}
	v, ok := s.run.recorded.Vars[name]
	return v, ok
}

// SetVar keeps a variable.
func (s *trialServices) SetVar(name string, value json.RawMessage) error {
	s.written[name] = value
	return nil
}

// Eval evaluates an expression.
func (s *trialServices) Eval(_ context.Context, req contract.EvalRequest) contract.EvalResponse {
	return runs.Evaluate(req)
}
