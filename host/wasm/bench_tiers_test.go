package wasm_test

import (
	"testing"
	"time"

	"github.com/culmhq/culm/host/wasm"
)

// BenchmarkTiers compares a call in a worker process with the same call in this one, by
// turns, so that what else the machine does meets both: the ratio of the medians is the
// figure. The small module does next to nothing in a call, so that all of it is the way.
func BenchmarkTiers(b *testing.B) {
	h := newHost(b)
	small := evil(b, "memory-asks")
	for name, code := range map[string][]byte{"state": evil(b, "state-image"), "small": small} {
		_ = small
		here, there := load(b, h, code), isolate(h, code, "a")
		b.Run(name, func(b *testing.B) { pair(b, here, there, wasm.Call{Export: "execute"}) })
	}
	goHere := goPlugin(b, h)
	code, err := goBuild(b, "goplugin")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("go", func(b *testing.B) { pair(b, goHere, isolate(h, code, "a"), wasm.Call{Export: "execute", Input: []byte(`{}`)}) })
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
		mid[i] = float64(median(took[i]).Nanoseconds()) / 1000
	}
	b.ReportMetric(mid[0], "here-µs")
	b.ReportMetric(mid[1], "worker-µs")
	b.ReportMetric(mid[1]/mid[0], "ratio")
}
