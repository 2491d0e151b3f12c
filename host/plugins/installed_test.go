package plugins_test

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/plugins"
)

func TestEverythingThatIsInstalledIsListed(t *testing.T) {
	t.Parallel()
	c := hosttest.Open(t).Plugins
	install(t, c, hosttest.Toy("1.10.0"))
	install(t, c, hosttest.Toy("1.9.0-beta"))
	blocked := install(t, c, named("walled"))
	_, err := c.Change(t.Context(), plugins.ChangeRequest{Actor: actor, Plugin: "walled", Digest: blocked.Digest, Change: plugins.ChangeBlock})
	if err != nil {
		t.Fatal(err)
	}
	all := func(search string) (ids []string) {
		q := plugins.InstalledQuery{Search: search, Page: page.Query{Limit: 1}}
		for {
			l, err := c.Installed(q)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range l.Items {
				ids = append(ids, i.ID)
				for _, v := range i.Versions {
					ids = append(ids, strings.TrimSpace(v.Version+" "+string(v.State)))
					if v.Manifest != nil {
						t.Error("a list has a manifest")
					}
				}
			}
			if q.Page.Cursor = l.Next; l.Next == "" {
				return ids
			}
		}
	}
	if got, want := all(""), []string{"toy", "1.10.0 active", "1.9.0-beta active", "1.0.0 active", "walled", "1.0.0 blocked"}; !slices.Equal(got, want) {
		t.Errorf("installed %q, want %q", got, want)
	}
	if got := all("WALL"); len(got) != 2 {
		t.Errorf("a search for an id gave %q", got)
	}
	if got := all(" rest "); len(got) != 6 {
		t.Errorf("a search for an action gave %q", got)
	}
	if got := all("nothing like it"); len(got) != 0 {
		t.Errorf("a search for nothing gave %q", got)
	}
	m, _ := c.Version("toy", plugins.Digest(hosttest.Toy("1.0.0")))
	if m.Manifest == nil {
		t.Error("listing took the manifest of the catalogue itself")
	}
	list, err := c.List(t.Context(), plugins.ListQuery{Project: hosttest.Project, Search: "walled"})
	if err != nil || len(list.Items) != 0 {
		t.Errorf("the project is offered what is blocked: %+v, %v", list.Items, err)
	}
	_, err = c.Installed(plugins.InstalledQuery{Page: page.Query{Cursor: "?"}})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("a wrong cursor gave %v", err)
	}
}

// TestWhatIsLoadedIsTold: a version that is in memory says how much of it it takes, and
// one that is not says nothing.
func TestWhatIsLoadedIsTold(t *testing.T) {
	t.Parallel()
	db := database(t)
	var mu sync.Mutex
	loaded := map[string]plugins.Loaded{}
	c, err := plugins.Open(t.Context(), plugins.Options{
		Repository: db, Switches: db, Inspector: hosttest.Inspector{}, Projects: everywhere{}, Clock: &hosttest.Clock{},
		Logger: slog.New(slog.DiscardHandler), Trust: plugins.Trust{Policy: plugins.PolicyWarn},
		Loaded: func(digest string) plugins.Loaded {
			mu.Lock()
			defer mu.Unlock()
			return loaded[digest]
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: toy(t, "toy", "1.0.0")})
	if err != nil {
		t.Fatal(err)
	}
	told := func() (all []*plugins.Loaded) {
		vs, err := c.Versions("toy")
		if err != nil {
			t.Fatal(err)
		}
		one, err := c.Version("toy", m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		list, err := c.Installed(plugins.InstalledQuery{})
		if err != nil {
			t.Fatal(err)
		}
		return append(all, vs[0].Loaded, one.Loaded, list.Items[0].Versions[0].Loaded)
	}
	for _, l := range told() {
		if l != nil {
			t.Errorf("a version that is not loaded takes %+v", l)
		}
	}
	want := plugins.Loaded{ServerBytes: 5, Workers: 2, WorkerBytes: 7}
	mu.Lock()
	loaded[m.Digest] = want
	mu.Unlock()
	for _, l := range told() {
		if l == nil || *l != want {
			t.Errorf("a loaded version takes %+v", l)
		}
	}
}
