package wasm_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// evil reads a hostile module.
func evil(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "evil", name+".wasm"))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// strict lowers the limits so that a test of a timeout does not take long.
func strict(c *wasm.Config) {
	c.Limits = wasm.DefaultLimits()
	c.Limits.GuestTime, c.Limits.Timeout = 400*time.Millisecond, 1500*time.Millisecond
	c.Limits.StartTime = 300 * time.Millisecond
}

// TestEvilRefused: modules that are refused before they are ever called, with the
// reason.
func TestEvilRefused(t *testing.T) {
	t.Parallel()
	h := newHost(t, strict)
	plugin, limit := contract.OriginPlugin, contract.OriginLimit
	for name, want := range map[string]struct {
		code   string
		origin contract.Origin
		names  string
	}{
		"endless-start":      {wasm.CodeStartTimeout, limit, "300ms"},
		"endless-initialize": {wasm.CodeStartTimeout, limit, "300ms"},
		"sleeping-start":     {wasm.CodeStartTimeout, limit, "300ms"},
		"memory-declared":    {wasm.CodeModuleLimit, limit, "65536"},
		"table-declared":     {wasm.CodeModuleLimit, limit, "10000000"},
		"table-huge":         {wasm.CodeModuleLimit, limit, "4294967295"},
		"tables-many":        {wasm.CodeModuleLimit, limit, "tables: 100"},
		"import-system":      {wasm.CodeImportDenied, plugin, "env.system"},
		"import-socket":      {wasm.CodeImportDenied, plugin, "wasi_snapshot_preview1.sock_open"},
		"import-http":        {wasm.CodeImportDenied, plugin, "extism:host/env.http_request"},
		"import-type":        {wasm.CodeImportDenied, plugin, "I>I"},
		"import-memory":      {wasm.CodeModuleInvalid, plugin, "memory"},
		"import-global":      {wasm.CodeModuleInvalid, plugin, "global"},
		"reserved":           {wasm.CodeModuleInvalid, plugin, "culm:stop"},
		"panic-121":          {wasm.CodeModuleInvalid, plugin, ""},
		"panic-1572":         {wasm.CodeModuleInvalid, plugin, ""},
		"panic-1748":         {wasm.CodeModuleInvalid, plugin, ""},
		"panic-1825":         {wasm.CodeModuleInvalid, plugin, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := h.Inspect(t.Context(), evil(t, name))
			if f := wantFailure(t, err, want.code, want.origin); !strings.Contains(f.Message, want.names) {
				t.Errorf("message %q does not name %q", f.Message, want.names)
			}
			if _, err := h.Load(t.Context(), wasm.Digest(evil(t, name)), evil(t, name)); err == nil {
				t.Error("Load takes what Inspect refuses")
			}
		})
	}
}

// TestEvilCalls: modules that load and then misbehave; each ends in its own error,
// and a well-behaved module goes on working beside them.
func TestEvilCalls(t *testing.T) { inBothTiers(t, testEvilCalls) }

func testEvilCalls(t *testing.T, in tier) {
	hurried, patient := newHost(t, strict), newHost(t)
	good := in.load(t, patient, evil(t, "state-image"))
	plugin, limit := contract.OriginPlugin, contract.OriginLimit
	for name, want := range map[string]struct {
		code   string
		origin contract.Origin
		names  string
	}{
		"endless":       {wasm.CodeTimeout, limit, "400ms"},
		"sleeping":      {wasm.CodeTimeout, limit, "1.5s"},
		"fill-storm":    {wasm.CodeTimeout, limit, "400ms"},
		"block-spam":    {wasm.CodeTimeout, limit, "400ms"},
		"print-spam":    {wasm.CodeTimeout, limit, "400ms"},
		"memory-bomb":   {wasm.CodeResource, limit, "64 MiB"},
		"table-steps":   {wasm.CodeTrap, plugin, "unreachable"},
		"divide":        {wasm.CodeTrap, plugin, "divide by zero"},
		"outside":       {wasm.CodeTrap, plugin, "out of bounds"},
		"unreachable":   {wasm.CodeTrap, plugin, "unreachable"},
		"indirect":      {wasm.CodeTrap, plugin, "indirect call"},
		"exits":         {wasm.CodeTrap, plugin, "exit status 7"},
		"alloc-spam":    {wasm.CodeResource, limit, "memory blocks"},
		"alloc-huge":    {wasm.CodeResource, limit, "18446744073709551615"},
		"gateway-spam":  {wasm.CodeHostCallLimit, limit, "64 times"},
		"progress-spam": {wasm.CodeHostCallLimit, limit, "1000 times"},
		"output-huge":   {wasm.CodeOutputLimit, limit, "100000000"},
		"output-real":   {wasm.CodeOutputLimit, limit, "33554432"},
		"failing":       {wasm.CodeFailed, plugin, "status 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := patient
			if want.code == wasm.CodeTimeout {
				h = hurried
			}
			m := in.load(t, h, evil(t, name))
			_, err := m.Call(t.Context(), wasm.Call{Export: "execute"})
			f := wantFailure(t, err, want.code, want.origin)
			if !strings.Contains(f.Message, want.names) {
				t.Errorf("message %q does not name %q", f.Message, want.names)
			}
			for _, leak := range []string{"goroutine", ".go:", "/root", "/work", "wazero"} {
				if strings.Contains(f.Message+string(f.Detail), leak) {
					t.Errorf("the failure shows %q: %s %s", leak, f.Message, f.Detail)
				}
			}
			if got := output(t, good, wasm.Call{Export: "execute"}); got != "aaaaaaa" {
				t.Errorf("the well-behaved module answers %q", got)
			}
		})
	}
}

