package runs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/pdk/contract"
)

// modules is a module host whose plugin is a Go function.
type modules func(ctx context.Context, c runs.ModuleCall, r contract.Request) (string, error)

func (m modules) Call(ctx context.Context, c runs.ModuleCall) ([]byte, error) {
	var r contract.Request
	if err := json.Unmarshal(c.Input, &r); err != nil {
		return nil, err
	}
	out, err := m(ctx, c, r)
	return []byte(out), err
}

// gate is a gateway that remembers who opened it.
type gate struct {
	mu      sync.Mutex
	callers []gateway.Caller
	unknown *contract.Failure
}

func (g *gate) Open(c gateway.Caller) gateway.Session {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.callers = append(g.callers, c)
	return session{g}
}

type session struct{ *gate }

func (session) Call(_ context.Context, req contract.GatewayRequest) contract.GatewayResponse {
	return contract.GatewayResponse{Status: 200, Text: req.Operation}
}

func (s session) Unknown() *contract.Failure { return s.unknown }

// stopped is a clock whose timers fire when the test says so.
type stopped struct {
	mu     sync.Mutex
	timers []chan time.Time
	armed  chan struct{}
}

func newStopped() *stopped { return &stopped{armed: make(chan struct{}, 100)} }

func (*stopped) Now() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }

func (s *stopped) After(time.Duration) (<-chan time.Time, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := make(chan time.Time, 1)
	s.timers = append(s.timers, c)
	s.armed <- struct{}{}
	return c, func() {}
}

func (s *stopped) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.timers {
		c <- s.Now()
	}
	s.timers = nil
}

type bench struct {
	*runs.Executor
	gate  *gate
	clock *stopped
	run   runner.RunInfo
	notes chan engine.Note
}

func newBench(t *testing.T, m modules) *bench {
	t.Helper()
	p := hosttest.Open(t)
	toy, ok := p.Plugins.Latest("toy")
	if !ok {
		t.Fatal("no toy")
	}
	b := &bench{gate: &gate{}, clock: newStopped(), notes: make(chan engine.Note, 100), run: runner.RunInfo{
		ID: "r1", Project: hosttest.Project, Flow: "f", Operator: hosttest.Actor, Zone: "Asia/Shanghai",
		Plugins: map[string]string{"toy": toy.Digest},
	}}
	b.Executor = runs.NewExecutor(runs.ExecutorOptions{
		Catalogue: p.Plugins, Modules: m, Gateway: b.gate, Handles: p.Vault, Clock: b.clock, Logger: slog.New(slog.DiscardHandler),
	})
	return b
}

func (b *bench) execute(action, inputs string) engine.Result {
	return b.Execute(context.Background(), b.run, engine.Dispatch{
		Node: "n", Epoch: 7, Iteration: 1, Attempt: 2, Call: 3, Plugin: "toy", Action: action,
		Reason: contract.ReasonExecute, Inputs: json.RawMessage(inputs),
	}, func(n engine.Note) { b.notes <- n })
}

func TestACallAndItsRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(ctx context.Context, c runs.ModuleCall, r contract.Request) (string, error) {
		if c.Export != contract.ExportExecute || c.Plugin != "toy" || !strings.HasPrefix(c.Digest, "sha256:") {
			return "", fmt.Errorf("call %+v", c)
		}
		want := contract.Context{Project: "demo", Run: "r1", Node: "n", Iteration: 1, Attempt: 2, Operator: "tester", Zone: "Asia/Shanghai"}
		if r.Context != want || r.ABI != contract.ABI || r.Action != "add" {
			return "", fmt.Errorf("request %+v", r)
		}
		if got := c.Services.Gateway(ctx, contract.GatewayRequest{Operation: "op"}); got.Text != "op" {
			return "", fmt.Errorf("gateway answered %+v", got)
		}
		return `{"status":"succeeded","outputs":{"sum":5}}`, nil
	})
	r := b.execute("add", `{"a":3,"b":2}`)
	if r.Answer.Status != contract.StatusSucceeded || string(r.Answer.Outputs) != `{"sum":5}` {
		t.Errorf("answer %+v, failure %v", r.Answer, r.Answer.Failure)
	}
	if r.Node != "n" || r.Epoch != 7 || r.Digest != b.run.Plugins["toy"] {
		t.Errorf("result %+v", r)
	}
	want := gateway.Caller{
		Project: "demo", Run: "r1", Flow: "f", Node: "n", Iteration: 1, Attempt: 2, Call: 3,
		Reason: contract.ReasonExecute, Operator: "tester", Plugin: "toy", Digest: b.run.Plugins["toy"],
	}
	if !reflect.DeepEqual(b.gate.callers, []gateway.Caller{want}) {
		t.Errorf("gateway opened for %+v", b.gate.callers)
	}
}

