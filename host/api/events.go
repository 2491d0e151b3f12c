package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gorilla/websocket"

	"github.com/culmhq/culm/host/fault"
)

// events hands the connection to the hub. The origin was checked before (guarded).
func (s *Server) events(c *fiber.Ctx) error {
	if !websocketUpgrade(c) {
		return fault.New(codeUpgrade, "this path is a WebSocket")
	}
	req := &request{params: map[string]string{}}
	var err error
	if req.query, err = queryOf(c, route{query: []string{"after"}}); err != nil {
		return err
	}
	var after *uint64
	if req.query.Has("after") {
		n, err := req.number("after")
		if err != nil {
			return err
		}
		after = &n
	}
	project, run := strings.Clone(c.Params("project")), strings.Clone(c.Params("run"))
	return upgraded(c, func(conn *websocket.Conn) {
		// The request ends here as far as the HTTP server knows; its context
		// belongs to the next one.
		s.o.Hub.Serve(context.Background(), conn, project, run, after)
	})
}

// changes hands the connection to the feed. The origin was checked before (guarded).
func (s *Server) changes(c *fiber.Ctx) error {
	project := strings.Clone(c.Params("project"))
	if _, err := queryOf(c, route{}); err != nil {
		return err
	}
	return upgraded(c, func(conn *websocket.Conn) {
		s.o.Feed.Serve(context.Background(), conn, project)
	})
}

// upgraded makes the connection a WebSocket and hands it over.
func upgraded(c *fiber.Ctx, serve func(*websocket.Conn)) error {
	if !websocketUpgrade(c) {
		return fault.New(codeUpgrade, "this path is a WebSocket")
	}
	up := websocket.Upgrader{
		// The guard decided with more signs than the upgrader knows.
		CheckOrigin: func(*http.Request) bool { return true },
		Error: func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
			http.Error(w, http.StatusText(status), status)
		},
	}
	return adaptor.HTTPHandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		serve(conn)
	})(c)
}

func websocketUpgrade(c *fiber.Ctx) bool {
	return strings.EqualFold(c.Get(fiber.HeaderUpgrade), "websocket") &&
		strings.Contains(strings.ToLower(c.Get(fiber.HeaderConnection)), "upgrade")
}
