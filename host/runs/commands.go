package runs

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/pdk/contract"
)

// reasonMax bounds the length of a reason in bytes.
const reasonMax = 4096

// Command applies an operator's command and returns the run's last sequence number
// once it is durable.
func (s *Service) Command(ctx context.Context, r CommandRequest) (uint64, error) {
	e, err := runEvent(r)
	if err != nil {
		return 0, err
	}
	if set, ok := e.(engine.SetVariables); ok {
		h, err := s.head(ctx, r.Project, r.Run)
		if err != nil {
			return 0, err
		}
		if e, err = s.checkValues(ctx, h, set); err != nil {
			return 0, err
		}
	}
	return s.apply(ctx, r.Project, r.Run, engine.Meta{Actor: r.Actor, CommandID: r.CommandID, ExpectedSeq: r.ExpectedSeq}, e)
}

func runEvent(r CommandRequest) (engine.Event, error) {
	if err := checkReason(r.Reason); err != nil {
		return nil, err
	}
	if err := unusedField(string(r.Command), []commandField{
		{"/reason", r.Reason != "", r.Command == CommandRevoke || r.Command == CommandFail},
		{"/scope", r.Scope != "", r.Command == CommandSetVariables},
		{"/values", r.Values != nil, r.Command == CommandSetVariables},
		{"/from", r.Rollback.From != "", r.Command == CommandRollback},
		{"/to", r.Rollback.To != "", r.Command == CommandRollback},
		{"/mode", r.Rollback.Mode != "", r.Command == CommandRollback},
	}); err != nil {
		return nil, err
	}
	switch r.Command {
	case CommandPause:
		return engine.Pause{}, nil
	case CommandResume:
		return engine.Resume{}, nil
	case CommandRevoke:
		return engine.Revoke{Reason: r.Reason}, nil
	case CommandFail:
		return engine.Fail{Reason: r.Reason}, nil
	case CommandSetVariables:
		if len(r.Values) == 0 {
			return nil, fault.At("/values", "name at least one variable").Because("VALUES_NONE")
		}
		return engine.SetVariables{Scope: r.Scope, Values: r.Values}, nil
	case CommandRollback:
		return r.Rollback, checkRollback(r.Rollback)
	default:
		return nil, fault.At("/command", "must be pause, resume, revoke, fail, set_variables or rollback").Because("CHOICE")
	}
}

// checkRollback checks what can be checked without the run.
func checkRollback(r engine.Rollback) error {
	switch {
	case r.From == "":
		return fault.At("/from", "say where the run stands").Because("ROLLBACK_FROM")
	case r.To == "":
		return fault.At("/to", "say where to go back to").Because("ROLLBACK_TO")
	case r.Mode != engine.RollbackAny && r.Mode != engine.RollbackCompensate:
		return fault.At("/mode", "must be any or compensate").Because("CHOICE")
	}
	return nil
}

// checkValues checks new values of variables against the schemas of the scope's flow.
// Which variables may be changed is the core's to say.
// Secrets among them are kept, and become references.
func (s *Service) checkValues(ctx context.Context, h runner.RunHead, set engine.SetVariables) (engine.SetVariables, error) {
	f, err := decodeFlow(h)
	if err != nil {
		return set, err
	}
	in := scopeAt(f, set.Scope)
	if in == nil {
		return set, fault.At("/scope", "no subflow %q runs inside the run", set.Scope).Because("NO_SCOPE")
	}
	if err := s.checkVariables(in, "/values/", set.Values, func(*engine.Variable) bool { return true }); err != nil {
		return set, err
	}
	set.Values, err = s.keep(ctx, secretValues{Project: h.Project, Run: h.ID, Scope: set.Scope, At: "/values/"}, in, set.Values)
	return set, err
}

// NodeCommand applies an operator's command to a node and returns the run's last
// sequence number once it is durable.
func (s *Service) NodeCommand(ctx context.Context, r NodeCommandRequest) (uint64, error) {
	e, err := nodeEvent(r)
	if err != nil {
		return 0, err
	}
	h, err := s.head(ctx, r.Project, r.Run)
	if err != nil {
		return 0, err
	}
	if err := s.checkData(ctx, h, r); err != nil {
		return 0, err
	}
	if e, err = s.scrubbed(ctx, h, e); err != nil {
		return 0, err
	}
	return s.apply(ctx, r.Project, r.Run, engine.Meta{Actor: r.Actor, CommandID: r.CommandID, ExpectedSeq: r.ExpectedSeq}, e)
}

