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

// GrantsRequest replaces the grants of a plugin in a project.
type GrantsRequest struct {
	Project string
	Actor   engine.Actor
	Plugin  string
	Grants  []Grant
}

// Repository keeps modules, grants and what was done with them. Methods return a
// fault.NotFound for what is not there.
type Repository interface {
	Modules
	Grants
	Ledger
}

// Modules keeps modules with their code.
type Modules interface {
	// PutModule stores a new module with its code, and its event with it.
	PutModule(ctx context.Context, m Module, wasm []byte, e Event) error
	// PutState stores the state of a module that is there, why it is held, and
	// whether it is the latest of its plugin, and the event with it.
	PutState(ctx context.Context, m Module, e Event) error
	// Modules returns every installed module without code, its signatures as they
	// came.
	Modules(ctx context.Context) ([]Module, error)
	// ModuleCode returns the code of a module.
	ModuleCode(ctx context.Context, digest string) ([]byte, error)
}

// Grants keeps the grants of plugins in projects.
type Grants interface {
	// Grants returns the grants of a plugin in a project, in order.
	Grants(ctx context.Context, project, plugin string) ([]Grant, error)
	PutGrants(ctx context.Context, r GrantsRequest, at time.Time) error
	// Granted reports whether the one grant is there.
	Granted(ctx context.Context, project, plugin string, g Grant) (bool, error)
}

// Ledger keeps what was done with plugins, and with the keys they are signed with.
type Ledger interface {
	// PutSignatures adds envelopes to a module; those it has stay.
	PutSignatures(ctx context.Context, digest string, envelopes [][]byte, e Event) error
	// RevokeKey stores that a key is revoked, and RevokedKeys returns the ids of all
	// that are.
	RevokeKey(ctx context.Context, key string, e Event) error
	RevokedKeys(ctx context.Context) ([]string, error)
	// PutEvent stores an event alone: one of an attempt that was refused.
	PutEvent(ctx context.Context, e Event) error
	// History returns events of a plugin, the newest first: those before an id, or
	// the newest of all for id 0. An empty plugin asks for those of every plugin.
	History(ctx context.Context, plugin string, before int64, limit int) ([]Event, error)
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
