package traces

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/culmhq/culm/engine"
)

// Starts finds the record that a run began with. Safe for concurrent use.
type Starts interface {
	// Started returns it, or an error where it cannot be read.
	Started(ctx context.Context, run string) (engine.RunStarted, error)
}

// lineage is what a run's trace hangs on.
type lineage struct {
	id     trace.TraceID
	parent trace.SpanID // zero for a trace that begins with the run
	// sampled says that its spans are sent.
	sampled bool
}

// lineageOf finds the trace of a run: that of the request that started it, with its
// decision, or one that is made from the run's name, of which a share is sent. The share is
// taken of the trace's id, so that every process decides in the same way.
func (t *Tracer) lineageOf(run, traceparent string) lineage {
	if sc, ok := parse(traceparent); ok {
		return lineage{sc.TraceID(), sc.SpanID(), sc.IsSampled()}
	}
	id := traceID(run)
	d := t.sampler.ShouldSample(sdk.SamplingParameters{ParentContext: context.Background(), TraceID: id})
	return lineage{id: id, sampled: d.Decision == sdk.RecordAndSample}
}

// find returns the trace of a run that may have begun in another process.
func (t *Tracer) find(ctx context.Context, run string) lineage {
	t.mu.Lock()
	f := t.runs[run]
	t.mu.Unlock()
	if f != nil {
		return f.line
	}
	return t.read(ctx, run)
}

// read looks up how a run was started. One that cannot be read has a trace of its own.
func (t *Tracer) read(ctx context.Context, run string) lineage {
	if t.starts == nil {
		return t.lineageOf(run, "")
	}
	s, err := t.starts.Started(ctx, run)
	if err != nil {
		return t.lineageOf(run, "")
	}
	return t.lineageOf(run, s.Trace)
}

// Call implements gateway.Tracing: a call of a run gets the id of its span before it is made,
// so that the system can hang its own spans on it.
func (t *Tracer) Call(ctx context.Context, run string) (traceparent, span string) {
	line := t.find(ctx, run)
	var id trace.SpanID
	_, _ = rand.Read(id[:]) // it does not fail
	flags := "00"
	if line.sampled {
		flags = "01"
	}
	return "00-" + line.id.String() + "-" + id.String() + "-" + flags, id.String()
}

// traceparentChars is the length of a traceparent of version 00.
const traceparentChars = 55

// parse reads a traceparent of version 00 (https://www.w3.org/TR/trace-context/).
func parse(s string) (trace.SpanContext, bool) {
	if len(s) != traceparentChars || s[:3] != "00-" || s[35] != '-' || s[52] != '-' {
		return trace.SpanContext{}, false
	}
	id, err := trace.TraceIDFromHex(s[3:35])
	if err != nil {
		return trace.SpanContext{}, false
	}
	span, err := trace.SpanIDFromHex(s[36:52])
	if err != nil {
		return trace.SpanContext{}, false
	}
	flags, err := hex.DecodeString(s[53:])
	if err != nil {
		return trace.SpanContext{}, false
	}
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: trace.TraceFlags(flags[0])}), true
}