// apply hands an event to the runner. A conflict comes with the run as it is.
func (s *Service) apply(ctx context.Context, project, run string, m engine.Meta, e engine.Event) (uint64, error) {
	seq, err := s.o.Runner.Command(ctx, project, run, m, e)
	if err = refusal("command run", run, err); err == nil {
		return seq, nil
	}
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.WrongState) {
		if v, viewErr := s.View(ctx, project, run); viewErr == nil {
			return 0, withCurrent(err, v)
		}
	}
	return 0, err
}

func nodeEvent(r NodeCommandRequest) (engine.Event, error) {
	if err := checkReason(r.Reason); err != nil {
		return nil, err
	}
	if err := checkUnused(r); err != nil {
		return nil, err
	}
	if err := checkNeeded(r); err != nil {
		return nil, err
	}
	switch r.Command {
	case NodePause:
		return engine.Pause{Node: r.Node}, nil
	case NodeResume:
		return engine.Resume{Node: r.Node}, nil
	case NodeRetry:
		return engine.Retry{Node: r.Node, Inputs: r.Inputs, Only: r.Only, Part: r.Part}, nil
	case NodeSkip:
		return engine.Skip{Node: r.Node, Edges: r.Edges, Part: r.Part}, nil
	case NodeForceFail:
		return engine.ForceFail{Node: r.Node, Reason: r.Reason}, nil
	case NodeReschedule:
		return engine.Reschedule{Node: r.Node, At: r.At}, nil
	case NodeResolve:
		return engine.Resolve{Node: r.Node, As: r.As, Outputs: r.Outputs}, nil
	case NodeCallback:
		return engine.Callback{Node: r.Node, Attempt: r.Attempt, Iteration: r.Iteration, Data: r.Data}, nil
	default:
		return nil, fault.At("/command", "must be pause, resume, retry, skip, force_fail, resolve, reschedule or callback").Because("CHOICE")
	}
}

// checkNeeded checks the fields that the command does use.
func checkNeeded(r NodeCommandRequest) error {
	switch {
	case r.Command == NodeResolve && !slices.Contains([]engine.Resolution{engine.ResolveDone, engine.ResolveRetry, engine.ResolveFail}, r.As):
		return fault.At("/as", "must be done, retry or fail").Because("CHOICE")
	case r.Part != engine.RepeatedAll && r.Part != engine.RepeatedIteration:
		return fault.At("/part", "must be iteration, or absent for the whole node").Because("CHOICE")
	case r.Command == NodeReschedule && r.At.IsZero():
		return fault.At("/at", "say when").Because("WHEN")
	case len(r.Data) > 0 && !json.Valid(r.Data):
		return fault.At("/data", "is not JSON").Because("NOT_JSON")
	case r.Attempt < 0 || r.Iteration < 0:
		return fault.At("/attempt", "attempts count from 1, iterations from 0").Because("ATTEMPT")
	}
	return nil
}

// commandField is a field of a command: whether it is there, and whether it may be.
type commandField struct {
	field      string
	there, may bool
}

func unusedField(command string, fields []commandField) error {
	for _, x := range fields {
		if x.there && !x.may {
			return unused(x.field, command)
		}
	}
	return nil
}

// checkUnused refuses fields that the command does not use.
func checkUnused(r NodeCommandRequest) error {
	retried, skipped, called := r.Command == NodeRetry, r.Command == NodeSkip, r.Command == NodeCallback
	err := unusedField(string(r.Command), []commandField{
		{"/inputs", r.Inputs != nil, retried},
		{"/only", r.Only, retried},
		{"/edges", r.Edges != nil, skipped},
		{"/part", r.Part != "", retried || skipped},
		{"/at", !r.At.IsZero(), r.Command == NodeReschedule},
		{"/reason", r.Reason != "", r.Command == NodeForceFail},
		{"/as", r.As != "", r.Command == NodeResolve},
		{"/outputs", len(r.Outputs) > 0, r.Command == NodeResolve},
		{"/data", len(r.Data) > 0, called},
		{"/attempt", r.Attempt != 0, called},
		{"/iteration", r.Iteration != 0, called},
	})
	if err == nil && len(r.Outputs) > 0 && r.As != engine.ResolveDone {
		err = fault.At("/outputs", "are given only to a node that is resolved as done").Because("OUTPUTS_ONLY_DONE")
	}
	return err
}

func unused(field, command string) error {
	return fault.At(field, "is not used by %s", command).Because("UNUSED")
}

func checkReason(reason string) error {
	if len(reason) > reasonMax {
		return fault.At("/reason", "is longer than %d bytes", reasonMax).Because("TOO_MANY_BYTES")
	}
	return nil
}

