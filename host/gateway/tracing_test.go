package gateway_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/culmhq/culm/host/gateway"
)

// names gives every call the same name, and counts.
type names struct{ asked int }

func (n *names) Call(context.Context, string) (traceparent, span string) {
	n.asked++
	return "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00f067aa0ba902b7"
}

// TestATraceparentGoesOnlyToSystemsThatAskForIt and is the same for each try of a call.
func TestATraceparentGoesOnlyToSystemsThatAskForIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		more  string
		tries int
		want  string
	}{
		"not asked for":   {"", 1, ""},
		"asked for":       {"trace: true", 1, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
		"and tried again": {"trace: true", 2, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &names{}
			var got []string
			b := newBench(t, func(w http.ResponseWriter, r *http.Request) {
				got = append(got, r.Header.Get("Traceparent"))
				if len(got) < c.tries {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				writeJSON(w, `{}`)
			}, setting{more: c.more, limits: "{retry: {base_ms: 1}}", tweak: func(g *gateway.Config) { g.Tracing = n }})
			if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != http.StatusOK {
				t.Fatalf("%+v", res)
			}
			if len(got) != c.tries || n.asked > 1 {
				t.Fatalf("%d tries, named %d times", len(got), n.asked)
			}
			for _, g := range got {
				if g != c.want {
					t.Errorf("the system got %q", g)
				}
			}
		})
	}
}
