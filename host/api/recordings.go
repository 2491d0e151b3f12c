package api

import (
	"context"

	"github.com/culmhq/culm/host/fault"
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
