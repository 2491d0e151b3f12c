package wasm_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// BenchmarkCall measures a call with fresh state, from Module.Call to its result,
// next to the raw call of the same export on one instance that keeps its state, as
// the limit: the metric x-raw is their ratio, measured in the same run.
func BenchmarkCall(b *testing.B) {
	h := newHost(b)
	request := []byte(`{"abi":1,"action":"greet","reason":"execute","inputs":{"name":"world, from a request of about 100 bytes"},"context":{}}`)
	restock := []byte(`{"abi":1,"action":"missing","reason":"execute","inputs":{"system":"cmdb","service":"orders","wanted":5},"context":{}}`)
	small, err := os.ReadFile(filepath.Join("testdata", "small.wasm"))
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name, export string
		module       *wasm.Module
		input        []byte
	}{
		{"go", "execute", goPlugin(b, h), request},
		{"go-noop", "noop", goPlugin(b, h), request},
		{"assemblyscript", "execute", load(b, h, assemblyScript(b)), restock},
		{"small", "execute", load(b, h, small), request},
	} {
		b.Run(c.name, func(b *testing.B) {
			raw, err := c.module.RawCall(b.Context(), c.export, c.input)
			if err != nil {
				b.Fatal(err)
			}
			defer raw.Close()
			limit := least(b, func() error { return raw.Call() })
			fresh := least(b, func() error {
				_, err := c.module.Call(b.Context(), wasm.Call{Export: c.export, Input: c.input})
				return err
			})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.module.Call(b.Context(), wasm.Call{Export: c.export, Input: c.input}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(limit.Nanoseconds()), "raw-ns")
			b.ReportMetric(float64(fresh)/float64(limit), "x-raw")
		})
	}
}

// BenchmarkStop measures how long after its deadline a runaway guest ends.
func BenchmarkStop(b *testing.B) {
	m := load(b, newHost(b), evil(b, "endless"))
	const deadline = 20 * time.Millisecond
	var late time.Duration
	for b.Loop() {
		ctx, cancel := context.WithTimeout(b.Context(), deadline)
		began := time.Now()
		_, err := m.Call(ctx, wasm.Call{Export: "execute"})
		late += time.Since(began) - deadline
		cancel()
		if f := wasm.AsFailure(err); f == nil || f.Code != wasm.CodeTimeout {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(late.Microseconds())/float64(b.N), "µs-late")
}

// BenchmarkYield measures what being stoppable costs a loop of integer arithmetic,
// as the ratio of the rewritten module to the original.
func BenchmarkYield(b *testing.B) {
	module, err := os.ReadFile(filepath.Join("testdata", "loop.wasm"))
	if err != nil {
		b.Fatal(err)
	}
	plain, rewritten := time.Hour, time.Hour
	for b.Loop() {
		p, r, err := wasm.LoopTimes(b.Context(), module, 5)
		if err != nil {
			b.Fatal(err)
		}
		plain, rewritten = min(plain, p), min(rewritten, r)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(plain.Microseconds()), "plain-µs")
	b.ReportMetric(float64(rewritten)/float64(plain), "x-plain")
}

// BenchmarkMemory measures the memory that a hundred Go plugin instances in use at
// once add to the process, per instance.
func BenchmarkMemory(b *testing.B) {
	const n = 100
	for b.Loop() {
		h := newHost(b, func(c *wasm.Config) { c.Parallel = n })
		m := goPlugin(b, h)
		runtime.GC()
		before := hosttest.Resident(b)
		grown := int64(0)
		during(b, m, n, func() {
			runtime.GC()
			grown = hosttest.Resident(b) - before
		})
		b.ReportMetric(float64(grown)/n/1024, "KiB/instance")
		if err := h.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// during runs f while n calls of m are in the middle of a gateway call.
func during(b *testing.B, m *wasm.Module, n int, f func()) {
	b.Helper()
	inside, leave := make(chan struct{}, n), make(chan struct{})
	s := &services{gateway: func(context.Context, contract.GatewayRequest) contract.GatewayResponse {
		inside <- struct{}{}
		<-leave
		return contract.GatewayResponse{Status: 204}
	}}
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			_, err := m.Call(b.Context(), wasm.Call{Export: "call", Input: []byte(`{"system":"a","operation":"b"}`), Services: s})
			if err != nil {
				b.Error(err)
			}
		})
	}
	for range n {
		<-inside
	}
	f()
	close(leave)
	wg.Wait()
}

// least returns the least time of many runs of f: on a busy machine it is the only
// figure that repeats.
func least(b *testing.B, f func() error) time.Duration {
	b.Helper()
	best := time.Hour
	for range 500 {
		began := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		best = min(best, time.Since(began))
	}
	return best
}
