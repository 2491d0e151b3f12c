package pdktest

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
)

// CodeRefused is the code of a failure that the rule of a system found in an answer.
const CodeRefused = "UPSTREAM_REFUSED"

// Bench is a plugin on a scripted host. It belongs to one test.
type Bench struct {
	// Now is the time that the plugin sees; New sets an arbitrary one.
	Now time.Time
	// Context is sent with each request.
	Context contract.Context
	// Vars are the variables that the flow maps to the node. What a successful
	// call sets is written here.
	Vars map[string]json.RawMessage

	t       testing.TB
	plugin  *pdk.Plugin
	schemas *schemas
	replies map[contract.Need][]contract.GatewayResponse
	host    *host
	last    contract.Request
}

// New prepares a plugin. It makes the plugin's manifest, so it must run in the
// directory of the plugin's source, as go test does.
func New(t testing.TB, p *pdk.Plugin) *Bench {
	t.Helper()
	m, err := p.Manifest(".")
	if err != nil {
		t.Fatalf("the manifest: %v", err)
	}
	s, err := compile(m)
	if err != nil {
		t.Fatalf("the schemas: %v", err)
	}
	b := &Bench{
		Now:     time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC),
		Context: contract.Context{Project: "demo", Run: "run-1", Node: "node", Attempt: 1, Operator: "local", Zone: "UTC"},
		Vars:    map[string]json.RawMessage{},
		t:       t, plugin: p, schemas: s,
		replies: map[contract.Need][]contract.GatewayResponse{},
		host:    &host{},
	}
	t.Cleanup(b.checkReplies)
	return b
}

// Reply scripts the next answer of an operation; body is JSON, or any other text.
// Answers of one operation are given in the order in which they were scripted, and
// each must be asked for before the test ends.
func (b *Bench) Reply(system, operation string, status int, body string) {
	r := contract.GatewayResponse{Status: status}
	if json.Valid([]byte(body)) {
		r.Body = json.RawMessage(body)
	} else {
		r.Text = body
	}
	b.add(system, operation, r)
}

// Refuse scripts a failure as the next answer of an operation.
func (b *Bench) Refuse(system, operation string, f contract.Failure) {
	b.add(system, operation, contract.GatewayResponse{Failure: &f})
}

// ReplyRefused scripts an answer that the rule of its system does not take for a success, as
// the next answer of an operation: the plugin gets the failure and what was answered.
func (b *Bench) ReplyRefused(system, operation string, status int, body, why string) {
	b.Reply(system, operation, status, body)
	all := b.replies[contract.Need{System: system, Operation: operation}]
	all[len(all)-1].Failure = &contract.Failure{Code: CodeRefused, Message: why, Origin: contract.OriginSystem, HTTPStatus: status}
}

// Execute runs an action from its beginning. Inputs are anything that encodes to the
// object of inputs; a json.RawMessage is sent as it is. Calls and log start anew.
func (b *Bench) Execute(action string, inputs any) contract.Answer {
	b.t.Helper()
	b.host = &host{}
	b.last = contract.Request{Action: action, Inputs: b.encode(inputs)}
	return b.call(contract.ReasonExecute)
}

// Poll resumes the action after the time of the wait that it answered with.
func (b *Bench) Poll() contract.Answer {
	b.t.Helper()
	b.last.Polls++
	return b.call(contract.ReasonPoll)
}

// Fire resumes the action because its timer is due.
func (b *Bench) Fire() contract.Answer {
	b.t.Helper()
	return b.call(contract.ReasonTimer)
}

// CallBack resumes the action with data, for a callback or a person's answer.
func (b *Bench) CallBack(data any) contract.Answer {
	b.t.Helper()
	b.last.Callback = b.encode(data)
	return b.call(contract.ReasonCallback)
}

// Cancel cancels the action that was executed last.
func (b *Bench) Cancel() contract.Answer {
	b.t.Helper()
	return b.call(contract.ReasonCancel)
}

// Rollback rolls the action that was executed last back, given its outputs.
func (b *Bench) Rollback(outputs any) contract.Answer {
	b.t.Helper()
	b.last.Outputs = b.encode(outputs)
	return b.call(contract.ReasonRollback)
}

// Options asks for the choices of a form field, given the values of its siblings.
func (b *Bench) Options(action, field string, form any) contract.Answer {
	b.t.Helper()
	b.host = &host{}
	b.last = contract.Request{Action: action, Field: field, Form: b.encode(form)}
	return b.call(contract.ReasonOptions)
}

// Calls returns the gateway calls that were made since the last Execute.
func (b *Bench) Calls() []contract.GatewayRequest { return slices.Clone(b.host.calls) }

// Lines returns what was logged since the last Execute.
func (b *Bench) Lines() []contract.LogLine { return slices.Clone(b.host.lines) }

// Percent returns the last progress, and its message.
func (b *Bench) Percent() (percent int, message string) { return b.host.percent, b.host.message }

func (b *Bench) call(reason contract.Reason) contract.Answer {
	b.t.Helper()
	req := b.last
	req.ABI, req.Reason, req.Context = contract.ABI, reason, b.Context
	export := map[contract.Reason]string{
		contract.ReasonExecute: contract.ExportExecute, contract.ReasonCancel: contract.ExportCancel,
		contract.ReasonRollback: contract.ExportRollback, contract.ReasonOptions: contract.ExportOptions,
	}[reason]
	if export == "" {
		export = contract.ExportResume
	}
	b.host.bench, b.host.written = b, map[string]json.RawMessage{}
	raw, err := b.plugin.Handle(b.host, export, b.encode(req))
	if err != nil {
		b.t.Fatalf("%s of %s: %v", reason, req.Action, err)
	}
	var ans contract.Answer
	if err := json.Unmarshal(raw, &ans); err != nil {
		b.t.Fatalf("the answer: %v", err)
	}
	if ans.Status == contract.StatusSucceeded {
		maps.Copy(b.Vars, b.host.written)
		if export == contract.ExportExecute || export == contract.ExportResume {
			b.checkAccepted(req, ans)
		}
	}
	b.last.State = ans.State
	return ans
}

// checkAccepted holds what a host would not have let through.
func (b *Bench) checkAccepted(req contract.Request, ans contract.Answer) {
	b.t.Helper()
	if err := b.schemas.inputs(req.Action, req.Inputs); err != nil {
		b.t.Errorf("the action accepted inputs that its schema refuses: %v", err)
	}
	if err := b.schemas.outputs(req.Action, ans.Outputs); err != nil {
		b.t.Errorf("the outputs do not fit their schema: %v", err)
	}
}

// Validate checks inputs against the action's schema, as the host does before a call.
func (b *Bench) Validate(action string, inputs any) error {
	b.t.Helper()
	return b.schemas.inputs(action, b.encode(inputs))
}

func (b *Bench) encode(v any) json.RawMessage {
	b.t.Helper()
	if v == nil {
		return nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		b.t.Fatalf("encode %T: %v", v, err)
	}
	return raw
}

func (b *Bench) add(system, operation string, r contract.GatewayResponse) {
	n := contract.Need{System: system, Operation: operation}
	b.replies[n] = append(b.replies[n], r)
}

func (b *Bench) checkReplies() {
	for n, left := range b.replies {
		if len(left) > 0 {
			b.t.Errorf("%d answers of %s %s were never asked for", len(left), n.System, n.Operation)
		}
	}
}
