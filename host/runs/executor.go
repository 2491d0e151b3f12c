package runs

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/pdk/contract"
)

// The codes of the failures that the executor itself reports; others come from the
// plugin, the wasm host or the gateway as they are.
const (
	// CodeInputInvalid: the evaluated inputs are not valid against the action's schema.
	CodeInputInvalid = "INPUT_INVALID"
	// CodeOutputInvalid: the plugin's answer is none, or its outputs are not valid.
	CodeOutputInvalid = "OUTPUT_INVALID"
	// CodePluginMissing: the module that the run pinned is not installed any more.
	CodePluginMissing = "PLUGIN_MISSING"
	// CodeHostFault: Culm itself failed; the cause is in its log.
	CodeHostFault = "HOST_FAULT"
)

// DefaultNoteEvery is the least time between two notes of one call.
const DefaultNoteEvery = 150 * time.Millisecond

// cancelMax bounds the call of a plugin's cancel export.
const cancelMax = 10 * time.Second

// ExecutorOptions are what an executor needs; a zero NoteEvery means its default, a nil
// Recorder records nothing, all other fields are required.
type ExecutorOptions struct {
	Catalogue Catalogue
	Modules   Modules
	Gateway   Gateway
	Handles   Handles
	Recorder  Recorder
	Clock     Clock
	Logger    *slog.Logger
	NoteEvery time.Duration
	// SecretsTo reports whether the module with a digest may be handed secrets; nil lets
	// every module have them.
	SecretsTo func(digest string) bool
	// CallbackURL is what the token of a callback is appended to; empty means that nobody
	// can call back.
	CallbackURL string
}

// Executor makes the plugin calls of nodes: with the module that the run pinned, with
// inputs and outputs that are valid, with a gateway of its own for each call. It is
// safe for concurrent use.
type Executor struct {
	o ExecutorOptions

	mu      sync.Mutex
	actions map[actionKey]*prepared
}

var _ runner.Executor = (*Executor)(nil)

// actionKey names an action of one module.
type actionKey struct{ digest, action string }

// prepared is an action with its schemas compiled. A module never changes, so neither
// does it.
type prepared struct {
	action          contract.Action
	inputs, outputs *forms.Form
	// declared are the outputs that var_set may write.
	declared map[string]bool
}

// NewExecutor makes an executor.
func NewExecutor(o ExecutorOptions) *Executor {
	if o.NoteEvery == 0 {
		o.NoteEvery = DefaultNoteEvery
	}
	return &Executor{o: o, actions: map[actionKey]*prepared{}}
}

// Execute implements runner.Executor.
func (e *Executor) Execute(ctx context.Context, run runner.RunInfo, d engine.Dispatch, emit func(engine.Note)) engine.Result {
	r := engine.Result{Node: d.Node, Epoch: d.Epoch, Digest: run.Plugins[d.Plugin]}
	p, failure := e.prepare(run, d)
	if failure == nil && d.Reason == contract.ReasonExecute {
		failure = invalid(CodeInputInvalid, contract.OriginFlow, "input", withoutSecrets(p.inputs.Check(d.Inputs), d.Secrets))
	}
	if failure != nil {
		if d.Recovered { // what the call did before the crash stays open when it is not made again
			r.Unknown = e.o.Gateway.Open(caller(run, d)).Unknown()
		}
		if r.Unknown == nil {
			blame(failure, nil)
			r.Answer = failed(failure)
		}
		return r
	}
	notes := newNotes(e.o.Clock, e.o.NoteEvery, func(log []contract.LogLine, progress *engine.Progress) {
		emit(engine.Note{Node: d.Node, Epoch: d.Epoch, Log: log, Progress: progress})
	})
	c := caller(run, d)
	if d.Inputs, c.Secrets, failure = e.disguise(run, d); failure != nil {
		r.Answer = failed(failure)
		return r
	}
	c.Callbacks = e.callbackURL(p, d.Reason) != ""
	session := e.o.Gateway.Open(c)
	s := &services{session: session, notes: notes, inputs: d.Inputs, declared: p.declared}
	out, err := e.call(ctx, run, d, p, s)
	r.Log = notes.end()
	switch r.Unknown = session.Unknown(); {
	case r.Unknown != nil:
	case err != nil:
		r.Answer = failed(e.failureOf(ctx, run, d, err))
	case d.Reason == contract.ReasonRollback:
		r.Answer = p.undone(out)
	default:
		e.conclude(&r, p, s, out)
	}
	blame(r.Answer.Failure, s.unhappy())
	e.keep(ctx, run, d, p, s, &r)
	return r
}

