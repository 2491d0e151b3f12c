package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience bounds every wait for something that must happen.
const patience = 3 * time.Minute

// holding is a flow that waits for a person, so that its run takes commands as long as wanted.
const holding = `{"format":"culm.flow/v1","id":"holding","name":"Holding",
"variables":[{"name":"text","source":"input","value":""}],
"nodes":[{"id":"start","type":"start"},
 {"id":"ask","type":"task","plugin":"core","action":"confirm","inputs":{"prompt":"Go on?"}},
 {"id":"end","type":"end"}],
"edges":[{"id":"a","from":"start","to":"ask"},{"id":"b","from":"ask","to":"end"}]}`

// server is the running program.
type server struct {
	cmd  *exec.Cmd
	dir  string
	base string // http://127.0.0.1:port/api/v1/projects/default
	http *http.Client
}

// launch starts the program and waits until it answers.
func launch(ctx context.Context, bin string) (*server, error) {
	dir, err := os.MkdirTemp("", "culm-crowd-")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	cmd := exec.CommandContext(ctx, bin, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"))
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", bin, err), os.RemoveAll(dir))
	}
	s := &server{cmd: cmd, dir: dir, http: &http.Client{Timeout: patience}}
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := address.FindString(lines.Text()); found != "" {
			s.base = found + "/api/v1/projects/default"
			go func() { _, _ = io.Copy(io.Discard, out) }() // the program must be able to print
			return s, nil
		}
	}
	return nil, errors.Join(errors.New("the program ended before it listened; start it by hand to see why"), s.stop())
}

// stop ends the program and removes its directory.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the program: %w", err)
	}
	_ = s.cmd.Wait() // how it ended does not matter any more
	return os.RemoveAll(s.dir)
}

func (s *server) publish(ctx context.Context) error {
	if err := s.post(ctx, "/flows", `{"document":`+holding+`}`, nil); err != nil {
		return err
	}
	return s.post(ctx, "/flows/holding/versions", `{"revision":1,"note":""}`, nil)
}

// start starts a run and returns its id once it waits.
func (s *server) start(ctx context.Context) (string, error) {
	var run struct {
		ID string `json:"id"`
	}
	if err := s.post(ctx, "/flows/holding/runs", `{"inputs":{}}`, &run); err != nil {
		return "", err
	}
	c, err := s.dial(ctx, run.ID, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	for {
		_, text, err := c.ReadMessage()
		if err != nil {
			return "", fmt.Errorf("follow the run: %w", err)
		}
		if bytes.Contains(text, []byte(`"to":"waiting"`)) {
			return run.ID, nil
		}
	}
}

// set sends a command that sets a variable and returns the run's last record.
func (s *server) set(ctx context.Context, run, text string) (uint64, error) {
	var answer struct {
		Seq uint64 `json:"seq"`
	}
	err := s.post(ctx, "/runs/"+run+"/commands", `{"command":"set_variables","values":{"text":`+strconv.Quote(text)+`}}`, &answer)
	return answer.Seq, err
}

func (s *server) post(ctx context.Context, path, body string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+path, strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.http.Do(req)
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("POST %s: %d %s %w", path, resp.StatusCode, text, err)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	return nil
}

// memory returns what the program holds in memory now, in MiB.
func (s *server) memory() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the program's memory: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kib / 1024, err
		}
	}
	return 0, errors.New("the system does not tell the program's memory")
}
