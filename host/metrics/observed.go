package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/gateway"
)

// askTimeout bounds the questions of a scrape. What is not answered in time is left out of it.
const askTimeout = time.Second

// Breakers tells the positions of breakers; *gateway.Traffic is one.
type Breakers interface {
	Breakers() map[gateway.BreakerKey]gateway.BreakerPosition
}

// Census counts the live runs by their state; *runner.Runner is one.
type Census interface {
	Census(ctx context.Context) (map[string]int, error)
}

// WatchBreakers shows the breakers of b with every scrape. Call it once.
func (m *Metrics) WatchBreakers(b Breakers) {
	m.registry.MustRegister(&breakers{from: b, m: m, desc: prometheus.NewDesc("culm_gateway_breakers",
		"Breakers of systems by state, one for each project that called the system. Open ones refuse calls.", []string{"system", "state"}, nil)})
}

// WatchRuns shows the live runs of c with every scrape. Call it once.
func (m *Metrics) WatchRuns(c Census) {
	m.registry.MustRegister(&live{from: c, desc: prometheus.NewDesc("culm_runs_live",
		"Runs that have not ended, by state; waiting are those that run and of which no call is under way.", []string{"state"}, nil)})
}

// breakers is a collector of their positions.
type breakers struct {
	from Breakers
	m    *Metrics
	desc *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (b *breakers) Describe(out chan<- *prometheus.Desc) { out <- b.desc }

// Collect implements prometheus.Collector. Every system has all three positions, so that an
// alert sees a breaker close again.
func (b *breakers) Collect(out chan<- prometheus.Metric) {
	counts := map[string]map[gateway.BreakerPosition]int{}
	for key, at := range b.from.Breakers() {
		system := b.m.systems.of(key.System)
		if counts[system] == nil {
			counts[system] = map[gateway.BreakerPosition]int{}
		}
		counts[system][at]++
	}
	for system, n := range counts {
		for _, at := range []gateway.BreakerPosition{gateway.BreakerClosed, gateway.BreakerOpen, gateway.BreakerHalfOpen} {
			out <- prometheus.MustNewConstMetric(b.desc, prometheus.GaugeValue, float64(n[at]), system, string(at))
		}
	}
}

// live is a collector of the runs that have not ended.
type live struct {
	from Census
	desc *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (l *live) Describe(out chan<- *prometheus.Desc) { out <- l.desc }

// Collect implements prometheus.Collector. A runner that has stopped, or has no time, is not
// there: a zero would be a lie.
func (l *live) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	counts, err := l.from.Census(ctx)
	if err != nil {
		return
	}
	for _, s := range []string{string(engine.RunRunning), string(engine.RunSuspended), string(engine.RunBlocked), runner.Waiting} {
		counts[s] += 0 // so that an alert sees the last one end
	}
	for state, n := range counts {
		out <- prometheus.MustNewConstMetric(l.desc, prometheus.GaugeValue, float64(n), state)
	}
}
