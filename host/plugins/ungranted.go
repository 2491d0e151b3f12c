package plugins

import (
	"context"
	"sync"
)

// grantless remembers which plugins have no grant in which project, so that it can be
// asked before every call.
type grantless struct {
	mu    sync.Mutex
	known map[holder]bool
	// changes counts the changes of grants: an answer that was read before one is not
	// remembered after it.
	changes int
}

type holder struct{ project, plugin string }

// Ungranted reports whether a module asks for no operation and its plugin has no grant in
// the project: then nothing outside can notice its calls. It is quick, and false when it
// cannot be found out.
func (c *Catalogue) Ungranted(project, plugin, digest string) bool {
	m, ok := c.Module(digest)
	if !ok || m.Plugin != plugin || len(m.Manifest.Needs) > 0 {
		return false
	}
	at := holder{project, plugin}
	c.grantless.mu.Lock()
	none, known := c.grantless.known[at]
	before := c.grantless.changes
	c.grantless.mu.Unlock()
	if known {
		return none
	}
	grants, err := c.o.Repository.Grants(context.Background(), project, plugin)
	if err != nil {
		return false
	}
	c.grantless.mu.Lock()
	defer c.grantless.mu.Unlock()
	if c.grantless.changes == before {
		if c.grantless.known == nil {
			c.grantless.known = map[holder]bool{}
		}
		c.grantless.known[at] = len(grants) == 0
	}
	return len(grants) == 0
}

// changed forgets what was known, before and after a change of grants.
func (g *grantless) changed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changes++
	g.known = nil
}

// GrantsChanged says that grants were changed otherwise: those of operations that are no more.
func (c *Catalogue) GrantsChanged() { c.grantless.changed() }
