package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// The limits of a request besides those of its system.
const (
	maxURLBytes     = 32 << 10
	maxSegmentBytes = 1 << 10
	maxHeaderBytes  = 8 << 10
)

// request is a request whose parameters were checked against their declarations and
// put in place. It holds no credential.
type request struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
	// unsent are the values that are only computed with, by name.
	unsent map[string]string
	// hash is that of the operation's name and of all of the above but the base URL: a
	// request stays the same when its system moves.
	hash string
}

// sizeError is a request beyond a limit.
type sizeError struct{ message string }

// Error gives the limit.
func (e *sizeError) Error() string { return e.message }

// bind makes the request of an operation. What is yet to come, a secret, is checked when
// the request is bound with it. The error is an *paramError or a *sizeError.
func bind(sys *systems.Compiled, op *systems.CompiledOperation, req contract.GatewayRequest, later *held) (*request, error) {
	values, err := texts(op, req.Params, later)
	if err != nil {
		return nil, err
	}
	u, err := expand(sys.Base, op.Segments, values)
	if err != nil {
		return nil, err
	}
	r := &request{method: op.Method, url: u}
	if err := r.place(values); err != nil {
		return nil, err
	}
	if addressBytes(u) > maxURLBytes {
		return nil, &sizeError{fmt.Sprintf("the address with its parameters is longer than %d bytes", maxURLBytes)}
	}
	if r.body, err = body(op, req.Body, len(later.body) == 0); err != nil {
		return nil, err
	}
	if limit := sys.Limits.RequestBytes; int64(len(r.body)) > limit {
		return nil, &sizeError{fmt.Sprintf("the body is larger than %d bytes", limit)}
	}
	r.hash = r.sum(sys, op.ID)
	return r, nil
}

// addressBytes is the length of an address of ours as a text; it has no user and no fragment.
func addressBytes(u *url.URL) int {
	return len(u.Scheme) + len("://") + len(u.Host) + len(u.EscapedPath()) + len("?") + len(u.RawQuery)
}

// value is a parameter that a call gives, with the texts that stand for it on the wire.
type value struct {
	param *systems.Parameter
	texts []string
}

// values are those of a call, in the order of their declarations. Most calls give a few: a
// search from the front finds one.
type values []value

// of returns the texts of a parameter, or nil.
func (vs values) of(name string) []string {
	for i := range vs {
		if vs[i].param.Name == name {
			return vs[i].texts
		}
	}
	return nil
}

// texts checks the parameters and returns their values as they are written on the
// wire. Only declared names are accepted; null counts as absent.
func texts(op *systems.CompiledOperation, params map[string]json.RawMessage, later *held) (values, error) {
	for name := range params {
		if _, ok := op.Parameter(name); !ok {
			return nil, badParam(spot{text: "the parameter", name: name, quoted: true}, ParamUndeclared, "is not declared by the operation")
		}
	}
	out, plain := make(values, 0, len(params)), make([]string, 0, len(params))
	for i := range op.Parameters {
		p := &op.Parameters[i]
		raw, ok := params[p.Name]
		if !ok || string(bytes.TrimSpace(raw)) == "null" {
			if p.Required {
				return nil, badParam(paramSpot(p.Name), ParamMissing, "is missing")
			}
			continue
		}
		schema, _ := op.Parameter(p.Name)
		if text, ok := plainText(raw); ok && schema.TakesText() {
			plain = append(plain, text)
			out = append(out, value{p, plain[len(plain)-1 : len(plain) : len(plain)]})
			continue
		}
		if !later.param(p.Name) {
			if err := schema.Check(raw); err != nil {
				return nil, badSchema(paramSpot(p.Name), err)
			}
		}
		vs, err := wire(raw)
		if err != nil {
			return nil, badParam(paramSpot(p.Name), ParamForm, "%v", err)
		}
		out = append(out, value{p, vs})
	}
	return out, nil
}

// wire turns a JSON value into the texts that stand for it.
func wire(raw json.RawMessage) ([]string, error) {
	if text, ok := plainText(raw); ok {
		return []string{text}, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("is not JSON")
	}
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	out := make([]string, len(list))
	for i, item := range list {
		switch x := item.(type) {
		case string:
			out[i] = x
		case json.Number:
			out[i] = x.String()
		case bool:
			out[i] = fmt.Sprint(x)
		default:
			return nil, fmt.Errorf("must be a text, a number, a boolean or a list of these")
		}
		if strings.ContainsRune(out[i], unicode.ReplacementChar) {
			return nil, fmt.Errorf("is not valid UTF-8")
		}
	}
	return out, nil
}

