package wasm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/culmhq/culm/host/strict"
	"github.com/culmhq/culm/pdk/contract"
)

// Invoke makes one call of the contract: it encodes the request, calls the export
// that its reason names, and decodes the answer strictly. The answer is valid when
// the error is nil; a failed answer is no error. The error is an *Error: the
// request could not be served, the plugin broke, or its output is not an answer.
func (m *Module) Invoke(ctx context.Context, req contract.Request, s Services) (contract.Answer, Result, error) {
	if m.info.Manifest == nil {
		return contract.Answer{}, Result{}, failure(contract.OriginPlugin, CodeManifestInvalid, "the module has no manifest")
	}
	action, ok := m.info.Manifest.Action(req.Action)
	if !ok {
		return contract.Answer{}, Result{}, failure(contract.OriginFlow, CodeExportMissing,
			"plugin %s has no action %s", m.info.Manifest.ID, clean(req.Action, 64))
	}
	export, ok := exportOf(req.Reason)
	if !ok {
		return contract.Answer{}, Result{}, failure(contract.OriginHost, CodeHostFault, "unknown reason %q", clean(string(req.Reason), 40))
	}
	req.ABI = contract.ABI
	input, err := json.Marshal(req)
	if err != nil {
		return contract.Answer{}, Result{}, failure(contract.OriginFlow, CodeInputLimit, "the inputs cannot be encoded").because(err)
	}
	r, err := m.Call(ctx, Call{
		Export: export, Input: input, Services: s,
		Limits: contract.Limits{TimeoutMS: action.TimeoutMS},
	})
	if err != nil {
		return contract.Answer{}, r, err
	}
	a, err := DecodeAnswer(r.Output)
	if err != nil {
		return contract.Answer{}, r, failure(contract.OriginPlugin, CodeOutputInvalid,
			"the plugin's output is not an answer: %s", clean(err.Error(), 500)).because(err)
	}
	return a, r, nil
}

// exportOf returns the export that serves a reason.
func exportOf(r contract.Reason) (string, bool) {
	switch r {
	case contract.ReasonExecute:
		return contract.ExportExecute, true
	case contract.ReasonPoll, contract.ReasonTimer, contract.ReasonCallback:
		return contract.ExportResume, true
	case contract.ReasonCancel:
		return contract.ExportCancel, true
	case contract.ReasonRollback:
		return contract.ExportRollback, true
	case contract.ReasonOptions:
		return contract.ExportOptions, true
	}
	return "", false
}

// errAnswer is the sentinel of an answer that breaks the contract.
var errAnswer = errors.New("not an answer")

// failureCodeForm is the form of a failure's code.
var failureCodeForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// waitMax bounds how long a plugin may ask to wait.
const waitMax = 366 * 24 * time.Hour

// DecodeAnswer decodes the output of a call. It refuses what is not strict JSON,
// nested deeper than 64 levels, has unknown or repeated members, or whose parts do
// not belong together.
func DecodeAnswer(output []byte) (contract.Answer, error) {
	a, err := strict.Answer(output)
	if err != nil {
		return a, err
	}
	switch a.Status {
	case contract.StatusSucceeded:
		if a.Failure != nil || a.Wait != nil {
			return a, fmt.Errorf("%w: a succeeded answer has neither failure nor wait", errAnswer)
		}
	case contract.StatusFailed:
		if err := checkFailure(&a); err != nil {
			return a, err
		}
	case contract.StatusWaiting:
		if err := checkWait(&a); err != nil {
			return a, err
		}
	default:
		return a, fmt.Errorf("%w: status must be succeeded, failed or waiting", errAnswer)
	}
	if len(a.Outputs) > 0 && a.Outputs[0] != '{' && string(a.Outputs) != "null" {
		return a, fmt.Errorf("%w: outputs must be an object", errAnswer)
	}
	return a, nil
}

// checkFailure checks a failed answer and cleans its texts.
func checkFailure(a *contract.Answer) error {
	f := a.Failure
	if f == nil || a.Wait != nil {
		return fmt.Errorf("%w: a failed answer has a failure and no wait", errAnswer)
	}
	if !failureCodeForm.MatchString(f.Code) {
		return fmt.Errorf("%w: failure.code must be UPPER_SNAKE", errAnswer)
	}
	switch f.Origin {
	case "":
		f.Origin = contract.OriginPlugin
	case contract.OriginFlow, contract.OriginPlugin, contract.OriginLimit,
		contract.OriginGateway, contract.OriginSystem, contract.OriginHost:
	default:
		return fmt.Errorf("%w: failure.origin is unknown", errAnswer)
	}
	f.Message = clean(f.Message, errorBytesMax)
	return nil
}

// checkWait checks a waiting answer.
func checkWait(a *contract.Answer) error {
	w := a.Wait
	if w == nil || a.Failure != nil {
		return fmt.Errorf("%w: a waiting answer has a wait and no failure", errAnswer)
	}
	if !knownWait(w.Kind) {
		return fmt.Errorf("%w: wait.kind must be poll, timer, callback or human", errAnswer)
	}
	if w.AfterMS < 0 || w.AfterMS > int64(waitMax/time.Millisecond) {
		return fmt.Errorf("%w: wait.after_ms is out of range", errAnswer)
	}
	return nil
}
