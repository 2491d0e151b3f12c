package registry_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/secrets"
)

// A credential is set, rotated, defaulted and left behind by a change of the base URL; no
// answer on the way holds a value.
func TestCredentialOfASystemTellsItsVersionsAndSourceAndNoValue(t *testing.T) {
	t.Parallel()
	s, ctx := newService(t), t.Context()
	if _, err := s.Put(ctx, put("ops", "cmdb", document)); err != nil {
		t.Fatal(err)
	}
	own := registry.CredentialRef{Project: "ops", System: "cmdb"}
	byDefault := own
	byDefault.Default = true
	set := func(ref registry.CredentialRef, token string) {
		t.Helper()
		v, err := s.SetCredential(ctx, registry.CredentialRequest{
			CredentialRef: ref, Actor: engine.Actor{ID: "ada"}, Input: secrets.Input{Token: secrets.NewSecret(token)},
		})
		if js, _ := json.Marshal(v); err != nil || !v.Set || strings.Contains(string(js), canary) {
			t.Fatalf("got %s, %v", js, err)
		}
	}
	is := func(source registry.Source, states ...secrets.State) {
		t.Helper()
		v, err := s.Credential(ctx, own)
		if err != nil || v.Source != source || v.Set != (source != "") || len(v.Versions) != len(states) {
			t.Fatalf("got %+v, %v, want %q with %v", v, err, source, states)
		}
		for i, state := range states {
			if v.Versions[i].State != state || v.Versions[i].SetBy != "ada" {
				t.Fatalf("got %+v, want %v", v.Versions, states)
			}
		}
	}
	is("")
	set(byDefault, canary+"-0")
	is(registry.SourceInstallation)
	set(own, canary+"-1")
	set(own, canary+"-2")
	is(registry.SourceProject, secrets.StatePrimary, secrets.StateStandby)
	if _, err := s.Put(ctx, put("ops", "cmdb", strings.Replace(document, "cmdb.example", "elsewhere.example", 1))); err != nil {
		t.Fatal(err)
	}
	is("", secrets.StateStale, secrets.StateStale)
	if _, err := s.Put(ctx, put("ops", "cmdb", document)); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteCredential(ctx, own, 2); err != nil {
		t.Fatal(err)
	}
	is(registry.SourceProject, secrets.StatePrimary)
	if err := s.DeleteCredential(ctx, own, 2); !fault.Is(err, fault.NotFound) {
		t.Fatalf("a version that is gone: %v", err)
	}
	if err := s.DeleteCredential(ctx, own, 0); err != nil {
		t.Fatal(err)
	}
	is(registry.SourceInstallation)
}
