package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/tetratelabs/wazero"

	"github.com/culmhq/culm/host/wasm"
)

// newHost makes a plugin host whose compiler process is this program.
func newHost(ctx context.Context, dir string, change ...func(*wasm.Config)) (*wasm.Host, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := wasm.Config{
		CacheDir: filepath.Join(dir, "cache"),
		Compiler: func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, self, "__compile") },
		Worker:   func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, self, "__worker") },
	}
	for _, f := range change {
		f(&c)
	}
	return wasm.New(ctx, c)
}

// fresh calls an export as Culm does: the state is as after initialisation, and restoring it is part of the call.
func fresh(ctx context.Context, m *wasm.Module, export string, in []byte) ([]byte, error) {
	r, err := m.Call(ctx, wasm.Call{Export: export, Input: in})
	return r.Output, err
}

// sizes are the sizes of the documents.
func sizes() []size { return []size{{"100 B", 100}, {"10 KB", 10_000}, {"1 MB", 1_000_000}} }

type size struct {
	name  string
	bytes int
}

// calls compares one call at a time.
func calls(ctx context.Context, b *bench) error {
	h, err := newHost(ctx, b.dir)
	if err != nil {
		return err
	}
	defer h.Close()
	fmt.Printf("%-5s %-7s %-6s %22s | %22s %7s %7s %7s | %9s | %9s %10s | %s\n", "", "export", "input", "raw µs min/median",
		"culm fresh µs min/med", "x raw", "median", "cpu", "sdk warm", "sdk fresh", "x raw",
		"culm fresh is faster than sdk fresh (min, median, cpu), than sdk warm (median, cpu)")
	for _, mod := range b.modules {
		m, err := h.Load(ctx, wasm.Digest(mod.wasm), mod.wasm)
		if err != nil {
			return err
		}
		for _, export := range []string{"execute", "echo"} {
			for _, s := range sizes() {
				if export == "echo" && s.bytes > 900_000 {
					s.bytes = 900_000
				}
				if err := callsOf(ctx, b, mod, m, export, s); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// callsOf compares the calls of one export with one document.
func callsOf(ctx context.Context, b *bench, mod module, m *wasm.Module, export string, s size) error {
	in := input(s.bytes)
	e, err := newEngine(ctx, mod.wasm, wazero.NewRuntimeConfigCompiler())
	if err != nil {
		return err
	}
	defer e.runtime.Close(ctx)
	r, err := e.newRaw(ctx)
	if err != nil {
		return err
	}
	c, err := newSDK(ctx, mod.wasm, wazero.NewRuntimeConfigCompiler())
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	p, err := sdkInstance(ctx, c)
	if err != nil {
		return err
	}
	defer p.Close(ctx)
	want, err := r.call(ctx, export, in)
	if err != nil {
		return err
	}
	want = bytes.Clone(want)
	same := func(got []byte, err error) error {
		if err == nil && !bytes.Equal(got, want) {
			err = fmt.Errorf("%s %s: %.200q, the bare runtime %.200q", mod.name, export, got, want)
		}
		return err
	}
	f, err := compare(b.budget,
		func() error { return same(r.call(ctx, export, in)) },
		func() error { return same(fresh(ctx, m, export, in)) },
		func() error { return same(sdkCall(ctx, p, export, in)) },
		func() error { return same(sdkFresh(ctx, c, export, in)) },
	)
	if err != nil {
		return err
	}
	raw, culm, warm, sdk := f[0], f[1], f[2], f[3]
	fmt.Printf("%-5s %-7s %-6s %10s /%10s | %10s /%10s %7s %7s %7s | %9s | %9s %10s | %6s %6s %6s | %6s %6s\n", mod.name, export, s.name,
		µs(raw.min), µs(raw.median), µs(culm.min), µs(culm.median), ratio(culm.min, raw.min), ratio(culm.median, raw.median),
		ratio(culm.cpuMin, raw.cpuMin), µs(warm.median), µs(sdk.median), ratio(sdk.median, raw.median), ratio(sdk.min, culm.min),
		ratio(sdk.median, culm.median), ratio(sdk.cpuMin, culm.cpuMin), ratio(warm.median, culm.median), ratio(warm.cpuMin, culm.cpuMin))
	return nil
}
