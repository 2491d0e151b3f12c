package main

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/client"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/systems"
)

// systemsAt are the systems of a project: those of a running server, or of a data directory
// whose server is not running.
type systemsAt interface {
	Systems(ctx context.Context, project string, q page.Query) (page.Of[registry.View], error)
	SystemDocument(ctx context.Context, project, id string) (*systems.System, error)
	PutSystem(ctx context.Context, project string, s *systems.System) (registry.View, error)
	DiffSystem(ctx context.Context, project string, s *systems.System) (registry.Difference, error)
	ImportSystem(ctx context.Context, r registry.ImportRequest) (registry.ImportResult, error)
	DeleteSystem(ctx context.Context, project, id string, revoke bool) error
	operationsAt
}

// operationsAt are the operations of a system, and its history.
type operationsAt interface {
	Operations(ctx context.Context, q registry.OperationQuery) (page.Of[registry.OperationView], error)
	EnableOperations(ctx context.Context, r registry.EnableRequest) (registry.View, error)
	SystemVersions(ctx context.Context, project, id string, q page.Query) (page.Of[registry.Entry], error)
}

var (
	_ systemsAt = (*client.Client)(nil)
	_ systemsAt = coreSystems{}
)

// coreSystems are the systems of an opened data directory.
type coreSystems struct{ core *app.Core }

// Systems lists a page of systems.
func (s coreSystems) Systems(ctx context.Context, project string, q page.Query) (page.Of[registry.View], error) {
	return s.core.Systems.List(ctx, project, q)
}

// SystemDocument reads a document.
func (s coreSystems) SystemDocument(ctx context.Context, project, id string) (*systems.System, error) {
	return s.core.Systems.Document(ctx, project, id)
}

// PutSystem creates or replaces a system.
func (s coreSystems) PutSystem(ctx context.Context, project string, doc *systems.System) (registry.View, error) {
	r, err := s.put(project, doc)
	if err != nil {
		return registry.View{}, err
	}
	return s.core.Systems.Put(ctx, r)
}

// DiffSystem says what PutSystem would change.
func (s coreSystems) DiffSystem(ctx context.Context, project string, doc *systems.System) (registry.Difference, error) {
	r, err := s.put(project, doc)
	if err != nil {
		return registry.Difference{}, err
	}
	return s.core.Systems.Diff(ctx, r)
}

func (s coreSystems) put(project string, doc *systems.System) (registry.PutRequest, error) {
	js, err := json.Marshal(doc)
	return registry.PutRequest{Project: project, ID: doc.ID, Actor: s.core.Actor(), Document: js}, err
}

// ImportSystem imports a system.
func (s coreSystems) ImportSystem(ctx context.Context, r registry.ImportRequest) (registry.ImportResult, error) {
	r.Actor = s.core.Actor()
	return s.core.Systems.Import(ctx, r)
}

// DeleteSystem deletes a system.
func (s coreSystems) DeleteSystem(ctx context.Context, project, id string, revoke bool) error {
	return s.core.Systems.Delete(ctx, registry.DeleteRequest{Project: project, ID: id, Actor: s.core.Actor(), Revoke: revoke})
}

// Operations lists a page of operations.
func (s coreSystems) Operations(ctx context.Context, q registry.OperationQuery) (page.Of[registry.OperationView], error) {
	return s.core.Systems.Operations(ctx, q)
}

// EnableOperations switches operations.
func (s coreSystems) EnableOperations(ctx context.Context, r registry.EnableRequest) (registry.View, error) {
	r.Actor = s.core.Actor()
	return s.core.Systems.Enable(ctx, r)
}

// SystemVersions reads the history.
func (s coreSystems) SystemVersions(ctx context.Context, project, id string, q page.Query) (page.Of[registry.Entry], error) {
	return s.core.Systems.History(ctx, project, id, q)
}

// systemWork is the work of a command on the systems of a project.
type systemWork func(ctx context.Context, at systemsAt) error

// onSystems adds the flags that say where the systems are, and returns what does the work there.
func (p *program) onSystems(c *cobra.Command, o *systemOptions) func(ctx context.Context, work systemWork) error {
	connect := p.projectFlags(c, &o.project)
	c.Flags().StringVar(&o.data, "data", "", "a data directory whose server is not running, instead of a server")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return func(ctx context.Context, work systemWork) error {
		if o.data == "" {
			cl, err := connect(ctx)
			if err != nil {
				return err
			}
			return work(ctx, cl)
		}
		if c.Flags().Changed("server") {
			return sayAs(fault.Invalid, "--server and --data exclude each other")
		}
		o.project = cmp.Or(o.project, app.DefaultProject(false))
		return p.withCore(ctx, *o, func(ctx context.Context, core *app.Core) error { return work(ctx, coreSystems{core}) })
	}
}
