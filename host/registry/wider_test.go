package registry_test

import (
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/plugins"
)

// Whoever granted "read the hosts" did not grant "delete the hosts" under the same name.
func TestAGrantedOperationThatBecomesWiderIsSwitchedOff(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]*strings.Replacer{
		"another path":   strings.NewReplacer("path: /hosts", "path: /admin"),
		"another method": strings.NewReplacer("method: GET", "method: DELETE"),
	} {
		for _, granted := range []bool{true, false} {
			t.Run(name+map[bool]string{true: ", granted", false: ", not granted"}[granted], func(t *testing.T) {
				t.Parallel()
				s, st := newServiceAndStore(t)
				if _, err := s.Put(t.Context(), put("ops", "cmdb", document)); err != nil {
					t.Fatal(err)
				}
				grant := plugins.Grant{System: "cmdb", Operation: "hosts"}
				if granted {
					err := st.PutGrants(t.Context(), plugins.GrantsRequest{Project: "ops", Plugin: "tool", Grants: []plugins.Grant{grant}, Actor: engine.Actor{ID: "ada"}}, clock{}.Now())
					if err != nil {
						t.Fatal(err)
					}
				}
				if ok, err := st.Granted(t.Context(), "ops", "tool", grant); err != nil || ok != granted {
					t.Fatalf("granted: %v, %v", ok, err)
				}
				if _, err := s.Put(t.Context(), put("ops", "cmdb", change.Replace(document))); err != nil {
					t.Fatal(err)
				}
				c, err := s.System(t.Context(), "ops", "cmdb")
				if err != nil {
					t.Fatal(err)
				}
				op, _ := c.Operation("hosts")
				if op.Disabled != granted {
					t.Errorf("switched off: %v, by %q", op.Disabled, op.DisabledBy)
				}
			})
		}
	}
}
