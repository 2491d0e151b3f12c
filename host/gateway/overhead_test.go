package gateway_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/culmhq/culm/host/gateway"
)

// What the gateway costs beyond the HTTP call itself, all against the same kind of
// upstream in one run: bare is net/http alone, chain is the gateway with stores that
// keep nothing, and the others write audit and journal to SQLite on disk.

func BenchmarkBareCall(b *testing.B) {
	up := listen(b, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{"ok":true}`) })
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			bareCall(b, up.URL+"/things/1")
		}
	})
}

// bareCall makes a call with net/http alone.
func bareCall(tb testing.TB, url string) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
}

func BenchmarkGatewayChain(b *testing.B) {
	benchmarkCalls(b, "read", func(g *gateway.Config) { g.Audit = noAudit{} })
}

func BenchmarkGatewaySafe(b *testing.B) { benchmarkCalls(b, "read", nil) }

func BenchmarkGatewayKeyed(b *testing.B) { benchmarkCalls(b, "replace", nil) }

func benchmarkCalls(b *testing.B, op string, tweak func(*gateway.Config)) {
	b.Helper()
	bench := newBench(b, nil, setting{limits: "{concurrency: 64, timeout_ms: 30000}", tweak: tweak})
	body := ""
	if op == "replace" {
		body = `{"a":"b"}`
	}
	req := ask(b, op, map[string]any{"id": "1"}, body)
	var calls atomic.Int64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c := caller()
			c.Call = int(calls.Add(1))
			if res := bench.gateway.Open(c).Call(b.Context(), req); res.Status != http.StatusOK {
				b.Errorf("got %+v", res)
				return
			}
		}
	})
}

// noAudit forgets every row.
type noAudit struct{}

func (noAudit) Append(context.Context, gateway.AuditRow) error { return nil }
