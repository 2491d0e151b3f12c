package api

import "context"

func (s *Server) listProjects(ctx context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Projects.List(ctx, q))
}

func (s *Server) getProject(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Projects.Get(ctx, r.params["project"]))
}
