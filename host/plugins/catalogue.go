package plugins

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/pdk/contract"
)

// Options are what the catalogue needs; all fields but Trust and Registry are required.
type Options struct {
	Repository Repository
	Switches   Switches
	Inspector  Inspector
	Projects   Projects
	Clock      Clock
	Logger     *slog.Logger
	// Trust says whose signatures count and what is asked of a module; the zero
	// value trusts nobody and takes nothing but what was shipped.
	Trust Trust
	// Registry fetches plugins from registries; nil lets none be fetched.
	Registry Registry
	// Loaded tells what a module takes in memory, the zero value when it is not loaded.
	// It must not block; nil knows of none.
	Loaded func(digest string) Loaded
}

// CodeBytesMax bounds the size of a module.
const CodeBytesMax = 16 << 20

// Catalogue is the use cases of plugins. It keeps the manifests in memory and is safe
// for concurrent use. As an engine.Catalogue it answers with the latest versions.
type Catalogue struct {
	o Options
	// changing lets one change at a time decide about states and what is the latest.
	changing sync.Mutex

	mu       sync.RWMutex
	byDigest map[string]Module
	latest   map[string]string // digest by plugin id
	revoked  map[string]bool   // ids of keys

	grantless grantless
	disabled  disabled
}

var _ engine.Catalogue = (*Catalogue)(nil)

