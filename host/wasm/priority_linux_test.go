package wasm_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/culmhq/culm/host/wasm"
)

// steps is by how much the processes of plugins are nicer than the host.
const steps = 5

// TestChildrenAreNicerThanTheHostWithAllTheirThreads: every thread of a worker process and
// of the compiler process gives way to the host, whose own threads are as they were, but
// for the one that starts processes.
func TestChildrenAreNicerThanTheHostWithAllTheirThreads(t *testing.T) { //nolint:paralleltest // looks at all threads of the program
	earlier := niceness(t, os.Getpid()) // threads of hosts that were closed may be about to end
	before := earlier[os.Getpid()]
	want := min(before+steps, 19)
	seen := filepath.Join(t.TempDir(), "stat")
	var dir string
	self := selfCompiler(t)
	h := newHost(t, ownCache(t, &dir), func(c *wasm.Config) {
		c.Compiler = func(ctx context.Context) *exec.Cmd {
			const script = `read -r line < /proc/self/stat; echo "$line" > "$0"; exec "$@"`
			return exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", script, seen}, self(ctx).Args...)...)
		}
	})
	m := isolate(h, evil(t, "state-image"), "a")
	if got := output(t, m, wasm.Call{Export: "execute"}); got != "aaaaaaa" {
		t.Fatalf("%q", got)
	}

	stat, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	if got := niceOf(t, stat); got != want {
		t.Errorf("the compiler process has niceness %d, want %d", got, want)
	}
	pids := h.Workers().PIDs()
	if len(pids) != 1 {
		t.Fatalf("%d worker processes", len(pids))
	}
	threads := niceness(t, pids[0])
	if len(threads) < 2 {
		t.Errorf("the worker process has %d threads: this shows nothing", len(threads))
	}
	for tid, got := range threads {
		if got != want {
			t.Errorf("thread %d of %d of the worker process has niceness %d, want %d", tid, len(threads), got, want)
		}
	}
	var lower []int
	for tid, got := range niceness(t, os.Getpid()) {
		if old, known := earlier[tid]; got != before && (!known || old == before) {
			lower = append(lower, tid)
		}
	}
	if len(lower) != 1 || lower[0] == os.Getpid() {
		t.Errorf("threads %v of the host (process %d) are not as nice as it was started: want one, not the first", lower, os.Getpid())
	}
}

// niceness returns the niceness of each thread of a process.
func niceness(tb testing.TB, pid int) map[int]int {
	tb.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(pid), "task")
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	all := map[int]int{}
	for _, e := range entries {
		stat, err := os.ReadFile(filepath.Join(dir, e.Name(), "stat"))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) { // it has ended
			continue
		}
		tid, numErr := strconv.Atoi(e.Name())
		if err := errors.Join(err, numErr); err != nil {
			tb.Fatal(err)
		}
		all[tid] = niceOf(tb, stat)
	}
	return all
}

// niceOf reads the niceness from what /proc says of a thread: the 19th word, of which the
// second, a name in brackets, may have spaces.
func niceOf(tb testing.TB, stat []byte) int {
	tb.Helper()
	words := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(words) < 17 {
		tb.Fatalf("stat of a thread: %q", stat)
	}
	n, err := strconv.Atoi(words[16])
	if err != nil {
		tb.Fatal(err)
	}
	return n
}
