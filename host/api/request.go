package api

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/idempotency"
	"github.com/culmhq/culm/host/page"
)

// request is what a handler sees of a request: copies, nothing of fiber.
type request struct {
	params map[string]string
	query  url.Values
	body   []byte
	// key is the Idempotency-Key, the zero Key where none was sent.
	key idempotency.Key
	// revision is that of If-Match, for routes that edit.
	revision int
	// trace is the traceparent header, as it came in.
	trace string
	// signatures are the envelopes that came with a module.
	signatures [][]byte
}

// newRequest copies a request and checks what holds for every route: its query
// parameters, its content type and its headers.
func newRequest(c *fiber.Ctx, r route) (*request, error) {
	params, err := paramsOf(c)
	if err != nil {
		return nil, err
	}
	req := &request{params: params, trace: strings.Clone(c.Get("Traceparent"))}
	if req.query, err = queryOf(c, r); err != nil {
		return nil, err
	}
	if err := req.readBody(c, r); err != nil {
		return nil, err
	}
	if r.creates {
		if req.key, err = idempotency.New(strings.Clone(c.Get("Idempotency-Key")), req.body); err != nil {
			return nil, err
		}
	}
	if r.edits {
		if req.revision, err = ifMatch(c.Get(fiber.HeaderIfMatch)); err != nil {
			return nil, err
		}
	}
	return req, nil
}

// paramsOf returns the names in the path.
func paramsOf(c *fiber.Ctx) (map[string]string, error) {
	params := map[string]string{}
	for _, name := range c.Route().Params {
		v, err := url.PathUnescape(strings.Clone(c.Params(name)))
		if err != nil || !plain(v) {
			return nil, errNoRoute
		}
		params[name] = v
	}
	return params, nil
}

func queryOf(c *fiber.Ctx, r route) (url.Values, error) {
	q, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return nil, fault.At("", "the query string cannot be read")
	}
	for name := range q {
		if !slices.Contains(r.query, name) {
			return nil, fault.At("/"+pointer(name), "no such query parameter")
		}
	}
	return q, nil
}

func (req *request) readBody(c *fiber.Ctx, r route) error {
	body := c.Body()
	if r.in == nil {
		if len(body) > 0 {
			return fault.New(codeMalformed, "this request takes no body")
		}
		return nil
	}
	if enc := c.Get(fiber.HeaderContentEncoding); enc != "" {
		return fault.New(codeMediaType, "a request body must not be compressed")
	}
	media, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if _, ok := r.in.(module); ok {
		return req.readModule(c, media)
	}
	if err != nil || media != fiber.MIMEApplicationJSON || !utf8Charset(params) {
		return fault.New(codeMediaType, "the body must be application/json in UTF-8")
	}
	req.body = bytes.Clone(body)
	return nil
}

// readModule reads a body that is a module, and the signatures in the header.
func (req *request) readModule(c *fiber.Ctx, media string) error {
	if media != mediaWasm {
		return fault.New(codeMediaType, "the body must be a module, %s", mediaWasm)
	}
	for _, h := range c.Request().Header.PeekAll(headerSignature) {
		envelope, err := base64.StdEncoding.DecodeString(string(h))
		if err != nil {
			return fault.New(fault.Invalid, "a %s header is a DSSE envelope in base64", headerSignature)
		}
		req.signatures = append(req.signatures, envelope)
	}
	req.body = bytes.Clone(c.Body())
	return nil
}

func utf8Charset(params map[string]string) bool {
	cs, ok := params["charset"]
	return !ok || strings.EqualFold(cs, "utf-8")
}

// ifMatch reads the revision from an If-Match header: one strong entity tag.
func ifMatch(h string) (int, error) {
	if h == "" {
		return 0, fault.New(codePrecondition, `If-Match: "revision" is needed, so that nobody's change is lost`)
	}
	s, ok := strings.CutPrefix(h, `"`)
	s, ok2 := strings.CutSuffix(s, `"`)
	n, err := strconv.Atoi(s)
	if !ok || !ok2 || err != nil || n < 0 {
		return 0, fault.New(fault.Invalid, `If-Match must be a revision in quotes, such as "3"`)
	}
	return n, nil
}

// decode reads the body into v, strictly.
func (req *request) decode(v any) error { return decodeJSON(req.body, v) }

// page reads limit and cursor.
func (req *request) page() (page.Query, error) {
	limit, err := req.number("limit")
	if err != nil {
		return page.Query{}, err
	}
	if limit > page.LimitMax || (limit == 0 && req.query.Has("limit")) {
		return page.Query{}, fault.At("/limit", "limit must be from 1 to %d", page.LimitMax).Because("LIMIT")
	}
	return page.Query{Limit: int(limit), Cursor: req.query.Get("cursor")}, nil
}

// number reads a query parameter that is a whole number, 0 where it is absent.
func (req *request) number(name string) (uint64, error) {
	if !req.query.Has(name) {
		return 0, nil
	}
	n, err := strconv.ParseUint(req.query.Get(name), 10, 63)
	if err != nil {
		return 0, fault.At("/"+name, "%s must be a whole number", name)
	}
	return n, nil
}

// plain reports whether an id from a path could be one at all; the use cases look
// closer.
func plain(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '/' || r == '\\' || r > '~' })
}

// pointer makes a name part of a JSON Pointer.
func pointer(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }

// answer is what a handler answers. The zero status stands for 200.
type answer struct {
	status int
	body   any
	// raw is the body instead, where it is JSON already, or of the type media.
	raw   []byte
	media string
	// lines is the body instead, of the type media: it is sent as it is read, and closed.
	lines io.ReadCloser
	// headers are further ones.
	headers map[string]string
	// revision, if not zero, becomes the entity tag.
	revision int
}

// ok answers a use case's result.
func ok[T any](v T, err error) (answer, error) { return answer{body: v}, err }

// created answers what was created.
func created[T any](v T, err error) (answer, error) {
	return answer{status: http.StatusCreated, body: v}, err
}

// empty answers that it was done.
func empty(err error) (answer, error) { return answer{status: http.StatusNoContent}, err }

func (a answer) write(c *fiber.Ctx) error {
	if a.revision != 0 {
		c.Set(fiber.HeaderETag, strconv.Quote(strconv.Itoa(a.revision)))
	}
	for name, value := range a.headers {
		c.Set(name, value)
	}
	if a.status != 0 {
		c.Status(a.status)
	}
	if a.lines != nil {
		c.Set(fiber.HeaderContentType, a.media)
		c.Context().SetBodyStream(slowly{a.lines, c.Context().Conn()}, -1)
		return nil
	}
	raw := a.raw
	if a.body != nil {
		var err error
		if raw, err = json.Marshal(a.body); err != nil {
			return fault.Wrap("encode the answer", err)
		}
	}
	if raw == nil {
		return nil
	}
	c.Set(fiber.HeaderContentType, cmp.Or(a.media, fiber.MIMEApplicationJSON))
	return c.Send(raw)
}
