package wasm_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/culmhq/culm/host/wasm"
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
