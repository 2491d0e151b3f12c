package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/culmhq/culm/host/wasm"
)

// cold compares the way from a module's bytes to the first answer.
func cold(ctx context.Context, b *bench) error {
	fmt.Printf("%-5s | %31s | %31s | %31s\n", "", "nothing compiled yet, ms", "from the compile cache, ms", "x raw: culm, sdk; cached: culm, sdk")
	fmt.Printf("%-5s | %9s %9s %11s | %9s %9s %11s |\n", "", "raw", "culm", "sdk", "raw", "culm", "sdk")
	in := input(100)
	for _, mod := range b.modules {
		ways := []func(string) error{
			func(dir string) error { return coldRaw(ctx, mod.wasm, dir, in) },
			func(dir string) error { return coldCulm(ctx, mod.wasm, dir, in) },
			func(dir string) error { return coldSDK(ctx, mod.wasm, dir, in) },
		}
		first, again := make([][]time.Duration, len(ways)), make([][]time.Duration, len(ways))
		for range 3 {
			for i, way := range ways {
				dir, err := os.MkdirTemp(b.dir, "cold-")
				if err != nil {
					return err
				}
				for k, times := range []*[]time.Duration{&first[i], &again[i], &again[i], &again[i]} {
					at := time.Now()
					if err := way(dir); err != nil {
						return fmt.Errorf("%s, way %d, time %d: %w", mod.name, i, k, err)
					}
					*times = append(*times, time.Since(at))
				}
			}
		}
		row := []any{mod.name}
		for _, ts := range append(first, again...) {
			row = append(row, float64(slices.Min(ts))/1e6)
		}
		least := func(ts []time.Duration) time.Duration { return slices.Min(ts) }
		row = append(row, ratio(least(first[1]), least(first[0])), ratio(least(first[2]), least(first[0])),
			ratio(least(again[1]), least(again[0])), ratio(least(again[2]), least(again[0])))
		fmt.Printf("%-5s | %9.1f %9.1f %11.1f | %9.1f %9.1f %11.1f | %7s %7s %7s %7s\n", row...)
	}
	return nil
}

// cached is a runtime configuration with the runtime's own compile cache.
func cached(dir string) (wazero.RuntimeConfig, wazero.CompilationCache, error) {
	cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(dir, "runtime"))
	if err != nil {
		return nil, nil, err
	}
	return wazero.NewRuntimeConfigCompiler().WithCompilationCache(cache), cache, nil
}

func coldRaw(ctx context.Context, module []byte, dir string, in []byte) error {
	config, cache, err := cached(dir)
	if err != nil {
		return err
	}
	e, err := newEngine(ctx, module, config)
	if err != nil {
		return err
	}
	r, err := e.newRaw(ctx)
	if err == nil {
		_, err = r.call(ctx, "execute", in)
	}
	return errors.Join(err, e.runtime.Close(ctx), cache.Close(ctx))
}

func coldCulm(ctx context.Context, module []byte, dir string, in []byte) error {
	h, err := newHost(ctx, dir)
	if err != nil {
		return err
	}
	m, err := h.Load(ctx, wasm.Digest(module), module)
	if err == nil {
		_, err = fresh(ctx, m, "execute", in)
	}
	return errors.Join(err, h.Close())
}

func coldSDK(ctx context.Context, module []byte, dir string, in []byte) error {
	config, cache, err := cached(dir)
	if err != nil {
		return err
	}
	c, err := newSDK(ctx, module, config)
	if err != nil {
		return err
	}
	_, err = sdkFresh(ctx, c, "execute", in)
	return errors.Join(err, c.Close(ctx), cache.Close(ctx))
}