func TestBadInputsNeverReachThePlugin(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(context.Context, runs.ModuleCall, contract.Request) (string, error) {
		return "", errors.New("called")
	})
	const secret = "hunter2"
	r := b.execute("add", `{"a":"`+secret+`","note":"`+strings.Repeat(secret, 2)+`"}`)
	f := r.Answer.Failure
	if f == nil || f.Code != runs.CodeInputInvalid || f.Origin != contract.OriginFlow {
		t.Fatalf("failure %+v", f)
	}
	for _, want := range []string{"/inputs/a", "/inputs/note"} {
		if !strings.Contains(string(f.Detail), want) {
			t.Errorf("the detail does not name %s: %s", want, f.Detail)
		}
	}
	if strings.Contains(f.Message+string(f.Detail), secret) {
		t.Errorf("the failure holds a value: %+v %s", f, f.Detail)
	}
	if len(b.gate.callers) != 0 {
		t.Error("the gateway was opened")
	}
}

// The module is gone when a call is taken up after a crash: what the call did before is
// not known, and that is said instead of a failure that would be tried again.
func TestACallThatCannotBeTakenUpAfterACrashIsUnknown(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(context.Context, runs.ModuleCall, contract.Request) (string, error) {
		return "", errors.New("called")
	})
	doubt := &contract.Failure{Code: gateway.CodeOutcomeUnknown, Origin: contract.OriginGateway}
	b.gate.unknown = doubt
	d := engine.Dispatch{Node: "n", Attempt: 2, Plugin: "toy", Action: "add", Reason: contract.ReasonExecute, Auto: true}
	b.run.Plugins = map[string]string{"toy": "sha256:gone"}
	note := func(engine.Note) {}
	if r := b.Execute(t.Context(), b.run, d, note); r.Unknown != nil || r.Answer.Failure == nil || len(b.gate.callers) != 0 {
		t.Errorf("a call that was never made: %+v", r)
	}
	d.Recovered = true
	if r := b.Execute(t.Context(), b.run, d, note); r.Unknown != doubt || r.Answer.Failure != nil {
		t.Errorf("a call that may have been made: %+v", r)
	}
	if c := b.gate.callers; len(c) != 1 || !c[0].Recovered || !c[0].Auto {
		t.Errorf("the gateway was opened for %+v", c)
	}
}

