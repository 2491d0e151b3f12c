package api

import (
	"context"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/recordings"
)

func (s *Server) listRecordings(ctx context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Recordings.List(ctx, r.params["project"], r.params["run"], r.params["node"], q))
}

func (s *Server) getRecording(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Recordings.Get(ctx, r.params["project"], r.params["run"], r.params["node"], r.params["recording"]))
}

// choicesPlace is where the recordings of a field's choices are.
func choicesPlace(r *request) (recordings.Place, error) {
	action, source := r.query.Get("action"), r.query.Get("source")
	switch {
	case action == "":
		return recordings.Place{}, fault.At("/action", "is needed").Because("MISSING")
	case source == "":
		return recordings.Place{}, fault.At("/source", "is needed").Because("MISSING")
	}
	return recordings.Choices(r.params["project"], r.params["plugin"], action, source), nil
}

func (s *Server) listChoicesRecordings(ctx context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	p, err := choicesPlace(r)
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Recordings.List(ctx, p.Project, p.Run, p.Node, q))
}

func (s *Server) getChoicesRecording(ctx context.Context, r *request) (answer, error) {
	p, err := choicesPlace(r)
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Recordings.Get(ctx, p.Project, p.Run, p.Node, r.params["recording"]))
}

// getModule answers the bytes of a module, so that a recording can be played with the
// module that it was made with.
func (s *Server) getModule(ctx context.Context, r *request) (answer, error) {
	digest := r.params["digest"]
	if m, ok := s.o.Plugins.Module(digest); !ok || m.Plugin != r.params["plugin"] {
		return answer{}, fault.Missing("module", digest)
	}
	code, err := s.o.Plugins.Code(ctx, digest)
	return answer{raw: code, media: mediaWasm}, err
}
