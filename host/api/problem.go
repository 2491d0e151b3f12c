package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins"
)

// The codes of problems that only the HTTP API has.
const (
	codeMalformed    fault.Code = "MALFORMED"              // the body is not JSON
	codeMediaType    fault.Code = "UNSUPPORTED_MEDIA_TYPE" // the body is not application/json
	codeMethod       fault.Code = "METHOD_NOT_ALLOWED"
	codeOrigin       fault.Code = "FORBIDDEN_ORIGIN"      // the request comes from another site
	codeHost         fault.Code = "FORBIDDEN_HOST"        // the Host header is not a loopback name
	codePrecondition fault.Code = "PRECONDITION_REQUIRED" // If-Match is missing
	codeUpgrade      fault.Code = "UPGRADE_REQUIRED"      // the path is a WebSocket
	codeHeaders      fault.Code = "HEADERS_TOO_LARGE"
	codeTimeout      fault.Code = "TIMEOUT"
)

// status maps codes to HTTP statuses; others are 500.
//
//nolint:cyclop // a table: one row a status
func status(code fault.Code) int {
	switch code {
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Invalid, fault.KeyReused:
		return http.StatusUnprocessableEntity
	case fault.Exists, fault.Conflict, fault.InUse, fault.WrongState, fault.RunEnded, fault.Rollback, fault.Blocked:
		return http.StatusConflict
	case fault.Gone:
		return http.StatusGone
	case fault.Unsigned:
		return http.StatusUnauthorized
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Forbidden, fault.SignaturePolicy, codeOrigin:
		return http.StatusForbidden
	case fault.Registry:
		return http.StatusBadGateway
	case fault.Stopping:
		return http.StatusServiceUnavailable
	case fault.DiskFull:
		return http.StatusInsufficientStorage
	case codeMalformed, fault.Reference:
		return http.StatusBadRequest
	case codeMediaType:
		return http.StatusUnsupportedMediaType
	case codeMethod:
		return http.StatusMethodNotAllowed
	case codeHost:
		return http.StatusMisdirectedRequest
	case codePrecondition:
		return http.StatusPreconditionRequired
	case codeUpgrade:
		return http.StatusUpgradeRequired
	case codeHeaders:
		return http.StatusRequestHeaderFieldsTooLarge
	case codeTimeout:
		return http.StatusRequestTimeout
	default:
		return http.StatusInternalServerError
	}
}

// problem is an error as it is answered (RFC 9457).
type problem struct {
	Type   string     `json:"type"`
	Title  string     `json:"title"`
	Status int        `json:"status"`
	Code   fault.Code `json:"code"`
	Detail string     `json:"detail"`
	// Reason says which of the refusals of Code this is, and Args what Detail names, in its
	// order ("a", "b"): clients translate by them. Detail alone is in somebody else's words.
	Reason string            `json:"reason,omitempty"`
	Args   map[string]string `json:"args,omitempty"`
	// Field is a JSON Pointer into the request.
	Field    string           `json:"field,omitempty"`
	Node     string           `json:"node,omitempty"`
	Problems []engine.Problem `json:"problems,omitempty"`
	// Current is the stored thing that a change conflicts with.
	Current any `json:"current,omitempty"`
}

// newProblem makes the problem of an error. What is not a fault tells the client
// nothing.
func newProblem(err error) problem {
	f := asFault(err)
	p := problem{
		Type: "about:blank", Status: status(f.Code), Code: f.Code, Detail: f.Message, Reason: f.Reason, Args: f.Args,
		Field: f.Field, Node: f.Node, Problems: f.Problems, Current: f.Current,
	}
	p.Title = http.StatusText(p.Status)
	if p.Status == http.StatusInternalServerError {
		p.Code, p.Detail = fault.Internal, "the server failed; its log says why"
		p.Reason, p.Args = "", nil
		p.Field, p.Node, p.Problems, p.Current = "", "", nil, nil
	}
	return p
}

// asFault gives every error its code.
func asFault(err error) *fault.Error {
	var f *fault.Error
	var fe *fiber.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, errNoRoute):
		return fault.New(fault.NotFound, "no such path").Because("PATH")
	case errors.Is(err, errMethod):
		return fault.New(codeMethod, "this path does not take this method")
	case errors.As(err, &fe):
		return ofFiber(fe)
	default:
		return &fault.Error{Code: fault.Internal, Cause: err}
	}
}

// ofFiber translates what the HTTP server refuses before a handler sees it.
func ofFiber(e *fiber.Error) *fault.Error {
	switch e.Code {
	case http.StatusNotFound:
		return fault.New(fault.NotFound, "no such path").Because("PATH")
	case http.StatusMethodNotAllowed:
		return fault.New(codeMethod, "this path does not take this method")
	case http.StatusRequestEntityTooLarge:
		return fault.New(fault.TooLarge, "the body is larger than %d bytes (a module: %d)", BodyMaxBytes, plugins.CodeBytesMax).Because("BODY_TOO_LARGE")
	case http.StatusRequestHeaderFieldsTooLarge:
		return fault.New(codeHeaders, "the header is larger than %d bytes", headerMaxBytes).Because("HEADER_TOO_LARGE")
	case http.StatusRequestTimeout:
		return fault.New(codeTimeout, "the request took too long to arrive").Because("REQUEST_SLOW")
	case http.StatusBadRequest:
		return fault.New(codeMalformed, "the request cannot be read").Because("REQUEST_UNREADABLE")
	default:
		return &fault.Error{Code: fault.Internal, Cause: e}
	}
}

// fail is the router's error handler: the one place where errors become answers.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	p := newProblem(err)
	if p.Status == http.StatusInternalServerError {
		attrs := []any{slog.String("method", c.Method()), slog.String("path", loggedPath(c.Path())), slog.Any("error", err)}
		var pe *panicError
		if errors.As(err, &pe) {
			attrs = append(attrs, slog.String("stack", string(pe.stack)))
		}
		s.o.Logger.Error("request failed", attrs...)
	}
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(p.Status).Send(b)
}

// loggedPath is a path as the log tells it: the token of a callback lets in whoever reads it.
func loggedPath(path string) string {
	if strings.HasPrefix(path, CallbackPath) {
		return CallbackPath + "***"
	}
	return path
}

// panicError is a panic of a handler.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

func stack() []byte { return debug.Stack() }
