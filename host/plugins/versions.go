package plugins

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
)

// reasonMax bounds the reason that is given for a change, in bytes.
const reasonMax = 1000

// Change is what is done with an installed version.
type Change string

// The changes.
const (
	// ChangeApprove ends a review, a withdrawal or a block: the version may be run. It
	// becomes the latest, unless that would go back to an older version.
	ChangeApprove Change = "approve"
	// ChangeActivate makes a version that may be run the latest.
	ChangeActivate Change = "activate"
	// ChangeWithdraw keeps a version for the runs that started with it.
	ChangeWithdraw Change = "withdraw"
	// ChangeBlock ends every use of a version at the next node.
	ChangeBlock Change = "block"
)

// ChangeRequest changes the state of an installed version.
type ChangeRequest struct {
	Actor          engine.Actor
	Plugin, Digest string
	Change         Change
	// Override lets a version become the latest that is older than one that was in
	// use.
	Override bool
	// Reason is kept in the history.
	Reason string
}

// Change changes the state of an installed version and returns it as it is then. A state
// that does not allow it is a fault.WrongState, an older version without Override a
// fault.Rollback, a version that the policy keeps out a fault.SignaturePolicy.
func (c *Catalogue) Change(ctx context.Context, r ChangeRequest) (Module, error) {
	if len(r.Reason) > reasonMax {
		return Module{}, fault.At("/reason", "a reason may have %d bytes at most", reasonMax).Because("TOO_MANY_BYTES")
	}
	c.changing.Lock()
	defer c.changing.Unlock()
	m, err := c.Version(r.Plugin, r.Digest)
	if err != nil {
		return Module{}, err
	}
	switch r.Change {
	case ChangeApprove:
		return c.approve(ctx, r, m)
	case ChangeActivate:
		if m.State != StateActive {
			return Module{}, fault.New(fault.WrongState, "version %s is %s: approve it first", m.Version, m.State).Because("VERSION_UNAPPROVED")
		}
		return c.activate(ctx, r.Actor, m, r.Override, r.Reason)
	case ChangeWithdraw:
		if m.State == StateBlocked {
			return Module{}, fault.New(fault.WrongState, "version %s is blocked", m.Version).Because("VERSION_BLOCKED")
		}
		return c.become(ctx, r, m, StateWithdrawn, EventWithdrawn)
	case ChangeBlock:
		return c.become(ctx, r, m, StateBlocked, EventBlocked)
	default:
		return Module{}, fault.At("/command", "must be approve, activate, withdraw or block").Because("CHOICE")
	}
}

// Version returns an installed version of a plugin, or a fault.NotFound.
func (c *Catalogue) Version(plugin, digest string) (Module, error) {
	m, ok := c.Module(digest)
	if !ok || m.Plugin != plugin {
		return Module{}, fault.Missing("version of the plugin", digest)
	}
	return c.weighed(m), nil
}

// weighed is a module with what it takes in memory.
func (c *Catalogue) weighed(m Module) Module {
	if c.o.Loaded == nil {
		return m
	}
	if l := c.o.Loaded(m.Digest); l != (Loaded{}) {
		m.Loaded = &l
	}
	return m
}

// Versions returns the installed versions of a plugin, the highest first, or a
// fault.NotFound.
func (c *Catalogue) Versions(plugin string) ([]Module, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []Module
	for _, m := range c.byDigest {
		if m.Plugin == plugin {
			out = append(out, c.weighed(m))
		}
	}
	if out == nil {
		return nil, fault.Missing("plugin", plugin)
	}
	slices.SortFunc(out, byVersion)
	return out, nil
}

// OutOfUse reports whether there are versions of a plugin, and none that a new run may
// take.
func (c *Catalogue) OutOfUse(plugin string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if m, ok := c.byDigest[c.latest[plugin]]; ok && c.refusal(m) == nil {
		return false
	}
	for _, m := range c.byDigest {
		if m.Plugin == plugin {
			return true
		}
	}
	return false
}

// Sign adds signatures to an installed version and returns it as it is then. One that is
// not about this version, or that its key did not make, is a fault.SignaturePolicy.
func (c *Catalogue) Sign(ctx context.Context, by engine.Actor, plugin, digest string, envelopes [][]byte) (Module, error) {
	if err := checkEnvelopes(envelopes); err != nil {
		return Module{}, err
	}
	c.changing.Lock()
	defer c.changing.Unlock()
	m, err := c.Version(plugin, digest)
	if err != nil {
		return Module{}, err
	}
	return c.sign(ctx, by, m, envelopes)
}

// RevokeKey ends the trust in a key from now on, whatever the trust file says. What only
// this key vouched for is not trusted any more.
func (c *Catalogue) RevokeKey(ctx context.Context, by engine.Actor, key, reason string) error {
	if len(reason) > reasonMax {
		return fault.At("/reason", "a reason may have %d bytes at most", reasonMax).Because("TOO_MANY_BYTES")
	}
	c.changing.Lock()
	defer c.changing.Unlock()
	if !slices.ContainsFunc(c.o.Trust.Keys, func(k Key) bool { return k.ID == key }) {
		return fault.Missing("key", key)
	}
	if err := c.o.Repository.RevokeKey(ctx, key, c.event(by, EventKeyRevoked, Module{}, key+" "+reason)); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revoked[key] = true
	for digest, m := range c.byDigest {
		c.weigh(&m)
		c.byDigest[digest] = m
	}
	c.o.Logger.WarnContext(ctx, "key revoked", "key", key, "reason", reason, "actor", by.ID, "on_behalf_of", by.OnBehalfOf)
	return nil
}

