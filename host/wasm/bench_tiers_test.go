package wasm_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/culmhq/culm/host/wasm"
)

// BenchmarkTiers compares a call in a worker process with the same call in this one, by
// turns, so that what else the machine does meets both: the ratio of the medians is the
// figure. A module that does next to nothing in a call shows what the way costs.
func BenchmarkTiers(b *testing.B) {
	h := newHost(b)
	small, err := os.ReadFile(filepath.Join("testdata", "small.wasm"))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("small", func(b *testing.B) { pair(b, load(b, h, small), isolate(h, small, "a"), wasm.Call{Export: "execute"}) })
	here := goPlugin(b, h)
	code, err := goBuild(b, "goplugin")
	if err != nil {
		b.Fatal(err)
	}
	for name, size := range map[string]int{"go 100 B": 100, "go 10 KB": 10_000, "go 1 MB": 1_000_000} {
		b.Run(name, func(b *testing.B) {
			pair(b, here, isolate(h, code, "a"), wasm.Call{Export: "echo", Input: bytes.Repeat([]byte("x"), size)})
		})
	}
}

// pair calls two by turns and reports the medians.
func pair(b *testing.B, here, there caller, c wasm.Call) {
	b.Helper()
	var took [2][]time.Duration
	for b.Loop() {
		for i, m := range []caller{here, there} {
			began := time.Now()
			_, _ = m.Call(b.Context(), c) // how it ends is not the point
			took[i] = append(took[i], time.Since(began))
		}
	}
	mid := [2]float64{}
	for i := range took {
		slices.Sort(took[i])
		mid[i] = float64(took[i][len(took[i])/2].Nanoseconds()) / 1000
	}
	b.ReportMetric(mid[0], "here-µs")
	b.ReportMetric(mid[1], "worker-µs")
	b.ReportMetric(mid[1]/mid[0], "ratio")
}
