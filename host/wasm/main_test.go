package wasm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/host/wasm/wasmtest"
	"github.com/culmhq/culm/pdk/contract"
)

// TestMain lets the test binary be the compiler process, as the real program is.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "__compile" {
		os.Exit(wasm.CompilerMain(os.Stdin, os.Stdout))
	}
	if len(os.Args) == 3 && os.Args[1] == takeoverArgument {
		os.Exit(takenOver(os.Args[2]))
	}
	code := m.Run()
	if err := wasmtest.Remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// newHost starts a host. The hosts of all tests share a cache, as the processes of
// one installation do.
func newHost(tb testing.TB, change ...func(*wasm.Config)) *wasm.Host {
	tb.Helper()
	c := wasm.Config{
		CacheDir: filepath.Join(wasmtest.Scratch(tb), "cache"), Compiler: wasmtest.Compiler(tb), Worker: wasmtest.Worker(tb),
	}
	if os.Getenv("CULM_TEST_LOG") != "" {
		c.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	for _, f := range change {
		f(&c)
	}
	h, err := wasm.New(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := h.Close(); err != nil {
			tb.Error(err)
		}
	})
	return h
}

// selfCompiler makes this test binary the compiler process, as the program itself
// is.
func selfCompiler(tb testing.TB) func(context.Context) *exec.Cmd {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	return func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, self, "__compile") }
}

// caller is a module, whichever tier it runs in.
type caller interface {
	Call(ctx context.Context, c wasm.Call) (wasm.Result, error)
}

// tier is where calls run.
type tier struct {
	name string
	load func(tb testing.TB, h *wasm.Host, module []byte) caller
}

// tiers are the two places where calls run: in this process and in workers.
func tiers() []tier {
	return []tier{
		{"in process", func(tb testing.TB, h *wasm.Host, module []byte) caller { tb.Helper(); return load(tb, h, module) }},
		{"workers", func(_ testing.TB, h *wasm.Host, module []byte) caller { return isolate(h, module, "tenant") }},
	}
}

// inBothTiers runs a test in each tier: the contract is the same.
func inBothTiers(t *testing.T, f func(t *testing.T, in tier)) {
	t.Helper()
	t.Parallel()
	for _, in := range tiers() {
		t.Run(in.name, func(t *testing.T) {
			t.Parallel()
			f(t, in)
		})
	}
}

// isolated is a module that is called in worker processes.
type isolated struct {
	workers *wasm.Workers
	module  wasm.Isolated
}

// Call implements caller.
func (i isolated) Call(ctx context.Context, c wasm.Call) (wasm.Result, error) {
	return i.workers.Call(ctx, i.module, c)
}

// isolate makes a module that is called in worker processes on behalf of a tenant.
func isolate(h *wasm.Host, module []byte, tenant string) isolated {
	return isolated{h.Workers(), wasm.Isolated{
		Digest: wasm.Digest(module), Tenant: tenant,
		Code: func(context.Context) ([]byte, error) { return module, nil },
	}}
}

// load loads a module or fails the test.
func load(tb testing.TB, h *wasm.Host, module []byte) *wasm.Module {
	tb.Helper()
	m, err := h.Load(tb.Context(), wasm.Digest(module), module)
	if err != nil {
		var e *wasm.Error
		if errors.As(err, &e) && e.Cause != nil {
			tb.Fatalf("load: %v, because of %v", err, e.Cause)
		}
		tb.Fatalf("load: %v", err)
	}
	return m
}

// output calls an export and returns its output.
func output(tb testing.TB, m caller, c wasm.Call) string {
	tb.Helper()
	r, err := m.Call(tb.Context(), c)
	if err != nil {
		tb.Fatalf("call %s: %v", c.Export, err)
	}
	return string(r.Output)
}

// wantFailure checks the code and the origin of an error.
func wantFailure(tb testing.TB, err error, code string, origin contract.Origin) *contract.Failure {
	tb.Helper()
	var f *contract.Failure
	if !errors.As(err, &f) {
		tb.Fatalf("error %v (%T) is no failure, want %s", err, err, code)
	}
	if f.Code != code || f.Origin != origin {
		tb.Fatalf("failure %s of %s: %s; want %s of %s", f.Code, f.Origin, f.Message, code, origin)
	}
	return f
}

// goBuild builds a Go plugin below testdata once for all tests, which take turns.
func goBuild(tb testing.TB, name string) ([]byte, error) {
	tb.Helper()
	out := filepath.Join(wasmtest.Scratch(tb), name+".wasm")
	if b, err := os.ReadFile(out); err == nil {
		return b, nil
	}
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-w", "-o", out, ".")
	cmd.Dir = filepath.Join("testdata", name)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, errors.New(string(text))
	}
	return os.ReadFile(out)
}

// goPlugin loads the Go plugin of most tests.
func goPlugin(tb testing.TB, h *wasm.Host) *wasm.Module {
	tb.Helper()
	return goModule(tb, h, "goplugin")
}

// goModule loads a Go plugin, one test after the other, so that only the first has
// it compiled.
func goModule(tb testing.TB, h *wasm.Host, name string) *wasm.Module {
	tb.Helper()
	goTurn <- struct{}{}
	defer func() { <-goTurn }()
	b, err := goBuild(tb, name)
	if err != nil {
		tb.Fatalf("build the Go plugin: %v", err)
	}
	return load(tb, h, b)
}

var goTurn = make(chan struct{}, 1)

// services is a Services that records.
type services struct {
	mu       sync.Mutex
	lines    []contract.LogLine
	progress []string
	vars     map[string]json.RawMessage
	gateway  func(context.Context, contract.GatewayRequest) contract.GatewayResponse
}

func (s *services) Gateway(ctx context.Context, r contract.GatewayRequest) contract.GatewayResponse {
	if s.gateway == nil {
		return wasm.None{}.Gateway(ctx, r)
	}
	return s.gateway(ctx, r)
}

func (s *services) Log(l contract.LogLine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, l)
}

func (s *services) Progress(_ int, message string) { s.progress = append(s.progress, message) }

func (s *services) Var(name string) (json.RawMessage, bool) {
	v, ok := s.vars[name]
	return v, ok
}

func (s *services) SetVar(name string, value json.RawMessage) error {
	if s.vars == nil {
		return errors.New("not declared")
	}
	s.vars[name] = value
	return nil
}
