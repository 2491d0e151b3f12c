package wasm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/host/wasm/wasmtest"
	"github.com/culmhq/culm/pdk/contract"
)

// ownCache gives a test a cache of its own.
func ownCache(tb testing.TB, dir *string) func(*wasm.Config) {
	tb.Helper()
	*dir = filepath.Join(tb.TempDir(), "cache")
	return func(c *wasm.Config) { c.CacheDir = *dir }
}

// TestNewRefuses names what is missing.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]wasm.Config{
		"CacheDir": {Compiler: wasmtest.Compiler(t)},
		"Compiler": {CacheDir: t.TempDir()},
	} {
		if _, err := wasm.New(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v", want, err)
		}
	}
}

// TestDigest: bytes run only under their own digest.
func TestDigest(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	module := evil(t, "state-image")
	m := load(t, h, module)
	other := append(bytes.Clone(module), 0, 2, 1, 'x')
	_, err := h.Load(t.Context(), wasm.Digest(module), other)
	wantFailure(t, err, wasm.CodeDigestMismatch, contract.OriginHost)
	if got, ok := h.Loaded(wasm.Digest(module)); !ok || got != m {
		t.Error("the loaded module is not found by its digest")
	}
	h.Forget(wasm.Digest(module))
	if _, ok := h.Loaded(wasm.Digest(module)); ok {
		t.Error("a forgotten module is still found")
	}
}

// TestCompiledInProcess: the program itself serves as its compiler, the cache
// directory is closed to others, and what a child compiled is not compiled again.
func TestCompilerProcess(t *testing.T) {
	t.Parallel()
	var dir string
	runs := 0
	self := selfCompiler(t)
	count := func(c *wasm.Config) {
		c.Compiler = func(ctx context.Context) *exec.Cmd { runs++; return self(ctx) }
	}
	module := evil(t, "state-image")
	h := newHost(t, ownCache(t, &dir), count)
	if _, err := h.Inspect(t.Context(), module); err != nil {
		t.Fatal(err)
	}
	load(t, h, module)
	load(t, newHost(t, func(c *wasm.Config) { c.CacheDir = dir }, count), module)
	if runs != 1 {
		t.Errorf("the module was compiled %d times", runs)
	}
	st, err := os.Stat(dir)
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("cache directory: %v, %v", st.Mode(), err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "compiling-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestCompilerBroken: a compiler that cannot be started or talks nonsense is the
// host's fault, not the module's; one that dies is a limit.
func TestCompilerBroken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		command []string
		code    string
		origin  contract.Origin
	}{
		"missing":  {[]string{"/nonexistent/culm"}, wasm.CodeHostFault, contract.OriginHost},
		"nonsense": {[]string{"/bin/echo", "hello"}, wasm.CodeHostFault, contract.OriginHost},
		"dying":    {[]string{"/bin/sh", "-c", "exit 9"}, wasm.CodeCompileLimit, contract.OriginLimit},
	} {
		var dir string
		h := newHost(t, ownCache(t, &dir), func(cfg *wasm.Config) {
			cfg.Compiler = func(ctx context.Context) *exec.Cmd {
				return exec.CommandContext(ctx, c.command[0], c.command[1:]...)
			}
		})
		_, err := h.Inspect(t.Context(), evil(t, "state-image"))
		if f := wantFailure(t, err, c.code, c.origin); strings.Contains(f.Message, "/") {
			t.Errorf("%s: the message shows a path: %s", name, f.Message)
		}
	}
}

// TestCacheDamaged: compiled code that was changed on disk is not run but compiled
// again, and the log says so.
func TestCacheDamaged(t *testing.T) {
	t.Parallel()
	var dir string
	var log syncBuffer
	own := ownCache(t, &dir)
	withLog := func(c *wasm.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }
	module := evil(t, "state-image")
	load(t, newHost(t, own), module)
	damage(t, dir)
	m := load(t, newHost(t, func(c *wasm.Config) { c.CacheDir = dir }, withLog), module)
	if got := output(t, m, wasm.Call{Export: "execute"}); got != "aaaaaaa" {
		t.Errorf("the module answers %q", got)
	}
	if !strings.Contains(log.String(), "damaged") {
		t.Errorf("the log says %q", log.String())
	}
	log.Reset()
	load(t, newHost(t, func(c *wasm.Config) { c.CacheDir = dir }, withLog), module)
	if log.String() != "" {
		t.Errorf("the repaired cache is complained about: %s", log.String())
	}
}

