package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"

	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// instances is how many instances of Culm's there are at once; of the others, which take up to 5 MB each, there are fewer.
const instances, fewer = 1000, 200

// memory compares the memory of instances, each way in a process of its own.
func memory(ctx context.Context, b *bench) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fmt.Printf("%-5s | %s\n", "", "KiB: culm in use, culm idle | raw | sdk | culm in use to raw, sdk to culm in use")
	for _, mod := range b.modules {
		var kib []float64
		for _, who := range []string{"used", "idle", "raw", "sdk"} {
			out, err := exec.CommandContext(ctx, self, "__memory", who, filepath.Join(b.dir, mod.name+".wasm")).Output()
			if err != nil {
				return fmt.Errorf("%s %s: %w: %s", who, mod.name, err, out)
			}
			f, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
			if err != nil {
				return err
			}
			kib = append(kib, f)
		}
		fmt.Printf("%-5s | %8.1f %8.1f | %8.1f | %8.1f | %6.3f %6.1f\n", mod.name, kib[0], kib[1], kib[2], kib[3], kib[0]/kib[2], kib[3]/kib[0])
	}
	return nil
}

// memoryOf is the process that measures one way; it prints the memory of an instance in KiB.
func memoryOf(who, path string) int {
	ctx := context.Background()
	module, err := os.ReadFile(path)
	if err == nil {
		var kib float64
		switch who {
		case "raw":
			kib, err = memoryRaw(ctx, module)
		case "sdk":
			kib, err = memorySDK(ctx, module)
		default:
			kib, err = memoryCulm(ctx, module, who == "idle")
		}
		fmt.Printf("%.1f\n", kib)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// lot parks calls in the log of the host.
type lot struct {
	wasm.None
	inside, leave chan struct{}
}

// Log implements wasm.Services.
func (l *lot) Log(contract.LogLine) {
	l.inside <- struct{}{}
	<-l.leave
}

func memoryCulm(ctx context.Context, module []byte, idle bool) (float64, error) {
	dir, err := os.MkdirTemp("", "culm-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	h, err := newHost(ctx, dir, func(c *wasm.Config) { c.Parallel = instances })
	if err != nil {
		return 0, err
	}
	m, err := h.Load(ctx, wasm.Digest(module), module)
	if err != nil {
		return 0, err
	}
	if _, err := fresh(ctx, m, "execute", input(100)); err != nil {
		return 0, err
	}
	return grown(instances, func() (func() error, error) {
		l := &lot{inside: make(chan struct{}), leave: make(chan struct{})}
		var wg sync.WaitGroup
		var mu sync.Mutex
		var failed error
		for range instances {
			wg.Go(func() {
				_, err := m.Call(ctx, wasm.Call{Export: "park", Input: input(100), Services: l})
				mu.Lock()
				defer mu.Unlock()
				failed = errors.Join(failed, err)
			})
		}
		for range instances {
			<-l.inside
		}
		end := func() error { close(l.leave); wg.Wait(); return failed }
		if idle {
			return h.Close, end()
		}
		return func() error { return errors.Join(end(), h.Close()) }, nil
	})
}

func memoryRaw(ctx context.Context, module []byte) (float64, error) {
	e, err := newEngine(ctx, module, wazero.NewRuntimeConfigCompiler())
	if err != nil {
		return 0, err
	}
	return many(func() (*raw, error) {
		r, err := e.newRaw(ctx)
		if err == nil {
			_, err = r.call(ctx, "execute", input(100))
		}
		return r, err
	})
}

func memorySDK(ctx context.Context, module []byte) (float64, error) {
	c, err := newSDK(ctx, module, wazero.NewRuntimeConfigCompiler())
	if err != nil {
		return 0, err
	}
	return many(func() (any, error) {
		p, err := sdkInstance(ctx, c)
		if err == nil {
			_, err = sdkCall(ctx, p, "execute", input(100))
		}
		return p, err
	})
}

// many measures instances that are kept.
func many[T any](one func() (T, error)) (float64, error) {
	if _, err := one(); err != nil {
		return 0, err
	}
	return grown(fewer, func() (func() error, error) {
		var kept []T
		for range fewer {
			i, err := one()
			if err != nil {
				return nil, err
			}
			kept = append(kept, i)
		}
		return func() error { _, err := json.Marshal(len(kept)); return err }, nil
	})
}

// grown is how much memory of the process, shared pages counted once, f adds for one instance.
func grown(n float64, f func() (func() error, error)) (float64, error) {
	debug.FreeOSMemory()
	before, err := pss()
	if err != nil {
		return 0, err
	}
	end, err := f()
	if err != nil {
		return 0, err
	}
	debug.FreeOSMemory()
	after, err := pss()
	return (after - before) / n, errors.Join(err, end())
}

// pss is the proportional set size of this process in KiB: a page that is mapped many times counts once.
func pss() (float64, error) {
	b, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(`(?m)^Pss: *(\d+) kB`).FindSubmatch(b)
	if m == nil {
		return 0, errors.New("no Pss in smaps_rollup")
	}
	return strconv.ParseFloat(string(m[1]), 64)
}
