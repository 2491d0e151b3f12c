package plugins

import (
	"context"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
)

// Switch is a plugin that a project has switched off.
type Switch struct {
	Project, Plugin string
	// At and By say since when and by whom.
	At time.Time
	By string
}

// Switches keeps which plugins the projects have switched off. It is safe for
// concurrent use.
type Switches interface {
	// DisabledPlugins returns all of them.
	DisabledPlugins(ctx context.Context) ([]Switch, error)
	// PutEnabled switches a plugin on or off in a project; what is so already stays.
	PutEnabled(ctx context.Context, s Switch, enabled bool) error
}

// EnabledRequest switches a plugin on or off in a project.
type EnabledRequest struct {
	Project string
	Actor   engine.Actor
	Plugin  string
	Enabled bool
}

// disabled are the plugins that projects have switched off, in memory.
type disabled struct {
	// changing lets one change at a time, so that memory says what the store says.
	changing sync.Mutex

	mu    sync.RWMutex
	known map[holder]bool
}

func (d *disabled) load(ctx context.Context, s Switches) error {
	off, err := s.DisabledPlugins(ctx)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known = make(map[holder]bool, len(off))
	for _, o := range off {
		d.known[holder{o.Project, o.Plugin}] = true
	}
	return nil
}

// SetEnabled switches a plugin on or off in a project. What is off is not offered to new
// nodes, and a flow that uses it can be kept but neither published nor started. Runs
// that have started go on: to stop those too, a module is blocked.
func (c *Catalogue) SetEnabled(ctx context.Context, r EnabledRequest) (Plugin, error) {
	if _, err := c.Get(ctx, r.Project, r.Plugin); err != nil {
		return Plugin{}, err
	}
	c.disabled.changing.Lock()
	defer c.disabled.changing.Unlock()
	err := c.o.Switches.PutEnabled(ctx, Switch{Project: r.Project, Plugin: r.Plugin, At: c.now(), By: r.Actor.ID}, r.Enabled)
	if err != nil {
		return Plugin{}, err
	}
	c.disabled.mu.Lock()
	if r.Enabled {
		delete(c.disabled.known, holder{r.Project, r.Plugin})
	} else {
		c.disabled.known[holder{r.Project, r.Plugin}] = true
	}
	c.disabled.mu.Unlock()
	c.o.Logger.InfoContext(ctx, "plugin switched", "project", r.Project, "plugin", r.Plugin, "enabled", r.Enabled,
		"actor", r.Actor.ID, "on_behalf_of", r.Actor.OnBehalfOf)
	return c.plugin(ctx, r.Project, r.Plugin)
}

// Disabled reports whether a project has switched a plugin off. It is quick.
func (c *Catalogue) Disabled(project, plugin string) bool {
	c.disabled.mu.RLock()
	defer c.disabled.mu.RUnlock()
	return c.disabled.known[holder{project, plugin}]
}