// TestHostsThatCompileTheSameAtOncePublishItOnce: programs that share a cache and compile one module
// at the same moment neither fail nor remove each other's work.
func TestHostsThatCompileTheSameAtOncePublishItOnce(t *testing.T) {
	t.Parallel()
	var dir string
	hosts := []*wasm.Host{newHost(t, ownCache(t, &dir))}
	for range 7 {
		hosts = append(hosts, newHost(t, func(c *wasm.Config) { c.CacheDir = dir }))
	}
	for round := range 50 {
		var all sync.WaitGroup
		start := make(chan struct{})
		for _, h := range hosts {
			all.Go(func() {
				<-start
				if err := h.PublishEntry(t.Context(), fmt.Sprintf("entry-%d", round)); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		close(start)
		all.Wait()
	}
}

// damage changes one byte in every file of compiled code.
func damage(t *testing.T, dir string) {
	t.Helper()
	changed := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "receipt.json" {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b[len(b)/2] ^= 1
		changed++
		return os.WriteFile(path, b, 0o600)
	})
	if err != nil || changed == 0 {
		t.Fatalf("%d files changed, %v", changed, err)
	}
}

// TestEviction: more modules than may be loaded, called by turns from several
// goroutines, all keep answering.
func TestEviction(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *wasm.Config) { c.LoadedMax = 1 })
	var ms []*wasm.Module
	for _, name := range []string{"state-image", "failing", "memory-asks"} {
		ms = append(ms, load(t, h, evil(t, name)))
	}
	var wg sync.WaitGroup
	for g := range 3 {
		wg.Go(func() {
			for i := range 30 {
				_, err := ms[(g+i)%len(ms)].Call(t.Context(), wasm.Call{Export: "execute"})
				if f := wasm.AsFailure(err); f != nil && f.Code != wasm.CodeFailed {
					t.Errorf("call: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// TestClosed: a closed host refuses calls with a typed error.
func TestClosed(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	m := load(t, h, evil(t, "failing"))
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := m.Call(t.Context(), wasm.Call{Export: "execute"})
	wantFailure(t, err, wasm.CodeHostFault, contract.OriginHost)
	if !errors.Is(err, wasm.ErrClosed) {
		t.Errorf("the cause is %v", err)
	}
}

// TestQueue: a call that gets no place before its context ends was never run.
func TestQueue(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *wasm.Config) { c.Parallel = 1 })
	m := load(t, h, evil(t, "endless"))
	long, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	ran := make(chan struct{})
	go func() {
		s := &services{}
		close(ran)
		_, err := m.Call(long, wasm.Call{Export: "execute", Services: s})
		done <- err
	}()
	<-ran
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := m.Call(short, wasm.Call{Export: "execute"})
	wantFailure(t, err, wasm.CodeTimeout, contract.OriginLimit)
	stop()
	wantFailure(t, <-done, wasm.CodeCancelled, contract.OriginHost)
}

// TestHammer: instances and buffers that go from hand to hand between goroutines,
// calls that trap in between, and calls that are cancelled, never show one call what
// another left.
func TestHammer(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *wasm.Config) { c.Parallel = 3 })
	state, table, trap := load(t, h, evil(t, "state-image")), load(t, h, evil(t, "state")), load(t, h, evil(t, "endless"))
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 40 {
				for m, want := range map[*wasm.Module]string{state: "aaaaaaa", table: "aaaaaaaaaaaa"} {
					r, err := m.Call(t.Context(), wasm.Call{Export: "execute"})
					if err != nil || string(r.Output) != want {
						t.Errorf("%q, %v; want %q", r.Output, err, want)
						return
					}
				}
			}
		})
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := trap.Call(ctx, wasm.Call{Export: "execute"})
			if f := wasm.AsFailure(err); f == nil || f.Code != wasm.CodeTimeout {
				t.Errorf("the endless call ends with %v", err)
			}
		})
	}
	wg.Wait()
}

// TestNothingLeaks: hundreds of calls that end in every way leave no goroutine and
// no file behind. Not parallel: it counts those of the whole process.
func TestNothingLeaks(t *testing.T) { //nolint:paralleltest // counts goroutines
	h := newHost(t)
	names := []string{"unreachable", "exits", "output-huge", "alloc-huge", "gateway-spam", "memory-bomb", "failing", "state"}
	round := func(n int) {
		for _, name := range names {
			m := load(t, h, evil(t, name))
			for range n {
				_, err := m.Call(t.Context(), wasm.Call{Export: "execute"})
				if f := wasm.AsFailure(err); f != nil && f.Code == wasm.CodeHostFault {
					t.Fatal(err)
				}
			}
		}
	}
	round(2)
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	round(40)
	if n := runtime.NumGoroutine(); n > goroutines+2 {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if n := openFiles(t); n > files+2 {
		t.Errorf("%d open files, %d before", n, files)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	es, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("the open files of a process cannot be listed here")
	}
	return len(es)
}

// syncBuffer is a buffer that a logger may write to from anywhere.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *syncBuffer) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.Reset()
}
