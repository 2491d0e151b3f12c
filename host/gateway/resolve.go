package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// ownHeaders are those that HTTP libraries set by themselves and that say nothing about
// what is asked for: the gateway writes its own.
const ownHeaders = " accept accept-charset accept-encoding accept-language connection content-length content-type host user-agent "

// resolve turns a request that a module made with Extism's http_request into the call
// of the operation that it is: the one that the plugin was granted, whose system has
// exactly this base URL, and whose path and method these are. What is found goes the
// way of any other call; nothing of the URL is used but the values of declared
// parameters. Who has no grant learns nothing about what is registered.
func resolve(dir Directory, grants Grants, log *slog.Logger, next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		if c.req.HTTP == nil {
			return next(ctx, c)
		}
		asked := c.req.HTTP
		c.req = contract.GatewayRequest{}
		u, err := url.Parse(asked.URL)
		if err != nil || dir == nil {
			return failed(notAnOperation(asked.Method, u))
		}
		all, err := dir.Systems(ctx, c.caller.Project)
		if err != nil {
			return failed(unavailable(ctx, log, "the systems cannot be read", err))
		}
		for _, m := range matches(all, asked.Method, u) {
			ok, err := grants.Granted(ctx, c.caller.Project, c.caller.Plugin, m.system, m.op.ID)
			switch {
			case err != nil:
				return failed(unavailable(ctx, log, "the grants cannot be read", err))
			case !ok:
				continue
			}
			c.req.System, c.req.Operation = m.system, m.op.ID
			if err := m.fill(&c.req, u, asked); err != nil {
				return failed(paramFailure(contract.OriginPlugin, err))
			}
			return next(ctx, c)
		}
		return failed(notAnOperation(asked.Method, u))
	}
}

// notAnOperation is the denial of a request that stands for nothing granted. The query
// is left out of the message: modules put keys there.
func notAnOperation(method string, u *url.URL) *contract.Failure {
	at := "an address that cannot be read"
	if u != nil {
		at = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	}
	return fault(contract.OriginGateway, CodeDenied, fmt.Sprintf(
		"the HTTP request %.16s %.300s is no operation that the plugin was granted in this project", strings.ToUpper(method), strings.ToValidUTF8(at, "\ufffd")))
}

// match is an operation that a request may be, with the values of its path.
type match struct {
	system   string
	op       *systems.CompiledOperation
	path     map[string]string
	literals int
}

// matches lists the operations that a request may be: those with more fixed segments
// first, then by name.
func matches(all []*systems.Compiled, method string, u *url.URL) []match {
	var out []match
	if u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return nil
	}
	for _, s := range all {
		if u.Scheme != s.Base.Scheme || !strings.EqualFold(u.Host, s.Base.Host) {
			continue
		}
		rest, ok := strings.CutPrefix(u.EscapedPath(), strings.TrimRight(s.Base.EscapedPath(), "/")+"/")
		if !ok {
			continue
		}
		parts := strings.Split(rest, "/")
		for i := range s.System.Operations {
			op, ok := s.Operation(s.System.Operations[i].ID)
			if !ok || !strings.EqualFold(op.Method, method) {
				continue
			}
			if path, literals, ok := along(op.Segments, parts); ok {
				out = append(out, match{s.System.ID, op, path, literals})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b match) int { return b.literals - a.literals })
	return out
}

// along compares the segments of a path with those of a template.
func along(segments []systems.Segment, parts []string) (values map[string]string, literals int, ok bool) {
	if len(parts) != len(segments) {
		return nil, 0, false
	}
	values = map[string]string{}
	for i, s := range segments {
		if s.Param == "" {
			if parts[i] != s.Literal {
				return nil, 0, false
			}
			literals++
			continue
		}
		plain, err := url.PathUnescape(parts[i])
		if err != nil || plain == "" {
			return nil, 0, false
		}
		values[s.Param] = plain
	}
	return values, literals, true
}

// fill puts what the request holds into the operation's parameters. Whether they are
// valid is found out where those of any other call are.
func (m match) fill(req *contract.GatewayRequest, u *url.URL, asked *contract.HTTPRequest) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return badParam(spot{text: "the query"}, ParamForm, "cannot be read")
	}
	headers := map[string]string{}
	for name, v := range asked.Headers {
		headers[strings.ToLower(name)] = v
	}
	req.Params = map[string]json.RawMessage{}
	for i := range m.op.Parameters {
		p := &m.op.Parameters[i]
		var vs []string
		switch p.In {
		case systems.InCompute: // nothing of a URL says what it is
		case systems.InPath:
			vs = []string{m.path[p.Name]}
		case systems.InQuery:
			vs = query[p.WireName()]
			delete(query, p.WireName())
			if p.ArrayStyle == systems.ArrayComma && len(vs) == 1 {
				vs = strings.Split(vs[0], ",")
			}
		case systems.InHeader:
			name := strings.ToLower(p.WireName())
			if v, ok := headers[name]; ok {
				vs = []string{v}
			}
			delete(headers, name)
		}
		if vs != nil {
			schema, _ := m.op.Parameter(p.Name)
			req.Params[p.Name] = typed(schema, vs)
		}
	}
	for name := range query {
		return badParam(spot{text: "the query parameter", name: name, quoted: true}, ParamUndeclared, "is not declared by the operation")
	}
	for name := range headers {
		if !strings.Contains(ownHeaders, " "+name+" ") {
			return badParam(spot{text: "the header", name: name, quoted: true}, ParamUndeclared, "is not declared by the operation")
		}
	}
	return m.fillBody(req, asked.Body)
}

func (m match) fillBody(req *contract.GatewayRequest, body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if !json.Valid(body) {
		return badParam(bodySpot(), ParamJSON, "is not JSON")
	}
	req.Body = body
	return nil
}

// typed returns the JSON value that the texts of a parameter stand for: a URL holds
// texts only, and the parameter's schema says what they are. When nothing fits, it is the text.
func typed(schema *systems.Schema, vs []string) json.RawMessage {
	texts := make([]json.RawMessage, len(vs))
	plain := make([]json.RawMessage, len(vs))
	for i, v := range vs {
		texts[i], _ = json.Marshal(v)
		plain[i] = texts[i]
		if c := strings.TrimLeft(v, "-0123456789.eE+"); json.Valid([]byte(v)) && (c == "" || v == "true" || v == "false") {
			plain[i] = json.RawMessage(v)
		}
	}
	var forms []json.RawMessage
	if len(vs) == 1 {
		forms = append(forms, texts[0], plain[0])
	}
	for _, list := range [][]json.RawMessage{texts, plain} {
		b, _ := json.Marshal(list) // of valid JSON
		forms = append(forms, b)
	}
	for _, f := range forms {
		if schema.Check(f) == nil {
			return f
		}
	}
	return forms[0]
}
