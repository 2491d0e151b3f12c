package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/demo"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/projects"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
)

// The pace of the pretended platform: slow enough to be watched.
const (
	demoLatency    = 60 * time.Millisecond
	demoDeployTime = 6 * time.Second
)

// demoSystem is the pretended operations platform, served on a loopback port of its
// own with a token that lives as long as the process.
type demoSystem struct {
	ln     net.Listener
	server *http.Server
	token  string
	served chan error
}

func serveDemo(ctx context.Context) (*demoSystem, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("app: demo system: %w", err)
	}
	d := &demoSystem{ln: ln, token: rand.Text(), served: make(chan error, 1)}
	d.server = &http.Server{
		Handler: demo.NewPlatform(demo.PlatformOptions{
			Token: d.token, Clock: clock{}, Latency: demoLatency, DeployTime: demoDeployTime,
		}),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	go func() { d.served <- d.server.Serve(ln) }()
	return d, nil
}

func (d *demoSystem) address() string { return d.ln.Addr().String() }

func (d *demoSystem) close() error {
	err := d.server.Close()
	if served := <-d.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// host is who does what nobody asked for: the program itself.
func host() engine.Actor { return engine.Actor{ID: "culm"} }

// load makes sure that there is something to work in: the demo project with --demo,
// else an empty one.
func (c *Core) load(ctx context.Context) error {
	if c.demo == nil {
		id := DefaultProject(false)
		return c.Projects.Ensure(ctx, projects.Project{ID: id, Name: "Default", Zone: "UTC"})
	}
	content, err := demo.Project(c.demo.address())
	if err != nil {
		return err
	}
	first, err := c.isFirst(ctx, content.ID)
	if err != nil {
		return err
	}
	if err := c.Projects.Ensure(ctx, projects.Project{ID: content.ID, Name: content.Name, Zone: content.Zone}); err != nil {
		return err
	}
	if err := c.loadSystems(ctx, content); err != nil {
		return fmt.Errorf("app: demo systems: %w", err)
	}
	if !first || c.deps.Plugins == nil {
		return nil // grants and flows are those of the plugins of the binary
	}
	if err := c.loadGrants(ctx, content); err != nil {
		return fmt.Errorf("app: demo grants: %w", err)
	}
	for _, f := range content.Flows {
		if err := c.loadFlow(ctx, content.ID, f); err != nil {
			return fmt.Errorf("app: demo flow %s: %w", f.ID, err)
		}
	}
	return nil
}

// isFirst reports whether the project holds nothing yet: it is filled once, and what
// people make of it afterwards stays.
func (c *Core) isFirst(ctx context.Context, project string) (bool, error) {
	if _, err := c.Projects.Get(ctx, project); fault.Is(err, fault.NotFound) {
		return true, nil
	}
	have, err := c.Flows.List(ctx, flows.ListQuery{Project: project, Page: page.Query{Limit: 1}})
	return err == nil && len(have.Items) == 0, err
}

// loadSystems registers the systems. The demo system listens elsewhere at each start,
// with another token.
func (c *Core) loadSystems(ctx context.Context, content *demo.Content) error {
	if err := c.Systems.Ensure(ctx, content.ID, host(), content.Systems); err != nil {
		return err
	}
	for _, s := range content.Systems {
		if s.ID != demo.SystemID {
			continue
		}
		doc, err := json.Marshal(s)
		if err != nil {
			return err
		}
		_, err = c.Systems.Put(ctx, registry.PutRequest{Project: content.ID, ID: s.ID, Actor: host(), Document: doc})
		if err != nil {
			return err
		}
		if s.Auth.Type != systems.AuthBearer {
			continue
		}
		_, err = c.Systems.SetCredential(ctx, registry.CredentialRequest{
			CredentialRef: registry.CredentialRef{Project: content.ID, System: s.ID}, Alone: true, Actor: host(), Input: secrets.Input{Token: secrets.NewSecret(c.demo.token)},
		})
		return err
	}
	return nil
}

// loadGrants grants what the demo flows need, to the plugins that are installed.
func (c *Core) loadGrants(ctx context.Context, content *demo.Content) error {
	for id, grants := range content.Grants {
		if _, ok := c.Plugins.Latest(id); !ok {
			continue
		}
		list := make([]plugins.Grant, len(grants))
		for i, g := range grants {
			list[i] = plugins.Grant(g)
		}
		_, err := c.Plugins.SetGrants(ctx, plugins.GrantsRequest{Project: content.ID, Actor: host(), Plugin: id, Grants: list})
		if err != nil {
			return err
		}
	}
	return nil
}

// loadFlow stores and publishes a flow. One that the installed plugins cannot run
// stays a draft.
func (c *Core) loadFlow(ctx context.Context, project string, f *engine.Flow) error {
	d, err := c.Flows.Create(ctx, flows.CreateRequest{Project: project, Actor: host(), Document: f})
	if err != nil {
		return err
	}
	if flows.Errors(d.Problems) {
		c.deps.Logger.Warn("demo flow is not published: its plugins are not installed", slog.String("flow", f.ID))
		return nil
	}
	_, err = c.Flows.Publish(ctx, flows.PublishRequest{Project: project, Actor: host(), Flow: d.ID, Revision: d.Revision})
	return err
}
