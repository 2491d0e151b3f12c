package gateway

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// handles finds the handles in a request and puts the references that they stand for in
// their place. A handle that is not this call's, or stands where none may, refuses the
// call before anything is stored or sent.
func (c *call) handles() *contract.Failure {
	w := handleWalk{c: c}
	for name, raw := range c.req.Params {
		if secrets.HasHandle(name) {
			return refusedSecret("the name of a parameter", "no secret may stand there")
		}
		p := parameter(c.op, name)
		clean, f := w.param(name, p, raw)
		if f != nil {
			return f
		}
		if clean != nil {
			w.params(name, clean)
		}
	}
	if mayHoldHandle(c.req.Body) {
		if f := w.body(); f != nil {
			return f
		}
	}
	return nil
}

// mayHoldHandle is quick: what it says no to holds no handle.
func mayHoldHandle(raw []byte) bool {
	return bytes.Contains(raw, []byte(secrets.HandlePrefix)) || bytes.IndexByte(raw, '\\') >= 0
}

func parameter(op *systems.CompiledOperation, name string) *systems.Parameter {
	for i := range op.Parameters {
		if op.Parameters[i].Name == name {
			return &op.Parameters[i]
		}
	}
	return nil
}

// handleWalk replaces handles in the request of a call, which it copies first: the
// caller's is not changed.
type handleWalk struct {
	c      *call
	copied bool
}

func (w *handleWalk) params(name string, value json.RawMessage) {
	if !w.copied {
		w.copied = true
		own := make(map[string]json.RawMessage, len(w.c.req.Params))
		for k, v := range w.c.req.Params {
			own[k] = v
		}
		w.c.req.Params = own
	}
	w.c.req.Params[name] = value
}

// param returns the parameter's value with a reference, or nil where it holds no handle.
func (w *handleWalk) param(name string, p *systems.Parameter, raw json.RawMessage) (json.RawMessage, *contract.Failure) {
	isComputed := p != nil && p.Compute != nil
	if !isComputed && !mayHoldHandle(raw) {
		return nil, nil
	}
	field := "the parameter " + clip(name)
	v, err := decodeJSON(raw)
	if err != nil {
		return nil, nil //nolint:nilerr // bind says so
	}
	text, isText := v.(string)
	switch {
	case isText && secrets.HasHandle(text):
	case anyHandle(v):
		return nil, refusedSecret(field, "a secret is passed as the whole value")
	case isComputed && v != nil:
		return nil, refusedSecret(field, "the operation computes with a secret here, and takes nothing else")
	default:
		return nil, nil
	}
	ref, f := w.c.reference(field, text, p != nil && p.Secret)
	if f != nil {
		return nil, f
	}
	if w.c.held.params == nil {
		w.c.held.params = map[string]string{}
	}
	w.c.held.params[name] = ref
	return marshalText(ref), nil
}

// body replaces the handles in the body.
func (w *handleWalk) body() *contract.Failure {
	v, err := decodeJSON(w.c.req.Body)
	if err != nil || !anyHandle(v) {
		return nil //nolint:nilerr // bind says what is wrong
	}
	v, f := w.place(v, "")
	if f != nil {
		return f
	}
	b, err := encodeJSON(v)
	if err != nil {
		return fault(contract.OriginFlow, CodeParamInvalid, "the body is not one JSON value")
	}
	w.c.req.Body = b
	return nil
}

func (w *handleWalk) place(v any, at string) (any, *contract.Failure) {
	var f *contract.Failure
	switch x := v.(type) {
	case string:
		if !secrets.HasHandle(x) {
			return x, nil
		}
		ref, f := w.c.reference("the body at "+clip(at), x, w.c.op.BodySecret(at))
		if f != nil {
			return nil, f
		}
		w.c.held.body = append(w.c.held.body, heldPlace{at, ref})
		return ref, nil
	case []any:
		for i := range x {
			if x[i], f = w.place(x[i], at+"/"+strconv.Itoa(i)); f != nil {
				return nil, f
			}
		}
	case map[string]any:
		for name := range x {
			if secrets.HasHandle(name) {
				return nil, refusedSecret("a name in the body", "no secret may stand there")
			}
			if x[name], f = w.place(x[name], at+"/"+pointerPart(name)); f != nil {
				return nil, f
			}
		}
	}
	return v, nil
}

