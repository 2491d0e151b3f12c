// Package api is the HTTP API: it decodes requests at the edge, calls one use case,
// and encodes what that answers. The contract is docs/api.md; every route is in one
// table (routes.go). It knows no database, no engine loop and no business rule.
//
// It serves browsers and programs on the same machine only: requests are checked for
// where they come from (origin.go), because there is no login yet.
package api

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/auth"
	"github.com/culmhq/culm/host/callbacks"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/health"
	"github.com/culmhq/culm/host/live"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/presence"
	"github.com/culmhq/culm/host/projects"
	"github.com/culmhq/culm/host/recordings"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/host/systems/openapi"
	"github.com/culmhq/culm/host/tryout"
	"github.com/culmhq/culm/host/views"
)

// The limits of a request.
const (
	// BodyMaxBytes is the size of the largest body that is read.
	BodyMaxBytes = 4 << 20
	// headerMaxBytes bounds the request line and the header together.
	headerMaxBytes = 32 << 10
	// requestTimeout bounds the time of a use case.
	requestTimeout = 30 * time.Second
	// installTimeout bounds the installation of a module: it is compiled.
	installTimeout = 2 * time.Minute
	// callTimeout bounds the call of an operation: a system may take its time.
	callTimeout    = 2 * time.Minute
	readTimeout    = 30 * time.Second
	writeTimeout   = 60 * time.Second
	idleTimeout    = 2 * time.Minute
	connectionsMax = 10_000
)

// Options are what the API is made from. All but Assets are required.
type Options struct {
	Projects *projects.Service
	Flows    *flows.Service
	Runs     *runs.Service
	Plugins  *plugins.Catalogue
	Choices  *runs.Chooser
	// Attention knows which nodes need a person.
	Attention *runs.Attentions
	// Views keeps the saved views of lists.
	Views   *views.Service
	Systems *registry.Service
	Tryout  *tryout.Service
	// Callbacks takes what outside systems call back with.
	Callbacks *callbacks.Service
	Health    *health.Service
	// Metrics answers GET /metrics, with the media type; nil answers that there is no such
	// page. Observe, if not nil, is told of every request to a route of the table, by the
	// path in the table.
	Metrics func() (text []byte, media string, err error)
	Observe func(method, route string, status int, took time.Duration)
	// Audit looks things up in the log of calls and changes.
	Audit *audit.Service
	// Recordings keeps what passed the boundary of plugin calls.
	Recordings *recordings.Keeper
	Hub        *live.Hub
	// Feed tells which lists of a project changed.
	Feed *live.Feed
	// Presence has the rooms of those who edit the same flow.
	Presence *presence.Hub
	Logger   *slog.Logger
	// Ready reports why the server cannot work now, or nil.
	Ready func() error
	// Rights says who may do what; the zero Policy lets nobody do what needs a right.
	Rights auth.Policy
	// Meta is what GET /meta answers; New fills in Actor and Rights.
	Meta Meta
	// Assets is the built canvas application; nil serves a page that says it was
	// not built.
	Assets fs.FS
}

// Meta tells a client what it talks to.
type Meta struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Demo    bool   `json:"demo"`
	// Actor is who the client acts as.
	Actor string `json:"actor"`
	// Rights are those that the client has.
	Rights []auth.Right `json:"rights"`
}

// Server serves the API on one listener. Make one with New.
type Server struct {
	o       Options
	app     *fiber.App
	openAPI []byte
}

// New builds the routes.
func New(o Options) (*Server, error) {
	s := &Server{o: o}
	s.o.Meta.Actor, s.o.Meta.Rights = actor().ID, o.Rights.Held(actor().ID)
	var err error
	if s.openAPI, err = openAPI(routes(), o.Meta.Version); err != nil {
		return nil, err
	}
	s.app = fiber.New(fiber.Config{
		DisableStartupMessage: true,
		// Strings taken from a request stay valid after it: fiber would reuse them.
		Immutable:      true,
		StrictRouting:  true,
		CaseSensitive:  true,
		BodyLimit:      BodyMaxBytes,
		ReadBufferSize: headerMaxBytes,
		Concurrency:    connectionsMax,
		ReadTimeout:    readTimeout,
		WriteTimeout:   writeTimeout,
		IdleTimeout:    idleTimeout,
		ErrorHandler:   s.fail,
	})
	s.app.Server().HeaderReceived = bodyLimit
	refuseGently(s.app.Server())
	s.app.Use(s.recovered, secured, guarded)
	s.mount(routes())
	s.app.Get("/healthz", func(c *fiber.Ctx) error { return c.JSON(probe{"ok"}) })
	s.app.Get("/readyz", s.ready)
	if o.Metrics != nil {
		s.app.Get("/metrics", s.metrics)
	}
	if err := s.mountCallbacks(); err != nil {
		return nil, err
	}
	s.app.Use("/api", func(*fiber.Ctx) error { return errNoRoute })
	if err := s.mountAssets(o.Assets); err != nil {
		return nil, err
	}
	return s, nil
}

