package api

import "context"

func (s *Server) getMeta(context.Context, *request) (answer, error) { return ok(s.o.Meta, nil) }

func (s *Server) getOpenAPI(context.Context, *request) (answer, error) {
	return answer{raw: s.openAPI}, nil
}
