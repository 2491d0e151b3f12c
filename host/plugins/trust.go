package plugins

import (
	"crypto/ed25519"
	"errors"
	"path"
	"slices"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins/signing"
	"github.com/culmhq/culm/pdk/contract"
)

// Trust says whose signatures count in this installation, and what is asked of a module.
type Trust struct {
	Policy Policy
	Keys   []Key
}

// Policy says what is asked of a module that was not shipped. The zero value is as
// strict as PolicyRequired.
type Policy string

// The policies.
const (
	// PolicyRequired takes and runs only what a trusted key signed.
	PolicyRequired Policy = "required"
	// PolicyWarn takes unsigned modules and says so; a signature that is wrong or
	// revoked is refused.
	PolicyWarn Policy = "warn"
	// PolicyOff looks at signatures, and asks for none.
	PolicyOff Policy = "off"
)

// Key is a public key whose signatures count.
type Key struct {
	ID        string
	Publisher string
	Public    ed25519.PublicKey
	// Plugins are patterns of the ids that belong to the publisher ("acme-*"): only
	// its keys sign those. Without any the key signs every plugin that belongs to
	// nobody else.
	Plugins []string
	// Revoked says that its signatures do not count any more.
	Revoked bool
}

// owns reports whether a plugin belongs to the key's publisher.
func (k Key) owns(plugin string) bool {
	return slices.ContainsFunc(k.Plugins, func(p string) bool {
		ok, err := path.Match(p, plugin)
		return ok && err == nil
	})
}

// owned reports whether a plugin belongs to a publisher at all. A revoked key still
// keeps its names from others.
func (t Trust) owned(plugin string) bool {
	return slices.ContainsFunc(t.Keys, func(k Key) bool { return k.owns(plugin) })
}

// signs reports whether a key may sign a plugin.
func (t Trust) signs(k Key, plugin string) bool {
	return k.owns(plugin) || (len(k.Plugins) == 0 && !t.owned(plugin))
}

// Trusted reports whether the module with that digest was shipped with the binary, or is
// signed by a trusted key. It is false for a module that is not installed.
func (c *Catalogue) Trusted(digest string) bool {
	m, ok := c.Module(digest)
	return ok && m.Trusted
}

// Refusal says why the module with that digest must not be run, or is nil. It is asked
// before every call, so that what was blocked or revoked ends at the next node.
func (c *Catalogue) Refusal(digest string) *contract.Failure {
	c.mu.RLock()
	defer c.mu.RUnlock()
	m, ok := c.byDigest[digest]
	if !ok {
		return nil // who asks finds that out, and says it better
	}
	return c.refusal(m)
}

// The codes of a Refusal.
const (
	CodeBlocked         = "PLUGIN_BLOCKED"
	CodePending         = "PLUGIN_PENDING"
	CodeSignaturePolicy = "SIGNATURE_POLICY"
)

func (c *Catalogue) refusal(m Module) *contract.Failure {
	f := &contract.Failure{Origin: contract.OriginHost}
	switch {
	case m.State == StateBlocked:
		f.Code, f.Message = CodeBlocked, "an administrator blocked version "+m.Version+" of plugin "+m.Plugin
	case m.State != StateActive && m.State != StateWithdrawn:
		f.Code, f.Message = CodePending, "version "+m.Version+" of plugin "+m.Plugin+" waits for a review"
	case !m.Trusted && c.o.Trust.Policy != PolicyWarn && c.o.Trust.Policy != PolicyOff:
		f.Code, f.Message = CodeSignaturePolicy, "version "+m.Version+" of plugin "+m.Plugin+" is not signed by a key that is trusted now"
	default:
		return nil
	}
	return f
}

// weigh finds out which of a module's signatures count now. The caller holds mu, or is
// alone with the catalogue.
func (c *Catalogue) weigh(m *Module) {
	m.Signatures = []Signature{}
	for _, raw := range m.Envelopes {
		counted, err := c.counted(raw, *m)
		if err != nil {
			continue // it was refused when it came, or its key was trusted later
		}
		for _, s := range counted {
			if !slices.Contains(m.Signatures, s) {
				m.Signatures = append(m.Signatures, s)
			}
		}
	}
	m.Trusted = m.Shipped || len(m.Signatures) > 0
}

// counted returns the signatures of an envelope that count for a module now. The caller
// holds mu, or is alone with the catalogue.
func (c *Catalogue) counted(raw []byte, m Module) ([]Signature, error) {
	out, err := c.o.Trust.Verify(raw, signing.Subject{Plugin: m.Plugin, Version: m.Version, Digest: m.Digest})
	return slices.DeleteFunc(out, func(s Signature) bool { return c.revoked[s.KeyID] }), err
}

// Verify returns the signatures of an envelope that count for a module. An envelope that
// is wrong, that is about another module, or that one of the keys did not sign although
// it says so, is a *signing.Error.
func (t Trust) Verify(raw []byte, want signing.Subject) ([]Signature, error) {
	keys := make([]ed25519.PublicKey, len(t.Keys))
	for i, k := range t.Keys {
		keys[i] = k.Public
	}
	got, ids, err := signing.Open(raw, keys)
	if err != nil {
		return nil, err
	}
	if got != want {
		return nil, &signing.Error{Reason: "it is about another module"}
	}
	var out []Signature
	for _, k := range t.Keys {
		if slices.Contains(ids, k.ID) && !k.Revoked && t.signs(k, want.Plugin) {
			out = append(out, Signature{KeyID: k.ID, Publisher: k.Publisher})
		}
	}
	return out, nil
}

func (c *Catalogue) isRevoked(k Key) bool { return k.Revoked || c.revoked[k.ID] }

// admit refuses a module by its signatures, as the policy says.
func (c *Catalogue) admit(m Module) error {
	if err := c.genuine(m, m.Envelopes); err != nil {
		return err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	revoked := false
	for _, raw := range m.Envelopes {
		for _, id := range signing.Signers(raw) {
			revoked = revoked || slices.ContainsFunc(c.o.Trust.Keys, func(k Key) bool { return k.ID == id && c.isRevoked(k) })
		}
	}
	switch {
	case m.Trusted:
		return nil
	case revoked:
		return policy("the key that signed the module is revoked").Because("KEY_REVOKED")
	case c.o.Trust.Policy == PolicyOff:
		return nil
	case c.o.Trust.owned(m.Plugin):
		e := policy("the name %s belongs to a publisher who did not sign the module", m.Plugin).Because("NAME_OWNED")
		e.Field = "/manifest/id"
		return e
	case c.o.Trust.Policy == PolicyWarn:
		return nil
	default:
		return policy("a trusted key must sign the module").Because("UNSIGNED")
	}
}

// genuine refuses an envelope that is not about a module, or that one of the keys did
// not sign although it says so.
func (c *Catalogue) genuine(m Module, envelopes [][]byte) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i, raw := range envelopes {
		_, err := c.counted(raw, m)
		var wrong *signing.Error
		if errors.As(err, &wrong) {
			return policy("signature %d is none of this module: %s", i+1, wrong.Reason).Because("SIGNATURE_WRONG")
		}
	}
	return nil
}

func policy(format string, args ...any) *fault.Error {
	return fault.New(fault.SignaturePolicy, format, args...)
}