// KeyView is a key of this installation as it is shown.
type KeyView struct {
	ID        string   `json:"id"`
	Publisher string   `json:"publisher"`
	Plugins   []string `json:"plugins"`
	Revoked   bool     `json:"revoked"`
}

// TrustView is what this installation asks of modules, and whom it trusts.
type TrustView struct {
	Policy Policy    `json:"policy"`
	Keys   []KeyView `json:"keys"`
}

// Trust returns the policy and the keys, the revoked ones too.
func (c *Catalogue) Trust() TrustView {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := TrustView{Policy: c.o.Trust.Policy, Keys: []KeyView{}}
	if out.Policy == "" {
		out.Policy = PolicyRequired
	}
	for _, k := range c.o.Trust.Keys {
		out.Keys = append(out.Keys, KeyView{
			ID: k.ID, Publisher: k.Publisher, Plugins: append([]string{}, k.Plugins...), Revoked: c.isRevoked(k),
		})
	}
	return out
}

// History returns what was done with a plugin, the newest first.
func (c *Catalogue) History(ctx context.Context, plugin string, q page.Query) (page.Of[Event], error) {
	none := page.Of[Event]{}
	limit, err := q.Size()
	if err != nil {
		return none, err
	}
	var before int64
	if _, err := q.After(&before); err != nil {
		return none, err
	}
	es, err := c.o.Repository.History(ctx, plugin, before, limit+1)
	if err != nil {
		return none, err
	}
	return page.Cut(es, limit, func(e Event) any { return e.ID })
}

// approve lets a version be run. The caller holds changing.
func (c *Catalogue) approve(ctx context.Context, r ChangeRequest, m Module) (Module, error) {
	if m.State == StateActive {
		return Module{}, fault.New(fault.WrongState, "version %s is active already", m.Version).Because("VERSION_ACTIVE")
	}
	if err := c.admit(m); err != nil {
		return Module{}, c.refuse(ctx, r.Actor, m, err)
	}
	m.State, m.Held, m.Latest = StateActive, nil, true
	detail := r.Reason
	switch kind, err := c.succeeds(m, r.Override); {
	case err != nil:
		m.Latest = false
	case kind == EventRolledBack:
		detail = strings.TrimSpace("goes back to an older version: " + detail)
	}
	return c.putState(ctx, m, c.event(r.Actor, EventApproved, m, detail))
}

// activate makes an active version the latest. The caller holds changing.
func (c *Catalogue) activate(ctx context.Context, by engine.Actor, m Module, override bool, reason string) (Module, error) {
	if err := c.admit(m); err != nil {
		return Module{}, c.refuse(ctx, by, m, err)
	}
	kind, err := c.succeeds(m, override)
	if err != nil {
		return Module{}, c.refuse(ctx, by, m, err)
	}
	if kind == EventInstalled {
		kind = EventActivated
	}
	m.Latest = true
	return c.putState(ctx, m, c.event(by, kind, m, reason))
}

// become takes a version out of use. The caller holds changing.
func (c *Catalogue) become(ctx context.Context, r ChangeRequest, m Module, s State, kind EventKind) (Module, error) {
	if m.State == s {
		return m, nil
	}
	m.State, m.Held, m.Latest = s, nil, false
	return c.putState(ctx, m, c.event(r.Actor, kind, m, r.Reason))
}

func (c *Catalogue) putState(ctx context.Context, m Module, e Event) (Module, error) {
	if err := c.o.Repository.PutState(ctx, m, e); err != nil {
		return Module{}, err
	}
	c.take(m)
	c.o.Logger.InfoContext(ctx, "plugin version changed", "plugin", m.Plugin, "version", m.Version, "digest", m.Digest,
		"change", string(e.Kind), "state", string(m.State), "actor", e.Actor.ID, "on_behalf_of", e.Actor.OnBehalfOf)
	return m, nil
}

// sign adds envelopes to a module that is there. The caller holds changing.
func (c *Catalogue) sign(ctx context.Context, by engine.Actor, m Module, envelopes [][]byte) (Module, error) {
	all := slices.Clone(m.Envelopes)
	for _, e := range envelopes {
		if !slices.ContainsFunc(all, func(have []byte) bool { return string(have) == string(e) }) {
			all = append(all, e)
		}
	}
	if len(all) == len(m.Envelopes) {
		return m, nil
	}
	if err := checkEnvelopes(all); err != nil {
		return Module{}, err
	}
	if err := c.genuine(m, envelopes); err != nil {
		return Module{}, c.refuse(ctx, by, m, err)
	}
	e := c.event(by, EventSigned, m, "")
	if err := c.o.Repository.PutSignatures(ctx, m.Digest, envelopes, e); err != nil {
		return Module{}, err
	}
	m.Envelopes = all
	c.mu.RLock()
	c.weigh(&m)
	c.mu.RUnlock()
	c.take(m)
	return m, nil
}

// event makes an event about a module.
func (c *Catalogue) event(by engine.Actor, kind EventKind, m Module, detail string) Event {
	return Event{At: c.now(), Actor: by, Kind: kind, Plugin: m.Plugin, Version: m.Version, Digest: m.Digest, Detail: detail}
}

// asFault returns the refusal in an error, or nil.
func asFault(err error) *fault.Error {
	var f *fault.Error
	errors.As(err, &f)
	return f
}
