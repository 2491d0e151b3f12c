package auth_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/culmhq/culm/host/auth"
	"github.com/culmhq/culm/host/fault"
)

func TestWithoutConfigurationTheLocalUserMayDoEverything(t *testing.T) {
	t.Parallel()
	p := policy(t)
	for _, r := range auth.Rights() {
		if err := p.Check(auth.Local, r); err != nil {
			t.Error(err)
		}
	}
	if got := p.Held(auth.Local); !reflect.DeepEqual(got, auth.Rights()) {
		t.Errorf("held %v", got)
	}
}

func TestADeniedRightIsRefusedByItsName(t *testing.T) {
	t.Parallel()
	p := policy(t, "plugin:publish", "plugin:publish")
	err := p.Check(auth.Local, auth.PluginPublish)
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Forbidden || f.Reason != "RIGHT" || f.Args["a"] != "plugin:publish" || f.Args["b"] != auth.Local {
		t.Errorf("%+v", err)
	}
	if err := p.Check(auth.Local, auth.PluginApprove); err != nil {
		t.Error(err)
	}
	if got := p.Held(auth.Local); !reflect.DeepEqual(got, []auth.Right{auth.PluginApprove}) {
		t.Errorf("held %v", got)
	}
}

func TestWhatIsNotNamedIsDenied(t *testing.T) {
	t.Parallel()
	var zero auth.Policy
	for name, err := range map[string]error{
		"the zero policy":     zero.Check(auth.Local, auth.PluginPublish),
		"another actor":       policy(t).Check("mallory", auth.PluginPublish),
		"nobody":              policy(t).Check("", auth.PluginPublish),
		"what is no right":    policy(t).Check(auth.Local, "plugin:delete"),
		"no right":            policy(t).Check(auth.Local, ""),
		"a right by its case": policy(t).Check(auth.Local, "Plugin:Publish"),
	} {
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := zero.Held(auth.Local); got == nil || len(got) != 0 {
		t.Errorf("the zero policy holds %#v", got)
	}
}

func TestWhatIsHeldCannotBeChangedFromOutside(t *testing.T) {
	t.Parallel()
	p := policy(t, "plugin:publish")
	held := append(p.Held(auth.Local)[:0], auth.PluginPublish)
	if err := p.Check(auth.Local, auth.PluginPublish); err == nil {
		t.Errorf("writing to %v gave the right", held)
	}
}

// A name with a slip in it would leave allowed what should have been denied.
func TestDenyingWhatIsNoRightIsAnError(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "plugin", "plugin:*", "*", "plugin:publish ", "PLUGIN:PUBLISH"} {
		if p, err := auth.NewPolicy([]string{"plugin:approve", name}); err == nil || len(p.Held(auth.Local)) != 0 {
			t.Errorf("%q: %v, %v", name, p.Held(auth.Local), err)
		}
	}
	if p, err := auth.NewPolicy(auth.Names()); err != nil || len(p.Held(auth.Local)) != 0 {
		t.Errorf("all denied: %v, %v", p.Held(auth.Local), err)
	}
}

func policy(t *testing.T, denied ...string) auth.Policy {
	t.Helper()
	p, err := auth.NewPolicy(denied)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
