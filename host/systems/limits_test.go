package systems_test

import (
	"strings"
	"testing"

	"github.com/culmhq/culm/host/systems"
)

const limited = `
format: culm.system/v1
id: things
title: Things
base_url: BASE
TOP
operations:
  - {id: read, title: Read, method: GET, path: /things, retry: safe, risk: read}
`

func parse(base, top string) (*systems.System, error) {
	return systems.Parse([]byte(strings.NewReplacer("BASE", base, "TOP", top).Replace(limited)))
}

func TestLimitsHaveDefaults(t *testing.T) {
	t.Parallel()
	for top, want := range map[string]systems.Limits{
		"": {
			TimeoutMS: 30_000, Concurrency: 16, QueueMS: 30_000, RequestBytes: 1 << 20, ResponseBytes: 4 << 20,
			Breaker: systems.Breaker{Failures: 10, OpenMS: 10_000, HalfOpen: 1},
			Retry:   systems.Retries{Attempts: 3, BaseMS: 200, MaxMS: 5_000},
		},
		"limits: {timeout_ms: 500, rate: 2.5, breaker: {failures: 3}, retry: {attempts: 1, base_ms: 6000}}": {
			TimeoutMS: 500, Concurrency: 16, Rate: 2.5, Burst: 3, QueueMS: 500, RequestBytes: 1 << 20, ResponseBytes: 4 << 20,
			Breaker: systems.Breaker{Failures: 3, OpenMS: 10_000, HalfOpen: 1},
			Retry:   systems.Retries{Attempts: 1, BaseMS: 6_000, MaxMS: 6_000},
		},
	} {
		s, err := parse("https://things.example", top)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Limits.WithDefaults(); got != want {
			t.Errorf("%q: got %+v, want %+v", top, got, want)
		}
	}
}

func TestLimitsAreChecked(t *testing.T) {
	t.Parallel()
	for top, field := range map[string]string{
		"limits: {timeout_ms: -1}":                           "/limits/timeout_ms",
		"limits: {timeout_ms: 600001}":                       "/limits/timeout_ms",
		"limits: {concurrency: 1025}":                        "/limits/concurrency",
		"limits: {rate: -1}":                                 "/limits/rate",
		"limits: {rate: 0.0001}":                             "/limits/rate",
		"limits: {burst: 5}":                                 "/limits/burst",
		"limits: {queue_ms: 600001}":                         "/limits/queue_ms",
		"limits: {request_bytes: 67108865}":                  "/limits/request_bytes",
		"limits: {breaker: {failures: -1}}":                  "/limits/breaker/failures",
		"limits: {breaker: {open_ms: 600001}}":               "/limits/breaker/open_ms",
		"limits: {retry: {attempts: 11}}":                    "/limits/retry/attempts",
		"limits: {retry: {base_ms: 500, max_ms: 100}}":       "/limits/retry/max_ms",
		"limits: {retries: 3}":                               "/limits/retries",
		"tls: {ca: nothing}":                                 "/tls/ca",
		"tls: {server_name: \"a b\"}":                        "/tls/server_name",
		"tls: {insecure: true}":                              "/tls/insecure",
		"tls: {ca: \"-----BEGIN X-----\\n-----END X-----\"}": "/tls/ca",
	} {
		if _, err := parse("https://things.example", top); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: got %v, want a problem at %s", top, err, field)
		}
	}
	if _, err := parse("http://things.example", "tls: {server_name: things.example}"); err == nil || !strings.Contains(err.Error(), "/tls") {
		t.Errorf("TLS settings of a system without TLS: %v", err)
	}
}