// plainText reads the JSON of a text that has no escapes and is all ASCII, which nearly every
// parameter is, without a decoder.
func plainText(raw json.RawMessage) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", false
	}
	inner := raw[1 : len(raw)-1]
	for _, c := range inner {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return "", false
		}
	}
	return string(inner), true
}

// place puts query and header parameters into the request.
func (r *request) place(given values) error {
	query := url.Values(nil) // most calls have none
	for _, v := range given {
		p, vs := v.param, v.texts
		switch {
		case p.In == systems.InPath:
		case p.In == systems.InCompute:
			if err := r.setAside(p.Name, vs); err != nil {
				return err
			}
		case p.In == systems.InQuery:
			if query == nil {
				query = url.Values{}
			}
			if err := ask(query, p, vs); err != nil {
				return err
			}
		case len(vs) != 1 || !headerText(vs[0]):
			return badParam(paramSpot(p.Name), ParamHeader, "must be one line of printable ASCII of at most %d bytes", maxHeaderBytes)
		default:
			if r.header == nil {
				r.header = http.Header{}
			}
			r.header.Set(p.WireName(), vs[0])
		}
	}
	if query != nil {
		r.url.RawQuery = query.Encode()
	}
	return nil
}

// ask puts a parameter into a query.
func ask(query url.Values, p *systems.Parameter, vs []string) error {
	name := p.WireName()
	if p.ArrayStyle != systems.ArrayComma {
		query[name] = append(query[name], vs...)
		return nil
	}
	if len(vs) > 1 && slices.ContainsFunc(vs, func(v string) bool { return strings.Contains(v, ",") }) {
		return badParam(paramSpot(p.Name), ParamComma, "has an item with a comma, which its style cannot carry")
	}
	query.Set(name, strings.Join(vs, ","))
	return nil
}

// setAside keeps a value that is not sent.
func (r *request) setAside(name string, vs []string) error {
	if len(vs) != 1 {
		return badParam(paramSpot(name), ParamOne, "must be one value")
	}
	if r.unsent == nil {
		r.unsent = map[string]string{}
	}
	r.unsent[name] = vs[0]
	return nil
}

func headerText(s string) bool {
	if len(s) > maxHeaderBytes || strings.TrimSpace(s) != s {
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}

// body checks the body and writes it anew, so that what is sent is what was checked:
// a repeated key could mean one thing to the schema and another to the system.
func body(op *systems.CompiledOperation, raw json.RawMessage, check bool) ([]byte, error) {
	schema, takes := op.Body()
	given := len(bytes.TrimSpace(raw)) > 0 && string(bytes.TrimSpace(raw)) != "null"
	switch {
	case !given && op.BodyRequired:
		return nil, badParam(bodySpot(), ParamMissing, "is missing")
	case !given:
		return nil, nil
	case !takes:
		return nil, badParam(bodySpot(), ParamUndeclared, "is not declared by the operation")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		return nil, badParam(bodySpot(), ParamJSON, "is not one JSON value")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, badParam(bodySpot(), ParamJSON, "is not one JSON value")
	}
	clean := bytes.TrimRight(b.Bytes(), "\n")
	if check {
		if err := schema.CheckValue(v); err != nil {
			return nil, badSchema(bodySpot(), err)
		}
	}
	return clean, nil
}

// sum hashes the request. Every part goes in with its length, so that no two
// different requests look alike.
func (r *request) sum(sys *systems.Compiled, operation string) string {
	part := func(to []byte, s string) []byte {
		return append(binary.BigEndian.AppendUint64(to, uint64(len(s))), s...)
	}
	var small [512]byte
	b := small[:0]
	path := strings.TrimPrefix(r.url.EscapedPath(), strings.TrimRight(sys.Base.EscapedPath(), "/"))
	for _, s := range [...]string{sys.System.ID, operation, r.method, path, r.url.RawQuery} {
		b = part(b, s)
	}
	for _, name := range sortedNames(r.header) {
		b = part(part(b, name), r.header.Get(name))
	}
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(b, uint64(len(r.body))))
	h.Write(r.body) // may be large: it is not copied
	b = b[:0]
	for _, name := range sortedNames(r.unsent) {
		b = part(part(b, name), r.unsent[name])
	}
	h.Write(b)
	var digest [sha256.Size]byte
	return string(hex.AppendEncode(append(b[:0], "sha256:"...), h.Sum(digest[:0])))
}

// sortedNames is free where there are none, as for most calls.
func sortedNames[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}
