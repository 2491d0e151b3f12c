package runs

import (
	"context"
	"errors"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/foreign"
	"github.com/culmhq/culm/pdk/contract"
)

// callForeign calls an action of a module that does not know the contract, and returns
// what one that does would have written.
func (e *Executor) callForeign(ctx context.Context, run runner.RunInfo, d engine.Dispatch, p *prepared, s *services) ([]byte, error) {
	f := p.action.Foreign
	if d.Reason != contract.ReasonExecute {
		return nil, badAnswer("a foreign module has nothing but execute")
	}
	input, err := foreign.Input(f, d.Inputs)
	if err != nil {
		return nil, badInput(err)
	}
	config, err := foreign.Config(f, d.Inputs)
	if err != nil {
		return nil, badInput(err)
	}
	out, err := e.module(ctx, ModuleCall{
		Project: run.Project, Plugin: d.Plugin, Digest: run.Plugins[d.Plugin], Export: f.Export, Input: input, Config: config,
		Limits: contract.Limits{TimeoutMS: p.action.TimeoutMS},
	}, s)
	if err != nil {
		return nil, err
	}
	answer, err := foreign.Answer(f, out)
	if err != nil {
		return nil, badAnswer(err.Error())
	}
	return answer, nil
}

func badInput(err error) *contract.Failure {
	message := err.Error()
	if e, ok := errors.AsType[*foreign.InputError](err); ok {
		message = "/inputs" + e.Field + ": " + e.Message
	}
	return &contract.Failure{Code: CodeInputInvalid, Origin: contract.OriginFlow, Message: short(message, failureMessageMax)}
}
