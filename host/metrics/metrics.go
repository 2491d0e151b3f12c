// Package metrics counts what passes for Prometheus. Each part is watched by a decorator
// of its port; the parts know nothing of it. Labels are closed sets: what could grow
// without bound, such as the ids of systems, is cut at a number of values
// (docs/observability.md).
package metrics

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/pdk/contract"
)

// valuesMax bounds the values of a label; further ones are other.
const valuesMax = 200

const other = "other"

// Metrics holds all numbers. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	now      func() time.Time

	calls       *prometheus.CounterVec
	callSeconds *prometheus.HistogramVec
	unaudited   prometheus.Counter

	unopened      prometheus.Counter
	pluginCalls   *prometheus.CounterVec
	pluginSeconds *prometheus.HistogramVec
	running       prometheus.Gauge

	started   prometheus.Counter
	ended     *prometheus.CounterVec
	nodes     *prometheus.CounterVec
	committed prometheus.Counter

	requests       *prometheus.CounterVec
	requestSeconds *prometheus.HistogramVec

	systems, plugins, codes *bounded
}

// seconds are the buckets of durations: from a call on the same machine to one that is
// given a minute.
func seconds() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
}

// New makes the metrics of a program of that version and commit; now tells the time.
func New(version, commit string, now func() time.Time) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "culm", Name: name, Help: help})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "culm", Name: name, Help: help}, labels)
	}
	histograms := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "culm", Name: name, Help: help, Buckets: seconds()}, labels)
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(), now: now,
		calls:          counters("gateway_calls_total", "Calls to operations of systems, the refused ones too.", "system", "outcome", "code"),
		callSeconds:    histograms("gateway_call_seconds", "How long calls took that were not refused, with waits and retries.", "system"),
		unaudited:      counter("audit_failures_total", "Calls whose entry in the audit could not be stored."),
		unopened:       counter("secrets_unopened_total", "Stored secrets that did not open when they were needed: their rows were changed."),
		pluginCalls:    counters("plugin_calls_total", "Calls of plugins.", "plugin", "reason", "outcome"),
		pluginSeconds:  histograms("plugin_call_seconds", "How long calls of plugins took.", "plugin"),
		running:        prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "culm", Name: "plugin_calls_running", Help: "Calls of plugins that are under way."}),
		started:        counter("runs_started_total", "Runs that were started."),
		ended:          counters("runs_ended_total", "Runs that ended.", "state"),
		nodes:          counters("node_states_total", "Changes of a node to a state.", "state"),
		committed:      counter("records_total", "Records that were committed."),
		requests:       counters("http_requests_total", "Requests to the API.", "method", "route", "status"),
		requestSeconds: histograms("http_request_seconds", "How long requests to the API took.", "route"),
		systems:        &bounded{}, plugins: &bounded{}, codes: &bounded{},
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "culm", Name: "build_info", Help: "The program; always 1.", ConstLabels: prometheus.Labels{"version": version, "commit": commit},
	})
	info.Set(1)
	m.registry.MustRegister(m.calls, m.callSeconds, m.unaudited, m.unopened, m.pluginCalls, m.pluginSeconds, m.running, m.started, m.ended, m.nodes, m.committed,
		m.requests, m.requestSeconds, info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Text returns everything in the text format of Prometheus, with its media type.
func (m *Metrics) Text() (text []byte, media string, err error) {
	families, err := m.registry.Gather()
	if err != nil {
		return nil, "", fmt.Errorf("metrics: %w", err)
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	var b bytes.Buffer
	enc := expfmt.NewEncoder(&b, format)
	for _, f := range families {
		if err := enc.Encode(f); err != nil {
			return nil, "", fmt.Errorf("metrics: %w", err)
		}
	}
	return b.Bytes(), string(format), nil
}

// SecretUnopened counts a stored secret that did not open.
func (m *Metrics) SecretUnopened() { m.unopened.Inc() }

// Audit watches what the gateway audits.
func (m *Metrics) Audit(next gateway.Audit) gateway.Audit { return audited{next, m} }

type audited struct {
	next gateway.Audit
	m    *Metrics
}

// Append implements gateway.Audit.
func (a audited) Append(ctx context.Context, row gateway.AuditRow) error {
	outcome, code := audit.OutcomeOf(row.Failure), ""
	if row.Failure != nil {
		code = a.m.codes.of(row.Failure.Code)
	}
	system := row.System
	if outcome == audit.OutcomeRefused && (code == gateway.CodeUnknownSystem || code == gateway.CodeDenied) {
		system = other // a plugin can make up any name
	}
	system = a.m.systems.of(system)
	a.m.calls.WithLabelValues(system, string(outcome), code).Inc()
	if outcome != audit.OutcomeRefused && !row.Replayed {
		a.m.callSeconds.WithLabelValues(system).Observe(row.Duration.Seconds())
	}
	err := a.next.Append(ctx, row)
	if err != nil {
		a.m.unaudited.Inc()
	}
	return err
}

// Executor watches the calls of plugins.
func (m *Metrics) Executor(next runner.Executor) runner.Executor { return executor{next, m} }

type executor struct {
	runner.Executor
	m *Metrics
}

// Execute implements runner.Executor.
func (e executor) Execute(ctx context.Context, run runner.RunInfo, d engine.Dispatch, emit func(engine.Note)) engine.Result {
	e.m.running.Inc()
	defer e.m.running.Dec()
	begun := e.m.now()
	out := e.Executor.Execute(ctx, run, d, emit)
	plugin := e.m.plugins.of(d.Plugin)
	outcome := string(out.Answer.Status)
	switch {
	case out.Unknown != nil:
		outcome = "unknown"
	case outcome != string(contract.StatusSucceeded) && outcome != string(contract.StatusFailed) && outcome != string(contract.StatusWaiting):
		outcome = other
	}
	e.m.pluginCalls.WithLabelValues(plugin, string(d.Reason), outcome).Inc()
	e.m.pluginSeconds.WithLabelValues(plugin).Observe(e.m.now().Sub(begun).Seconds())
	return out
}

// Publish implements runner.Publisher.
func (m *Metrics) Publish(_ string, rs []engine.Record) {
	m.committed.Add(float64(len(rs)))
	for _, r := range rs {
		switch d := r.Data.(type) {
		case engine.RunStarted:
			m.started.Inc()
		case engine.RunChanged:
			if d.To.Ended() {
				m.ended.WithLabelValues(string(d.To)).Inc()
			}
		case engine.NodeChanged:
			m.nodes.WithLabelValues(string(d.To)).Inc()
		default:
		}
	}
}

// Request counts a request to the API. Route is the path of the route table, not that of
// the request.
func (m *Metrics) Request(method, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(method, route, fmt.Sprintf("%d", status)).Inc()
	m.requestSeconds.WithLabelValues(route).Observe(took.Seconds())
}

// bounded is a set of the first values that a label has had.
type bounded struct {
	mu   sync.Mutex
	seen map[string]bool
}

// of returns the value, or other when there are too many already.
func (b *bounded) of(value string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen == nil {
		b.seen = map[string]bool{}
	}
	if !b.seen[value] {
		if len(b.seen) == valuesMax || len(value) > 64 {
			return other
		}
		b.seen[value] = true
	}
	return value
}
