// Package app is the only composition root: it builds the program from its parts and
// gives it a life. Core is the program without a listener, as culm run uses it; App
// is the server.
package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/auth"
	"github.com/culmhq/culm/host/callbacks"
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/health"
	"github.com/culmhq/culm/host/live"
	"github.com/culmhq/culm/host/metrics"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/presence"
	"github.com/culmhq/culm/host/projects"
	"github.com/culmhq/culm/host/recordings"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/store"
	"github.com/culmhq/culm/host/traces"
	"github.com/culmhq/culm/host/tryout"
	"github.com/culmhq/culm/host/views"
	"github.com/culmhq/culm/host/wasm"
)

// The names inside the data directory.
const (
	databaseFile = "culm.db"
	anchorKey    = "audit.key"
	anchorFile   = "audit.anchors"
	cacheDir     = "compiled"
)

// SignatureSuffix makes the name of a module's file into that of its signature.
const SignatureSuffix = ".sig"

// Deps are what the program takes from the binary that it is part of.
type Deps struct {
	// Logger gets everything that is logged. Required.
	Logger *slog.Logger
	// Plugins is the directory of the plugins that come with the binary; nil
	// installs none.
	Plugins fs.FS
	// Assets is the built canvas application, nil where there is none.
	Assets fs.FS
	// CacheDir is where compiled plugins are kept; empty means inside the data
	// directory. Whoever can write there controls the program.
	CacheDir string
	// Compiler makes the command that runs wasm.CompilerMain. Required.
	Compiler func(context.Context) *exec.Cmd
	// Worker makes the command that runs wasm.WorkerMain. Without it there are no
	// worker processes, and modules that nobody vouches for are not called.
	Worker func(context.Context) *exec.Cmd
	// Publisher, if not nil, is told of every commit besides the live stream.
	Publisher runner.Publisher
	// Slack is that of runner.Config; zero is none.
	Slack int
	// Getenv returns a variable of the environment; nil is the process's own. Only a master
	// key is read from it.
	Getenv func(string) string
	// Version and Commit are the binary's.
	Version, Commit string
}

// Core is the program without a listener: the use cases and what runs below them.
// Its fields may be used once Open has returned, to start runs after Start.
type Core struct {
	Projects *projects.Service
	Flows    *flows.Service
	Runs     *runs.Service
	Choices  *runs.Chooser
	// Attention knows which nodes need a person.
	Attention *runs.Attentions
	// Views keeps the saved views of lists.
	Views   *views.Service
	Plugins *plugins.Catalogue
	Systems *registry.Service
	Tryout  *tryout.Service
	// Callbacks takes what outside systems call back with.
	Callbacks *callbacks.Service
	Health    *health.Service
	Vault     *secrets.Vault
	Audit     *audit.Service
	// Recordings keeps what passed the boundary of plugin calls.
	Recordings *recordings.Keeper

	deps     Deps
	gateway  gateway.Config
	host     *wasm.Host
	hub      *live.Hub
	feed     *live.Feed
	presence *presence.Hub
	executor *runs.Executor
	counted  *health.Recorder
	runner   *runner.Runner
	policy   *gateway.AddressPolicy
	// registries is the policy for the registries of plugins.
	registries *gateway.AddressPolicy
	auditor    *audit.Keeper
	metrics    *metrics.Metrics
	tracer     *traces.Tracer // nil where none is wanted
	shipped    *Shipped
	demo       *demoSystem
	closers    []func() error // in the order in which they were opened
	isStarted  bool
	keep       time.Duration // how long the secrets of an ended run are kept
}

// Open opens the data directory, installs the plugins that come with the binary, and
// builds the use cases. Nothing runs before Start. When it fails, everything that was
// opened is closed again.
func Open(ctx context.Context, cfg config.Config, d Deps) (_ *Core, err error) {
	c := &Core{deps: d, keep: cfg.Secrets.Keep}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if cfg.Data, err = filepath.Abs(cfg.Data); err != nil {
		return nil, fmt.Errorf("app: data directory: %w", err)
	}
	targets := cfg.Allow
	if cfg.Demo {
		if c.demo, err = serveDemo(ctx); err != nil {
			return nil, err
		}
		c.closers = append(c.closers, c.demo.close)
		targets = append(targets[:len(targets):len(targets)], c.demo.address())
	}
	if c.policy, err = gateway.NewAddressPolicy(targets); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("app: data directory: %w", err)
	}
	db, err := sqlite.Open(ctx, filepath.Join(cfg.Data, databaseFile), sqlite.Options{Logger: d.Logger, QuickCheck: true})
	if err != nil {
		return nil, err
	}
	c.closers = append(c.closers, db.Close)
	if err := c.build(ctx, cfg, db); err != nil {
		return nil, err
	}
	if err := c.install(ctx, cfg.Plugins); err != nil {
		return nil, err
	}
	return c, c.load(ctx)
}

