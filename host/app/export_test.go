package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/host/wasm"
)

// Executor makes the calls of the program's nodes.
func (c *Core) Executor() *runs.Executor { return c.executor }

// Watch looks for stuck runs until ctx is done.
func Watch(ctx context.Context, stuck func(context.Context) (map[string]string, error), after func(time.Duration) (<-chan time.Time, func()), log *slog.Logger) {
	watch{stuck, after, log}.run(ctx)
}

// WorkerProcesses counts the worker processes of the plugin host.
func (c *Core) WorkerProcesses() int { return c.host.Workers().Processes() }

// LimitsOf is limitsOf.
func LimitsOf(l config.Limits) wasm.Limits { return limitsOf(l) }

// Sweep deletes the secrets of runs that are over, as is done from time to time.
func (c *Core) Sweep(ctx context.Context) (int, error) { return c.sweeper().sweep(ctx) }
