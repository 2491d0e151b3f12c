package traces

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// sendTimeout bounds the sending of a batch, with what is tried again.
const sendTimeout = 10 * time.Second

// OTLP sends spans to a collector by OTLP over HTTP. The endpoint is a whole URL, such as
// https://collector.example.com/v1/traces. Headers come from OTEL_EXPORTER_OTLP_HEADERS,
// as for other programs.
func OTLP(ctx context.Context, endpoint string) (sdk.SpanExporter, error) {
	client := &http.Client{
		Timeout: sendTimeout,
		// No proxy from the environment, and no way to where the endpoint points next.
		Transport:     &http.Transport{MaxIdleConns: 2, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: sendTimeout, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	e, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint), otlptracehttp.WithHTTPClient(client),
		otlptracehttp.WithTimeout(sendTimeout), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	return e, nil
}
