package api

import (
	"context"
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/auth"
)

// actor is who a request acts as: until there is a login, everybody is the same.
func actor() engine.Actor { return engine.Actor{ID: auth.Local} }

// authorise lets through what needs no right, and who has the right that it needs. A refusal
// has an entry in the audit, and nothing else comes of it: query, headers and body were not
// looked at. (The server has the body by then, within the limits that hold for everybody. An
// answer to half of one would be lost with the connection, and with it the reason.)
func (s *Server) authorise(c *fiber.Ctx, r route) error {
	if r.right == "" {
		return nil
	}
	refused := s.o.Rights.Check(actor().ID, r.right)
	if refused == nil {
		return nil
	}
	params, err := paramsOf(c)
	if err != nil {
		return err
	}
	e := entryOf(r, &request{params: params})
	if e.Detail, err = json.Marshal(map[string]auth.Right{"right": r.right}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(sourced(c), requestTimeout)
	defer cancel()
	return s.o.Audit.Act(ctx, e, func(context.Context) error { return refused })
}