// reference returns what a handle stands for, when the call may send it here.
func (c *call) reference(field, handle string, marked bool) (string, *contract.Failure) {
	i := slices.IndexFunc(c.caller.Secrets, func(h SecretHandle) bool { return h.Handle == handle })
	switch {
	case i < 0 && len(handle) != len(secrets.HandlePrefix)+base64.RawURLEncoding.EncodedLen(sha256.Size):
		return "", refusedSecret(field, "a secret is passed as the whole value")
	case i < 0:
		return "", refusedSecret(field, "the handle belongs to another attempt")
	case !marked:
		return "", refusedSecret(field, "the operation does not declare that a secret may stand there")
	}
	use := SecretUse{System: c.system.System.ID, Operation: c.op.ID}
	if !slices.Contains(c.caller.Secrets[i].Uses, use) {
		return "", refusedSecret(field, fmt.Sprintf("the secret may not be sent to %s/%s: its variable does not name the operation", use.System, use.Operation))
	}
	return c.caller.Secrets[i].Ref, nil
}

func refusedSecret(field, why string) *contract.Failure {
	return fault(contract.OriginGateway, CodeSecretRefused, secrets.HideHandles(field)+": "+why)
}

func anyHandle(v any) bool {
	switch x := v.(type) {
	case string:
		return secrets.HasHandle(x)
	case []any:
		return slices.ContainsFunc(x, anyHandle)
	case map[string]any:
		for name, item := range x {
			if secrets.HasHandle(name) || anyHandle(item) {
				return true
			}
		}
	}
	return false
}

// held are the places of a request that references hold free for secrets.
type held struct {
	params map[string]string // reference by name
	body   []heldPlace
}

type heldPlace struct{ pointer, ref string }

// param reports whether the value of a parameter is yet to come.
func (h *held) param(name string) bool { return h.params[name] != "" }

// reveal puts the secrets into the request, as the last thing before the wire, and takes
// them, in every usual encoding, out of what comes back: also those that the run was
// handed elsewhere, since a system may tell of what it was sent before.
func reveal(store Secrets, log *slog.Logger, next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		values, err := ofRun(ctx, store, c.caller)
		if err != nil {
			return failed(unavailable(ctx, log, "the secrets of the run cannot be read", err))
		}
		if len(c.caller.Secrets) == 0 && len(values) == 0 {
			return next(ctx, c)
		}
		known := map[string]string{}
		for _, h := range c.caller.Secrets {
			s, err := store.Resolve(ctx, c.caller.Project, h.Ref)
			switch {
			case errors.Is(err, secrets.ErrNotFound):
				continue // it is missed below, where it is sent
			case err != nil:
				return failed(unavailable(ctx, log, "a secret cannot be read", err))
			}
			known[h.Ref] = s.Reveal()
			values = append(values, s.Reveal())
		}
		made, f := c.fill(known)
		if f != nil {
			return failed(f)
		}
		res, echoed := scrub(secrets.NewScrubber().With(append(values, made...)...), next(ctx, c))
		c.wire, c.echoed = nil, c.echoed || echoed
		return res
	}
}

// ofRun returns the values of the run's secrets; a call that is of no run has none.
func ofRun(ctx context.Context, store Secrets, c Caller) ([]string, error) {
	if c.Run == "" {
		return nil, nil
	}
	all, err := store.OfRun(ctx, c.Project, c.Run)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	values := make([]string, len(all))
	for i, s := range all {
		values[i] = s.Reveal()
	}
	return values, nil
}

