package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// envDir names the directory of what the tests share.
const envDir = "CULM_TEST_DIR"

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "culm-test-")
	if err == nil {
		err = os.Setenv(envDir, dir)
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// binary is the real program, built once for all tests of this package that run it.
var binary = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("CULM_BIN"); given != "" {
		return given, nil
	}
	path := filepath.Join(os.Getenv(envDir), "culm")
	cmd := exec.Command("go", "build", "-o", path, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return path, nil
})

// prepared is a data directory as the first start leaves it, with compiled plugins: that
// takes longer than most tests.
var prepared = sync.OnceValues(func() (string, error) {
	bin, err := binary()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(os.Getenv(envDir), "prepared")
	cmd := exec.Command(bin, "serve", "--listen", "127.0.0.1:0", "--data", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if addressLine.MatchString(lines.Text()) {
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("the first start: %w", err)
	}
	return dir, nil
})

// prepare makes a data directory that is not the first start's any more.
func prepare(t *testing.T, dir string) {
	t.Helper()
	from, err := prepared()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", from, dir).CombinedOutput(); err != nil {
		t.Fatalf("copy the data directory: %v: %s", err, out)
	}
}

// server is a running `culm serve`, reached over its own loopback port.
type server struct {
	t       *testing.T
	cmd     *exec.Cmd
	base    string // set once it is ready
	address chan string
	logs    *lockedBuffer
	done    chan struct{}
}

var addressLine = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// startServer runs the program on a port of the system's choice and waits until it is
// ready.
func startServer(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	s := launch(t, nil, dir, args...)
	if err := s.ready(); err != nil {
		t.Fatal(err)
	}
	return s
}

// launch runs the program, under another one if wrap is not empty, and does not wait
// for it.
func launch(t *testing.T, wrap []string, dir string, args ...string) *server {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, address: make(chan string, 1), logs: &lockedBuffer{}, done: make(chan struct{})}
	command := append(append(wrap[:len(wrap):len(wrap)], bin, "serve", "--listen", "127.0.0.1:0", "--data", dir), args...)
	s.cmd = exec.CommandContext(context.Background(), command[0], command[1:]...)
	s.cmd.Stderr = s.logs
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			_, _ = fmt.Fprintln(s.logs, lines.Text())
			if a := addressLine.FindString(lines.Text()); a != "" {
				select {
				case s.address <- a:
				default:
				}
			}
		}
		_ = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(s.kill)
	return s
}

// ready waits until the server answers, or says why it never will.
func (s *server) ready() error {
	select {
	case s.base = <-s.address:
		return nil
	case <-s.done:
		return fmt.Errorf("the server ended before it was ready:\n%s", s.logs)
	case <-time.After(2 * time.Minute):
		return fmt.Errorf("the server was not ready in time:\n%s", s.logs)
	}
}

// kill ends the process the hard way; nothing of it gets a chance to finish.
func (s *server) kill() {
	_ = s.cmd.Process.Signal(syscall.SIGKILL)
	<-s.done
}

// stop ends it the way an operator does, and reports how it ended.
func (s *server) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	<-s.done
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("exit code %d:\n%s", code, s.logs)
	}
	return nil
}

// call makes one API request; the error is set only when there was no HTTP answer.
func (s *server) call(method, path string, body any, header map[string]string, out any) (int, error) {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		r = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, r)
	if err != nil {
		return 0, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if out != nil && res.StatusCode < 300 && len(b) > 0 {
		if err := json.Unmarshal(b, out); err != nil {
			return res.StatusCode, fmt.Errorf("%s %s: %w: %.300s", method, path, err, b)
		}
	} else if res.StatusCode >= 300 {
		if p, ok := out.(*problem); ok {
			_ = json.Unmarshal(b, p)
		}
	}
	return res.StatusCode, nil
}

// must is call for requests that have to succeed.
func (s *server) must(method, path string, body, out any) {
	s.t.Helper()
	var failed problem
	var raw json.RawMessage
	status, err := s.call(method, path, body, nil, &raw)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	if status >= 300 {
		_, _ = s.call(method, path, body, nil, &failed)
		s.t.Fatalf("%s %s: %d %+v", method, path, status, failed)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			s.t.Fatalf("%s %s: %v: %.300s", method, path, err, raw)
		}
	}
}

// problem is an RFC 9457 answer.
type problem struct {
	Code, Detail, Field, Node string
}

// runView is what these tests read of a run.
type runView struct {
	ID    string `json:"id"`
	State string `json:"state"`
	Seq   uint64 `json:"seq"`
	Nodes map[string]struct {
		State   string `json:"state"`
		Attempt int    `json:"attempt"`
		Due     string `json:"due"`
		Failure *struct {
			Code, Message, Origin string
		} `json:"failure"`
		Child string `json:"child"`
		Wait  *struct {
			Kind string `json:"kind"`
		} `json:"wait"`
	} `json:"nodes"`
}

// await polls a condition until it holds; the server is another process, so there is
// no signal to wait for but its answers.
func await(t *testing.T, what string, within time.Duration, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatalf("%s: not within %v", what, within)
		case <-tick.C:
		}
	}
}

// lockedBuffer collects a process's output, the last 64 KiB of it.
type lockedBuffer struct {
	mu sync.Mutex
	b  []byte
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, p...)
	if over := len(l.b) - 64<<10; over > 0 {
		l.b = l.b[over:]
	}
	return len(p), nil
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.b)
}
