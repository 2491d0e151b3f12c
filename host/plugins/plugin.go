// Package plugins is the catalogue: which plugins are installed, in which versions,
// and which operations of which systems an administrator granted to each.
package plugins

import (
	"context"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// Plugin is the latest installed version of a plugin, as a project sees it.
type Plugin struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	// Digest is "sha256:" and the hex hash of the module.
	Digest   string             `json:"digest"`
	Manifest *contract.Manifest `json:"manifest"`
	// Grants are those of the project, by system and operation.
	Grants []Grant `json:"grants"`
	// Enabled is false where the project has switched the plugin off.
	Enabled bool `json:"enabled"`
}

// Grant lets a plugin call one operation of one system in one project.
type Grant struct {
	System    string `json:"system"`
	Operation string `json:"operation"`
}

// Module is one installed version of a plugin.
type Module struct {
	Plugin      string
	Version     string
	Digest      string
	Manifest    *contract.Manifest
	Bytes       int64
	InstalledAt time.Time
	InstalledBy string
	// Latest marks the version that new runs take.
	Latest bool
}

// GrantsRequest replaces the grants of a plugin in a project.
type GrantsRequest struct {
	Project string
	Actor   engine.Actor
	Plugin  string
	Grants  []Grant
}

// Repository keeps modules and grants. Methods return a fault.NotFound for what is
// not there.
type Repository interface {
	// PutModule stores a module with its code and makes it the latest of its
	// plugin; a digest that is there already is only made the latest.
	PutModule(ctx context.Context, m Module, wasm []byte) error
	// Modules returns every installed module without code.
	Modules(ctx context.Context) ([]Module, error)
	// ModuleCode returns the code of a module.
	ModuleCode(ctx context.Context, digest string) ([]byte, error)
	// Grants returns the grants of a plugin in a project, in order.
	Grants(ctx context.Context, project, plugin string) ([]Grant, error)
	PutGrants(ctx context.Context, r GrantsRequest, at time.Time) error
	// Granted reports whether the one grant is there.
	Granted(ctx context.Context, project, plugin string, g Grant) (bool, error)
}

// Inspector reads a module's manifest and refuses a module that this host does not
// run. It runs none of the module's code.
type Inspector interface {
	Inspect(ctx context.Context, wasm []byte) (*contract.Manifest, error)
}

// Shipped gives the plugins that come with the binary.
type Shipped interface {
	// Index lists them, Code returns the module of an entry.
	Index() ([]ShippedPlugin, error)
	Code(p ShippedPlugin) ([]byte, error)
}

// ShippedPlugin is an entry of the index of what comes with the binary.
type ShippedPlugin struct {
	ID      string
	Version string
	// Digest is that of Plugin.
	Digest string
}

// Projects tells whether a project exists: nil, or a fault.NotFound.
type Projects interface {
	Exists(ctx context.Context, project string) error
}

// Clock tells the time.
type Clock interface{ Now() time.Time }
