package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/config"
	shipped "github.com/culmhq/culm/plugins-wasm"
)

func (p *program) serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the canvas and the API on this machine",
		Long: "Serve the canvas application, the HTTP API and the live stream on a loopback address,\n" +
			"with an embedded database in the data directory.\n\n" +
			"Every setting has a flag, an environment variable (CULM_LISTEN for --listen, and so on)\n" +
			"and a field in the YAML file of --config, in this order of precedence.\n" +
			"The flag of a setting that is a list may be repeated.\n" +
			"So have the limits of plugins (--limits-timeout, CULM_LIMITS_TIMEOUT, limits.timeout): docs/limits.md lists them.",
		Example: "  culm serve --demo\n  culm serve --listen 127.0.0.1:9000 --data /srv/culm --allow prometheus.internal:9090",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := p.config(c.Flags())
			if err != nil {
				return err
			}
			return p.serve(c.Context(), cfg)
		},
	}
	c.Flags().String("config", "", "YAML file with settings (CULM_CONFIG)")
	def := config.Default()
	for _, s := range config.Settings() {
		doc := s.Doc + " (" + s.Env + ")"
		if s.List {
			c.Flags().StringArray(s.Flag, nil, doc)
		} else {
			c.Flags().String(s.Flag, s.Value(&def), doc)
		}
		if s.Bool {
			c.Flags().Lookup(s.Flag).NoOptDefVal = "true"
		}
		c.Flags().Lookup(s.Flag).Hidden = s.Limit
	}
	return c
}

// config loads the configuration from flags, environment and file; nil is no flags.
func (p *program) config(flags *pflag.FlagSet) (config.Config, error) {
	src := config.Sources{File: p.getenv(config.EnvConfig), Environ: p.environ, Flags: map[string]string{}}
	visit := func(f *pflag.Flag) {
		switch f.Name {
		case "config":
			src.File = f.Value.String()
		case "help":
		default:
			src.Flags[f.Name] = valueOf(f)
		}
	}
	if flags != nil {
		flags.Visit(visit)
	}
	return config.Load(src)
}

// valueOf is the value of a flag, of one that may be repeated all its values.
func valueOf(f *pflag.Flag) string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return strings.Join(list.GetSlice(), ",")
	}
	return f.Value.String()
}

// serve serves until ctx is done, and then drains.
func (p *program) serve(ctx context.Context, cfg config.Config) error {
	if err := noCore(); err != nil {
		return failed(err)
	}
	server := app.New(cfg, p.deps(cfg, nil))
	if err := server.Start(ctx); err != nil {
		return failed(err)
	}
	data, err := filepath.Abs(cfg.Data)
	if err != nil {
		data = cfg.Data
	}
	fmt.Fprintf(p.out, "Culm %s\n  %s  %s\n  %s  %s\n", release, p.text.of("listening"), server.URL(), p.text.of("data"), data)
	var cause error
	select {
	case <-ctx.Done():
		fmt.Fprintln(p.out, p.text.of("stopping"))
	case <-server.Failed():
		cause = server.Err()
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Drain)
	defer cancel()
	if err := server.Stop(stopping); cause == nil {
		cause = err
	}
	return failed(cause)
}

// deps are what the program takes from this binary.
func (p *program) deps(cfg config.Config, pub runner.Publisher) app.Deps {
	v := version()
	return app.Deps{
		Logger: logger(p.err, cfg.Log), Plugins: shipped.Files, Assets: assets(), Compiler: compiler, Worker: worker, Publisher: pub,
		Getenv: p.getenv, Version: v.Version, Commit: v.Commit, Slack: runner.ServerSlack,
	}
}

func logger(w io.Writer, l config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		level = slog.LevelInfo // validated before
	}
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
