package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/culmhq/culm/host/projects"
)

// demoSystem is the pretended operations platform, served on a loopback port.
type demoSystem struct {
	ln     net.Listener
	server *http.Server
}

func serveDemo() (*demoSystem, error) {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &demoSystem{ln: ln, server: &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: 10 * time.Second}}
	go func() { _ = d.server.Serve(ln) }()
	return d, nil
}

func (d *demoSystem) address() string { return d.ln.Addr().String() }

func (d *demoSystem) close() error { return errors.Join(d.server.Close()) }

// load makes sure that there is something to work in.
func (c *Core) load(ctx context.Context) error {
	id := DefaultProject(c.demo != nil)
	return c.Projects.Ensure(ctx, projects.Project{ID: id, Name: id, Zone: "UTC"})
}
