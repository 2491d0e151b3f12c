package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	"github.com/culmhq/culm/host/api"
	"github.com/culmhq/culm/host/auth"
	"github.com/culmhq/culm/host/config"
)

// App is the server. Make one with New, then Start and Stop it, once.
type App struct {
	*Core
	cfg  config.Config
	deps Deps

	server *api.Server
	ln     net.Listener
	served chan error

	mu    sync.Mutex
	state error // why the server is not ready, nil when it is
}

// The reasons why a server is not ready.
var (
	errStarting = errors.New("app: the server starts")
	errStopping = errors.New("app: the server stops")
)

// New makes a server that does nothing yet. The configuration must be valid.
func New(cfg config.Config, d Deps) *App { return &App{cfg: cfg, deps: d, state: errStarting} }

// Start opens the data directory, takes up what has not ended, and serves. It returns
// once requests are answered, or with the reason why not; everything is closed then.
func (a *App) Start(ctx context.Context) (err error) {
	if err := a.cfg.Validate(); err != nil {
		return err
	}
	rights, err := auth.NewPolicy(a.cfg.Deny)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	if len(a.cfg.Deny) > 0 {
		a.deps.Logger.Info("rights denied", slog.Any("rights", a.cfg.Deny), slog.String("actor", auth.Local))
	}
	// The address is taken first: a port in use is said before anything is opened.
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", a.cfg.Listen)
	if err != nil {
		return fmt.Errorf("app: listen: %w", err)
	}
	a.ln = ln
	cfg := a.cfg
	if cfg.Callbacks.URL == "" {
		cfg.Callbacks.URL = "http://" + ln.Addr().String()
	}
	if a.Core, err = Open(ctx, cfg, a.deps); err != nil {
		return errors.Join(err, ln.Close())
	}
	if own, err := netip.ParseAddrPort(a.ln.Addr().String()); err == nil {
		a.policy.Deny(own)
		a.registries.Deny(own)
	}
	a.server, err = api.New(api.Options{
		Projects: a.Projects, Flows: a.Flows, Runs: a.Runs, Plugins: a.Plugins, Choices: a.Choices, Attention: a.Attention, Views: a.Views, Systems: a.Systems, Tryout: a.Tryout, Callbacks: a.Callbacks, Health: a.Health,
		Recordings: a.Recordings, Audit: a.Audit, Metrics: a.metrics.Text, Observe: a.metrics.Request, Hub: a.hub, Feed: a.feed, Presence: a.presence,
		Logger: a.deps.Logger, Ready: a.ready, Assets: a.deps.Assets, Rights: rights,
		Meta: api.Meta{Version: a.deps.Version, Commit: a.deps.Commit, Demo: a.cfg.Demo},
	})
	if err == nil {
		err = a.Core.Start(ctx)
	}
	if err != nil {
		return errors.Join(err, a.Core.Stop(ctx), ln.Close())
	}
	a.served = make(chan error, 1)
	go func() { a.served <- a.server.Serve(ln) }()
	a.become(nil)
	return nil
}

// Addr is the address that is listened on, known after Start.
func (a *App) Addr() net.Addr { return a.ln.Addr() }

// URL is where a browser finds the server.
func (a *App) URL() string { return "http://" + a.ln.Addr().String() }

// Stop takes no more requests, tells the clients of the live stream to come back,
// lets running calls end until ctx is done, and closes everything.
func (a *App) Stop(ctx context.Context) error {
	a.become(errStopping)
	hubErr := errors.Join(a.hub.Close(ctx), a.feed.Close(ctx), a.presence.Close(ctx))
	err := errors.Join(hubErr, a.server.Stop(ctx))
	// A server that was told to stop before it took its first connection has not seen
	// it: without a listener it cannot go on.
	if closeErr := a.ln.Close(); !errors.Is(closeErr, net.ErrClosed) {
		err = errors.Join(err, closeErr)
	}
	select {
	case serveErr := <-a.served:
		if !errors.Is(serveErr, net.ErrClosed) {
			err = errors.Join(err, serveErr)
		}
	case <-ctx.Done():
	}
	return errors.Join(err, a.Core.Stop(ctx))
}

func (a *App) become(state error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state = state
}

// ready says why the server cannot work now, or nil.
func (a *App) ready() error {
	if err := a.Err(); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state
}
