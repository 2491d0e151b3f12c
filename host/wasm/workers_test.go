package wasm_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/host/wasm/confine"
)

// target is what a worker process is to try to reach.
func target(t *testing.T) confine.Target {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	db := filepath.Join(t.TempDir(), "culm.db")
	if err := os.WriteFile(db, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	return confine.Target{Parent: os.Getpid(), Address: ln.Addr().String(), Files: []string{db}}
}

// TestAWorkerCannotGetOut: native code in a worker process, which is what a plugin that
// broke out of WebAssembly would have, reaches no network, no file, no other process and
// no program, and has no environment and no file but its pipes.
func TestAWorkerCannotGetOut(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	r, err := h.Workers().Report(t.Context(), target(t))
	if err != nil {
		t.Fatal(err)
	}
	if !r.Syscalls {
		t.Skip("this kernel has no filter of system calls: plugins that nobody vouches for are refused here")
	}
	if !r.Contained() || !r.Limits {
		t.Errorf("layers %+v, escaped: %v", r.Layers, r.Escaped)
	}
	tried := map[string]bool{}
	for _, a := range r.Attempts {
		tried[a.Name] = true
	}
	for _, name := range []string{"connect", "open culm.db", "write culm.db", "ptrace parent", "execute a program", "make a process"} {
		if !tried[name] {
			t.Errorf("nobody tried to %s: %v", name, r.Attempts)
		}
	}
	for _, f := range r.Open {
		fd, what, _ := strings.Cut(f, " ")
		own := strings.HasPrefix(what, "/sys/fs/cgroup/") || strings.HasPrefix(what, "anon_inode:") // Go's own
		if fd != "0" && fd != "1" && fd != "2" && !own {
			t.Errorf("the process was given %s", f)
		}
	}
}

// TestTheAttemptsAreReal: the same attempts, made by a process that nothing holds,
// succeed: what a worker is refused is refused by the cage and not by a mistake.
func TestTheAttemptsAreReal(t *testing.T) {
	t.Parallel()
	free := map[string]bool{}
	for _, name := range confine.Escaped(confine.Try(target(t))) {
		free[name] = true
	}
	for _, name := range []string{"connect", "open culm.db", "write culm.db", "open /etc/passwd", "make a file", "execute a program", "make memory executable"} {
		if !free[name] {
			t.Errorf("a process that nothing holds cannot %s", name)
		}
	}
}

// TestTenantsDoNotShareAProcess: calls of different tenants run in different processes.
func TestTenantsDoNotShareAProcess(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	code := evil(t, "state-image")
	for _, tenant := range []string{"a", "b", "a"} {
		if got := output(t, isolate(h, code, tenant), wasm.Call{Export: "execute"}); got != "aaaaaaa" {
			t.Fatalf("%q", got)
		}
	}
	if n := h.Workers().Processes(); n != 2 {
		t.Errorf("%d processes for two tenants", n)
	}
}

// TestNoCallGetsAProcessThatWasKilled: a process dies some time after it was killed; the
// next call of the plugin is not given to it.
func TestNoCallGetsAProcessThatWasKilled(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	m := isolate(h, evil(t, "state-image"), "a")
	for range 5 {
		if got := output(t, m, wasm.Call{Export: "execute"}); got != "aaaaaaa" {
			t.Fatalf("%q", got)
		}
		h.Workers().KillAll()
	}
}
