package wasm

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/strict"
	"github.com/culmhq/culm/host/wasm/wire"
	"github.com/culmhq/culm/pdk/contract"
)

// serve does what the guest asks for. An error means that the process is not to be
// trusted any more.
func (v *workerCall) serve(ctx context.Context, f wire.Frame) error {
	d := wire.NewDecoder(f.Body)
	switch f.Kind { //nolint:exhaustive // the others do not reach a call
	case wire.Gateway:
		return v.gateway(ctx, f.Body)
	case wire.Eval:
		return v.eval(ctx, f.Body)
	case wire.Var:
		return v.getVar(d)
	case wire.SetVar:
		return v.setVar(d)
	case wire.Sleep:
		return v.sleep(ctx, d)
	case wire.Log:
		return v.log(d)
	case wire.Progress:
		return v.progress(d)
	case wire.Taped:
		if v.taking += int64(len(f.Body)); v.taking <= v.recordMax {
			return v.taped(d)
		}
	case wire.Recording:
		if v.record == nil {
			v.record = f.Body
		} else {
			v.record = append(v.record, f.Body...)
		}
		if int64(len(v.record)) <= v.recordMax {
			return nil
		}
	}
	return fmt.Errorf("%w: a frame of kind %d", errProtocol, f.Kind)
}

// over counts one more use and reports when there are too many: the process should have
// ended the call itself.
func over(n *int, limit int, what string) error {
	if *n++; *n > limit {
		return fmt.Errorf("%w: more than %d calls of %s", errProtocol, limit, what)
	}
	return nil
}

func (v *workerCall) gateway(ctx context.Context, raw []byte) error {
	if err := over(&v.counts.gateway, v.limits.HostCalls, "the gateway"); err != nil {
		return err
	}
	var req contract.GatewayRequest
	if int64(len(raw)) > v.limits.RequestBytes+frameSlack || strict.Decode(raw, &req) != nil ||
		req.HTTP == nil && (req.System == "" || req.Operation == "") {
		return fmt.Errorf("%w: a gateway request that makes no sense", errProtocol)
	}
	v.exchanged(replay.Event{Kind: replay.KindGateway, Ask: raw}, func(e *replay.Event) {
		v.outside(ctx, func() []byte {
			var resp contract.GatewayResponse
			v.guard(ctx, "the gateway", func() { resp = v.services.Gateway(ctx, req) })
			if v.fault != nil {
				resp = contract.GatewayResponse{Failure: &v.fault.Failure}
				v.fault = nil // as in this process: the guest gets it as an answer
			}
			v.denied = resp.Failure
			e.Answer = encoded(resp)
			return e.Answer
		})
	})
	return nil
}

func (v *workerCall) eval(ctx context.Context, raw []byte) error {
	if err := over(&v.counts.evals, v.limits.SmallCalls, "eval"); err != nil {
		return err
	}
	var req contract.EvalRequest
	if int64(len(raw)) > v.limits.RequestBytes+frameSlack || strict.Decode(raw, &req) != nil {
		return fmt.Errorf("%w: a request of eval that makes no sense", errProtocol)
	}
	v.exchanged(replay.Event{Kind: replay.KindEval, Ask: raw}, func(e *replay.Event) {
		v.outside(ctx, func() []byte {
			e.Answer = encoded(v.evaluate(ctx, req))
			return e.Answer
		})
	})
	return nil
}

// evaluate asks the services, which may have no expressions.
func (v *workerCall) evaluate(ctx context.Context, req contract.EvalRequest) (resp contract.EvalResponse) {
	s, ok := v.services.(Evaluator)
	if !ok {
		return evalRefused(CodeEvalAbsent, contract.OriginHost, "there are no expressions here")
	}
	v.guard(ctx, "an evaluation", func() { resp = s.Eval(ctx, req) })
	if v.fault != nil {
		resp = contract.EvalResponse{Failure: &v.fault.Failure}
		v.fault = nil
	}
	return resp
}

// encoded encodes an answer of the contract, or says that it cannot be.
func encoded(answer any) []byte {
	b, err := json.Marshal(answer)
	if err != nil {
		e := hostFault("encoding an answer", err)
		b, _ = json.Marshal(contract.GatewayResponse{Failure: &e.Failure}) // plain texts
	}
	return b
}