// checkData checks what comes with a command against the schemas that the run pinned:
// new inputs of a retry, outputs of a resolved node, the answer of a human.
func (s *Service) checkData(ctx context.Context, h runner.RunHead, r NodeCommandRequest) error {
	switch {
	case r.Command == NodeCallback:
		return s.checkAnswer(ctx, h, r)
	case len(r.Inputs) == 0 && len(r.Outputs) == 0:
		return nil
	}
	node, action, err := s.action(ctx, h, r.Node)
	if err != nil || node == nil {
		return err
	}
	if len(r.Inputs) > 0 {
		return s.checkOverrides(node, action, r)
	}
	form, err := s.forms.Form(action.Outputs)
	if err != nil {
		return fault.Wrap("read the schema of outputs", err)
	}
	return firstFault("/outputs", form.Check(r.Outputs))
}

// checkOverrides checks new inputs together with the drawn ones that stay.
func (s *Service) checkOverrides(node *engine.Node, action contract.Action, r NodeCommandRequest) error {
	inputs := make(map[string]json.RawMessage, len(node.Inputs)+len(r.Inputs))
	if !r.Only {
		maps.Copy(inputs, node.Inputs)
	}
	for name, v := range r.Inputs {
		if !json.Valid(v) {
			return fault.At("/inputs/"+pointerPart(name), "is not JSON").Because("NOT_JSON")
		}
		inputs[name] = v
	}
	b, err := json.Marshal(inputs)
	if err != nil {
		return fault.Wrap("encode inputs", err)
	}
	form, err := s.forms.Relaxed(action.Inputs, node.Literal...)
	if err != nil {
		return fault.Wrap("read the schema of inputs", err)
	}
	return firstFault("/inputs", form.Check(b))
}

// checkAnswer checks the answer to a wait against the schema that came with it.
func (s *Service) checkAnswer(ctx context.Context, h runner.RunHead, r NodeCommandRequest) error {
	v, err := s.o.Runner.View(ctx, h.ID)
	if err != nil {
		return refusal("read run", h.ID, err)
	}
	n := v.Nodes[r.Node]
	if n.State != engine.NodeWaiting {
		return s.checkEarly(ctx, h, r)
	}
	if n.Wait == nil || len(n.Wait.Schema) == 0 {
		return nil
	}
	form, err := s.forms.Form(n.Wait.Schema)
	if err != nil {
		return nil //nolint:nilerr // the plugin's schema is no schema: it takes any answer.
	}
	return firstFault("/data", form.Check(r.Data))
}

// checkEarly refuses the answer to a question that was not asked yet: what a human is
// asked, and which answers it has, is known only with the wait. A program's callback
// may come early, and the core keeps it.
func (s *Service) checkEarly(ctx context.Context, h runner.RunHead, r NodeCommandRequest) error {
	node, action, err := s.action(ctx, h, r.Node)
	if err != nil || node == nil || slices.Contains(action.Waits, contract.WaitCallback) {
		return err
	}
	e := fault.New(fault.WrongState, "the node does not wait for an answer").Because("NODE_NOT_WAITING")
	e.Node = r.Node
	return e
}

// action finds a task node of a run and the declaration of what it runs; a node that
// is none gives nil, which the core refuses in its own words.
func (s *Service) action(ctx context.Context, h runner.RunHead, path string) (*engine.Node, contract.Action, error) {
	none := contract.Action{}
	f, err := decodeFlow(h)
	if err != nil {
		return nil, none, err
	}
	rs, err := s.o.Runner.Records(ctx, h.ID, 0, 1)
	if err != nil {
		return nil, none, refusal("read records", h.ID, err)
	}
	if len(rs) == 0 {
		return nil, none, fault.New(fault.Internal, "run %s has no records", h.ID)
	}
	started, _ := rs[0].Data.(engine.RunStarted)
	n := nodeAt(f, path)
	if n == nil || n.Type != engine.TypeTask {
		return nil, none, nil
	}
	if a, ok := s.o.Catalogue.Pinned(started.Plugins).Action(n.Plugin, n.Action); ok {
		return n, a, nil
	}
	return nil, none, nil
}

// firstFault makes a fault.Invalid of what is wrong with a value.
func firstFault(at string, faults []forms.Fault) error {
	if len(faults) == 0 {
		return nil
	}
	return fault.At(at+faults[0].Field, "%s", faults[0].Message).Because(faults[0].Reason(), faults[0].Want)
}