// Open reads the installed plugins and makes the catalogue.
func Open(ctx context.Context, o Options) (*Catalogue, error) {
	ms, err := o.Repository.Modules(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := o.Repository.RevokedKeys(ctx)
	if err != nil {
		return nil, err
	}
	c := &Catalogue{o: o, byDigest: map[string]Module{}, latest: map[string]string{}, revoked: map[string]bool{}}
	for _, k := range keys {
		c.revoked[k] = true
	}
	for _, m := range ms {
		c.weigh(&m)
		c.byDigest[m.Digest] = m
		if m.Latest {
			c.latest[m.Plugin] = m.Digest
		}
	}
	return c, c.disabled.load(ctx, o.Switches)
}

// Digest names a module by its content: "sha256:" and the hash in hex.
func Digest(wasm []byte) string {
	sum := sha256.Sum256(wasm)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ListQuery asks for the plugins that a project can use, by id.
type ListQuery struct {
	Project string
	// Search is as in an InstalledQuery.
	Search string
	Page   page.Query
}

// List returns a page of plugins by id, with the grants of the project.
func (c *Catalogue) List(ctx context.Context, q ListQuery) (page.Of[Plugin], error) {
	none := page.Of[Plugin]{}
	limit, err := q.Page.Size()
	if err != nil {
		return none, err
	}
	after := ""
	if _, err := q.Page.After(&after); err != nil {
		return none, err
	}
	if err := c.o.Projects.Exists(ctx, q.Project); err != nil {
		return none, err
	}
	ids := c.offered(q.Search)
	start, found := slices.BinarySearch(ids, after)
	if found {
		start++
	}
	ids = ids[start:min(len(ids), start+limit+1)]
	items := make([]Plugin, 0, len(ids))
	for _, id := range ids {
		p, err := c.plugin(ctx, q.Project, id)
		if fault.Is(err, fault.NotFound) {
			continue // it was blocked a moment ago
		}
		if err != nil {
			return none, err
		}
		items = append(items, p)
	}
	return page.Cut(items, limit, func(p Plugin) any { return p.ID })
}

// Get returns a plugin with the grants of the project, or a fault.NotFound.
func (c *Catalogue) Get(ctx context.Context, project, id string) (Plugin, error) {
	if err := c.o.Projects.Exists(ctx, project); err != nil {
		return Plugin{}, err
	}
	return c.plugin(ctx, project, id)
}

// SetGrants replaces the grants of a plugin in a project. A grant that the manifest
// does not ask for is a fault.Invalid with its field.
func (c *Catalogue) SetGrants(ctx context.Context, r GrantsRequest) (Plugin, error) {
	p, err := c.Get(ctx, r.Project, r.Plugin)
	if err != nil {
		return Plugin{}, err
	}
	for i, g := range r.Grants {
		if err := grantable(p.Manifest, i, g); err != nil {
			return Plugin{}, err
		}
	}
	defer c.grantless.changed()
	c.grantless.changed()
	if err := c.o.Repository.PutGrants(ctx, r, c.now()); err != nil {
		return Plugin{}, err
	}
	c.o.Logger.InfoContext(ctx, "grants replaced", "project", r.Project, "plugin", r.Plugin,
		"grants", len(r.Grants), "actor", r.Actor.ID, "on_behalf_of", r.Actor.OnBehalfOf)
	return c.plugin(ctx, r.Project, r.Plugin)
}

// Granted reports whether the plugin may call the operation in the project.
func (c *Catalogue) Granted(ctx context.Context, project, plugin, system, operation string) (bool, error) {
	return c.o.Repository.Granted(ctx, project, plugin, Grant{System: system, Operation: operation})
}

// Action returns the declaration of an action of the latest version of a plugin.
func (c *Catalogue) Action(plugin, action string) (contract.Action, bool) {
	m, ok := c.Latest(plugin)
	if !ok {
		return contract.Action{}, false
	}
	return actionOf(m, action)
}

// Latest returns the module that new runs of a plugin take, or false: also where there
// are versions, but none that may be run.
func (c *Catalogue) Latest(plugin string) (Module, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	m, ok := c.byDigest[c.latest[plugin]]
	if !ok || c.refusal(m) != nil {
		return Module{}, false
	}
	return m, true
}

// offered lists the ids of the plugins that new runs may use and that mention a text, in
// order.
func (c *Catalogue) offered(search string) []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var ids []string
	for id, digest := range c.latest {
		if m := c.byDigest[digest]; c.refusal(m) == nil && mentions(m.Manifest, search) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Module returns the module with that digest, or false.
func (c *Catalogue) Module(digest string) (Module, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	m, ok := c.byDigest[digest]
	return m, ok
}

// Code returns the code of a module, or a fault.NotFound.
func (c *Catalogue) Code(ctx context.Context, digest string) ([]byte, error) {
	return c.o.Repository.ModuleCode(ctx, digest)
}

// Pinned returns the catalogue of exactly the modules with these digests, by plugin
// id: what a run that has started sees.
func (c *Catalogue) Pinned(digests map[string]string) engine.Catalogue {
	p := make(pinned, len(digests))
	for plugin, digest := range digests {
		if m, ok := c.Module(digest); ok && m.Plugin == plugin {
			p[plugin] = m
		}
	}
	return p
}

type pinned map[string]Module

// Action implements engine.Catalogue.
func (p pinned) Action(plugin, action string) (contract.Action, bool) {
	m, ok := p[plugin]
	if !ok {
		return contract.Action{}, false
	}
	return actionOf(m, action)
}

func actionOf(m Module, action string) (contract.Action, bool) {
	a, ok := m.Manifest.Action(action)
	if !ok {
		return contract.Action{}, false
	}
	return *a, true
}

func (c *Catalogue) plugin(ctx context.Context, project, id string) (Plugin, error) {
	m, ok := c.Latest(id)
	if !ok {
		if c.OutOfUse(id) {
			return Plugin{}, fault.New(fault.NotFound, "no version of plugin %q is in use: approve or activate one", id).Because("NO_VERSION_IN_USE")
		}
		return Plugin{}, fault.Missing("plugin", id)
	}
	grants, err := c.o.Repository.Grants(ctx, project, id)
	if err != nil {
		return Plugin{}, err
	}
	if grants == nil {
		grants = []Grant{}
	}
	return Plugin{ID: m.Plugin, Version: m.Version, Digest: m.Digest, Manifest: m.Manifest, Grants: grants, Enabled: !c.Disabled(project, id)}, nil
}

// now is the instant as it is stored.
func (c *Catalogue) now() time.Time { return c.o.Clock.Now().UTC().Truncate(time.Microsecond) }
