package api

import (
	"context"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/websocket"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
)

type publishBody struct {
	Revision int    `json:"revision"`
	Note     string `json:"note"`
}

func (s *Server) listVersions(ctx context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Flows.Versions(ctx, r.params["project"], r.params["flow"], q))
}

func (s *Server) getVersion(ctx context.Context, r *request) (answer, error) {
	n, err := strconv.Atoi(r.params["version"])
	if err != nil || n < 1 {
		return answer{}, fault.Missing("version", r.params["version"])
	}
	return ok(s.o.Flows.Version(ctx, r.params["project"], r.params["flow"], n))
}

func (s *Server) publishVersion(ctx context.Context, r *request) (answer, error) {
	var b publishBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return created(s.o.Flows.Publish(ctx, flows.PublishRequest{
		Project: r.params["project"], Actor: actor(), Flow: r.params["flow"], Revision: b.Revision, Note: b.Note, Key: r.key,
	}))
}

func (s *Server) listRevisions(ctx context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Flows.Revisions(ctx, r.params["project"], r.params["flow"], q))
}

func (s *Server) getRevision(ctx context.Context, r *request) (answer, error) {
	n, err := strconv.Atoi(r.params["revision"])
	if err != nil || n < 1 {
		return answer{}, fault.Missing("revision", r.params["revision"])
	}
	return ok(s.o.Flows.Revision(ctx, r.params["project"], r.params["flow"], n))
}

// presence hands the connection to the room of the flow. The origin was checked before
// (guarded).
func (s *Server) presence(c *fiber.Ctx) error {
	project, flow := strings.Clone(c.Params("project")), strings.Clone(c.Params("flow"))
	if _, err := queryOf(c, route{}); err != nil {
		return err
	}
	return upgraded(c, func(conn *websocket.Conn) {
		s.o.Presence.Serve(context.Background(), conn, project, flow, actor().ID)
	})
}
