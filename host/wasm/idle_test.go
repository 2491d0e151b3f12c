package wasm_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/wasm"
)

// dropped is a log handler that tells the loaded size of modules that were dropped.
type dropped struct {
	slog.Handler
	bytes chan int64
}

func (d dropped) Enabled(context.Context, slog.Level) bool { return true }

func (d dropped) Handle(_ context.Context, r slog.Record) error {
	if !strings.Contains(r.Message, "idle plugin module was dropped") {
		return nil
	}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "loaded_bytes" {
			d.bytes <- a.Value.Int64()
		}
		return true
	})
	return nil
}

// A module that nobody calls gives its memory back, the log says how much that was, and
// the next call brings it back from the cache.
func TestIdleModuleIsDroppedAndComesBack(t *testing.T) {
	t.Parallel()
	log := dropped{slog.DiscardHandler, make(chan int64, 100)}
	h := newHost(t, func(c *wasm.Config) {
		c.IdleAfter, c.Logger = time.Millisecond, slog.New(log)
	})
	m := load(t, h, assemblyScript(t))
	for range 3 {
		select {
		case n := <-log.bytes:
			if n < 64<<10 {
				t.Errorf("the module took %d bytes", n)
			}
		case <-time.After(time.Minute):
			t.Fatal("the module stayed")
		}
		if _, err := m.Call(t.Context(), wasm.Call{Export: "execute", Input: []byte(
			`{"abi":1,"action":"missing","reason":"execute","inputs":{"system":"s","service":"x","wanted":1},"context":{}}`)}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTheLoadedSizeIsTold: in this process as long as the module is ready, and of worker
// processes what the system says.
func TestTheLoadedSizeIsTold(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	code := evil(t, "state-image")
	m := load(t, h, code)
	if n := m.LoadedBytes(); n < 64<<10 || n > 64<<20 {
		t.Errorf("a loaded module takes %d bytes", n)
	}
	if n, bytes := h.Workers().Resident(m.Info().Digest); n != 0 || bytes != 0 {
		t.Errorf("%d processes with %d bytes before the first call", n, bytes)
	}
	output(t, isolate(h, code, "a"), wasm.Call{Export: "execute"})
	output(t, isolate(h, code, "b"), wasm.Call{Export: "execute"})
	if n, bytes := h.Workers().Resident(m.Info().Digest); n != 2 || bytes < 1<<20 {
		t.Errorf("%d processes with %d bytes for two tenants", n, bytes)
	}
}