// openHost opens the plugin host and tells what is asked of plugins here.
func (c *Core) openHost(ctx context.Context, cfg config.Config) (plugins.Trust, error) {
	cache := c.deps.CacheDir
	if cache == "" {
		cache = filepath.Join(cfg.Data, cacheDir)
	}
	host, err := wasm.New(ctx, wasm.Config{
		CacheDir: cache, Compiler: c.deps.Compiler, Worker: c.deps.Worker, Limits: limitsOf(cfg.Limits), Parallel: cfg.Limits.Parallel,
		LoadedMax: cfg.Limits.Loaded, Logger: c.deps.Logger,
	})
	if err != nil {
		return plugins.Trust{}, err
	}
	c.host = host
	c.closers = append(c.closers, host.Close)
	trust, err := readTrust(cfg)
	if err != nil {
		return plugins.Trust{}, err
	}
	return careful(ctx, cfg, host, c.deps.Logger, trust), nil
}

// build wires the parts, from the bottom up. The hub reads through the use cases,
// which are made from the runner, which publishes to the hub: source closes the ring.
func (c *Core) build(ctx context.Context, cfg config.Config, db *sqlite.DB) error {
	log := c.deps.Logger
	st, err := store.Open(ctx, db)
	if err != nil {
		return err
	}
	if c.Vault, err = c.openVault(ctx, cfg, st); err != nil {
		return err
	}
	vault := c.Vault
	trust, err := c.openHost(ctx, cfg)
	if err != nil {
		return err
	}
	reg, policy, err := newRegistry(cfg, log)
	if err != nil {
		return err
	}
	c.registries = policy
	host := c.host
	c.Projects = projects.New(st)
	if err := errors.Join(c.observe(ctx, cfg, db.Store()), c.openAudit(ctx, cfg, st)); err != nil {
		return err
	}
	c.Plugins, err = plugins.Open(ctx, plugins.Options{
		Repository: st, Switches: st, Inspector: inspector{host}, Projects: c.Projects, Clock: clock{}, Logger: log, Trust: trust, Registry: reg,
		Loaded: loaded(host),
	})
	if err != nil {
		return err
	}
	gw := c.openGateway(cfg, st)
	graphs := runs.NewGraphs(c.Plugins)
	src := &source{}
	c.hub, c.feed = live.New(src, live.Options{}), live.NewFeed(c.Projects, live.FeedOptions{})
	c.presence = presence.New(presence.Options{Clock: clock{}})
	c.Attention = runs.NewAttentions()
	c.Views = views.New(st, c.Projects, clock{})
	c.openRecordings(cfg, st)
	c.executor = runs.NewExecutor(runs.ExecutorOptions{
		Catalogue: c.Plugins, Modules: modules{host, c.Plugins}, Gateway: gw, Handles: vault, Recorder: c.Recordings, Clock: clock{}, Logger: log,
		CallbackURL: callbackBase(cfg.Callbacks), SecretsTo: c.secretsTo(cfg.Secrets.Approved),
	})
	c.counted = health.NewRecorder(health.Options{Store: st, Clock: clock{}, Logger: log})
	c.Health = health.NewService(c.counted, c.Projects)
	c.runner, err = runner.New(runner.Config{
		Store: db.Store(), Executor: c.metrics.Executor(c.counted.Watch(runs.NewSuspects(c.executor, st.Deaths(), log))), Publisher: c.publisher(), Clock: clock{}, Graphs: graphs, Logger: log,
		Slack: c.deps.Slack,
	})
	if err != nil {
		return err
	}
	c.metrics.WatchRuns(c.runner)
	c.Attention.Follow(c.runner, c.Projects)
	c.Flows = flows.New(flows.Options{
		Repository: st, Projects: c.Projects, Catalogue: c.Plugins, Switched: c.Plugins, Secrets: vault, SecretsTo: c.secretsToLatest(cfg.Secrets.Approved),
		Operations: c.Systems, Users: st, Runs: runs.NewHistory(c.runner), Followers: followers{c.presence, c.feed}, Clock: clock{}, Logger: log,
	})
	c.presence.Follow(c.Flows)
	c.Runs = runs.New(runs.Options{
		Runner: c.runner, Flows: c.Flows, Projects: c.Projects, Catalogue: c.Plugins, Graphs: graphs, Audit: st.Audit(), Vault: vault, Clock: clock{},
	})
	c.Callbacks = callbacks.New(callbacks.Options{Repository: st, Runs: c.Runs, Systems: c.Systems, Secrets: vault, Clock: clock{}, Logger: log})
	c.Choices = runs.NewChooser(runs.ChooserOptions{
		Catalogue: c.Plugins, Projects: c.Projects, Modules: modules{host, c.Plugins}, Gateway: gw, Recorder: c.Recordings, Clock: clock{}, Logger: log,
	})
	src.runs = c.Runs
	return nil
}

