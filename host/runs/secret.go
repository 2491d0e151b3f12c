package runs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

// A secret has three forms. The value is in the vault, and for the time of a call in the
// gateway. The reference is in the records, and wherever else a run is described. The
// handle is what a plugin gets; it is valid in one attempt.

// checkSecret checks a value that is given for a secret variable, and shows nothing of
// it.
func checkSecret(field string, value json.RawMessage) error {
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return fault.Coded(field, secrets.CodeText, "a secret is a text")
	}
	return refusedValue(field, secrets.Check(text))
}

// refusedValue names the field of a value that is no secret.
func refusedValue(field string, err error) error {
	if bad, ok := errors.AsType[*secrets.InputError](err); ok {
		return fault.Coded(field, bad.Code, bad.Message)
	}
	return err
}

// secretValues is where values of secrets come from.
type secretValues struct {
	Project, Run string
	// Scope is the path of the subflow node whose variables they are; At is where they
	// are in the request.
	Scope, At string
}

// keep puts the values of secret variables into the vault and returns all values with
// references in the place of those. The given map is not changed.
func (s *Service) keep(ctx context.Context, from secretValues, f *engine.Flow, values map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	variables := engine.SecretVariables(f)
	out := maps.Clone(values)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if variables[name] == nil {
			continue
		}
		var text string
		if err := json.Unmarshal(values[name], &text); err != nil {
			return nil, fault.Coded(from.At+pointerPart(name), secrets.CodeText, "a secret is a text")
		}
		kept := name
		if from.Scope != "" {
			kept = from.Scope + "." + name
		}
		ref, err := s.o.Vault.PutRun(ctx, from.Project, from.Run, kept, secrets.NewSecret(text))
		if _, bad := errors.AsType[*secrets.InputError](err); bad {
			return nil, refusedValue(from.At+pointerPart(name), err)
		}
		if err != nil {
			return nil, fault.Wrap("keep a secret", err)
		}
		b, err := json.Marshal(ref)
		if err != nil {
			return nil, fault.Wrap("keep a secret", err)
		}
		out[name] = b
	}
	return out, nil
}

// keepInputs keeps the secrets among the inputs of a start before there is a run: a
// record must never hold one. What release is told says whether they are needed: not
// when nothing was started, or the request had started a run before.
func (s *Service) keepInputs(ctx context.Context, f *engine.Flow, q *runner.StartRequest) (release func(run string, err error), err error) {
	given := engine.SecretVariables(f)
	maps.DeleteFunc(given, func(name string, _ *engine.Variable) bool { return q.Options.Inputs[name] == nil })
	if len(given) == 0 {
		return func(string, error) {}, nil
	}
	run := q.Options.Run
	drop := func() {
		if err := s.o.Vault.DropRun(context.WithoutCancel(ctx), run); err != nil {
			return // they are swept later: their run does not exist
		}
	}
	q.Options.Inputs, err = s.keep(ctx, secretValues{Project: q.Options.Project, Run: run, At: "/inputs/"}, f, q.Options.Inputs)
	if err != nil {
		drop()
		return nil, err
	}
	if q.Key != "" {
		q.Hash = s.o.Vault.Hash(q.Hash) // that of a body with a secret in it could be tried against
	}
	return func(started string, err error) {
		_, refused := errors.AsType[*engine.Error](err)
		if err == nil && started != run || refused || errors.Is(err, runner.ErrExists) {
			drop()
		}
	}, nil
}

// scrubbed takes the secrets of the run out of what an event brings in from outside: a
// system that was sent one may call back with it.
func (s *Service) scrubbed(ctx context.Context, h runner.RunHead, e engine.Event) (engine.Event, error) {
	c, ok := e.(engine.Callback)
	if !ok || len(c.Data) == 0 {
		return e, nil
	}
	var err error
	c.Data, err = s.Scrub(ctx, h.Project, h.ID, c.Data)
	return c, err
}

// disguise puts handles in the place of the references in the inputs of a call. Only
// where the core says that a reference stands by the drawing is one replaced: a text
// that looks like one stays what it is.
func (e *Executor) disguise(ctx context.Context, run runner.RunInfo, d engine.Dispatch) (json.RawMessage, []gateway.SecretHandle, *contract.Failure) {
	if len(d.Secrets) == 0 {
		return d.Inputs, nil, nil
	}
	v, err := decodeValue(d.Inputs)
	if err != nil {
		return nil, nil, &contract.Failure{Code: CodeHostFault, Origin: contract.OriginHost, Message: "the recorded inputs cannot be read"}
	}
	places := map[string][]engine.SecretUse{}
	for _, in := range d.Secrets {
		places[in.Pointer] = in.Uses
	}
	w := disguise{
		places: places, handles: e.o.Handles,
		attempt: secrets.Attempt{Project: run.Project, Run: run.ID, Node: d.Node, Iteration: d.Iteration, Attempt: d.Attempt},
	}
	v = w.value(v, "")
	for _, h := range w.made {
		// Before it is handed out: what comes back from then on is searched for it.
		if err := e.o.Handles.Use(ctx, run.Project, run.ID, h.Ref); err != nil {
			e.o.Logger.ErrorContext(ctx, "a secret cannot be handed out", "run_id", run.ID, "node_id", d.Node, "error", err)
			return nil, nil, &contract.Failure{Code: CodeHostFault, Origin: contract.OriginHost, Retryable: true, Message: "a secret cannot be handed out: the store failed"}
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, nil, &contract.Failure{Code: CodeHostFault, Origin: contract.OriginHost, Message: "the inputs cannot be written"}
	}
	return bytes.TrimRight(b.Bytes(), "\n"), w.made, nil
}

// disguise walks the inputs of a call.
type disguise struct {
	places  map[string][]engine.SecretUse
	handles Handles
	attempt secrets.Attempt
	made    []gateway.SecretHandle
}

func (w *disguise) value(v any, at string) any {
	switch x := v.(type) {
	case string:
		if uses, ok := w.places[at]; ok && expr.IsSecretRef(x) {
			return w.handle(x, uses)
		}
	case []any:
		for i := range x {
			x[i] = w.value(x[i], at+"/"+strconv.Itoa(i))
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(x)) {
			x[name] = w.value(x[name], at+"/"+pointerPart(name))
		}
	}
	return v
}

// handle returns the handle for a reference. One that comes by two variables may be sent
// where both allow it.
func (w *disguise) handle(ref string, uses []engine.SecretUse) string {
	handle := w.handles.Handle(w.attempt, ref)
	var allowed []gateway.SecretUse
	for _, u := range uses {
		allowed = append(allowed, gateway.SecretUse{System: u.System, Operation: u.Operation})
	}
	i := slices.IndexFunc(w.made, func(h gateway.SecretHandle) bool { return h.Handle == handle })
	if i < 0 {
		w.made = append(w.made, gateway.SecretHandle{Handle: handle, Ref: ref, Uses: allowed})
		return handle
	}
	w.made[i].Uses = slices.DeleteFunc(w.made[i].Uses, func(u gateway.SecretUse) bool { return !slices.Contains(allowed, u) })
	return handle
}

// withoutSecrets leaves out what is wrong with references as values: the schema is that
// of what they stand for.
func withoutSecrets(faults []forms.Fault, places []engine.SecretInput) []forms.Fault {
	if len(places) == 0 {
		return faults
	}
	return slices.DeleteFunc(faults, func(f forms.Fault) bool {
		return slices.ContainsFunc(places, func(p engine.SecretInput) bool {
			return p.Pointer == f.Field || strings.HasPrefix(f.Field, p.Pointer+"/")
		})
	})
}

func decodeValue(raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}
