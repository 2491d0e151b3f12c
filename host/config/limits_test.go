package config_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/config"
)

// doubled is another value of a limit than its default, as it is written, in another unit where it has one.
func doubled(t *testing.T, s config.Setting) string {
	t.Helper()
	def := config.Default()
	v := s.Value(&def)
	if d, err := time.ParseDuration(v); err == nil && v != "0" {
		return (2 * d).String()
	}
	number := strings.TrimRight(v, "GiBKM")
	n, err := strconv.Atoi(number)
	if err != nil {
		t.Fatalf("%s: default %q", s.Field, v)
	}
	switch s.Field {
	case "limits.memory", "limits.worker_calls": // of which a worker process holds so many
		n /= 4
	case "limits.worker_memory":
		return "1GiB"
	}
	return strconv.Itoa(2*n) + v[len(number):]
}

func TestLimitsAreChecked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"limits: {timeout: 0s}":     "limits.timeout",
		"limits: {memory: 1}":       "limits.memory",
		"limits: {host_calls: -1}":  "limits.host_calls",
		"limits: {output: 9000GiB}": "limits.output",
		"limits: {memory: 512MiB}":  "limits.worker_memory",
		"limits: {workers: 0}":      "limits.workers",
	} {
		_, err := config.Load(config.Sources{File: write(t, text)})
		var e *config.Error
		if !errors.As(err, &e) || e.Problems[0].Field != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"limits: {memory: lots}", "limits: {memory: 1TB}", "limits: {memori: 1MiB}"} {
		if _, err := config.Load(config.Sources{File: write(t, text)}); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	c, err := config.Load(config.Sources{File: write(t, "limits: {memory: 32MiB, timeout: 5s, input: 4096}")})
	if err != nil || c.Limits.Memory != 32<<20 || c.Limits.Timeout != 5*time.Second || c.Limits.Input.String() != "4KiB" {
		t.Errorf("%+v, %v", c.Limits, err)
	}
}
