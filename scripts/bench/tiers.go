package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/culmhq/culm/host/wasm"
)

// recordBytes bounds a recording as a server does.
const recordBytes = 256 << 10

// tiers compares calls in this process with calls in worker processes, recorded and not.
func tiers(ctx context.Context, b *bench) error {
	h, err := newHost(ctx, b.dir)
	if err != nil {
		return err
	}
	defer h.Close()
	fmt.Printf("%-5s %-7s %-8s %9s | %10s %10s | %10s %10s | %s\n", "", "input", "", "at a time", "here /s", "cpu µs", "worker /s", "cpu µs",
		"a worker takes, x here: time, processor time of both processes")
	for _, mod := range b.modules {
		m, err := h.Load(ctx, wasm.Digest(mod.wasm), mod.wasm)
		if err != nil {
			return err
		}
		isolated := wasm.Isolated{
			Digest: wasm.Digest(mod.wasm), Tenant: "bench",
			Code: func(context.Context) ([]byte, error) { return mod.wasm, nil },
		}
		for _, s := range sizes() {
			for _, record := range []int64{0, recordBytes} {
				call := wasm.Call{Export: "execute", Input: input(s.bytes), RecordBytes: record}
				ops := []func() error{
					func() error { _, err := m.Call(ctx, call); return err },
					func() error { _, err := h.Workers().Call(ctx, isolated, call); return err },
				}
				if err := tiersOf(mod.name+" "+s.name, record > 0, b.budget, ops); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// tiersOf compares with different numbers of calls at a time.
func tiersOf(name string, recorded bool, budget time.Duration, ops []func() error) error {
	what := ""
	if recorded {
		what = "recorded"
	}
	for _, op := range ops { // the worker process starts with its first call
		if err := op(); err != nil {
			return err
		}
	}
	for _, n := range []int{1, 2, 8, 64} {
		r, err := rates(n, budget, ops)
		if err != nil {
			return err
		}
		fmt.Printf("%-13s %-8s %9d | %10.0f %10s | %10.0f %10s | %5.2f %5.2f\n", name, what, n, r[0].perSecond, µs(r[0].cpu),
			r[1].perSecond, µs(r[1].cpu), r[0].perSecond/r[1].perSecond, float64(r[1].cpu)/float64(r[0].cpu))
	}
	return nil
}

// childrenTime is the processor time of the living child processes so far, as exact as the system tells: hundredths of a second.
func childrenTime() time.Duration {
	const tick = 10 * time.Millisecond
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return 0
	}
	total := time.Duration(0)
	for _, list := range lists {
		pids, err := os.ReadFile(list)
		if err != nil {
			continue
		}
		for _, pid := range strings.Fields(string(pids)) {
			stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
			if err != nil {
				continue
			}
			// The name, in brackets, may hold anything; behind it are numbers, of which the 12th and 13th are meant.
			fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
			if len(fields) < 13 {
				continue
			}
			for _, f := range fields[11:13] {
				n, _ := strconv.ParseInt(f, 10, 64)
				total += time.Duration(n) * tick
			}
		}
	}
	return total
}
