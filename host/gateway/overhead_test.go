package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/secrets"
)

// inParallel is how many calls are under way at once where the gateway is measured.
const inParallel = 64

// BenchmarkOverhead is what a call costs through the gateway and through net/http alone, to
// the same server on loopback, 64 at once. The two take turns in short rounds, so that
// whatever else the machine does slows both. Both send the same method, body and credential,
// and read the answer; the server keeps nothing of what it gets. The ratios are those of the
// medians and of the 99th percentiles. The server answers at once, where all there is to see
// is processor time, or after five or fifty milliseconds, as real systems do. "chain" keeps no
// audit, so that the disk does not count; "audited" and "journalled" write to it before the
// plugin sees the answer.
func BenchmarkOverhead(b *testing.B) {
	noDisk := func(g *gateway.Config) { g.Audit = noAudit{} }
	for _, c := range []struct {
		name   string
		answer time.Duration
		op     string
		tweak  func(*gateway.Config)
	}{
		{"chain/at_once", 0, "read", noDisk},
		{"chain/5ms", 5 * time.Millisecond, "read", noDisk},
		{"chain/50ms", 50 * time.Millisecond, "read", noDisk},
		{"audited/at_once", 0, "read", nil},
		{"audited/50ms", 50 * time.Millisecond, "read", nil},
		{"journalled/50ms", 50 * time.Millisecond, "replace", nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if c.answer > 0 {
					<-time.After(c.answer)
				}
				writeJSON(w, `{"ok":true}`)
			}))
			defer up.Close()
			const token = "t0ken-4Kq9vZ2mXw7RbN1sLc8YdF5hPg3J"
			bench := newBench(b, nil, setting{
				base: up.URL, allow: []string{strings.TrimPrefix(up.URL, "http://")}, limits: "{concurrency: 64, timeout_ms: 30000}", tweak: c.tweak,
				credential: secrets.Input{Token: secrets.NewSecret(token)},
			})
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: inParallel}}
			defer client.CloseIdleConnections()
			method, body := http.MethodGet, ""
			if c.op == "replace" {
				method, body = http.MethodPut, `{"a":"b"}`
			}
			req := ask(b, c.op, map[string]any{"id": "1"}, body)
			ours := func() {
				caller := caller()
				caller.Call = int(bench.calls.Add(1))
				if res := bench.gateway.Open(caller).Call(b.Context(), req); res.Status != http.StatusOK {
					b.Errorf("got %+v", res)
				}
			}
			bare := func() { bareCall(b, client, method, up.URL+"/things/1", token, body) }
			var took [2][]time.Duration
			var cpu [2]time.Duration
			abreast(ours, 8*inParallel)
			abreast(bare, 8*inParallel)
			b.ResetTimer()
			for done := 0; done < b.N; done += 8 * inParallel {
				for i, call := range []func(){bare, ours} {
					before := processorTime(b)
					took[i] = append(took[i], abreast(call, 8*inParallel)...)
					cpu[i] += processorTime(b) - before
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(cpu[0].Microseconds())/float64(len(took[0])), "bare-cpu-us")
			b.ReportMetric(float64(cpu[1].Microseconds())/float64(len(took[1])), "cpu-us")
			b.ReportMetric(float64(cpu[1])/float64(cpu[0]), "cpu-ratio")
			for _, percent := range []int{50, 99} {
				n, g := percentile(took[0], percent), percentile(took[1], percent)
				b.ReportMetric(float64(n.Microseconds()), fmt.Sprintf("bare-p%d-us", percent))
				b.ReportMetric(float64(g.Microseconds()), fmt.Sprintf("p%d-us", percent))
				b.ReportMetric(float64(g)/float64(n), fmt.Sprintf("p%d-ratio", percent))
			}
		})
	}
}

// processorTime is what the process has used, the server that it calls included.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// abreast makes n calls, inParallel at once, and tells how long each took.
func abreast(call func(), n int) []time.Duration {
	took := make([]time.Duration, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range inParallel {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				start := time.Now()
				call()
				took[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	return took
}

func percentile(took []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(took))
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}

// BenchmarkMixedSystems is a thousand calls a second, for as many seconds as there are
// iterations, whatever the answers take: to nine quick systems (5 ms), to one that is slow
// (half a second), and to one that hangs. It reports what the calls to the quick ones take
// with and without the other two, and how many were made a second.
func BenchmarkMixedSystems(b *testing.B) {
	answer := func(d time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(d):
			case <-r.Context().Done():
			}
			writeJSON(w, `{"ok":true}`)
		}
	}
	bench := newBench(b, answer(5*time.Millisecond), setting{tweak: func(g *gateway.Config) { g.Audit = noAudit{} }})
	slow, hung := listen(b, answer(500*time.Millisecond)), listen(b, answer(time.Hour))
	bench.allow(b, strings.TrimPrefix(slow.URL, "http://"), strings.TrimPrefix(hung.URL, "http://"))
	const quick = 9
	for i := range quick {
		bench.register(b, fmt.Sprint("quick-", i), setting{base: bench.up.URL, auth: "{type: none}", limits: "{timeout_ms: 5000}"})
	}
	bench.register(b, "slow", setting{base: slow.URL, auth: "{type: none}", limits: "{timeout_ms: 2000, queue_ms: 500}"})
	bench.register(b, "hung", setting{base: hung.URL, auth: "{type: none}", limits: "{timeout_ms: 1000, queue_ms: 500}"})
	for name, others := range map[string]bool{"alone": false, "beside-slow-and-hung": true} {
		b.Run(name, func(b *testing.B) {
			var mu sync.Mutex
			var took []time.Duration
			var wg sync.WaitGroup
			call := func(i int) {
				c := caller()
				c.Run, c.Call = fmt.Sprint("run-", i%50), int(bench.calls.Add(1))
				req := ask(b, "read", map[string]any{"id": "1"}, "")
				switch at := i % (quick + 2); {
				case at < quick || !others:
					req.System = fmt.Sprint("quick-", i%quick)
				case at == quick:
					req.System = "slow"
				default:
					req.System = "hung"
				}
				start := time.Now()
				res := bench.gateway.Open(c).Call(b.Context(), req)
				if req.System == "slow" || req.System == "hung" {
					return
				}
				if res.Status != http.StatusOK {
					b.Errorf("a quick system: %+v", res)
				}
				mu.Lock()
				defer mu.Unlock()
				took = append(took, time.Since(start))
			}
			const rate = 1000
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			b.ResetTimer()
			start := time.Now()
			for made := 0; made < rate*b.N; {
				<-tick.C
				for due := int(time.Since(start).Seconds() * rate); made < due && made < rate*b.N; made++ {
					wg.Go(func() { call(made) })
				}
			}
			b.ReportMetric(float64(rate*b.N)/time.Since(start).Seconds(), "calls/s")
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64(percentile(took, 50).Microseconds()), "p50-us")
			b.ReportMetric(float64(percentile(took, 99).Microseconds()), "p99-us")
		})
	}
}

// bareCall makes a call with net/http alone.
func bareCall(tb testing.TB, client *http.Client, method, url, token, body string) {
	tb.Helper()
	var payload io.Reader
	if body != "" {
		payload = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(tb.Context(), method, url, payload)
	if err != nil {
		tb.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	res, err := client.Do(req)
	if err != nil {
		tb.Error(err)
		return
	}
	_, err = io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || res.StatusCode != http.StatusOK {
		tb.Error(res.Status, err)
	}
}

// noAudit forgets every row.
type noAudit struct{}

func (noAudit) Append(context.Context, gateway.AuditRow) error { return nil }
