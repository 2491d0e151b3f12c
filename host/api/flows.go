package api

import (
	"context"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
)

type documentBody struct {
	Document *engine.Flow `json:"document"`
}

// document reads a body that holds a flow document.
func (req *request) document() (*engine.Flow, error) {
	var b documentBody
	if err := req.decode(&b); err != nil {
		return nil, err
	}
	if b.Document == nil {
		return nil, fault.At("/document", "a flow document is needed").Because("MISSING")
	}
	return b.Document, nil
}

// detail answers a flow with its revision as entity tag.
func detail(code int, d flows.Detail, err error) (answer, error) {
	return answer{status: code, body: d, revision: d.Revision}, err
}

func (s *Server) listFlows(ctx context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	w, err := r.listed()
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Flows.List(ctx, flows.ListQuery{
		Project: r.params["project"], Search: r.query.Get("q"), Stage: flows.Stage(r.query.Get("stage")), By: r.query.Get("by"),
		From: w.from, To: w.to, Sort: flows.Sort(r.query.Get("sort")), Ascending: w.ascending, Page: q,
	}))
}

func (s *Server) createFlow(ctx context.Context, r *request) (answer, error) {
	doc, err := r.document()
	if err != nil {
		return answer{}, err
	}
	d, err := s.o.Flows.Create(ctx, flows.CreateRequest{Project: r.params["project"], Actor: actor(), Document: doc, Key: r.key})
	return detail(201, d, err)
}

func (s *Server) validateFlow(ctx context.Context, r *request) (answer, error) {
	doc, err := r.document()
	if err != nil {
		return answer{}, err
	}
	if _, err := s.o.Projects.Get(ctx, r.params["project"]); err != nil {
		return answer{}, err
	}
	ps, err := s.o.Flows.Validate(ctx, r.params["project"], doc)
	return ok(problemsBody{ps}, err)
}

func (s *Server) getFlow(ctx context.Context, r *request) (answer, error) {
	d, err := s.o.Flows.Get(ctx, r.params["project"], r.params["flow"])
	return detail(200, d, err)
}

func (s *Server) saveFlow(ctx context.Context, r *request) (answer, error) {
	doc, err := r.document()
	if err != nil {
		return answer{}, err
	}
	d, err := s.o.Flows.Save(ctx, flows.SaveRequest{
		Project: r.params["project"], Actor: actor(), Flow: r.params["flow"], Revision: r.revision, Document: doc,
	})
	return detail(200, d, err)
}

func (s *Server) deleteFlow(ctx context.Context, r *request) (answer, error) {
	return empty(s.o.Flows.Delete(ctx, r.params["project"], r.params["flow"], actor()))
}