// guard runs f of the services, whose defects do not take the process down.
func (v *workerCall) guard(ctx context.Context, what string, f func()) {
	defer func() {
		if r := recover(); r != nil {
			v.w.ws.host.logger.ErrorContext(ctx, "the services of a plugin call panicked",
				slog.String("what", what), slog.Any("panic", r))
			v.fault = hostFault(what, nil)
		}
	}()
	f()
}

func (v *workerCall) getVar(d *wire.Decoder) error {
	name := d.Text()
	if err := d.End(); err != nil {
		return err
	}
	if err := over(&v.counts.vars, v.limits.SmallCalls, "var_get and var_set"); err != nil {
		return err
	}
	name = clean(name, varNameMax)
	found, value := int64(0), json.RawMessage(nil)
	v.exchanged(replay.Event{Kind: replay.KindVarGet, Name: name}, func(e *replay.Event) {
		v.guarded("var_get", func() {
			if b, ok := v.services.Var(name); ok {
				found, value = 1, b
			}
		})
		e.Answer, e.Absent = replay.Data(value), found == 0
	})
	v.answer(new(wire.Encoder).Int(found).Bytes(value).Body())
	return nil
}

func (v *workerCall) setVar(d *wire.Decoder) error {
	name, value := d.Text(), d.Bytes()
	if err := d.End(); err != nil {
		return err
	}
	if err := over(&v.counts.vars, v.limits.SmallCalls, "var_get and var_set"); err != nil {
		return err
	}
	if int64(len(value)) > v.limits.VarBytes || strict.Check(value) != nil {
		return fmt.Errorf("%w: a variable that makes no sense", errProtocol)
	}
	name = clean(name, varNameMax)
	var answer []byte
	v.exchanged(replay.Event{Kind: replay.KindVarSet, Name: name, Ask: value}, func(e *replay.Event) {
		var refusal error
		v.guarded("var_set", func() { refusal = v.services.SetVar(name, value) })
		if refusal != nil {
			answer = []byte(orElse(refusal.Error(), "refused"))
			e.Answer = replay.Data(orElse(clean(refusal.Error(), 300), "refused"))
		}
	})
	v.answer(answer)
	return nil
}

// guarded runs f of the services, which returns soon. A defect there ends the call.
func (v *workerCall) guarded(what string, f func()) {
	ctx := context.Background()
	was := v.fault
	v.guard(ctx, what, f)
	if was == nil && v.fault != nil {
		v.end(context.Canceled)
	}
}

// sleepsMax bounds the sleeps of a call: each costs the host a timer.
const sleepsMax = 100_000

func (v *workerCall) sleep(ctx context.Context, d *wire.Decoder) error {
	wait := time.Duration(d.Int())
	if err := d.End(); err != nil {
		return err
	}
	if err := over(&v.counts.sleeps, sleepsMax, "poll_oneoff"); err != nil {
		return err
	}
	v.outside(ctx, func() []byte {
		rest(ctx, max(wait, 0))
		return nil
	})
	return nil
}

func (v *workerCall) log(d *wire.Decoder) error {
	level, text := contract.Level(d.Text()), d.Text()
	if err := d.End(); err != nil {
		return err
	}
	text = clean(text, int(v.limits.LogLineBytes))
	// What is dropped over the limit ends with one more line that says so.
	if v.logBytes += int64(len(text)) + 1; v.logBytes > v.limits.LogBytes+v.limits.LogLineBytes {
		return fmt.Errorf("%w: more than %d bytes of log", errProtocol, v.limits.LogBytes)
	}
	switch level {
	case contract.LevelDebug, contract.LevelInfo, contract.LevelWarn, contract.LevelError:
	default:
		level = contract.LevelInfo
	}
	v.said(replay.Event{Kind: replay.KindLog, Name: string(level), Ask: replay.Data(text)})
	v.guarded("log", func() {
		v.services.Log(contract.LogLine{At: v.w.ws.host.now().UTC(), Level: level, Text: text})
	})
	return nil
}

func (v *workerCall) progress(d *wire.Decoder) error {
	percent, message := d.Int(), d.Text()
	if err := d.End(); err != nil {
		return err
	}
	if err := over(&v.counts.progress, v.limits.SmallCalls, "progress"); err != nil {
		return err
	}
	percent, message = min(max(percent, 0), 100), clean(message, progressBytesMax)
	v.said(replay.Event{Kind: replay.KindProgress, Number: percent, Ask: replay.Data(message)})
	v.guarded("progress", func() { v.services.Progress(int(percent), message) })
	return nil
}
