package plugins_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/plugins/signing"
	"github.com/culmhq/culm/host/store"
	"github.com/culmhq/culm/pdk/contract"
)

// key is a key that is the same in every test.
func key(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

// trusted makes the key of a publisher, with patterns of the names it owns.
func trusted(seed byte, publisher string, owns ...string) plugins.Key {
	public := key(seed).Public().(ed25519.PublicKey)
	return plugins.Key{ID: signing.KeyID(public), Publisher: publisher, Public: public, Plugins: owns}
}

// catalogue is one over an empty store, with that trust.
func catalogue(t *testing.T, trust plugins.Trust) *plugins.Catalogue {
	t.Helper()
	return reopen(t, database(t), trust)
}

func database(t *testing.T) *store.Store {
	t.Helper()
	return hosttest.OpenStore(t, filepath.Join(t.TempDir(), "data", "culm.db"))
}

// reopen makes a catalogue from what is stored.
func reopen(t *testing.T, db *store.Store, trust plugins.Trust) *plugins.Catalogue {
	t.Helper()
	c, err := plugins.Open(t.Context(), plugins.Options{
		Repository: db, Switches: db, Inspector: hosttest.Inspector{}, Projects: everywhere{}, Clock: &hosttest.Clock{},
		Logger: slog.New(slog.DiscardHandler), Trust: trust,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type everywhere struct{}

func (everywhere) Exists(context.Context, string) error { return nil }

// toy is the module of a plugin in a version that asks for some operations of calc.
func toy(t *testing.T, id, version string, operations ...string) []byte {
	t.Helper()
	var m contract.Manifest
	if err := json.Unmarshal(hosttest.Toy(version), &m); err != nil {
		t.Fatal(err)
	}
	m.ID, m.Needs = id, nil
	for _, o := range operations {
		m.Needs = append(m.Needs, contract.Need{System: "calc", Operation: o})
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sign signs what it is told to, whether that is true or not.
func sign(t *testing.T, seed byte, id, version string, code []byte) []byte {
	t.Helper()
	e, err := signing.Sign(key(seed), signing.Subject{Plugin: id, Version: version, Digest: plugins.Digest(code)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// refusedWith expects a refusal, and that the history of the plugin says so.
func refusedWith(t *testing.T, c *plugins.Catalogue, plugin string, err error, code fault.Code) {
	t.Helper()
	if !fault.Is(err, code) {
		t.Fatalf("error %v, want %s", err, code)
	}
	h := history(t, c, plugin)
	if len(h) == 0 || h[0].Kind != plugins.EventRefused || !strings.HasPrefix(h[0].Detail, string(code)) || h[0].Actor != actor {
		t.Errorf("the history says %+v", h)
	}
}

func history(t *testing.T, c *plugins.Catalogue, plugin string) []plugins.Event {
	t.Helper()
	h, err := c.History(t.Context(), plugin, page.Query{})
	if err != nil {
		t.Fatal(err)
	}
	return h.Items
}

func change(t *testing.T, c *plugins.Catalogue, m plugins.Module, what plugins.Change, override bool) plugins.Module {
	t.Helper()
	out, err := c.Change(t.Context(), plugins.ChangeRequest{
		Actor: actor, Plugin: m.Plugin, Digest: m.Digest, Change: what, Override: override, Reason: "because",
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// S03: unsigned, signed with another key, signed with a revoked one.
func TestWithoutATrustedSignatureNothingIsInstalledWhereOneIsRequired(t *testing.T) {
	t.Parallel()
	revoked := trusted(2, "gone")
	revoked.Revoked = true
	c := catalogue(t, plugins.Trust{Policy: plugins.PolicyRequired, Keys: []plugins.Key{trusted(1, "acme"), revoked}})
	code := toy(t, "ticket", "1.0.0")
	for name, signatures := range map[string][][]byte{
		"unsigned":    nil,
		"unknown key": {sign(t, 3, "ticket", "1.0.0", code)},
		"revoked key": {sign(t, 2, "ticket", "1.0.0", code)},
	} {
		_, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: code, Signatures: signatures})
		if !fault.Is(err, fault.SignaturePolicy) {
			t.Errorf("%s: %v", name, err)
		}
		refusedWith(t, c, "ticket", err, fault.SignaturePolicy)
	}
	if _, ok := c.Module(plugins.Digest(code)); ok {
		t.Error("a refused module was kept")
	}
	m, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: code, Signatures: [][]byte{sign(t, 1, "ticket", "1.0.0", code)}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []plugins.Signature{{KeyID: trusted(1, "").ID, Publisher: "acme"}}; !m.Trusted || !m.Latest || !slices.Equal(m.Signatures, want) {
		t.Errorf("installed %+v", m)
	}
}

// S03: what a key vouched for is not run any more when the key is revoked, and stays so
// after a restart; where signatures are not required it runs without being trusted.
func TestARevokedKeyVouchesForNothing(t *testing.T) {
	t.Parallel()
	code := toy(t, "ticket", "1.0.0")
	for policy, code1 := range map[plugins.Policy]string{plugins.PolicyRequired: plugins.CodeSignaturePolicy, plugins.PolicyWarn: ""} {
		db := database(t)
		trust := plugins.Trust{Policy: policy, Keys: []plugins.Key{trusted(1, "acme")}}
		c := reopen(t, db, trust)
		m, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: code, Signatures: [][]byte{sign(t, 1, "ticket", "1.0.0", code)}})
		if err != nil {
			t.Fatal(err)
		}
		if !c.Trusted(m.Digest) || c.Refusal(m.Digest) != nil {
			t.Errorf("%s: not trusted before", policy)
		}
		if err := c.RevokeKey(t.Context(), actor, trust.Keys[0].ID, "stolen"); err != nil {
			t.Fatal(err)
		}
		for _, c := range []*plugins.Catalogue{c, reopen(t, db, trust)} {
			got := ""
			if f := c.Refusal(m.Digest); f != nil {
				got = f.Code
			}
			_, latest := c.Latest("ticket")
			if c.Trusted(m.Digest) || got != code1 || latest != (code1 == "") || !c.Trust().Keys[0].Revoked {
				t.Errorf("%s: trusted %v, refused with %q, latest %v", policy, c.Trusted(m.Digest), got, latest)
			}
			again := toy(t, "ticket", "1.0.1")
			_, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: again, Signatures: [][]byte{sign(t, 1, "ticket", "1.0.1", again)}})
			refusedWith(t, c, "ticket", err, fault.SignaturePolicy)
		}
	}
	c := catalogue(t, plugins.Trust{Policy: plugins.PolicyWarn})
	wantFault(t, c.RevokeKey(t.Context(), actor, "unknown", ""), fault.NotFound, "")
}

// S04: a signature of one plugin beside another, and over another kind of document.
func TestASignatureOfSomethingElseIsRefused(t *testing.T) {
	t.Parallel()
	code, other := toy(t, "ticket", "1.0.0"), toy(t, "ticket", "1.0.1")
	good := sign(t, 1, "ticket", "1.0.0", code)
	var broken map[string]any
	if err := json.Unmarshal(good, &broken); err != nil {
		t.Fatal(err)
	}
	broken["payloadType"] = "application/vnd.oci.image.manifest.v1+json"
	media, err := json.Marshal(broken)
	if err != nil {
		t.Fatal(err)
	}
	for _, policy := range []plugins.Policy{plugins.PolicyRequired, plugins.PolicyWarn, plugins.PolicyOff} {
		c := catalogue(t, plugins.Trust{Policy: policy, Keys: []plugins.Key{trusted(1, "acme")}})
		for name, envelope := range map[string][]byte{
			"of another module":  sign(t, 1, "ticket", "1.0.0", other),
			"of another plugin":  sign(t, 1, "cmdb", "1.0.0", code),
			"of another version": sign(t, 1, "ticket", "1.0.1", code),
			"another media type": media,
			"not an envelope":    []byte("{}"),
			"another's key id":   bytes.Replace(sign(t, 9, "ticket", "1.0.0", code), []byte(trusted(9, "").ID), []byte(trusted(1, "").ID), 1),
		} {
			_, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: code, Signatures: [][]byte{good, envelope}})
			if !fault.Is(err, fault.SignaturePolicy) {
				t.Errorf("%s, %s: %v", policy, name, err)
			}
			refusedWith(t, c, "ticket", err, fault.SignaturePolicy)
		}
	}
}

// S05: an older version, validly signed, is let in only when that is what is wanted,
// and the history says so; also when the newer one is blocked.
func TestAnOlderVersionMustBeAskedFor(t *testing.T) {
	t.Parallel()
	c := catalogue(t, plugins.Trust{Policy: plugins.PolicyRequired, Keys: []plugins.Key{trusted(1, "acme")}})
	get := func(version string, override bool) (plugins.Module, error) {
		code := toy(t, "ticket", version)
		return c.Install(t.Context(), plugins.InstallRequest{
			Actor: actor, Code: code, Override: override, Signatures: [][]byte{sign(t, 1, "ticket", version, code)},
		})
	}
	newer, err := get("1.10.0", false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = get("1.9.0", false)
	refusedWith(t, c, "ticket", err, fault.Rollback)
	change(t, c, newer, plugins.ChangeBlock, false)
	_, err = get("1.9.0", false)
	refusedWith(t, c, "ticket", err, fault.Rollback)
	older, err := get("1.9.0", true)
	if err != nil || !older.Latest {
		t.Fatalf("%+v, %v", older, err)
	}
	if h := history(t, c, "ticket"); h[0].Kind != plugins.EventRolledBack || h[0].Version != "1.9.0" || h[0].Actor != actor {
		t.Errorf("the history says %+v", h[0])
	}
	// What is there already is no way round it.
	change(t, c, newer, plugins.ChangeApprove, false)
	_, err = get("1.9.0", false)
	refusedWith(t, c, "ticket", err, fault.Rollback)
	_, err = c.Change(t.Context(), plugins.ChangeRequest{Actor: actor, Plugin: "ticket", Digest: older.Digest, Change: plugins.ChangeActivate})
	refusedWith(t, c, "ticket", err, fault.Rollback)
	change(t, c, older, plugins.ChangeActivate, true)
	if m, _ := c.Latest("ticket"); m.Digest != older.Digest {
		t.Errorf("the latest is %s", m.Version)
	}
}

// S06: a version that asks for more waits, and the one before stays in use.
func TestAVersionThatAsksForMoreWaitsUntilItIsApproved(t *testing.T) {
	t.Parallel()
	db := database(t)
	trust := plugins.Trust{Policy: plugins.PolicyWarn}
	c := reopen(t, db, trust)
	first := install(t, c, toy(t, "ticket", "1.0.0", "add"))
	same := install(t, c, toy(t, "ticket", "1.1.0", "add"))
	if first.State != plugins.StateActive || same.State != plugins.StateActive || !same.Latest {
		t.Fatalf("%+v, %+v", first, same)
	}
	more := install(t, c, toy(t, "ticket", "1.2.0", "add", "divide"))
	want := []plugins.Hold{{Code: plugins.HoldNeeds, Detail: "calc/divide"}}
	if more.State != plugins.StatePending || more.Latest || !slices.Equal(more.Held, want) {
		t.Fatalf("%+v", more)
	}
	c = reopen(t, db, trust)
	if m, _ := c.Latest("ticket"); m.Digest != same.Digest {
		t.Errorf("the latest is %s", m.Version)
	}
	if f := c.Refusal(more.Digest); f == nil || f.Code != plugins.CodePending {
		t.Errorf("a pending version may run: %v", f)
	}
	if again := install(t, c, toy(t, "ticket", "1.2.0", "add", "divide")); again.State != plugins.StatePending {
		t.Errorf("installing it again made it %s", again.State)
	}
	if got := change(t, c, more, plugins.ChangeApprove, false); got.State != plugins.StateActive || !got.Latest || got.Held != nil {
		t.Errorf("approved: %+v", got)
	}
	if f := c.Refusal(more.Digest); f != nil {
		t.Errorf("an approved version may not run: %v", f)
	}
	if h := history(t, c, "ticket"); h[0].Kind != plugins.EventApproved || h[0].Detail != "because" || h[1].Kind != plugins.EventHeld {
		t.Errorf("the history says %+v", h)
	}
}

func TestAskingForMoreOfALimitIsAskingForMore(t *testing.T) {
	t.Parallel()
	c := catalogue(t, plugins.Trust{Policy: plugins.PolicyWarn})
	with := func(version string, l *contract.Limits) []byte {
		var m contract.Manifest
		if err := json.Unmarshal(toy(t, "ticket", version), &m); err != nil {
			t.Fatal(err)
		}
		m.Limits = l
		b, _ := json.Marshal(m)
		return b
	}
	install(t, c, with("1.0.0", &contract.Limits{MemoryBytes: 1 << 20, HostCalls: 5}))
	if m := install(t, c, with("1.0.1", &contract.Limits{MemoryBytes: 1 << 10, HostCalls: 5})); m.State != plugins.StateActive {
		t.Errorf("less: %+v", m)
	}
	m := install(t, c, with("1.0.2", &contract.Limits{HostCalls: 6}))
	want := []plugins.Hold{{Code: plugins.HoldLimits, Detail: "memory_bytes"}, {Code: plugins.HoldLimits, Detail: "host_calls"}}
	if !slices.Equal(m.Held, want) {
		t.Errorf("more: %+v", m.Held)
	}
}

// S07: names that belong to a publisher, names that look alike, and a plugin that
// changes hands.
func TestANameCannotBeTakenOver(t *testing.T) {
	t.Parallel()
	c := catalogue(t, plugins.Trust{Policy: plugins.PolicyWarn, Keys: []plugins.Key{
		trusted(1, "acme", "acme-*"), trusted(2, "others"), trusted(3, "else", "else-*"),
	}})
	for name, signatures := range map[string][][]byte{
		"unsigned":       nil,
		"another's name": {sign(t, 2, "acme-ticket", "1.0.0", toy(t, "acme-ticket", "1.0.0"))},
		"owner of other": {sign(t, 3, "acme-ticket", "1.0.0", toy(t, "acme-ticket", "1.0.0"))},
	} {
		_, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: toy(t, "acme-ticket", "1.0.0"), Signatures: signatures})
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.SignaturePolicy || f.Field != "/manifest/id" {
			t.Errorf("%s: %v", name, err)
		}
	}
	code := toy(t, "acme-ticket", "1.0.0")
	if _, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: code, Signatures: [][]byte{sign(t, 1, "acme-ticket", "1.0.0", code)}}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"acrne-ticket", "acmeticket", "acme-t1cket"} {
		if strings.HasPrefix(id, "acme-") {
			continue // refused above
		}
		m := install(t, c, toy(t, id, "1.0.0"))
		if want := []plugins.Hold{{Code: plugins.HoldName, Detail: "acme-ticket"}}; m.State != plugins.StatePending || !slices.Equal(m.Held, want) {
			t.Errorf("%s: %+v", id, m)
		}
	}
	// Only lower-case letters, digits and dashes: no letter of another alphabet.
	_, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: toy(t, "acme-tісket", "1.0.0")})
	wantFault(t, err, fault.Invalid, "/manifest/id")

	signed := toy(t, "cmdb", "1.0.0")
	if _, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: signed, Signatures: [][]byte{sign(t, 2, "cmdb", "1.0.0", signed)}}); err != nil {
		t.Fatal(err)
	}
	m := install(t, c, toy(t, "cmdb", "1.0.1"))
	if want := []plugins.Hold{{Code: plugins.HoldPublisher, Detail: "others"}}; m.State != plugins.StatePending || !slices.Equal(m.Held, want) {
		t.Errorf("unsigned after signed: %+v", m)
	}
	if _, err := c.InstallShipped(t.Context(), ship("1.0.0")); err != nil {
		t.Fatal(err)
	}
	if m := install(t, c, hosttest.Toy("1.0.1")); m.State != plugins.StatePending || m.Held[0].Detail != "culm" {
		t.Errorf("another's after shipped: %+v", m)
	}
}

