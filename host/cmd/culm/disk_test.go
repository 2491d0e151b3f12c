package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A disk whose n-th fsync fails, for n all over the first 200 calls: the program writes
// nothing more, says why, and ends with an error. The next life finds everything that was
// acknowledged. strace counts the calls of each thread apart.
func TestFailedFsyncEndsTheProgramAndLosesNothing(t *testing.T) {
	t.Parallel()
	needTracing(t)
	w := newWorld(t)
	began := time.Now()
	for i, n := range sample(200, number(t, "CULM_DISK_FAULTS", 20)) {
		srv := w.launch(t, failing("fsync,fdatasync", "EIO", fmt.Sprint(n)))
		if srv.ready() == nil {
			stop := w.load(srv)
			select {
			case <-srv.done:
			case <-time.After(2 * time.Minute):
				t.Fatalf("fsync %d failed, and the server lives:\n%s", n, srv.logs)
			}
			stop()
		}
		if code := srv.cmd.ProcessState.ExitCode(); code <= 0 {
			t.Errorf("fsync %d failed, and the server ended with code %d:\n%s", n, code, srv.logs)
		}
		if text := srv.logs.String(); !strings.Contains(text, "disk I/O error") && !strings.Contains(text, "input/output error") {
			t.Errorf("fsync %d failed, and the log does not say so:\n%s", n, text)
		}
		w.recover(t)
		if i%20 == 19 {
			t.Logf("%d failures in %v: %s", i+1, time.Since(began).Round(time.Second), w)
		}
	}
	w.settle(t)
}

// A disk that is full for two writes from the n-th on, wherever they come from: nothing that
// was acknowledged is lost, and the program goes on by itself.
func TestFullDiskAtAnyWriteIsOutlived(t *testing.T) {
	t.Parallel()
	needTracing(t)
	w := newWorld(t)
	began := time.Now()
	database := filepath.Join(w.dir, "culm.db")
	for i, n := range sample(200, number(t, "CULM_DISK_FAULTS", 5)) {
		trace := filepath.Join(t.TempDir(), "trace")
		wrap := failing("pwrite64", "ENOSPC", fmt.Sprintf("%d..%d", n, n+1), "-o", trace, "-P", database, "-P", database+"-wal")
		srv := w.launch(t, wrap)
		if err := srv.ready(); err == nil {
			stop := w.load(srv)
			await(t, fmt.Sprintf("write %d fails", n), 2*time.Minute, func() bool { return injected(t, trace) || ended(srv) })
			effects := w.effects()
			await(t, "it goes on", time.Minute, func() bool { return w.effects() > effects+3 || ended(srv) })
			w.endWell(t, srv)
			stop()
		} else if !strings.Contains(err.Error(), "full") {
			t.Errorf("write %d failed at the start, and the log does not say so: %v", n, err)
		}
		w.recover(t)
		t.Logf("%d full disks, after write %d, in %v: %s", i+1, n, time.Since(began).Round(time.Second), w)
	}
	w.settle(t)
}

// A file system without space: the same, with the real thing.
func TestFullFileSystemRefusesAndGoesOnWhenThereIsSpace(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256m,mode=0700"); err != nil {
		t.Skipf("NOT TESTED: a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	w := newWorldIn(t, filepath.Join(dir, "data"))
	srv := w.launch(t, nil)
	if err := srv.ready(); err != nil {
		t.Fatal(err)
	}
	stop := w.load(srv)
	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	await(t, "a request is refused for want of space", time.Minute, func() bool {
		return w.account.refused(http.StatusInsufficientStorage) > 0 || ended(srv)
	})
	if status, err := srv.call(http.MethodGet, project+"/runs?limit=1", nil, nil, nil); err != nil || status != http.StatusOK {
		t.Errorf("reading while the disk is full: %d, %v\n%s", status, err, srv.logs)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	effects := w.effects()
	await(t, "it goes on", time.Minute, func() bool { return w.effects() > effects+3 || ended(srv) })
	w.endWell(t, srv)
	stop()
	w.settle(t)
}

// injected reports whether strace has let a call fail.
func injected(t *testing.T, trace string) bool {
	t.Helper()
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(b, []byte("INJECTED"))
}

// endWell ends a life that should not have ended by itself.
func (w *world) endWell(t *testing.T, srv *server) {
	t.Helper()
	if ended(srv) {
		t.Errorf("the server ended by itself:\n%s", srv.logs)
	}
	srv.kill()
}

// recover begins a life that nobody disturbs, and has it go on for a moment.
func (w *world) recover(t *testing.T) {
	t.Helper()
	srv := w.launch(t, nil)
	if err := srv.ready(); err != nil {
		t.Fatal(err)
	}
	w.checkAcknowledged(t, srv)
	srv.kill()
}

func ended(s *server) bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// fill writes zeros until there is no space.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2] // to the last byte
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// failing is a strace that lets calls of the program fail. The program stays our child.
func failing(calls, errno, when string, more ...string) []string {
	args := []string{"strace", "-D", "-f", "--seccomp-bpf", "-o", os.DevNull, "-e", "trace=" + calls, "-e", "signal=none"}
	args = append(args, more...)
	return append(args, "-e", "inject="+calls+":error="+errno+":when="+when)
}

// needTracing skips the test where programs cannot be traced, and says why.
func needTracing(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skipf("NOT TESTED: %v; scripts/deps.sh installs it", err)
	}
	if out, err := exec.CommandContext(t.Context(), "strace", "-f", "--seccomp-bpf", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: programs cannot be traced here: %v: %s", err, out)
	}
}

// sample spreads count numbers over 1 to most, the first ones densely.
func sample(most, count int) []int {
	if count >= most {
		count = most
	}
	out := make([]int, 0, count)
	for i := range count {
		n := 1 + i*i*most/(count*count)
		if len(out) > 0 {
			n = max(n, out[len(out)-1]+1)
		}
		out = append(out, n)
	}
	return out
}
