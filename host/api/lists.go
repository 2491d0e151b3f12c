package api

import (
	"context"
	"time"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/host/views"
)

// listing is what the lists of flows and runs take besides their filters.
type listing struct {
	from, to  time.Time
	ascending bool
}

func (req *request) listed() (listing, error) {
	var l listing
	var err error
	if l.from, err = req.instant("from"); err != nil {
		return l, err
	}
	if l.to, err = req.instant("to"); err != nil {
		return l, err
	}
	switch order := req.query.Get("order"); order {
	case "asc":
		l.ascending = true
	case "", "desc":
	default:
		return l, fault.At("/order", "order must be asc or desc").Because("CHOICE")
	}
	return l, nil
}

func (s *Server) listAttention(ctx context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	per := r.query.Get("one_per")
	if per != "" && per != "run" {
		return answer{}, fault.At("/one_per", "no rows per %.32q", per)
	}
	return ok(s.o.Attention.List(ctx, runs.AttentionQuery{
		Project: r.params["project"], Need: runs.Need(r.query.Get("need")), PerRun: per == "run", Page: q,
	}))
}

type viewBody struct {
	List  views.List `json:"list"`
	Name  string     `json:"name"`
	Query string     `json:"query"`
}

func (s *Server) listViews(ctx context.Context, r *request) (answer, error) {
	vs, err := s.o.Views.List(ctx, r.params["project"], views.List(r.query.Get("list")))
	return ok(page.Of[views.View]{Items: vs}, err)
}

func (s *Server) createView(ctx context.Context, r *request) (answer, error) {
	return created(s.putAView(ctx, r, ""))
}

func (s *Server) putView(ctx context.Context, r *request) (answer, error) {
	return ok(s.putAView(ctx, r, r.params["view"]))
}

func (s *Server) putAView(ctx context.Context, r *request, id string) (views.View, error) {
	var b viewBody
	if err := r.decode(&b); err != nil {
		return views.View{}, err
	}
	return s.o.Views.Put(ctx, views.PutRequest{
		Project: r.params["project"], Actor: actor(), ID: id, List: b.List, Name: b.Name, Query: b.Query,
	})
}

func (s *Server) deleteView(ctx context.Context, r *request) (answer, error) {
	return empty(s.o.Views.Delete(ctx, r.params["project"], r.params["view"]))
}