// TestEvilTamed: hostile behaviour that the sandbox makes harmless, so that the
// call simply succeeds.
func TestEvilTamed(t *testing.T) {
	inBothTiers(t, func(t *testing.T, in tier) {
		h := newHost(t)
		for _, name := range []string{"memory-asks", "no-memory", "table-bomb"} {
			m := in.load(t, h, evil(t, name))
			if _, err := m.Call(t.Context(), wasm.Call{Export: "execute"}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestRecursion: endless recursion ends at the end of the native stack.
func TestRecursion(t *testing.T) {
	inBothTiers(t, func(t *testing.T, in tier) {
		m := in.load(t, newHost(t, slowMachine), evil(t, "recursion"))
		_, err := m.Call(t.Context(), wasm.Call{Export: "execute"})
		if f := wantFailure(t, err, wasm.CodeResource, contract.OriginLimit); !strings.Contains(f.Message, "nested") {
			t.Errorf("message %q", f.Message)
		}
	})
}

// TestServicesPanic: a defect of the services ends the call, not the process, and
// shows nothing of itself.
func TestServicesPanic(t *testing.T) {
	inBothTiers(t, func(t *testing.T, in tier) {
		h := newHost(t)
		for _, name := range []string{"log-spam", "progress-spam"} {
			_, err := in.load(t, h, evil(t, name)).Call(t.Context(), wasm.Call{Export: "execute", Services: defect{}})
			f := wantFailure(t, err, wasm.CodeHostFault, contract.OriginHost)
			for _, inner := range []string{"inner", "goroutine", ".go:", "index out of range"} {
				if strings.Contains(f.Message+string(f.Detail), inner) {
					t.Errorf("%s: the failure shows %q", name, f.Message)
				}
			}
		}
	})
}

// defect is a Services that panics.
type defect struct{ wasm.None }

func (defect) Log(contract.LogLine) { panic("inner detail") }

func (defect) Progress(n int, _ string) { _ = []int{}[n] }

// TestLogLimit: what is logged over the limit is dropped, and one line says so.
func TestLogLimit(t *testing.T) { inBothTiers(t, testLogLimit) }

func testLogLimit(t *testing.T, in tier) {
	h := newHost(t)
	m := in.load(t, h, evil(t, "log-spam"))
	s := &services{}
	r, err := m.Call(t.Context(), wasm.Call{Export: "execute", Services: s})
	if err != nil {
		t.Fatal(err)
	}
	if !r.LogTruncated {
		t.Error("the result does not say that the log was cut")
	}
	total := 0
	for _, l := range s.lines {
		total += len(l.Text)
	}
	if limit := int(h.Limits().LogBytes); total > limit+200 || total < limit-2000 {
		t.Errorf("%d bytes were logged, the limit is %d", total, limit)
	}
	if last := s.lines[len(s.lines)-1]; last.Level != contract.LevelWarn || !strings.Contains(last.Text, "dropped") {
		t.Errorf("the last line is %q", last.Text)
	}
}

// TestNoStateBetweenCalls: a call writes wherever something could be kept and finds
// nothing of it in the next, also when two take turns on the same buffers.
func TestNoStateBetweenCalls(t *testing.T) { inBothTiers(t, testNoStateBetweenCalls) }

func testNoStateBetweenCalls(t *testing.T, in tier) {
	h := newHost(t, func(c *wasm.Config) { c.Parallel = 1 })
	for name, want := range map[string]struct {
		answer    string
		fromImage bool
	}{
		"state":       {"aaaaaaaaaaaa", true},
		"state-image": {"aaaaaaa", true},
	} {
		m := in.load(t, h, evil(t, name))
		if here, ok := m.(*wasm.Module); ok && here.FromImage() != want.fromImage {
			t.Errorf("%s: from the image: %t", name, here.FromImage())
		}
		for i := range 20 {
			if got := output(t, m, wasm.Call{Export: "execute"}); got != want.answer {
				t.Fatalf("%s: call %d finds %q, want %q", name, i, got, want.answer)
			}
		}
	}
}

// TestStopsInTime: a runaway guest is stopped close to its deadline, by deadline
// and by cancellation.
func TestStopsInTime(t *testing.T) { inBothTiers(t, testStopsInTime) }

func testStopsInTime(t *testing.T, in tier) {
	h := newHost(t)
	m := in.load(t, h, evil(t, "no-memory"))
	if _, err := m.Call(t.Context(), wasm.Call{Export: "execute"}); err != nil { // a process is started outside the measurement
		t.Fatal(err)
	}
	hosttest.InTime(t, "the end after the deadline", hosttest.TakenAtMost(60*time.Millisecond), func() time.Duration {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began := time.Now()
		_, err := m.Call(ctx, wasm.Call{Export: "spin"})
		late := time.Since(began) - 100*time.Millisecond
		cancel()
		wantFailure(t, err, wasm.CodeTimeout, contract.OriginLimit)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the cause is lost: %v", err)
		}
		return late
	})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := m.Call(ctx, wasm.Call{Export: "spin"})
	wantFailure(t, err, wasm.CodeCancelled, contract.OriginHost)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the cause is lost: %v", err)
	}
}

// TestStorm: eight runaway guests that run at once all end soon after their deadline, and do
// not stall the host meanwhile: a goroutine that wants to run does.
func TestStorm(t *testing.T) { //nolint:paralleltest // times the process
	for _, in := range tiers() {
		t.Run(in.name, func(t *testing.T) { testStorm(t, in) })
	}
}

func testStorm(t *testing.T, in tier) {
	h := newHost(t, strict, func(c *wasm.Config) { c.Parallel = 8 })
	m := in.load(t, h, evil(t, "endless"))
	hosttest.InTime(t, "the end of the last one after its deadline, or a goroutine that wakes each millisecond,", hosttest.TakenAtMost(250*time.Millisecond), func() time.Duration {
		results := make(chan error, 8)
		began := time.Now()
		for range cap(results) {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				_, err := m.Call(ctx, wasm.Call{Export: "execute"})
				results <- err
			}()
		}
		ticker := time.NewTicker(time.Millisecond)
		longest, last := time.Duration(0), time.Now()
		for ended := 0; ended < cap(results); {
			select {
			case err := <-results:
				wantFailure(t, err, wasm.CodeTimeout, contract.OriginLimit)
				ended++
			case <-ticker.C:
			case <-time.After(20 * time.Second):
				t.Fatal("the host is stalled")
			}
			longest, last = max(longest, time.Since(last)), time.Now()
		}
		ticker.Stop()
		return max(time.Since(began)-300*time.Millisecond, longest)
	})
}

// TestCompileBombs: modules that would keep a compiler busy for half a minute are
// given up in the child process, at its limit.
func TestCompileBombs(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *wasm.Config) {
		c.Limits = wasm.DefaultLimits()
		c.Limits.CompileTime = time.Second
	})
	for name, body := range map[string][]byte{
		"nested blocks": append(append(bytes.Repeat([]byte{0x02, 0x40}, 50_000), bytes.Repeat([]byte{0x0b}, 50_000)...), 0x41, 0),
		"br_table":      append(append([]byte{0x02, 0x40, 0x41, 0, 0x0e, 0xc0, 0x9a, 0x0c}, make([]byte, 200_001)...), 0x0b, 0x41, 0),
		"straight line": append([]byte{0x41, 0}, bytes.Repeat([]byte{0x41, 1, 0x6a}, 2_000_000)...),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.Inspect(t.Context(), moduleOf(body))
			wantFailure(t, err, wasm.CodeCompileLimit, contract.OriginLimit)
		})
	}
}

