package gateway_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/pdk/contract"
)

// ailing answers with the given statuses in turn, the last one again and again; 0 stands
// for a connection that breaks off.
func ailing(statuses ...int) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		status := statuses[min(int(n.Add(1)), len(statuses))-1]
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte("{}"))
	}
}

const quick = "{timeout_ms: 20000, retry: {attempts: 4, base_ms: 1, max_ms: 2}}"

// What is repeated is decided by the class of the operation and by what went wrong.
func TestCallsAreRepeatedByTheirClass(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation string
		answers   []int
		requests  int
		status    int
		code      string
	}{
		"safe, unavailable once":        {"read", []int{503, 200}, 2, 200, ""},
		"safe, every kind of patience":  {"read", []int{429, 502, 504, 200}, 4, 200, ""},
		"safe, broken off":              {"read", []int{0, 0, 200}, 3, 200, ""},
		"safe, never well":              {"read", []int{503}, 4, 503, ""},
		"safe, always broken off":       {"read", []int{0}, 4, 0, gateway.CodeUpstreamDown},
		"safe, a fault of its own":      {"read", []int{500, 200}, 1, 500, ""},
		"safe, refused":                 {"read", []int{404, 200}, 1, 404, ""},
		"keyed, unavailable once":       {"replace", []int{503, 200}, 2, 200, ""},
		"keyed, broken off":             {"replace", []int{0, 200}, 2, 200, ""},
		"never, unavailable":            {"create", []int{503, 200}, 1, 503, ""},
		"never, broken off":             {"create", []int{0, 200}, 1, 0, gateway.CodeOutcomeUnknown},
		"never, too much at the moment": {"create", []int{429, 200}, 1, 429, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, ailing(c.answers...), setting{limits: quick})
			params, body := map[string]any{"id": "1"}, ""
			switch c.operation {
			case "create":
				params, body = nil, `{"name":"a"}`
			case "replace":
				body = `{"a":"b"}`
			}
			res := b.call(c.operation, params, body)
			code := ""
			if res.Failure != nil {
				code = res.Failure.Code
			}
			if res.Status != c.status || code != c.code {
				t.Errorf("the plugin sees %+v", res)
			}
			got := b.up.all()
			if len(got) != c.requests {
				t.Errorf("the system got %d requests, want %d", len(got), c.requests)
			}
			keys := map[string]bool{}
			for _, r := range got {
				keys[r.Header.Get("X-Key")] = true
				if r.Body != got[0].Body || r.Header.Get("Authorization") != "Bearer "+canary {
					t.Errorf("a repetition is another request: %+v", r)
				}
			}
			if len(keys) != 1 || keys[""] == (c.operation == "replace") {
				t.Errorf("the keys are %v", keys)
			}
		})
	}
}

// A system that names a time is not asked again before it; where the call has not as much
// time left, the answer is the plugin's at once.
func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header   func() string
		requests int
		least    time.Duration
		most     time.Duration
	}{
		"seconds":        {func() string { return "1" }, 2, time.Second, 10 * time.Second},
		"an instant":     {func() string { return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) }, 2, 900 * time.Millisecond, 10 * time.Second},
		"too long":       {func() string { return "60" }, 1, 0, 10 * time.Second},
		"beyond numbers": {func() string { return "99999999999999999999" }, 2, 0, 10 * time.Second},
		"not a time":     {func() string { return "soon" }, 2, 0, 10 * time.Second},
		"in the past":    {func() string { return time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat) }, 2, 0, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
				if n.Add(1) == 1 {
					w.Header().Set("Retry-After", c.header())
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				writeJSON(w, `{}`)
			}, setting{limits: quick})
			start := time.Now()
			res := b.call("read", map[string]any{"id": "1"}, "")
			took := time.Since(start)
			if want := map[int]int{1: 429, 2: 200}[c.requests]; res.Status != want || len(b.up.all()) != c.requests {
				t.Errorf("got %+v after %d requests", res, len(b.up.all()))
			}
			if took < c.least || took > c.most {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// All tries and pauses of a call lie within its time.
func TestRepetitionsEndWithTheTimeOfTheCall(t *testing.T) {
	t.Parallel()
	// Without that bound the pauses alone would take some five seconds.
	b := newBench(t, ailing(503), setting{limits: "{timeout_ms: 400, retry: {attempts: 10, base_ms: 1000, max_ms: 1000}, breaker: {failures: 1000}}"})
	hosttest.InTime(t, "a call", 1400*time.Millisecond, func() time.Duration {
		start := time.Now()
		if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != 503 && res.Failure == nil {
			t.Errorf("got %+v", res)
		}
		return time.Since(start)
	})
}

// Repetitions count against the rate of the system.
func TestRepetitionsKeepTheRate(t *testing.T) {
	t.Parallel()
	b := newBench(t, ailing(503), setting{limits: "{timeout_ms: 5000, rate: 5, burst: 1, retry: {attempts: 3, base_ms: 1, max_ms: 1}}"})
	start := time.Now()
	b.call("read", map[string]any{"id": "1"}, "")
	if took := time.Since(start); took < 390*time.Millisecond || len(b.up.all()) != 3 {
		t.Errorf("%d requests in %s, at 5 a second", len(b.up.all()), took)
	}
}

// The pause before a repetition is a random part of a time that doubles, up to a bound.
func TestPausesGrowAndAreRandom(t *testing.T) {
	t.Parallel()
	var bounds []time.Duration
	pauses := gateway.Pauses("{retry: {base_ms: 100, max_ms: 500}}", 6, func(d time.Duration) time.Duration {
		bounds = append(bounds, d)
		return d / 2
	})
	ms := func(ns ...int) (out []time.Duration) {
		for _, n := range ns {
			out = append(out, time.Duration(n)*time.Millisecond)
		}
		return out
	}
	if !slices.Equal(bounds, ms(100, 200, 400, 500, 500, 500)) || !slices.Equal(pauses, ms(50, 100, 200, 250, 250, 250)) {
		t.Errorf("bounds %v, pauses %v", bounds, pauses)
	}
	seen := map[string]bool{}
	for range 20 {
		d := gateway.FullJitter(time.Second)
		if d < 0 || d >= time.Second {
			t.Errorf("a pause of %s", d)
		}
		seen[fmt.Sprint(d)] = true
	}
	if len(seen) < 15 {
		t.Errorf("pauses are much alike: %s", strings.Join(slices.Collect(maps.Keys(seen)), " "))
	}
}

// A failed call tells the plugin of the end, not of each try, and stands in the audit once.
func TestRepetitionsAreOneCallForPluginAndAudit(t *testing.T) {
	t.Parallel()
	b := newBench(t, ailing(0), setting{limits: quick})
	fails(t, b.call("replace", map[string]any{"id": "1"}, `{"a":"b"}`), gateway.CodeUpstreamDown, contract.OriginSystem)
	rows, err := b.store.Audit().Rows(t.Context(), project, "run-1", "n1")
	if err != nil || len(rows) != 1 || len(b.up.all()) != 4 {
		t.Fatalf("the audit holds %+v, %v after %d requests", rows, err, len(b.up.all()))
	}
}
