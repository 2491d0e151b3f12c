package api

import (
	"context"
	"time"

	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/fault"
)

// auditQuery names the query parameters that choose entries of the audit.
func auditQuery() []string {
	return []string{"system", "operation", "run", "node", "plugin", "actor", "outcome", "from", "to"}
}

// auditPage and auditRange name those of a list and of an export.
func auditPage(more ...string) []string {
	return append(append(auditQuery(), "limit", "cursor"), more...)
}

func auditRange(more ...string) []string {
	return append(append(auditQuery(), "kind", "action", "after", "through"), more...)
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
	f, err := r.auditFilter()
	if err != nil {
		return answer{}, err
	}
	narrow(&f)
	return ok(s.o.Audit.List(ctx, f, q))
}

// auditFilter reads what chooses entries, but for the project.
func (req *request) auditFilter() (audit.Filter, error) {
	f := audit.Filter{
		System: req.query.Get("system"), Operation: req.query.Get("operation"), Run: req.query.Get("run"), Node: req.query.Get("node"),
		Plugin: req.query.Get("plugin"), Actor: req.query.Get("actor"), Action: req.query.Get("action"),
		Kind: audit.Kind(req.query.Get("kind")), Outcome: audit.Outcome(req.query.Get("outcome")),
	}
	var err error
	if f.From, err = req.instant("from"); err != nil {
		return f, err
	}
	f.To, err = req.instant("to")
	return f, err
}

// instant reads a query parameter that is an instant, the zero Time where it is absent.
func (req *request) instant(name string) (time.Time, error) {
	if !req.query.Has(name) {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, req.query.Get(name))
	if err != nil {
		return time.Time{}, fault.At("/"+name, "%s must be an instant, such as 2026-11-22T09:00:00Z", name).Because("INSTANT")
	}
	return t, nil
}
