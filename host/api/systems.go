package api

import (
	"context"
	"strconv"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/systems"
)

func (s *Server) listSystems(ctx context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Systems.List(ctx, r.params["project"], q))
}

func (s *Server) getSystem(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Systems.Get(ctx, r.params["project"], r.params["system"]))
}

func (s *Server) putSystem(ctx context.Context, r *request) (answer, error) {
	put, err := s.systemDocument(r)
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Systems.Put(ctx, put))
}

// systemDocument reads a body that is a system document. The use case reads it itself; this refuses
// what is not one.
func (s *Server) systemDocument(r *request) (registry.PutRequest, error) {
	if err := r.decode(&systems.System{}); err != nil {
		return registry.PutRequest{}, err
	}
	return registry.PutRequest{Project: r.params["project"], ID: r.params["system"], Actor: actor(), Document: r.body}, nil
}

func (s *Server) diffSystem(ctx context.Context, r *request) (answer, error) {
	put, err := s.systemDocument(r)
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Systems.Diff(ctx, put))
}

// getSystemDocument answers the document that putSystem takes.
func (s *Server) getSystemDocument(ctx context.Context, r *request) (answer, error) {
	doc, err := s.o.Systems.Document(ctx, r.params["project"], r.params["system"])
	return ok(doc, err)
}

func (s *Server) deleteSystem(ctx context.Context, r *request) (answer, error) {
	revoke := r.query.Get("revoke")
	if revoke != "" && revoke != "true" && revoke != "false" {
		return answer{}, fault.At("/revoke", "revoke is true or false").Because("CHOICE")
	}
	return empty(s.o.Systems.Delete(ctx, registry.DeleteRequest{
		Project: r.params["project"], ID: r.params["system"], Actor: actor(), Revoke: revoke == "true",
	}))
}

func (s *Server) importSystem(ctx context.Context, r *request) (answer, error) {
	var b registry.ImportRequest
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	b.Project, b.Actor = r.params["project"], actor()
	return ok(s.o.Systems.Import(ctx, b))
}

func (s *Server) listContracts(context.Context, *request) (answer, error) {
	all, err := systems.Contracts()
	return ok(page.Of[systems.Contract]{Items: all}, err)
}

func (s *Server) listSystemVersions(ctx context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Systems.History(ctx, r.params["project"], r.params["system"], q))
}

func (s *Server) getSystemVersion(ctx context.Context, r *request) (answer, error) {
	n, err := strconv.Atoi(r.params["version"])
	if err != nil || n < 1 {
		return answer{}, fault.Missing("version", r.params["version"])
	}
	return ok(s.o.Systems.Version(ctx, r.params["project"], r.params["system"], n))
}

func (s *Server) listOperations(ctx context.Context, r *request) (answer, error) {
	p, err := r.page()
	if err != nil {
		return answer{}, err
	}
	q := registry.OperationQuery{
		Project: r.params["project"], System: r.params["system"], Search: r.query.Get("q"), State: r.query.Get("state"), Page: p,
	}
	if r.query.Has("group") {
		group := r.query.Get("group")
		q.Group = &group
	}
	return ok(s.o.Systems.Operations(ctx, q))
}

func (s *Server) getOperation(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Systems.Operation(ctx, r.params["project"], r.params["system"], r.params["operation"]))
}

func (s *Server) getOperationUses(ctx context.Context, r *request) (answer, error) {
	return ok(s.o.Flows.OperationUsers(ctx, r.params["project"], r.params["system"], r.params["operation"]))
}

func (s *Server) putOperationEnabled(ctx context.Context, r *request) (answer, error) {
	var b enabledBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return ok(s.o.Systems.Enable(ctx, registry.EnableRequest{
		Project: r.params["project"], System: r.params["system"], Actor: actor(), Operations: []string{r.params["operation"]}, Enabled: b.Enabled,
	}))
}

// operationsEnabledBody switches several operations of a system.
type operationsEnabledBody struct {
	Operations []string `json:"operations,omitempty"`
	Group      *string  `json:"group,omitempty"`
	Enabled    *bool    `json:"enabled"`
}

func (s *Server) putOperationsEnabled(ctx context.Context, r *request) (answer, error) {
	var b operationsEnabledBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	if b.Enabled == nil {
		return answer{}, fault.At("/enabled", "true or false is needed").Because("MISSING")
	}
	return ok(s.o.Systems.Enable(ctx, registry.EnableRequest{
		Project: r.params["project"], System: r.params["system"], Actor: actor(), Operations: b.Operations, Group: b.Group, Enabled: *b.Enabled,
	}))
}