// conclude reads the answer of a call that was made.
func (e *Executor) conclude(r *engine.Result, p *prepared, s *services, out []byte) {
	var dropped bool
	r.Answer, dropped = p.answer(out, s.written())
	if dropped {
		r.Log = append(r.Log, contract.LogLine{
			At: e.o.Clock.Now().UTC(), Level: contract.LevelWarn,
			Text: "culm: the outputs of this failed call are not valid against the action's schema and were dropped",
		})
	}
}

// Pure implements runner.Executor: a plugin without grants has no way out. One that is not
// trusted is never pure: it runs in a process of its own, and a call that is not on record
// would hide which node harmed it.
func (e *Executor) Pure(run runner.RunInfo, d engine.Dispatch) bool {
	digest := run.Plugins[d.Plugin]
	return d.Reason == contract.ReasonExecute && e.o.Catalogue.Trusted(digest) && e.o.Catalogue.Ungranted(run.Project, d.Plugin, digest)
}

// Cancel implements runner.Executor.
func (e *Executor) Cancel(ctx context.Context, run runner.RunInfo, d engine.Dispatch) {
	p, failure := e.prepare(run, d)
	if failure != nil || !p.action.Cancel || d.Reason == contract.ReasonRollback {
		return // what cancel ends has ended when its rollback is called
	}
	ctx, stop := context.WithTimeout(ctx, cancelMax)
	defer stop()
	d.Reason = contract.ReasonCancel
	c := caller(run, d)
	if d.Inputs, c.Secrets, failure = e.disguise(run, d); failure != nil {
		return // it never ran
	}
	notes := newNotes(e.o.Clock, e.o.NoteEvery, func([]contract.LogLine, *engine.Progress) {})
	s := &services{session: e.o.Gateway.Open(c), notes: notes, inputs: d.Inputs, declared: p.declared}
	_, err := e.call(ctx, run, d, p, s)
	log := notes.end()
	e.keepCancel(ctx, run, d, p, s, err)
	if err != nil {
		// The node is over whatever this call does: nobody waits for its failure.
		e.o.Logger.WarnContext(ctx, "cancel failed", "run_id", run.ID, "node_id", d.Node, "plugin", d.Plugin,
			"attempt", d.Attempt, "lines", len(log), "error", err)
	}
}

// call encodes the request and makes the call.
func (e *Executor) call(ctx context.Context, run runner.RunInfo, d engine.Dispatch, p *prepared, s *services) ([]byte, error) {
	if p.action.Foreign != nil {
		return e.callForeign(ctx, run, d, p, s)
	}
	input, err := json.Marshal(contract.Request{
		ABI: contract.ABI, Action: d.Action, Reason: d.Reason, Inputs: d.Inputs,
		State: d.PluginState, Callback: d.Callback, Outputs: d.Outputs, Polls: d.Polls,
		Context: contract.Context{
			Project: run.Project, Run: run.ID, Node: d.Node, Iteration: d.Iteration, Attempt: d.Attempt,
			Operator: run.Operator, Zone: run.Zone, CallbackURL: e.callbackURL(p, d.Reason),
		},
	})
	if err != nil {
		return nil, err
	}
	return e.module(ctx, ModuleCall{
		Project: run.Project, Plugin: d.Plugin, Digest: run.Plugins[d.Plugin], Export: export(d.Reason), Input: input,
		Limits: contract.Limits{TimeoutMS: p.action.TimeoutMS},
	}, s)
}

