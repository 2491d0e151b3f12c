package wasm_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/host/wasm/confine"
)

// isolated is a module that is called in worker processes.
type isolated struct {
	workers *wasm.Workers
	module  wasm.Isolated
}

// Call implements caller.
func (i isolated) Call(ctx context.Context, c wasm.Call) (wasm.Result, error) {
	return i.workers.Call(ctx, i.module, c)
}

func isolate(h *wasm.Host, module []byte, tenant string) isolated {
	return isolated{h.Workers(), wasm.Isolated{
		Digest: wasm.Digest(module), Tenant: tenant,
		Code: func(context.Context) ([]byte, error) { return module, nil },
	}}
}

func TestSmoke(t *testing.T) {
	h := newHost(t)
	m := isolate(h, evil(t, "state-image"), "a")
	for range 3 {
		r, err := m.Call(t.Context(), wasm.Call{Export: "execute"})
		if err != nil || string(r.Output) != "aaaaaaa" {
			t.Fatalf("%q %v", r.Output, err)
		}
	}
	ln, _ := net.Listen("tcp", "127.0.0.1:0")
	f := filepath.Join(t.TempDir(), "culm.db")
	os.WriteFile(f, []byte("x"), 0o600)
	r, err := h.Workers().Report(t.Context(), confine.Target{Parent: os.Getpid(), Address: ln.Addr().String(), Files: []string{f}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range r.Attempts {
		t.Log(a)
	}
	t.Log(r.Layers, r.Escaped, strings.Join(r.Open, "; "))
}

func BenchmarkTiers(b *testing.B) {
	h := newHost(b)
	code := evil(b, "state-image")
	in, out := load(b, h, code), isolate(h, code, "a")
	b.Run("in", func(b *testing.B) {
		for b.Loop() {
			if _, err := in.Call(b.Context(), wasm.Call{Export: "execute"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("out", func(b *testing.B) {
		for b.Loop() {
			if _, err := out.Call(b.Context(), wasm.Call{Export: "execute"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