// moduleOf makes a module whose one function, exported as execute, has that body.
func moduleOf(body []byte) []byte {
	code := append(append([]byte{0}, body...), 0x0b)
	entry := append(uleb(len(code)), code...)
	b := []byte("\x00asm\x01\x00\x00\x00")
	b = append(b, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0)
	b = append(b, 7, 11, 1, 7, 'e', 'x', 'e', 'c', 'u', 't', 'e', 0, 0, 10)
	b = append(b, uleb(len(entry)+1)...)
	return append(append(b, 1), entry...)
}

func uleb(n int) []byte {
	var b []byte
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// TestEvilSources: the committed modules are what their sources say, where the
// assembler is installed.
func TestEvilSources(t *testing.T) {
	t.Parallel()
	assembler, err := exec.LookPath("wat2wasm")
	if err != nil {
		t.Skip("wat2wasm (Debian package wabt) is not installed: the committed modules are used as they are")
	}
	sources, err := filepath.Glob(filepath.Join("testdata", "*", "*.wat"))
	if err != nil || len(sources) < 40 {
		t.Fatalf("%d sources, %v", len(sources), err)
	}
	for _, source := range sources {
		out := filepath.Join(t.TempDir(), "out.wasm")
		if text, err := exec.CommandContext(t.Context(), assembler, source, "-o", out).CombinedOutput(); err != nil {
			t.Fatalf("%s: %s", source, text)
		}
		want, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(strings.TrimSuffix(source, ".wat") + ".wasm")
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s was not assembled again after a change: wat2wasm FILE.wat -o FILE.wasm (%v)", source, err)
		}
	}
}