// callbackURL is where a program calls back to an action that waits for one. The gateway
// puts the token in.
func (e *Executor) callbackURL(p *prepared, why contract.Reason) string {
	if e.o.CallbackURL == "" || why == contract.ReasonRollback || why == contract.ReasonCancel || !slices.Contains(p.action.Waits, contract.WaitCallback) {
		return ""
	}
	return e.o.CallbackURL + contract.CallbackToken
}

// prepare finds the action of a dispatch in the module that the run pinned.
func (e *Executor) prepare(run runner.RunInfo, d engine.Dispatch) (*prepared, *contract.Failure) {
	key := actionKey{run.Plugins[d.Plugin], d.Action}
	if f := e.o.Catalogue.Refusal(key.digest); f != nil {
		return nil, f
	}
	if len(d.Secrets) > 0 && e.o.SecretsTo != nil && !e.o.SecretsTo(key.digest) {
		return nil, &contract.Failure{
			Code: plugins.CodeSignaturePolicy, Origin: contract.OriginHost,
			Message: "plugin " + d.Plugin + " is handed no secrets: no trusted key signed it, and secrets.approved does not name " + key.digest,
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if p, ok := e.actions[key]; ok {
		return p, nil
	}
	m, ok := e.o.Catalogue.Module(key.digest)
	if !ok || m.Plugin != d.Plugin {
		return nil, &contract.Failure{
			Code: CodePluginMissing, Origin: contract.OriginHost, Retryable: true,
			Message: "the module of plugin " + d.Plugin + " that this run pinned is not installed",
		}
	}
	p, err := prepareAction(m, d.Action)
	if err != nil {
		return nil, &contract.Failure{Code: CodePluginMissing, Origin: contract.OriginPlugin, Message: err.Error()}
	}
	e.actions[key] = p
	return p, nil
}

func prepareAction(m plugins.Module, id string) (*prepared, error) {
	a, ok := m.Manifest.Action(id)
	if !ok {
		return nil, errors.New("plugin " + m.Plugin + " has no action " + id)
	}
	in, err := forms.Parse(a.Inputs)
	if err != nil {
		return nil, err
	}
	out, err := forms.Parse(a.Outputs)
	if err != nil {
		return nil, err
	}
	return &prepared{action: *a, inputs: in, outputs: out, declared: out.Properties()}, nil
}

// failureOf says whose fault an error of the module host is.
func (e *Executor) failureOf(ctx context.Context, run runner.RunInfo, d engine.Dispatch, err error) *contract.Failure {
	var f *contract.Failure
	if errors.As(err, &f) {
		own := *f
		return &own
	}
	e.o.Logger.ErrorContext(ctx, "plugin call failed", "run_id", run.ID, "node_id", d.Node, "plugin", d.Plugin,
		"attempt", d.Attempt, "error", err)
	return &contract.Failure{
		Code: CodeHostFault, Origin: contract.OriginHost, Retryable: true, Message: "the plugin could not be called",
	}
}

func caller(run runner.RunInfo, d engine.Dispatch) gateway.Caller {
	return gateway.Caller{
		Project: run.Project, Run: run.ID, Flow: run.Flow, Node: d.Node, Iteration: d.Iteration, Attempt: d.Attempt,
		Call: d.Call, Reason: d.Reason, Operator: run.Operator, Plugin: d.Plugin, Digest: run.Plugins[d.Plugin],
		Recovered: d.Recovered, Auto: d.Auto, Ahead: run.Ahead,
	}
}

// export is the function of a module that takes calls for a reason.
func export(r contract.Reason) string {
	switch r {
	case contract.ReasonPoll, contract.ReasonTimer, contract.ReasonCallback:
		return contract.ExportResume
	case contract.ReasonCancel:
		return contract.ExportCancel
	case contract.ReasonRollback:
		return contract.ExportRollback
	case contract.ReasonOptions:
		return contract.ExportOptions
	case contract.ReasonExecute:
		return contract.ExportExecute
	}
	return contract.ExportExecute
}