// bodyLimit lets a module, and a document that a system is imported from, be larger than any
// other body; nothing is read beyond it. It is two bytes less for a body that comes in chunks.
func bodyLimit(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	c := fasthttp.RequestConfig{MaxRequestBodySize: BodyMaxBytes}
	if strings.HasPrefix(string(h.RequestURI()), CallbackPath) {
		c.MaxRequestBodySize = callbacks.BodyBytesMax
	}
	if h.IsPost() && isUpload(string(h.RequestURI())) {
		c.MaxRequestBodySize = plugins.CodeBytesMax
	}
	if h.IsPost() && isImport(string(h.RequestURI())) {
		c.MaxRequestBodySize = importMaxBytes
	}
	if h.ContentLength() < 0 {
		// The buffer of a body in chunks doubles as it grows, and has to hold the line break
		// after the last chunk too: for it the buffer would become twice the limit.
		c.MaxRequestBodySize -= len("\r\n")
	}
	return c
}

// isUpload reports whether a request's target is the route that takes modules.
func isUpload(target string) bool {
	path, _, _ := strings.Cut(target, "?")
	return path == prefix+uploadPath
}

// importMaxBytes lets the largest document be written as a JSON text.
const importMaxBytes = openapi.MaxBytes + openapi.MaxBytes/4

// isImport reports whether a request's target is the route that imports systems.
func isImport(target string) bool {
	path, _, _ := strings.Cut(target, "?")
	return strings.HasPrefix(path, prefix+"/projects/") && strings.HasSuffix(path, importSuffix)
}

// Serve answers requests from ln until Stop, and closes ln.
func (s *Server) Serve(ln net.Listener) error { return s.app.Listener(lingering{ln}) }

// Stop takes no more requests and waits for those under way until ctx is done. Close
// the hub first: its clients would be waited for.
func (s *Server) Stop(ctx context.Context) error { return s.app.ShutdownWithContext(ctx) }

type probe struct {
	Status string `json:"status"`
}

func (s *Server) ready(c *fiber.Ctx) error {
	if err := s.o.Ready(); err != nil {
		s.o.Logger.Warn("not ready", slog.Any("error", err))
		return c.Status(fiber.StatusServiceUnavailable).JSON(probe{"unavailable"})
	}
	return c.JSON(probe{"ok"})
}

// recovered turns a panic into an INTERNAL problem that tells the client nothing.
func (s *Server) recovered(c *fiber.Ctx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: stack()}
		}
	}()
	return c.Next()
}

// mount registers the routes of the table.
func (s *Server) mount(rs []route) {
	for _, r := range rs {
		s.app.Add(r.method, prefix+r.fiberPath(), s.handler(r))
	}
	// The paths of the table under another method.
	seen := map[string]bool{}
	for _, r := range rs {
		if p := prefix + r.fiberPath(); !seen[p] {
			seen[p] = true
			s.app.All(p, func(*fiber.Ctx) error { return errMethod })
		}
	}
}

// handler adapts a route to fiber: nothing of fiber goes further than here.
func (s *Server) handler(r route) fiber.Handler {
	if s.o.Observe == nil || r.stream != nil {
		return s.plainHandler(r)
	}
	next := s.plainHandler(r)
	return func(c *fiber.Ctx) error {
		begun := time.Now()
		err := next(c)
		if err != nil {
			err = s.fail(c, err) // now: its status is counted
		}
		s.o.Observe(r.method, r.path, c.Response().StatusCode(), time.Since(begun))
		return err
	}
}

// metrics answers Prometheus.
func (s *Server) metrics(c *fiber.Ctx) error {
	text, media, err := s.o.Metrics()
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, media)
	return c.Send(text)
}

func (s *Server) plainHandler(r route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := s.authorise(c, r); err != nil {
			return err
		}
		if r.stream != nil {
			return r.stream(s, c)
		}
		req, err := newRequest(c, r)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(sourced(c), cmp.Or(r.timeout, requestTimeout))
		defer cancel()
		a, err := s.perform(ctx, r, req)
		if err != nil {
			return err
		}
		return a.write(c)
	}
}

var (
	errNoRoute = errors.New("api: no such route")
	errMethod  = errors.New("api: method not allowed")
)
