package plugins

import (
	"context"
	"fmt"

	"golang.org/x/mod/semver"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins/signing"
)

// signaturesMax bounds the envelopes of one module.
const signaturesMax = 16

// InstallRequest installs a module.
type InstallRequest struct {
	Actor engine.Actor
	Code  []byte
	// Signatures are DSSE envelopes about the module.
	Signatures [][]byte
	// Override lets a version in that is older than one that was in use, and says so
	// in the history.
	Override bool
	// Source says in the history where the module came from; may be empty.
	Source string
}

// Registry fetches a plugin by its reference, with its signatures. What is no reference,
// or none of a registry that may be asked, is a fault.Invalid at /reference.
type Registry interface {
	Pull(ctx context.Context, reference string) (Pulled, error)
}

// Pulled is a plugin that came from a registry.
type Pulled struct {
	// Reference names it by digest.
	Reference  string
	Code       []byte
	Signatures [][]byte
}

// PullRequest installs a plugin from a registry.
type PullRequest struct {
	Actor     engine.Actor
	Reference string
	// Override is that of InstallRequest.
	Override bool
}

// Pull fetches a plugin from a registry and installs it, as Install does. What the
// reference names later has no effect on what is installed now.
func (c *Catalogue) Pull(ctx context.Context, r PullRequest) (Module, error) {
	if c.o.Registry == nil {
		return Module{}, fault.At("/reference", "this server fetches from no registry").Because("NO_REGISTRY")
	}
	p, err := c.o.Registry.Pull(ctx, r.Reference)
	if err != nil {
		return Module{}, err
	}
	return c.Install(ctx, InstallRequest{
		Actor: r.Actor, Code: p.Code, Signatures: p.Signatures, Override: r.Override, Source: "from " + p.Reference,
	})
}

// Install inspects a module and stores it. It becomes the latest of its plugin at once,
// unless there is a reason for a review: then it is pending and changes nothing for
// anybody. A digest that is installed already gets the signatures; when it is active it
// becomes the latest again.
//
// A module that this host does not run, or whose manifest is wrong, is a fault.Invalid;
// one that its signatures keep out a fault.SignaturePolicy; an older version without
// Override a fault.Rollback; a blocked one a fault.Blocked.
func (c *Catalogue) Install(ctx context.Context, r InstallRequest) (Module, error) {
	if len(r.Code) > CodeBytesMax {
		return Module{}, fault.New(fault.TooLarge, "a module may have %d bytes at most", CodeBytesMax).Because("MODULE_TOO_LARGE")
	}
	if err := checkEnvelopes(r.Signatures); err != nil {
		return Module{}, err
	}
	// Looking into a module can take long, and is not done under the lock.
	m, known := c.Module(Digest(r.Code))
	if !known {
		manifest, err := c.o.Inspector.Inspect(ctx, r.Code)
		if err != nil {
			return Module{}, refused(err)
		}
		if err := check(manifest); err != nil {
			return Module{}, err
		}
		m = Module{
			Plugin: manifest.ID, Version: manifest.Version, Digest: Digest(r.Code), Manifest: manifest, Bytes: int64(len(r.Code)),
			InstalledAt: c.now(), InstalledBy: r.Actor.ID, Envelopes: r.Signatures, Signatures: []Signature{},
		}
	}
	c.changing.Lock()
	defer c.changing.Unlock()
	if now, ok := c.Module(m.Digest); ok {
		return c.reinstall(ctx, r, now)
	}
	return c.install(ctx, r, m)
}

// InstallShipped installs what comes with the binary, where it is neither installed
// nor older than what is, and returns what it installed.
func (c *Catalogue) InstallShipped(ctx context.Context, s Shipped) ([]Module, error) {
	index, err := s.Index()
	if err != nil {
		return nil, fault.Wrap("read the index of shipped plugins", err)
	}
	c.changing.Lock()
	defer c.changing.Unlock()
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
		m, err := c.installShipped(ctx, wasm)
		if err != nil {
			return out, fmt.Errorf("install shipped plugin %s: %w", p.ID, err)
		}
		out = append(out, m)
	}
	return out, nil
}

// wants reports whether a shipped plugin is to be installed.
func (c *Catalogue) wants(p ShippedPlugin) bool {
	if _, known := c.Module(p.Digest); known {
		return false // an older or newer one was chosen since: that choice stays
	}
	have, ok := c.newest(p.ID, "")
	return !ok || compare(p.Version, have.Version) >= 0
}

func (c *Catalogue) installShipped(ctx context.Context, wasm []byte) (Module, error) {
	manifest, err := c.o.Inspector.Inspect(ctx, wasm)
	if err != nil {
		return Module{}, refused(err)
	}
	if err := check(manifest); err != nil {
		return Module{}, err
	}
	by := engine.Actor{ID: "culm"}
	m := Module{
		Plugin: manifest.ID, Version: manifest.Version, Digest: Digest(wasm), Manifest: manifest, Bytes: int64(len(wasm)),
		InstalledAt: c.now(), InstalledBy: by.ID, Latest: true, State: StateActive, Shipped: true,
	}
	return c.put(ctx, m, wasm, c.event(by, EventInstalled, m, "shipped with the program"))
}

