package secrets_test

import (
	"errors"
	"testing"

	"github.com/culmhq/culm/host/secrets"
)

// Two versions live at once: a third takes the place of the oldest, and a number is never
// given twice.
func TestTwoVersionsOfACredentialAreLive(t *testing.T) {
	t.Parallel()
	v, ctx, at := open(t, t.TempDir()).vault(t), t.Context(), target("cmdb")
	is := func(primary, standby string) {
		t.Helper()
		c, err := v.Credential(ctx, at)
		if err != nil || c.Secret.Reveal() != primary || (c.Standby != nil) != (standby != "") || standby != "" && c.Standby.Secret.Reveal() != standby {
			t.Fatalf("got %+v, %v", c, err)
		}
	}
	add := func(token string, o secrets.AddOptions) {
		t.Helper()
		if err := v.Add(ctx, at, secrets.Input{Token: secrets.NewSecret(token)}, o); err != nil {
			t.Fatal(err)
		}
	}
	add("token-1", secrets.AddOptions{})
	add("token-2", secrets.AddOptions{})
	is("token-2", "token-1")
	add("token-3", secrets.AddOptions{})
	is("token-3", "token-2")
	add("token-4", secrets.AddOptions{Standby: true})
	is("token-3", "token-4")
	if err := v.Promote(ctx, at.Project, at.System, 2); !errors.Is(err, secrets.ErrNoCredential) {
		t.Fatalf("a version that is gone is promoted: %v", err)
	}
	if err := v.Promote(ctx, at.Project, at.System, 4); err != nil {
		t.Fatal(err)
	}
	is("token-4", "token-3")
	if err := v.Delete(ctx, at.Project, at.System, 4); err != nil {
		t.Fatal(err)
	}
	is("token-3", "")
	add("token-5", secrets.AddOptions{Alone: true})
	is("token-5", "")
	if all, err := v.Versions(ctx, at); err != nil || len(all) != 1 || all[0].Version != 5 {
		t.Fatalf("got %+v, %v", all, err)
	}
}

// When a credential was last used is known after a restart, too.
func TestTheLastUseOfACredentialIsWrittenDown(t *testing.T) {
	t.Parallel()
	world, ctx, at := open(t, t.TempDir()), t.Context(), target("cmdb")
	v := world.vault(t)
	if err := v.Add(ctx, at, secrets.Input{Token: secrets.NewSecret("token-1")}, secrets.AddOptions{}); err != nil {
		t.Fatal(err)
	}
	c, err := v.Credential(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := v.Versions(ctx, at); err != nil || all[0].LastUsedAt != nil {
		t.Fatalf("before its first use: %+v, %v", all, err)
	}
	c.Use()
	if err := v.StoreUses(ctx); err != nil {
		t.Fatal(err)
	}
	if all, err := world.vault(t).Versions(ctx, at); err != nil || all[0].LastUsedAt == nil {
		t.Fatalf("after a restart: %+v, %v", all, err)
	}
}