func TestWhoseFault(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action, out string
		err         error
		code        string
		origin      contract.Origin
	}{
		"plugin failed":         {"add", `{"status":"failed","failure":{"code":"NO_LUCK","message":"m","retryable":true}}`, nil, "NO_LUCK", contract.OriginPlugin},
		"plugin passes it on":   {"add", `{"status":"failed","failure":{"code":"DOWN","message":"m","origin":"system"}}`, nil, "DOWN", contract.OriginSystem},
		"plugin blames us":      {"add", `{"status":"failed","failure":{"code":"X","message":"m","origin":"host"}}`, nil, "X", contract.OriginPlugin},
		"no reason":             {"add", `{"status":"failed"}`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"outputs wrong":         {"add", `{"status":"succeeded","outputs":{"sum":"five"}}`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"outputs missing":       {"add", `{"status":"succeeded"}`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"outputs no object":     {"add", `{"status":"succeeded","outputs":[1]}`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"no JSON":               {"add", `five`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"more than an answer":   {"add", `{"status":"succeeded","outputs":{"sum":5}} {}`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"unknown field":         {"add", `{"status":"succeeded","output":{"sum":5}}`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"doubled member":        {"add", `{"status":"succeeded","outputs":{"sum":5,"sum":6}}`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"doubled in disguise":   {"add", `{"status":"failed","failure":{"code":"X","message":"m"},"Status":"succeeded","outputs":{"sum":5}}`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"half a character":      {"add", `{"status":"succeeded","outputs":{"sum":5},"state":"\ud800"}`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"too deep":              {"add", `{"status":"succeeded","outputs":{"sum":5},"state":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"unknown status":        {"add", `{"status":"done"}`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"undeclared wait":       {"add", `{"status":"waiting","wait":{"kind":"poll"}}`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"waits for nothing":     {"ask", `{"status":"waiting"}`, nil, runs.CodeOutputInvalid, contract.OriginPlugin},
		"limit of the host":     {"add", "", fmt.Errorf("call: %w", &contract.Failure{Code: "PLUGIN_TIMEOUT", Origin: contract.OriginLimit}), "PLUGIN_TIMEOUT", contract.OriginLimit},
		"something in the host": {"add", "", errors.New("disk on fire"), runs.CodeHostFault, contract.OriginHost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(context.Context, runs.ModuleCall, contract.Request) (string, error) { return c.out, c.err })
			inputs := map[string]string{"add": `{"a":1}`, "ask": `{}`}[c.action]
			r := b.execute(c.action, inputs)
			f := r.Answer.Failure
			if r.Answer.Status != contract.StatusFailed || f == nil || f.Code != c.code || f.Origin != c.origin {
				t.Errorf("answer %+v, failure %+v", r.Answer, f)
			}
			if f != nil && strings.Contains(f.Message, "fire") {
				t.Errorf("the cause is shown: %s", f.Message)
			}
		})
	}
}

func TestOutputsOfAFailedCallCountWhenTheyAreValid(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]string{`{"sum":1}`: `{"sum":1}`, `{"sum":"one"}`: "", `null`: ""} {
		b := newBench(t, func(context.Context, runs.ModuleCall, contract.Request) (string, error) {
			return `{"status":"failed","failure":{"code":"C","message":"m"},"outputs":` + out + `}`, nil
		})
		r := b.execute("add", `{"a":1}`)
		if string(r.Answer.Outputs) != want || r.Answer.Failure.Code != "C" {
			t.Errorf("outputs %s gave %s, failure %v", out, r.Answer.Outputs, r.Answer.Failure)
		}
		if told := len(r.Log) == 1; told != (out == `{"sum":"one"}`) {
			t.Errorf("outputs %s gave the log %v", out, r.Log)
		}
	}
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(context.Context, runs.ModuleCall, contract.Request) (string, error) {
		return `{"status":"waiting","wait":{"kind":"human","prompt":"Go on?"},"state":{"n":1}}`, nil
	})
	r := b.execute("ask", `{}`)
	if r.Answer.Status != contract.StatusWaiting || r.Answer.Wait.Prompt.En != "Go on?" || string(r.Answer.State) != `{"n":1}` {
		t.Errorf("answer %+v, failure %v", r.Answer, r.Answer.Failure)
	}
}

func TestAnUnknownEndIsNeitherSuccessNorFailure(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(context.Context, runs.ModuleCall, contract.Request) (string, error) {
		return `{"status":"succeeded","outputs":{"sum":5}}`, nil
	})
	b.gate.unknown = &contract.Failure{Code: "UNKNOWN_OUTCOME"}
	r := b.execute("add", `{"a":1}`)
	if r.Unknown == nil || r.Unknown.Code != "UNKNOWN_OUTCOME" || r.Answer.Status != "" {
		t.Errorf("result %+v", r)
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	var errs []error
	b := newBench(t, func(_ context.Context, c runs.ModuleCall, _ contract.Request) (string, error) {
		s := c.Services
		if v, ok := s.Var("a"); !ok || string(v) != "4" {
			errs = append(errs, fmt.Errorf("a is %s", v))
		}
		if _, ok := s.Var("zz"); ok {
			errs = append(errs, errors.New("zz is set"))
		}
		if err := s.SetVar("sum", json.RawMessage(`9`)); err != nil {
			errs = append(errs, err)
		}
		if v, _ := s.Var("sum"); string(v) != "9" {
			errs = append(errs, fmt.Errorf("sum is %s", v))
		}
		for name, value := range map[string]string{"undeclared": "1", "note": "{"} {
			if s.SetVar(name, json.RawMessage(value)) == nil {
				errs = append(errs, fmt.Errorf("%s = %s was accepted", name, value))
			}
		}
		return `{"status":"succeeded","outputs":{"note":"n"}}`, nil
	})
	r := b.execute("add", `{"a":4}`)
	if string(r.Answer.Outputs) != `{"note":"n","sum":9}` {
		t.Errorf("outputs %s, failure %v", r.Answer.Outputs, r.Answer.Failure)
	}
	for _, err := range errs {
		t.Error(err)
	}
}

func TestNotesAreGatheredAndBounded(t *testing.T) {
	t.Parallel()
	var b *bench
	b = newBench(t, func(_ context.Context, c runs.ModuleCall, _ contract.Request) (string, error) {
		for i := range 10 {
			c.Services.Log(contract.LogLine{Text: fmt.Sprint("line ", i)})
			c.Services.Progress(i*20, "half\nway")
		}
		<-b.clock.armed
		b.clock.fire()
		if n := <-b.notes; len(n.Log) != 10 || n.Progress == nil || *n.Progress != (engine.Progress{Percent: 100, Message: "half way"}) || n.Epoch != 7 {
			return "", fmt.Errorf("note %+v", n)
		}
		c.Services.Log(contract.LogLine{Text: "last\r\n"})
		c.Services.Progress(100, "done")
		for range 100 {
			c.Services.Log(contract.LogLine{Text: strings.Repeat("x", 8000)})
		}
		return `{"status":"succeeded","outputs":{"sum":1}}`, nil
	})
	r := b.execute("add", `{"a":1}`)
	if r.Answer.Status != contract.StatusSucceeded {
		t.Fatalf("failure %v", r.Answer.Failure)
	}
	size := 0
	for _, l := range r.Log {
		size += len(l.Text)
	}
	if r.Log[0].Text != "last" || size > 256<<10 || !strings.Contains(r.Log[len(r.Log)-1].Text, "log ends here") {
		t.Errorf("%d bytes of log, from %q to %q", size, r.Log[0].Text, r.Log[len(r.Log)-1].Text)
	}
	if n := <-b.notes; n.Progress == nil || n.Progress.Message != "done" || len(b.notes) != 0 {
		t.Errorf("last note %+v, and %d more", n, len(b.notes))
	}
}

func TestPinnedModuleGone(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.run.Plugins = map[string]string{"toy": "sha256:00"}
	if r := b.execute("add", `{"a":1}`); r.Answer.Failure == nil || r.Answer.Failure.Code != runs.CodePluginMissing {
		t.Errorf("result %+v", r)
	}
}

func TestCancelGoesToItsExport(t *testing.T) {
	t.Parallel()
	var got []string
	b := newBench(t, func(ctx context.Context, c runs.ModuleCall, r contract.Request) (string, error) {
		_, bounded := ctx.Deadline()
		got = append(got, fmt.Sprintln(c.Export, r.Reason, string(r.State), bounded))
		return "", errors.New("too late")
	})
	d := engine.Dispatch{Node: "n", Plugin: "toy", Action: "ask", Inputs: json.RawMessage(`{}`), PluginState: json.RawMessage(`1`)}
	b.Cancel(t.Context(), b.run, d)
	d.Action = "add" // declares no cancel
	b.Cancel(t.Context(), b.run, d)
	if want := []string{"cancel cancel 1 true\n"}; !slices.Equal(got, want) {
		t.Errorf("calls %q, want %q", got, want)
	}
}