// install decides about a new module and stores it. The caller holds changing.
func (c *Catalogue) install(ctx context.Context, r InstallRequest, m Module) (Module, error) {
	c.mu.RLock()
	c.weigh(&m)
	c.mu.RUnlock()
	if err := c.admit(m); err != nil {
		return Module{}, c.refuse(ctx, r.Actor, m, err)
	}
	if m.Held = c.holds(m); len(m.Held) > 0 {
		m.State = StatePending
		return c.put(ctx, m, r.Code, c.event(r.Actor, EventHeld, m, r.Source))
	}
	kind, err := c.succeeds(m, r.Override)
	if err != nil {
		return Module{}, c.refuse(ctx, r.Actor, m, err)
	}
	m.State, m.Latest = StateActive, true
	return c.put(ctx, m, r.Code, c.event(r.Actor, kind, m, r.Source))
}

// reinstall takes a module that is there already. The caller holds changing.
func (c *Catalogue) reinstall(ctx context.Context, r InstallRequest, m Module) (Module, error) {
	if len(r.Signatures) > 0 {
		var err error
		if m, err = c.sign(ctx, r.Actor, m, r.Signatures); err != nil {
			return Module{}, err
		}
	}
	switch {
	case m.State == StateBlocked:
		err := fault.New(fault.Blocked, "version %s of plugin %s with this digest is blocked", m.Version, m.Plugin).Because("DIGEST_BLOCKED")
		return Module{}, c.refuse(ctx, r.Actor, m, err)
	case m.State != StateActive || m.Latest:
		return m, nil
	}
	return c.activate(ctx, r.Actor, m, r.Override, r.Source)
}

// succeeds decides whether a version may become the latest: one that is older than what
// was in use before may not, unless that is what is wanted. Blocked and withdrawn
// versions count: their successor is not their predecessor.
func (c *Catalogue) succeeds(m Module, override bool) (EventKind, error) {
	before, ok := c.newest(m.Plugin, m.Digest)
	switch {
	case !ok || compare(m.Version, before.Version) >= 0:
		return EventInstalled, nil
	case override:
		return EventRolledBack, nil
	default:
		e := fault.New(fault.Rollback, "version %s of plugin %s was in use: going back to %s must be asked for", before.Version, m.Plugin, m.Version).Because("ROLLBACK")
		e.Field = "/manifest/version"
		return "", e
	}
}

// newest returns that of the modules of a plugin, but for one digest, which has the
// highest version among those that were ever in use.
func (c *Catalogue) newest(plugin, but string) (Module, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var best Module
	found := false
	for _, m := range c.byDigest {
		if m.Plugin != plugin || m.Digest == but || m.State == StatePending {
			continue
		}
		if by := compare(m.Version, best.Version); !found || by > 0 || (by == 0 && m.InstalledAt.After(best.InstalledAt)) {
			best, found = m, true
		}
	}
	return best, found
}

func compare(a, b string) int { return semver.Compare("v"+a, "v"+b) }

// put stores a new module, its event with it, and takes it. The caller holds changing.
func (c *Catalogue) put(ctx context.Context, m Module, wasm []byte, e Event) (Module, error) {
	c.mu.RLock()
	c.weigh(&m)
	c.mu.RUnlock()
	if err := c.o.Repository.PutModule(ctx, m, wasm, e); err != nil {
		return Module{}, err
	}
	c.take(m)
	c.o.Logger.InfoContext(ctx, "plugin installed", "plugin", m.Plugin, "version", m.Version, "digest", m.Digest,
		"state", string(m.State), "trusted", m.Trusted, "actor", e.Actor.ID, "on_behalf_of", e.Actor.OnBehalfOf)
	if !m.Trusted && c.o.Trust.Policy == PolicyWarn {
		c.o.Logger.WarnContext(ctx, "plugin is not signed by a trusted key", "plugin", m.Plugin, "version", m.Version, "digest", m.Digest)
	}
	return m, nil
}

// take puts a stored module into memory.
func (c *Catalogue) take(m Module) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, ok := c.byDigest[c.latest[m.Plugin]]
	switch {
	case m.Latest && ok:
		before.Latest = false
		c.byDigest[before.Digest] = before
	case !m.Latest && before.Digest == m.Digest:
		delete(c.latest, m.Plugin)
	}
	c.byDigest[m.Digest] = m
	if m.Latest {
		c.latest[m.Plugin] = m.Digest
	}
}

// refuse keeps a refusal in the history and returns it.
func (c *Catalogue) refuse(ctx context.Context, by engine.Actor, m Module, refusal error) error {
	detail := ""
	if f := asFault(refusal); f != nil {
		detail = string(f.Code) + ": " + f.Message
	}
	if err := c.o.Repository.PutEvent(ctx, c.event(by, EventRefused, m, detail)); err != nil {
		return err
	}
	c.o.Logger.WarnContext(ctx, "plugin refused", "plugin", m.Plugin, "version", m.Version, "digest", m.Digest,
		"reason", detail, "actor", by.ID, "on_behalf_of", by.OnBehalfOf)
	return refusal
}

func checkEnvelopes(envelopes [][]byte) error {
	if len(envelopes) > signaturesMax {
		return fault.New(fault.TooLarge, "a module may have %d signatures at most", signaturesMax).Because("SIGNATURES_MAX")
	}
	for _, e := range envelopes {
		if len(e) > signing.EnvelopeMaxBytes {
			return fault.New(fault.TooLarge, "a signature may have %d bytes at most", signing.EnvelopeMaxBytes).Because("SIGNATURE_LARGE")
		}
	}
	return nil
}
