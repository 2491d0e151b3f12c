package api

import (
	"context"
	"time"

	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/fault"
)

// auditQuery names the query parameters that choose entries of the audit.
func auditQuery() []string {
	return []string{"system", "operation", "run", "node", "plugin", "actor", "outcome", "from", "to", "limit", "cursor"}
}

// listCalls answers the calls of a project, as its call log.
func (s *Server) listCalls(ctx context.Context, r *request) (answer, error) {
	return s.audited(ctx, r, func(f *audit.Filter) { f.Project, f.Kind = r.params["project"], audit.KindCall })
}

// listProjectAudit answers everything that concerns a project.
func (s *Server) listProjectAudit(ctx context.Context, r *request) (answer, error) {
	return s.audited(ctx, r, func(f *audit.Filter) { f.Project = r.params["project"] })
}

// listAudit answers everything.
func (s *Server) listAudit(ctx context.Context, r *request) (answer, error) {
	return s.audited(ctx, r, func(f *audit.Filter) { f.Project = r.query.Get("project") })
}

func (s *Server) audited(ctx context.Context, r *request, narrow func(*audit.Filter)) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	f := audit.Filter{
		System: r.query.Get("system"), Operation: r.query.Get("operation"), Run: r.query.Get("run"), Node: r.query.Get("node"),
		Plugin: r.query.Get("plugin"), Actor: r.query.Get("actor"), Action: r.query.Get("action"),
		Kind: audit.Kind(r.query.Get("kind")), Outcome: audit.Outcome(r.query.Get("outcome")),
	}
	if f.From, err = r.instant("from"); err != nil {
		return answer{}, err
	}
	if f.To, err = r.instant("to"); err != nil {
		return answer{}, err
	}
	narrow(&f)
	return ok(s.o.Audit.List(ctx, f, q))
}

// instant reads a query parameter that is an instant, the zero Time where it is absent.
func (req *request) instant(name string) (time.Time, error) {
	if !req.query.Has(name) {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, req.query.Get(name))
	if err != nil {
		return time.Time{}, fault.At("/"+name, "%s must be an instant, such as 2026-11-22T09:00:00Z", name)
	}
	return t, nil
}
