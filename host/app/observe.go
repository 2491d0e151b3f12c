package app

import (
	"context"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/metrics"
	"github.com/culmhq/culm/host/traces"
)

// lastTraces bounds the time that is given to the traces that wait when a program ends.
const lastTraces = 5 * time.Second

// observe makes the metrics, and the tracer where traces are wanted.
func (c *Core) observe(ctx context.Context, cfg config.Config, runs runner.Store) error {
	c.metrics = metrics.New(c.deps.Version, c.deps.Commit, clock{}.Now)
	if cfg.Trace.Endpoint == "" {
		return nil
	}
	exporter, err := traces.OTLP(ctx, cfg.Trace.Endpoint)
	if err != nil {
		return err
	}
	c.tracer = traces.New(traces.Options{Exporter: exporter, Logger: c.deps.Logger, Version: c.deps.Version, Sample: cfg.Trace.Sample, Starts: starts{runs}})
	c.closers = append(c.closers, func() error {
		ending, cancel := context.WithTimeout(context.Background(), lastTraces)
		defer cancel()
		return c.tracer.Shutdown(ending)
	})
	return nil
}

// starts finds how runs began.
type starts struct{ runs runner.Store }

// Started implements traces.Starts.
func (s starts) Started(ctx context.Context, run string) (engine.RunStarted, error) {
	rs, err := s.runs.Records(ctx, run, 0, 1)
	if err != nil {
		return engine.RunStarted{}, err
	}
	for _, r := range rs {
		if d, ok := r.Data.(engine.RunStarted); ok {
			return d, nil
		}
	}
	return engine.RunStarted{}, runner.ErrNotFound
}

// observed is an audit that metrics and traces are made from.
func (c *Core) observed(a gateway.Audit) gateway.Audit {
	a = c.metrics.Audit(a)
	if c.tracer != nil {
		a = c.tracer.Audit(a)
	}
	return a
}
