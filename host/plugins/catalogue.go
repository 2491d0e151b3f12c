package plugins

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/semver"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/pdk/contract"
)

// Options are what the catalogue needs; all fields are required.
type Options struct {
	Repository Repository
	Switches   Switches
	Inspector  Inspector
	Projects   Projects
	Clock      Clock
	Logger     *slog.Logger
}

// CodeBytesMax bounds the size of a module.
const CodeBytesMax = 64 << 20

// Catalogue is the use cases of plugins. It keeps the manifests in memory and is safe
// for concurrent use. As an engine.Catalogue it answers with the latest versions.
type Catalogue struct {
	o Options
	// installing lets one install at a time decide what is the latest.
	installing sync.Mutex

	mu       sync.RWMutex
	byDigest map[string]Module
	latest   map[string]string // digest by plugin id

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
	c := &Catalogue{o: o, byDigest: map[string]Module{}, latest: map[string]string{}}
	for _, m := range ms {
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

// List returns a page of plugins by id, with the grants of the project.
func (c *Catalogue) List(ctx context.Context, project string, q page.Query) (page.Of[Plugin], error) {
	none := page.Of[Plugin]{}
	limit, err := q.Size()
	if err != nil {
		return none, err
	}
	after := ""
	if _, err := q.After(&after); err != nil {
		return none, err
	}
	if err := c.o.Projects.Exists(ctx, project); err != nil {
		return none, err
	}
	c.mu.RLock()
	ids := slices.Sorted(maps.Keys(c.latest))
	c.mu.RUnlock()
	start, found := slices.BinarySearch(ids, after)
	if found {
		start++
	}
	ids = ids[start:min(len(ids), start+limit+1)]
	items := make([]Plugin, 0, len(ids))
	for _, id := range ids {
		p, err := c.plugin(ctx, project, id)
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

// Install inspects a module, stores it and makes it the latest of its plugin. A
// digest that is the latest already changes nothing. A module that this host does not
// run, or whose manifest is wrong, is a fault.Invalid.
func (c *Catalogue) Install(ctx context.Context, by engine.Actor, wasm []byte) (Module, error) {
	if len(wasm) > CodeBytesMax {
		return Module{}, fault.New(fault.TooLarge, "a module may have %d bytes at most", CodeBytesMax)
	}
	c.installing.Lock()
	defer c.installing.Unlock()
	return c.install(ctx, by, wasm)
}

// InstallShipped installs what comes with the binary, where it is neither installed
// nor older than what is, and returns what it installed.
func (c *Catalogue) InstallShipped(ctx context.Context, s Shipped) ([]Module, error) {
	index, err := s.Index()
	if err != nil {
		return nil, fault.Wrap("read the index of shipped plugins", err)
	}
	c.installing.Lock()
	defer c.installing.Unlock()
	var out []Module
	for _, p := range index {
		if !c.wants(p) {
			continue
		}
		wasm, err := s.Code(p)
		if err != nil {
			return out, fault.Wrap("read shipped plugin "+p.ID, err)
		}
		if got := Digest(wasm); got != p.Digest {
			return out, fault.New(fault.Internal, "shipped plugin %s has digest %s, its index says %s", p.ID, got, p.Digest)
		}
		m, err := c.install(ctx, engine.Actor{ID: "culm"}, wasm)
		if err != nil {
			return out, fmt.Errorf("install shipped plugin %s: %w", p.ID, err)
		}
		out = append(out, m)
	}
	return out, nil
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

// Latest returns the latest module of a plugin, or false.
func (c *Catalogue) Latest(plugin string) (Module, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	m, ok := c.byDigest[c.latest[plugin]]
	return m, ok
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

// wants reports whether a shipped plugin is to be installed.
func (c *Catalogue) wants(p ShippedPlugin) bool {
	if _, known := c.Module(p.Digest); known {
		return false // an older or newer one was chosen since: that choice stays
	}
	have, ok := c.Latest(p.ID)
	return !ok || semver.Compare("v"+p.Version, "v"+have.Version) >= 0
}

// install stores a module and makes it the latest. The caller holds installing.
func (c *Catalogue) install(ctx context.Context, by engine.Actor, wasm []byte) (Module, error) {
	digest := Digest(wasm)
	if m, ok := c.Module(digest); ok && m.Latest {
		return m, nil
	}
	manifest, err := c.o.Inspector.Inspect(ctx, wasm)
	if err != nil {
		return Module{}, refused(err)
	}
	if err := check(manifest); err != nil {
		return Module{}, err
	}
	m := Module{
		Plugin: manifest.ID, Version: manifest.Version, Digest: digest, Manifest: manifest, Bytes: int64(len(wasm)),
		InstalledAt: c.now(), InstalledBy: by.ID, Latest: true,
	}
	if before, ok := c.Module(digest); ok {
		m.InstalledAt, m.InstalledBy = before.InstalledAt, before.InstalledBy
	}
	if err := c.o.Repository.PutModule(ctx, m, wasm); err != nil {
		return Module{}, err
	}
	c.take(m)
	c.o.Logger.InfoContext(ctx, "plugin installed", "plugin", m.Plugin, "version", m.Version, "digest", digest,
		"actor", by.ID, "on_behalf_of", by.OnBehalfOf)
	return m, nil
}

// take makes a stored module the latest in memory.
func (c *Catalogue) take(m Module) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if before, ok := c.byDigest[c.latest[m.Plugin]]; ok {
		before.Latest = false
		c.byDigest[before.Digest] = before
	}
	c.byDigest[m.Digest] = m
	c.latest[m.Plugin] = m.Digest
}

func (c *Catalogue) plugin(ctx context.Context, project, id string) (Plugin, error) {
	m, ok := c.Latest(id)
	if !ok {
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