// fill makes the request with the secrets in it. It returns what was computed with
// them.
func (c *call) fill(known map[string]string) (made []string, f *contract.Failure) {
	if len(c.held.params) == 0 && len(c.held.body) == 0 {
		return nil, nil
	}
	req := contract.GatewayRequest{System: c.req.System, Operation: c.req.Operation, Params: map[string]json.RawMessage{}, Body: c.req.Body}
	for name, raw := range c.req.Params {
		req.Params[name] = raw
	}
	missing := func(ref string) bool { _, ok := known[ref]; return !ok }
	for _, p := range c.held.body {
		if missing(p.ref) {
			return nil, missingSecret()
		}
	}
	body, err := c.fillBody(known)
	if err != nil {
		return nil, fault(contract.OriginFlow, CodeParamInvalid, "the body is not one JSON value")
	}
	req.Body = body
	computed := held{params: map[string]string{}}
	for name, ref := range c.held.params {
		if missing(ref) {
			return nil, missingSecret()
		}
		value := known[ref]
		if p := parameter(c.op, name); p.Compute != nil {
			if value, err = compute(c.op, p.Compute, req, value); err != nil {
				return nil, paramFailure(contract.OriginFlow, err)
			}
			computed.params[name] = ref
			made = append(made, value)
		}
		req.Params[name] = marshalText(value)
	}
	r, err := bind(c.system, c.op, req, &computed)
	if err != nil {
		return nil, bindFailure(err)
	}
	c.wire = r
	return made, nil
}

func (c *call) fillBody(known map[string]string) (json.RawMessage, error) {
	if len(c.held.body) == 0 {
		return c.req.Body, nil
	}
	v, err := decodeJSON(c.req.Body)
	if err != nil {
		return nil, err
	}
	places := map[string]string{}
	for _, p := range c.held.body {
		places[p.pointer] = known[p.ref]
	}
	return encodeJSON(filled(v, "", places))
}

func filled(v any, at string, places map[string]string) any {
	switch x := v.(type) {
	case string:
		if value, ok := places[at]; ok {
			return value
		}
	case []any:
		for i := range x {
			x[i] = filled(x[i], at+"/"+strconv.Itoa(i), places)
		}
	case map[string]any:
		for name := range x {
			x[name] = filled(x[name], at+"/"+pointerPart(name), places)
		}
	}
	return v
}

// compute does what an operation declares with a secret. The text is a parameter that
// was checked, or the body as it is sent.
func compute(op *systems.CompiledOperation, how *systems.Compute, req contract.GatewayRequest, secret string) (string, error) {
	text := ""
	if how.Of == systems.OfBody {
		b, err := body(op, req.Body, false)
		if err != nil {
			return "", err
		}
		text = string(b)
	} else if raw, ok := req.Params[how.Of]; ok {
		vs, err := wire(raw)
		if err != nil || len(vs) != 1 {
			return "", badParam(paramSpot(how.Of), ParamOne, "must be one value")
		}
		text = vs[0]
	}
	switch how.Function {
	case systems.BasicAuth:
		if strings.Contains(text, ":") {
			return "", badParam(paramSpot(how.Of), ParamColon, "is a user name, and holds a colon")
		}
		return how.Prefix + "Basic " + base64.StdEncoding.EncodeToString([]byte(text+":"+secret)), nil
	case systems.HMACSHA256Hex:
		return how.Prefix + hex.EncodeToString(hmacOf(secret, text)), nil
	case systems.HMACSHA256Base64:
		return how.Prefix + base64.StdEncoding.EncodeToString(hmacOf(secret, text)), nil
	}
	return "", badParam(spot{text: "the operation"}, ParamCompute, "computes in a way that this program does not know")
}

func hmacOf(secret, text string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(text))
	return h.Sum(nil)
}

func missingSecret() *contract.Failure {
	return fault(contract.OriginGateway, CodeSecretMissing, "the secret is not there any more: it was deleted, or its run has ended")
}

func decodeJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

func encodeJSON(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// marshalText writes a text as JSON.
func marshalText(s string) json.RawMessage {
	b, _ := encodeJSON(s) // a text always encodes
	return b
}

// pointerPart makes a name part of a JSON Pointer (RFC 6901).
func pointerPart(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }
