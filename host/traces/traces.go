// Package traces tells OpenTelemetry how runs went: a span for the run, one for each node
// in it, one for each attempt of a node, one for each call of an attempt. The ids are
// made from the names of things, so that what one process began and the next one ended,
// or what two parts know, is one trace. Nothing is sent but attributes of a list
// (docs/observability.md).
package traces

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/pdk/contract"
)

// The bounds of what waits.
const (
	// queueMax is how many spans wait to be sent; more are dropped, and nobody waits.
	queueMax = 8192
	// runsMax is how many runs are followed at once; spans of further ones are those
	// of their calls alone.
	runsMax = 20_000
	// readTimeout bounds the look-up of how a run began that an earlier process started.
	readTimeout = time.Second
)

// Options are what a tracer is made from; all fields but Starts are required.
type Options struct {
	Exporter sdk.SpanExporter
	Logger   *slog.Logger
	Version  string
	// Sample is the share of the traces that are sent, from 0 to 1, of those that begin here. A
	// trace that a request brings is sent if the request says so.
	Sample float64
	// Starts finds how runs of an earlier process began; nil finds none.
	Starts Starts
}

// Tracer makes spans. It is safe for concurrent use, and never waits for the exporter.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	sampler  sdk.Sampler
	starts   Starts

	mu   sync.Mutex
	runs map[string]*followed
}

var _ runner.Publisher = (*Tracer)(nil)

// followed is a run that has not ended.
type followed struct {
	line  lineage
	since time.Time
	attrs []attribute.KeyValue
	nodes map[string]*node
}

// node is a node of it that was entered, in its present iteration and attempt.
type node struct {
	iteration, attempt int
	since, tried       time.Time // when the iteration and the attempt began
	open               bool      // the attempt has not ended
	last               time.Time
	failure            *contract.Failure
}

// New makes a tracer. Shut it down to send what waits.
func New(o Options) *Tracer {
	p := sdk.NewTracerProvider(
		sdk.WithBatcher(filter{o.Exporter, o.Logger}, sdk.WithMaxQueueSize(queueMax)),
		sdk.WithIDGenerator(named{}),
		sdk.WithSampler(sdk.AlwaysSample()), // what is not to be sent is no span at all
		// Not the library's default, which tells of the machine and the command line.
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "culm"), attribute.String("service.version", o.Version))),
		sdk.WithRawSpanLimits(sdk.SpanLimits{
			AttributeValueLengthLimit: valueMax, AttributeCountLimit: 32, EventCountLimit: 0, LinkCountLimit: 1,
			AttributePerEventCountLimit: 0, AttributePerLinkCountLimit: 0,
		}),
	)
	return &Tracer{
		provider: p, tracer: p.Tracer("github.com/culmhq/culm"), sampler: sdk.TraceIDRatioBased(o.Sample), starts: o.Starts, runs: map[string]*followed{},
	}
}

// Shutdown sends what waits, until ctx is done.
func (t *Tracer) Shutdown(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// Publish implements runner.Publisher.
func (t *Tracer) Publish(run string, rs []engine.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range rs {
		f := t.follow(run, r)
		if f == nil {
			return
		}
		switch d := r.Data.(type) {
		case engine.RunStarted:
			f.since, f.line = r.At, t.lineageOf(run, d.Trace)
			f.attrs = []attribute.KeyValue{
				attribute.String(keyProject, d.Project), attribute.String(keyFlow, d.Flow), attribute.Int(keyVersion, d.Version),
			}
			if d.Parent != nil {
				f.attrs = append(f.attrs, attribute.String(keyParentRun, d.Parent.Run))
			}
		case engine.NodeChanged:
			t.node(run, f, r, d)
		case engine.RunChanged:
			if d.To.Ended() {
				t.end(run, f, r.At, d)
				delete(t.runs, run)
			}
		default:
		}
	}
}

// follow finds a run, or begins to follow it. The caller holds mu.
func (t *Tracer) follow(run string, r engine.Record) *followed {
	f := t.runs[run]
	if f == nil && len(t.runs) < runsMax {
		// A run from before a restart is followed from where it goes on.
		f = &followed{since: r.At, nodes: map[string]*node{}}
		if d, ok := r.Data.(engine.RunStarted); ok {
			f.line = t.lineageOf(run, d.Trace)
		} else {
			ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
			f.line = t.read(ctx, run)
			cancel()
		}
		t.runs[run] = f
	}
	return f
}

// node takes a change of a node's state.
func (t *Tracer) node(run string, f *followed, r engine.Record, d engine.NodeChanged) {
	n := f.nodes[r.Node]
	if n == nil {
		n = &node{since: r.At}
		f.nodes[r.Node] = n
	}
	if d.Iteration != 0 && d.Iteration != n.iteration {
		if n.iteration != 0 {
			t.endNode(run, r.Node, f, n)
		}
		*n = node{iteration: d.Iteration, since: r.At}
	}
	if d.Attempt != 0 && d.Attempt != n.attempt {
		n.attempt, n.tried, n.open, n.failure = d.Attempt, r.At, true, nil
	}
	n.last = r.At
	switch d.To {
	case engine.NodeSucceeded, engine.NodeSkipped, engine.NodeCancelled, engine.NodeFailed, engine.NodeUnknown:
		if d.Failure != nil {
			n.failure = d.Failure
		}
		t.endAttempt(run, r.Node, f, n, string(d.To))
	default:
	}
}

// endAttempt makes the span of an attempt.
func (t *Tracer) endAttempt(run, name string, f *followed, n *node, state string) {
	if !n.open {
		return
	}
	n.open = false
	t.span(span{
		name: "attempt", line: f.line, id: attemptID(run, name, n.iteration, n.attempt), parent: nodeID(run, name, n.iteration), from: n.tried, to: n.last, failure: n.failure,
		attrs: []attribute.KeyValue{
			attribute.String(keyRun, run), attribute.String(keyNode, name), attribute.Int(keyIteration, n.iteration), attribute.Int(keyAttempt, n.attempt),
			attribute.String(keyState, state),
		},
	})
}

// endNode makes the span of a node, when nothing more can happen to it in this iteration.
func (t *Tracer) endNode(run, name string, f *followed, n *node) {
	if n.attempt == 0 {
		return // a gateway, or one that was never tried
	}
	t.endAttempt(run, name, f, n, "ended")
	t.span(span{
		name: "node", line: f.line, id: nodeID(run, name, n.iteration), parent: runID(run), from: n.since, to: n.last, failure: n.failure,
		attrs: []attribute.KeyValue{
			attribute.String(keyRun, run), attribute.String(keyNode, name), attribute.Int(keyIteration, n.iteration), attribute.Int(keyAttempt, n.attempt),
		},
	})
}

// end makes the spans of a run that is over.
func (t *Tracer) end(run string, f *followed, at time.Time, d engine.RunChanged) {
	for name, n := range f.nodes {
		t.endNode(run, name, f, n)
	}
	s := span{
		name: "run", line: f.line, id: runID(run), parent: f.line.parent, from: f.since, to: at,
		attrs: append(f.attrs, attribute.String(keyRun, run), attribute.String(keyState, string(d.To))),
	}
	if d.To != engine.RunSucceeded {
		s.failure = &contract.Failure{Code: "RUN_" + strings.ToUpper(string(d.To))}
	}
	t.span(s)
}

// Audit makes a span of every call that the gateway audits.
func (t *Tracer) Audit(next gateway.Audit) gateway.Audit { return audited{next, t} }

type audited struct {
	next gateway.Audit
	t    *Tracer
}

// Append implements gateway.Audit.
func (a audited) Append(ctx context.Context, r gateway.AuditRow) error {
	err := a.next.Append(ctx, r)
	if r.Run == "" {
		return err // for a form, or somebody's own: of no run
	}
	id, _ := trace.SpanIDFromHex(r.Span) // zero where none was given to the system
	a.t.span(span{
		name: "call", line: a.t.find(ctx, r.Run), id: id, parent: attemptID(r.Run, r.Node, r.Iteration, r.Attempt), from: r.At, to: r.At.Add(r.Duration), failure: r.Failure,
		kind: trace.SpanKindClient,
		attrs: []attribute.KeyValue{
			attribute.String(keyRun, r.Run), attribute.String(keyProject, r.Project), attribute.String(keyFlow, r.Flow), attribute.String(keyNode, r.Node),
			attribute.Int(keyIteration, r.Iteration), attribute.Int(keyAttempt, r.Attempt), attribute.String(keyPlugin, r.Plugin),
			attribute.String(keySystem, r.System), attribute.String(keyOperation, r.Operation), attribute.String(keyMethod, r.Method),
			attribute.Int(keyStatus, r.HTTPStatus), attribute.Bool(keyReplayed, r.Replayed),
		},
	})
	return err
}

// span is one that is over.
type span struct {
	name   string
	kind   trace.SpanKind
	line   lineage
	id     trace.SpanID
	parent trace.SpanID
	// from and to may be the other way round where a clock was put back.
	from, to time.Time
	attrs    []attribute.KeyValue
	failure  *contract.Failure
}

// span hands a span to the exporter.
func (t *Tracer) span(s span) {
	if !s.line.sampled {
		return
	}
	ctx := context.WithValue(context.Background(), idKey{}, ids{s.line.id, s.id})
	if s.parent.IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: s.line.id, SpanID: s.parent, TraceFlags: trace.FlagsSampled, Remote: true,
		}))
	}
	if s.to.Before(s.from) {
		s.to = s.from
	}
	_, sp := t.tracer.Start(ctx, s.name, trace.WithTimestamp(s.from), trace.WithSpanKind(s.kind), trace.WithAttributes(s.attrs...))
	if s.failure != nil {
		sp.SetStatus(codes.Error, "")
		sp.SetAttributes(attribute.String(keyError, codeOf(s.failure)), attribute.String(keyOrigin, string(s.failure.Origin)))
	}
	sp.End(trace.WithTimestamp(s.to))
}

var plainCode = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// codeOf returns the code of a failure. A plugin may put anything there; only what looks
// like a code is sent.
func codeOf(f *contract.Failure) string {
	if plainCode.MatchString(f.Code) {
		return f.Code
	}
	return "OTHER"
}

// traceID and the ids below are made from names: a trace that is looked for is found from
// the id of its run alone.
func traceID(run string) trace.TraceID {
	h := sha256.Sum256([]byte("culm trace\n" + run))
	return trace.TraceID(h[:16])
}

// TraceID returns the id, in hex, of the trace of a run that no trace brought about.
func TraceID(run string) string { return traceID(run).String() }

func runID(run string) trace.SpanID { return idOf("run", run) }

func nodeID(run, node string, iteration int) trace.SpanID {
	return idOf("node", run, node, fmt.Sprint(iteration))
}

func attemptID(run, node string, iteration, attempt int) trace.SpanID {
	return idOf("attempt", run, node, fmt.Sprint(iteration), fmt.Sprint(attempt))
}

func idOf(parts ...string) trace.SpanID {
	h := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return trace.SpanID(h[:8])
}
