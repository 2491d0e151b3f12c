package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/culmhq/culm/host/wasm"
)

// rate is how often something was done in a while.
type rate struct {
	perSecond float64
	cpu       time.Duration // processor time for one, child processes included
}

// rateOf does something in n goroutines for a while.
func rateOf(n int, d time.Duration, op func() error) (rate, error) {
	var done atomic.Int64
	var failed atomic.Pointer[error]
	cpu, began := cpuTime()+childrenTime(), time.Now()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for once := true; once || time.Since(began) < d && failed.Load() == nil; once = false {
				if err := op(); err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if e := failed.Load(); e != nil {
		return rate{}, *e
	}
	return rate{float64(done.Load()) / time.Since(began).Seconds(), (cpuTime() + childrenTime() - cpu) / time.Duration(done.Load())}, nil
}

// parallel compares throughput: rounds by turns, of which the middle one counts.
func parallel(ctx context.Context, b *bench) error {
	h, err := newHost(ctx, b.dir)
	if err != nil {
		return err
	}
	defer h.Close()
	fmt.Printf("%-5s %9s | %12s %8s | %12s %8s | %12s | %s\n", "", "at a time", "culm /s", "cpu µs", "sdk /s", "cpu µs", "worker /s",
		"culm is faster than the sdk (calls/s, processor time), than a worker")
	in := input(100)
	for _, mod := range b.modules {
		m, err := h.Load(ctx, wasm.Digest(mod.wasm), mod.wasm)
		if err != nil {
			return err
		}
		c, err := newSDK(ctx, mod.wasm, wazero.NewRuntimeConfigCompiler())
		if err != nil {
			return err
		}
		isolated := wasm.Isolated{
			Digest: wasm.Digest(mod.wasm), Tenant: "bench",
			Code: func(context.Context) ([]byte, error) { return mod.wasm, nil },
		}
		ops := []func() error{
			func() error { _, err := fresh(ctx, m, "execute", in); return err },
			func() error { _, err := sdkFresh(ctx, c, "execute", in); return err },
			func() error {
				_, err := h.Workers().Call(ctx, isolated, wasm.Call{Export: "execute", Input: in})
				return err
			},
		}
		for _, op := range ops { // the worker process starts with its first call
			if err := op(); err != nil {
				return err
			}
		}
		for _, n := range []int{1, 2, 8, 64} {
			r, err := rates(n, b.budget, ops)
			if err != nil {
				return err
			}
			fmt.Printf("%-5s %9d | %12.0f %8s | %12.0f %8s | %12.0f | %.2f %.2f %.2f\n", mod.name, n, r[0].perSecond, µs(r[0].cpu),
				r[1].perSecond, µs(r[1].cpu), r[2].perSecond, r[0].perSecond/r[1].perSecond,
				float64(r[1].cpu)/float64(r[0].cpu), r[0].perSecond/r[2].perSecond)
		}
		if err := c.Close(ctx); err != nil {
			return err
		}
	}
	return nil
}

// rates is the median rate of each operation, of rounds by turns.
func rates(n int, budget time.Duration, ops []func() error) ([]rate, error) {
	const rounds = 5
	all := make([][]rate, len(ops))
	for range rounds {
		for i, op := range ops {
			r, err := rateOf(n, budget/rounds, op)
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], r)
		}
	}
	middle := make([]rate, len(ops))
	for i, rs := range all {
		slices.SortFunc(rs, func(a, b rate) int { return int(a.perSecond - b.perSecond) })
		middle[i].perSecond = rs[rounds/2].perSecond
		slices.SortFunc(rs, func(a, b rate) int { return int(a.cpu - b.cpu) })
		middle[i].cpu = rs[rounds/2].cpu
	}
	return middle, nil
}