// openRecordings makes what keeps the recordings of plugin calls.
func (c *Core) openRecordings(cfg config.Config, st *store.Store) {
	c.Recordings = recordings.New(recordings.Options{
		Repository: st, Secrets: c.Vault, Clock: clock{}, Logger: c.deps.Logger, Policy: recordings.Policy{
			Mode: recordings.Mode(cfg.Record.Mode), CallBytes: cfg.Record.CallBytes, TotalBytes: cfg.Record.TotalBytes, Age: cfg.Record.Keep,
		},
	})
	c.closers = append(c.closers, c.Recordings.Close)
}

// openGateway makes the systems and the gateway, which knows them and tries connections
// for them, and the way for calls without a plugin.
func (c *Core) openGateway(cfg config.Config, st *store.Store) *gateway.Gateway {
	log, vault := c.deps.Logger, c.Vault
	traffic := gateway.NewTraffic(0, log)
	c.metrics.WatchBreakers(traffic)
	var gw *gateway.Gateway
	c.Systems = registry.New(registry.Options{
		Repository: st, Credentials: vault, Secrets: vault, Keys: vault, Projects: c.Projects, Grants: c.Plugins, Traffic: traffic, Clock: clock{},
		Test: func(ctx context.Context, t gateway.ConnectionTest) gateway.ConnectionResult {
			return gw.TestConnection(ctx, t)
		},
	})
	c.gateway = gateway.Config{
		Systems: registry.ForGateway{Service: c.Systems}, Directory: registry.ForGateway{Service: c.Systems}, Grants: c.Plugins, Credentials: vault, Secrets: vault,
		Journal: st.Journal(), Audit: c.observed(st.Audit()), Addresses: c.policy, Traffic: traffic, Recorder: gateway.LogRecorder(log), Clock: clock{}, Logger: log,
	}
	if c.tracer != nil {
		c.gateway.Tracing = c.tracer
	}
	c.gateway.Callbacks = callbacks.NewIssuer(st, clock{}.Now, cfg.Callbacks.Expire)
	gw = gateway.New(c.gateway)
	c.closers = append(c.closers, func() error { gw.Close(); return nil })
	c.Tryout = tryout.New(tryout.Options{Gateway: gw.Direct(), Systems: c.Systems, Projects: c.Projects, Clock: clock{}})
	return gw
}

func (c *Core) publisher() runner.Publisher {
	// Who is told that a list changed asks for it: it must have changed before.
	all := publishers{c.hub, c.metrics, c.Attention, c.feed}
	if c.tracer != nil {
		all = append(all, c.tracer)
	}
	if c.deps.Publisher != nil {
		all = append(all, c.deps.Publisher)
	}
	return all
}