// S13: a withdrawn version goes on for those who started with it, and nobody else.
func TestAWithdrawnVersionServesThoseWhoPinnedIt(t *testing.T) {
	t.Parallel()
	db := database(t)
	c := reopen(t, db, plugins.Trust{Policy: plugins.PolicyWarn})
	m := install(t, c, toy(t, "ticket", "1.0.0"))
	change(t, c, m, plugins.ChangeWithdraw, false)
	c = reopen(t, db, plugins.Trust{Policy: plugins.PolicyWarn})
	if _, ok := c.Latest("ticket"); ok {
		t.Error("new runs may take it")
	}
	if _, ok := c.Pinned(map[string]string{"ticket": m.Digest}).Action("ticket", "add"); !ok || c.Refusal(m.Digest) != nil {
		t.Error("runs that pinned it lost it")
	}
	if code, err := c.Code(t.Context(), m.Digest); err != nil || len(code) == 0 {
		t.Errorf("its code: %d bytes, %v", len(code), err)
	}
}

func TestABlockedVersionIsNotRunUntilItIsApproved(t *testing.T) {
	t.Parallel()
	c := catalogue(t, plugins.Trust{Policy: plugins.PolicyWarn})
	m := install(t, c, toy(t, "ticket", "1.0.0"))
	change(t, c, m, plugins.ChangeBlock, false)
	if f := c.Refusal(m.Digest); f == nil || f.Code != plugins.CodeBlocked || f.Retryable {
		t.Errorf("refusal %+v", f)
	}
	if _, ok := c.Latest("ticket"); ok {
		t.Error("it is still the latest")
	}
	_, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: toy(t, "ticket", "1.0.0")})
	refusedWith(t, c, "ticket", err, fault.Blocked)
	for _, what := range []plugins.Change{plugins.ChangeActivate, plugins.ChangeWithdraw} {
		_, err := c.Change(t.Context(), plugins.ChangeRequest{Actor: actor, Plugin: "ticket", Digest: m.Digest, Change: what})
		wantFault(t, err, fault.WrongState, "")
	}
	if got := change(t, c, m, plugins.ChangeApprove, false); !got.Latest || c.Refusal(m.Digest) != nil {
		t.Errorf("%+v", got)
	}
	_, err = c.Change(t.Context(), plugins.ChangeRequest{Actor: actor, Plugin: "ticket", Digest: m.Digest, Change: plugins.ChangeApprove})
	wantFault(t, err, fault.WrongState, "")
	_, err = c.Change(t.Context(), plugins.ChangeRequest{Actor: actor, Plugin: "ticket", Digest: m.Digest, Change: "delete"})
	wantFault(t, err, fault.Invalid, "/command")
	_, err = c.Change(t.Context(), plugins.ChangeRequest{Actor: actor, Plugin: "other", Digest: m.Digest, Change: plugins.ChangeBlock})
	wantFault(t, err, fault.NotFound, "")
}

