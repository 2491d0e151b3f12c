package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/host/wasm/binary"
)

// interruption compares modules as they are with what the host makes of them, both on the bare runtime, and with the runtime's
// own way to end a call with its context.
func interruption(ctx context.Context, b *bench) error {
	fmt.Printf("%-5s %-14s | %12s | %7s %7s %7s | %s\n", "", "", "plain µs", "x plain", "median", "cpu", "the runtime's own way, x plain: min, median")
	for _, mod := range b.modules {
		m, err := binary.Parse(mod.wasm, "", binary.DefaultLimits())
		if err != nil {
			return err
		}
		plainEngine, plain, err := rawOf(ctx, mod.wasm, wazero.NewRuntimeConfigCompiler(), func([]byte) {})
		if err != nil {
			return err
		}
		rewrittenEngine, rewritten, err := rawOf(ctx, binary.Rewrite(m, 1<<16).Bytes, wazero.NewRuntimeConfigCompiler(), m.ApplyData)
		if err != nil {
			return err
		}
		closingEngine, closing, err := rawOf(ctx, mod.wasm, wazero.NewRuntimeConfigCompiler().WithCloseOnContextDone(true), func([]byte) {})
		if err != nil {
			return err
		}
		ending, cancel := context.WithCancel(ctx)
		for _, w := range []struct {
			name, export string
			in           []byte
		}{{"loop", "compute", nil}, {"JSON 100 B", "execute", input(100)}, {"JSON 10 KB", "execute", input(10_000)}, {"JSON 1 MB", "execute", input(1_000_000)}} {
			f, err := compare(b.budget,
				func() error { _, err := plain.call(ctx, w.export, w.in); return err },
				func() error { _, err := rewritten.call(ctx, w.export, w.in); return err },
				func() error { _, err := closing.call(ending, w.export, w.in); return err },
			)
			if err != nil {
				cancel()
				return err
			}
			fmt.Printf("%-5s %-14s | %12s | %7s %7s %7s | %7s %7s\n", mod.name, w.name, µs(f[0].min), ratio(f[1].min, f[0].min),
				ratio(f[1].median, f[0].median), ratio(f[1].cpuMin, f[0].cpuMin), ratio(f[2].min, f[0].min), ratio(f[2].median, f[0].median))
		}
		cancel()
		if err := errors.Join(plainEngine.runtime.Close(ctx), rewrittenEngine.runtime.Close(ctx), closingEngine.runtime.Close(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// rawOf compiles a module and makes an instance, whose memory fill completes.
func rawOf(ctx context.Context, module []byte, config wazero.RuntimeConfig, fill func([]byte)) (*engine, *raw, error) {
	e, err := newEngine(ctx, module, config)
	if err != nil {
		return nil, nil, err
	}
	r, err := e.newRawOver(ctx, func(m api.Memory) error {
		all, ok := m.Read(0, m.Size())
		if !ok {
			return errors.New("no memory")
		}
		fill(all)
		return nil
	})
	return e, r, err
}

// stops measures when runaway guests end, alone and eight at once, and how long meanwhile a goroutine that only wants to run
// every millisecond has to wait.
func stops(ctx context.Context, b *bench) error {
	h, err := newHost(ctx, b.dir)
	if err != nil {
		return err
	}
	defer h.Close()
	const deadline = 50 * time.Millisecond
	fmt.Printf("%-5s %7s | %s\n", "", "at once", "ms after the deadline: min, median, worst | longest wait of a goroutine that wakes every ms, ms")
	for _, mod := range b.modules {
		m, err := h.Load(ctx, wasm.Digest(mod.wasm), mod.wasm)
		if err != nil {
			return err
		}
		for _, n := range []int{1, 8} {
			var late []time.Duration
			gap := time.Duration(0)
			for range 8 / n * 2 {
				l, g, err := storm(ctx, m, n, deadline)
				if err != nil {
					return err
				}
				late, gap = append(late, l...), max(gap, g)
			}
			slices.Sort(late)
			fmt.Printf("%-5s %7d | %6.1f %6.1f %6.1f | %6.1f\n", mod.name, n, ms(late[0]), ms(late[len(late)/2]), ms(late[len(late)-1]), ms(gap))
		}
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }

// storm lets n guests run away and returns how late they ended and the longest gap of a ticker.
func storm(ctx context.Context, m *wasm.Module, n int, deadline time.Duration) ([]time.Duration, time.Duration, error) {
	done, gaps := make(chan struct{}), make(chan time.Duration)
	go func() {
		t := time.NewTicker(time.Millisecond)
		defer t.Stop()
		gap, last := time.Duration(0), time.Now()
		for {
			select {
			case <-t.C:
				gap, last = max(gap, time.Since(last)), time.Now()
			case <-done:
				gaps <- gap
				return
			}
		}
	}()
	var wg sync.WaitGroup
	late := make([]time.Duration, n)
	var mu sync.Mutex
	var wrong error
	for i := range n {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, deadline)
			defer cancel()
			at := time.Now()
			_, err := m.Call(ctx, wasm.Call{Export: "spin"})
			late[i] = time.Since(at) - deadline
			if f := wasm.AsFailure(err); f == nil || f.Code != wasm.CodeTimeout {
				mu.Lock()
				wrong = errors.Join(wrong, fmt.Errorf("the guest ended with %w", err))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	close(done)
	return late, <-gaps, wrong
}