// install installs the plugins of the binary, and those of the configured directory.
func (c *Core) install(ctx context.Context, dir string) error {
	if c.deps.Plugins == nil {
		return nil
	}
	var err error
	if c.shipped, err = NewShipped(c.deps.Plugins); err != nil {
		return err
	}
	if missing := c.shipped.Missing(); len(missing) > 0 {
		c.deps.Logger.Warn("plugins were not built into this binary", slog.Any("plugins", missing))
	}
	if n := c.uninstalled(); n > 0 {
		c.deps.Logger.Info("compiling plugins, once: this can take a minute", slog.Int("count", n))
	}
	if _, err := c.Plugins.InstallShipped(ctx, c.shipped); err != nil {
		return err
	}
	if dir == "" {
		return nil
	}
	return c.installDirectory(ctx, dir)
}

// installDirectory installs the modules of the configured directory that are not
// installed yet, each with the signature that lies beside it. One that may not be used
// is left out: the server starts without it.
func (c *Core) installDirectory(ctx context.Context, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.wasm"))
	if err != nil {
		return fmt.Errorf("app: plugin directory: %w", err)
	}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("app: plugin directory: %w", err)
		}
		if _, known := c.Plugins.Module(plugins.Digest(code)); known {
			continue // what was decided about it since stays
		}
		r := plugins.InstallRequest{Actor: c.Actor(), Code: code}
		switch sig, err := os.ReadFile(file + SignatureSuffix); {
		case err == nil:
			r.Signatures = [][]byte{sig}
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("app: plugin directory: %w", err)
		}
		_, err = c.Plugins.Install(ctx, r)
		if fault.Is(err, fault.SignaturePolicy) || fault.Is(err, fault.Rollback) {
			c.deps.Logger.Warn("plugin left out", slog.String("file", file), slog.Any("error", err))
			continue
		}
		if err != nil {
			return fmt.Errorf("app: install %s: %w", file, err)
		}
	}
	return nil
}

// uninstalled counts the shipped plugins that the catalogue does not know.
func (c *Core) uninstalled() int {
	n := 0
	for _, e := range c.shipped.entries {
		if _, ok := c.Plugins.Module(e.Digest); !ok {
			n++
		}
	}
	return n
}

// Start takes up the runs that have not ended. From then on runs may be started.
func (c *Core) Start(ctx context.Context) error {
	if err := c.runner.Start(ctx); err != nil {
		return err
	}
	c.isStarted = true
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { c.counted.Run(watching) })
	wg.Go(func() { c.sweeper().run(watching) })
	wg.Go(func() { c.Recordings.Run(watching) })
	wg.Go(func() { c.Callbacks.Run(watching) })
	wg.Go(func() { c.auditor.Run(watching) })
	wg.Go(func() { watch{c.runner.Stuck, clock{}.After, c.deps.Logger}.run(watching) })
	c.closers = append(c.closers, func() error { stop(); wg.Wait(); return nil })
	return nil
}

// Stop lets the calls that run end until ctx is done, and closes everything. What did
// not end is made again at the next start.
func (c *Core) Stop(ctx context.Context) error {
	var err error
	if c.isStarted {
		err = c.runner.Stop(ctx)
	}
	return errors.Join(err, c.close())
}

func (c *Core) close() error {
	var errs []error
	for i := len(c.closers) - 1; i >= 0; i-- {
		errs = append(errs, c.closers[i]())
	}
	c.closers = nil
	return errors.Join(errs...)
}

// Failed is closed when the program cannot go on because its store failed; Err then
// says why.
func (c *Core) Failed() <-chan struct{} { return c.runner.Failed() }

// Err is nil until Failed is closed.
func (c *Core) Err() error { return c.runner.Err() }

// Actor is who acts through this process: its user.
func (c *Core) Actor() engine.Actor { return engine.Actor{ID: auth.Local} }

// DefaultProject is the project of a program that nobody told another one.
func DefaultProject(demo bool) string {
	if demo {
		return "demo"
	}
	return "default"
}

// followers tells all of them what became of a flow.
type followers []flows.Followers

// Changed implements flows.Followers.
func (fs followers) Changed(project, flow string, revision, version int) {
	for _, f := range fs {
		f.Changed(project, flow, revision, version)
	}
}

// publishers tells several of every commit.
type publishers []runner.Publisher

// Publish implements runner.Publisher.
func (ps publishers) Publish(run string, rs []engine.Record) {
	for _, p := range ps {
		p.Publish(run, rs)
	}
}