func TestASignatureCanFollow(t *testing.T) {
	t.Parallel()
	db := database(t)
	trust := plugins.Trust{Policy: plugins.PolicyWarn, Keys: []plugins.Key{trusted(1, "acme")}}
	c := reopen(t, db, trust)
	code := toy(t, "ticket", "1.0.0")
	m := install(t, c, code)
	if m.Trusted {
		t.Fatal("trusted without a signature")
	}
	_, err := c.Sign(t.Context(), actor, "ticket", m.Digest, [][]byte{sign(t, 1, "ticket", "1.0.1", code)})
	refusedWith(t, c, "ticket", err, fault.SignaturePolicy)
	for range 2 {
		if m, err = c.Sign(t.Context(), actor, "ticket", m.Digest, [][]byte{sign(t, 1, "ticket", "1.0.0", code)}); err != nil || !m.Trusted {
			t.Fatalf("%+v, %v", m, err)
		}
	}
	if c = reopen(t, db, trust); !c.Trusted(m.Digest) {
		t.Error("the signature was not kept")
	}
	if h := history(t, c, "ticket"); h[0].Kind != plugins.EventSigned || h[1].Kind != plugins.EventRefused {
		t.Errorf("the history says %+v", h)
	}
}

func TestWithoutATrustThatWasSetOnlyShippedPluginsRun(t *testing.T) {
	t.Parallel()
	c := catalogue(t, plugins.Trust{})
	_, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: toy(t, "ticket", "1.0.0")})
	refusedWith(t, c, "ticket", err, fault.SignaturePolicy)
	if ms, err := c.InstallShipped(t.Context(), ship("1.0.0")); err != nil || len(ms) != 1 || !ms[0].Trusted || c.Refusal(ms[0].Digest) != nil {
		t.Errorf("%+v, %v", ms, err)
	}
}
