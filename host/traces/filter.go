package traces

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// valueMax bounds the text of an attribute, in bytes.
const valueMax = 128

// The attributes that are sent. Names of the OpenTelemetry conventions where there is one.
const (
	keyRun       = "culm.run"
	keyProject   = "culm.project"
	keyFlow      = "culm.flow"
	keyVersion   = "culm.flow.version"
	keyParentRun = "culm.run.parent"
	keyNode      = "culm.node"
	keyIteration = "culm.iteration"
	keyAttempt   = "culm.attempt"
	keyState     = "culm.state"
	keyPlugin    = "culm.plugin"
	keySystem    = "culm.system"
	keyOperation = "culm.operation"
	keyReplayed  = "culm.replayed"
	keyOrigin    = "culm.failure.origin"
	keyError     = "error.type"
	keyMethod    = "http.request.method"
	keyStatus    = "http.response.status_code"
)

// Allowed returns the attributes that leave the program: names, numbers and codes, and
// nothing that a plugin, a system or a person wrote.
func Allowed() []string {
	return []string{
		keyRun, keyProject, keyFlow, keyVersion, keyParentRun, keyNode, keyIteration, keyAttempt, keyState, keyPlugin, keySystem, keyOperation,
		keyReplayed, keyOrigin, keyError, keyMethod, keyStatus,
	}
}

// filter is an exporter that sends attributes of the list and nothing else, whatever was
// put into a span.
type filter struct {
	next sdk.SpanExporter
	log  *slog.Logger
}

// ExportSpans implements sdk.SpanExporter. What cannot be sent is dropped, and said in
// the log: the library would write it to standard error.
func (f filter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	clean := make([]sdk.ReadOnlySpan, len(spans))
	for i, s := range spans {
		clean[i] = filtered{s}
	}
	if err := f.next.ExportSpans(ctx, clean); err != nil {
		f.log.Warn("traces were not sent, and are dropped", slog.Int("spans", len(spans)), slog.Any("error", err))
	}
	return nil
}

// Shutdown implements sdk.SpanExporter.
func (f filter) Shutdown(ctx context.Context) error { return f.next.Shutdown(ctx) }

// filtered is a span without what is not on the list.
type filtered struct{ sdk.ReadOnlySpan }

// Attributes implements sdk.ReadOnlySpan.
func (s filtered) Attributes() []attribute.KeyValue {
	var out []attribute.KeyValue
	for _, a := range s.ReadOnlySpan.Attributes() {
		if slices.Contains(Allowed(), string(a.Key)) {
			out = append(out, a)
		}
	}
	return out
}

// Events implements sdk.ReadOnlySpan.
func (filtered) Events() []sdk.Event { return nil }

// Links implements sdk.ReadOnlySpan.
func (filtered) Links() []sdk.Link { return nil }

// Status implements sdk.ReadOnlySpan.
func (s filtered) Status() sdk.Status { return sdk.Status{Code: s.ReadOnlySpan.Status().Code} }

// ids are those that a span gets; a zero span id stands for a random one.
type ids struct {
	trace trace.TraceID
	span  trace.SpanID
}

// idKey is the key of a context's ids.
type idKey struct{}

// named gives spans the ids of their context.
type named struct{}

// NewIDs implements sdk.IDGenerator.
func (n named) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	i, _ := ctx.Value(idKey{}).(ids)
	return i.trace, n.NewSpanID(ctx, i.trace)
}

// NewSpanID implements sdk.IDGenerator.
func (named) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	i, _ := ctx.Value(idKey{}).(ids)
	if i.span.IsValid() {
		return i.span
	}
	var id trace.SpanID
	_, _ = rand.Read(id[:]) // it does not fail
	return id
}
