package plugins

import (
	"context"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/pdk/contract"
)

// Options are what the catalogue needs; all fields are required.
type Options struct {
	Repository Repository
	Inspector  Inspector
	Clock      Clock
}

// Catalogue is the use cases of plugins. It keeps the manifests in memory and is safe
// for concurrent use. As an engine.Catalogue it answers with the latest versions.
type Catalogue struct{ o Options }

var errPending = fault.New(fault.Internal, "not built yet")

// Open reads the installed plugins and makes the catalogue.
func Open(ctx context.Context, o Options) (*Catalogue, error) { return &Catalogue{o: o}, nil }

// List returns a page of plugins by id, with the grants of the project.
func (c *Catalogue) List(ctx context.Context, project string, q page.Query) (page.Of[Plugin], error) {
	return pageOf{}, errPending
}

// Get returns a plugin with the grants of the project, or a fault.NotFound.
func (c *Catalogue) Get(ctx context.Context, project, id string) (Plugin, error) {
	return Plugin{}, errPending
}

// Install inspects a module, stores it and makes it the latest of its plugin. A
// digest that is the latest already changes nothing.
func (c *Catalogue) Install(ctx context.Context, by engine.Actor, wasm []byte) (Module, error) {
	return Module{}, errPending
}

// InstallShipped installs what comes with the binary and is not installed yet.
func (c *Catalogue) InstallShipped(ctx context.Context, s Shipped) ([]Module, error) {
	return nil, errPending
}

// SetGrants replaces the grants of a plugin in a project. A grant that the manifest
// does not ask for is a fault.Invalid with its field.
func (c *Catalogue) SetGrants(ctx context.Context, r GrantsRequest) (Plugin, error) {
	return Plugin{}, errPending
}

// Granted reports whether the plugin may call the operation in the project.
func (c *Catalogue) Granted(ctx context.Context, project, plugin, system, operation string) (bool, error) {
	return false, errPending
}

// Action returns the declaration of an action of the latest version of a plugin.
func (c *Catalogue) Action(plugin, action string) (contract.Action, bool) {
	return contract.Action{}, false
}

// Latest returns the latest module of a plugin, or false.
func (c *Catalogue) Latest(plugin string) (Module, bool) { return Module{}, false }

// Module returns the module with that digest, or false.
func (c *Catalogue) Module(digest string) (Module, bool) { return Module{}, false }

// Code returns the code of a module.
func (c *Catalogue) Code(ctx context.Context, digest string) ([]byte, error) {
	return nil, errPending
}

// Pinned returns the catalogue of exactly the modules with these digests, by plugin
// id: what a run that has started sees.
func (c *Catalogue) Pinned(digests map[string]string) engine.Catalogue { return nil }
