package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/wasm"
	shipped "github.com/culmhq/culm/plugins-wasm"
)

// patience bounds every wait for something that must happen.
const patience = 2 * time.Minute

// The places that TestMain prepares, as environment variables.
const (
	envCache = "CULM_TEST_CACHE" // compiled plugins, shared by all servers
	envBin   = "CULM_TEST_BIN"   // the program of the compiler process
)

// TestMain compiles the plugins once, for all tests. The compiler process is this test
// binary without the race detector, with which compiling takes minutes; another
// program would not do, since the runtime keys its cache by what the binary says of
// the runtime's version, and test binaries say nothing.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "__uncaged" {
		os.Exit(uncaged())
	}
	if len(os.Args) == 2 && os.Args[1] == "__worker" {
		os.Exit(wasm.WorkerMain(os.Stdin, os.Stdout))
	}
	if len(os.Args) == 2 && os.Args[1] == "__compile" {
		os.Exit(wasm.CompilerMain(os.Stdin, os.Stdout))
	}
	dir, err := os.MkdirTemp("", "culm-app-test-")
	if err == nil {
		err = prepare(dir)
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

func prepare(dir string) error {
	bin := filepath.Join(dir, "compiler")
	if out, err := exec.Command("go", "test", "-c", "-o", bin, ".").CombinedOutput(); err != nil {
		return fmt.Errorf("build the compiler process: %w: %s", err, out)
	}
	err := errors.Join(os.Setenv(envCache, filepath.Join(dir, "cache")), os.Setenv(envBin, bin))
	files, pluginErr := shippedPlugins("core", "demo", "http")
	if err != nil || errors.Is(pluginErr, fs.ErrNotExist) {
		return err
	}
	cfg := config.Default()
	cfg.Data = filepath.Join(dir, "data")
	core, err := app.Open(context.Background(), cfg, deps(slog.New(slog.DiscardHandler), files))
	if err != nil {
		return errors.Join(err, pluginErr)
	}
	return core.Stop(context.Background())
}

func deps(log *slog.Logger, files fs.FS) app.Deps {
	return app.Deps{
		Logger: log, Plugins: files, CacheDir: os.Getenv(envCache), Version: "test",
		Compiler: func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, os.Getenv(envBin), "__compile") },
		Worker:   func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, os.Getenv(envBin), "__worker") },
	}
}

// shippedPlugins returns some of the plugins that come with the binary: installing all
// of them takes longer than the tests.
func shippedPlugins(ids ...string) (fs.FS, error) {
	raw, err := fs.ReadFile(shipped.Files, build.IndexFile)
	if err != nil {
		return nil, err
	}
	index, err := build.ReadIndex(raw)
	if err != nil {
		return nil, err
	}
	files := fstest.MapFS{}
	index.Plugins = slices.DeleteFunc(index.Plugins, func(e build.Entry) bool { return !slices.Contains(ids, e.ID) })
	for _, e := range index.Plugins {
		code, err := fs.ReadFile(shipped.Files, e.File)
		if err != nil {
			return nil, fmt.Errorf("the plugins are not built (make plugins): %w", err)
		}
		files[e.File] = &fstest.MapFile{Data: code}
	}
	if raw, err = json.Marshal(index); err != nil {
		return nil, err
	}
	files[build.IndexFile] = &fstest.MapFile{Data: raw}
	return files, nil
}

// published notes the records of every commit, as "kind node state", and lets tests
// wait for them.
type published struct {
	mu   sync.Mutex
	all  map[string][]string
	more chan struct{} // closed and replaced at every commit
}

func newPublished() *published {
	return &published{all: map[string][]string{}, more: make(chan struct{})}
}

// Publish implements runner.Publisher.
func (p *published) Publish(run string, rs []engine.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range rs {
		p.all[run] = append(p.all[run], brief(r))
		if d, ok := r.Data.(engine.NodeChanged); ok && d.Failure != nil {
			p.all[run] = append(p.all[run], d.Failure.Error())
		}
	}
	close(p.more)
	p.more = make(chan struct{})
}

func brief(r engine.Record) string {
	switch d := r.Data.(type) {
	case engine.NodeChanged:
		return r.Node + " " + string(d.To)
	case engine.RunChanged:
		return "run " + string(d.To)
	default:
		return string(r.Kind)
	}
}

// forget drops what was published for a run.
func (p *published) forget(run string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, run)
}

// wait returns once want has been published for the run, in this order, with anything
// in between.
func (p *published) wait(t *testing.T, run string, want ...string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		got, more := slices.Clone(p.all[run]), p.more
		p.mu.Unlock()
		left := want
		for _, g := range got {
			if len(left) > 0 && g == left[0] {
				left = left[1:]
			}
		}
		if len(left) == 0 {
			return
		}
		select {
		case <-more:
		case <-deadline:
			t.Fatalf("run %s: %q was not published; published are %q", run, left, got)
		}
	}
}

// server is a running Culm with the means to talk to it.
type server struct {
	*app.App
	t         *testing.T
	cfg       config.Config
	deps      app.Deps
	published *published
	// project is that of the requests.
	project string
}

// start starts a server with its own data directory on a free port.
func start(t *testing.T, demo bool, pluginIDs ...string) *server {
	t.Helper()
	s := unstarted(t, demo, pluginIDs...)
	s.start()
	return s
}

// unstarted is a server that is yet to be started; it is stopped at the end of the test.
func unstarted(t *testing.T, demo bool, pluginIDs ...string) *server {
	t.Helper()
	files, err := shippedPlugins(pluginIDs...)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Listen, cfg.Data, cfg.Demo = "127.0.0.1:0", filepath.Join(t.TempDir(), "data"), demo
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s := &server{t: t, cfg: cfg, published: newPublished(), project: app.DefaultProject(demo), deps: deps(log, files)}
	s.deps.Publisher = s.published
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.App = app.New(s.cfg, s.deps)
	if err := s.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// stop stops the server; a stopped one stays stopped.
func (s *server) stop() {
	s.t.Helper()
	if s.App == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		s.t.Errorf("stop: %v", err)
	}
	s.App = nil
}

// testWriter hands the log of the server to the test.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// header is a pair of names and values of a request.
type header map[string]string

// do sends a request; a body that is no string is sent as JSON.
func (s *server) do(method, path string, h header, body any) (int, http.Header, string) {
	s.t.Helper()
	var r io.Reader
	if body != nil {
		b, ok := body.(string)
		if !ok {
			js, err := json.Marshal(body)
			if err != nil {
				s.t.Fatal(err)
			}
			b = string(js)
		}
		r = strings.NewReader(b)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL()+path, r)
	if err != nil {
		s.t.Fatal(err)
	}
	if r != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range h {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

// want sends a request that must be answered with that status, and decodes the answer.
func want[T any](s *server, status int, method, path string, body any) T {
	s.t.Helper()
	got, _, text := s.do(method, path, nil, body)
	if got != status {
		s.t.Fatalf("%s %s: %d %s, want %d", method, path, got, text, status)
	}
	var v T
	if text != "" {
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return v
}

// stream is a client of the live stream.
type stream struct {
	t    *testing.T
	conn *websocket.Conn
	seq  uint64
}

// frame is one frame of the live stream.
type frame struct {
	Type    string `json:"type"`
	Seq     uint64 `json:"seq"`
	Run     *engine.RunView
	Records []struct {
		Seq  uint64 `json:"seq"`
		Kind string `json:"kind"`
		Node string `json:"node"`
		Data struct {
			To string `json:"to"`
		} `json:"data"`
	} `json:"records"`
}

// follow connects to the stream of a run; a negative after asks for a snapshot.
func (s *server) follow(run string, after int) *stream {
	s.t.Helper()
	url := "ws" + strings.TrimPrefix(s.URL(), "http") + "/api/v1/projects/" + s.project + "/runs/" + run + "/events"
	if after >= 0 {
		url += fmt.Sprintf("?after=%d", after)
	}
	c, resp, err := websocket.DefaultDialer.DialContext(s.t.Context(), url, nil)
	if err != nil {
		s.t.Fatalf("dial: %v", err)
	}
	resp.Body.Close()
	s.t.Cleanup(func() { c.Close() })
	return &stream{t: s.t, conn: c, seq: uint64(max(after, 0))}
}

// until reads until a node or run has that state, and checks that no record is
// missing, doubled or out of order. "run succeeded" is the state of the run.
func (c *stream) until(wanted string) {
	c.t.Helper()
	for {
		var f frame
		if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			c.t.Fatal(err)
		}
		if err := c.conn.ReadJSON(&f); err != nil {
			c.t.Fatalf("waiting for %q: %v", wanted, err)
		}
		found := false
		if f.Type == "snapshot" {
			c.seq = f.Seq
			found = inView(f.Run, wanted)
		}
		for _, r := range f.Records {
			if r.Seq != c.seq+1 {
				c.t.Fatalf("record %d after %d", r.Seq, c.seq)
			}
			c.seq = r.Seq
			who := r.Node
			if r.Kind == "run.state" {
				who = "run"
			}
			found = found || who+" "+r.Data.To == wanted
		}
		if found {
			return
		}
	}
}

func inView(v *engine.RunView, wanted string) bool {
	who, state, _ := strings.Cut(wanted, " ")
	if who == "run" {
		return string(v.State) == state
	}
	return string(v.Nodes[who].State) == state
}

// in makes a path inside the server's project.
func (s *server) in(format string, args ...any) string {
	return "/api/v1/projects/" + s.project + fmt.Sprintf(format, args...)
}

// publish stores a flow from its JSON and publishes it.
func (s *server) publish(document string) {
	s.t.Helper()
	var doc struct {
		ID string `json:"id"`
	}
	if err := json.NewDecoder(bytes.NewReader([]byte(document))).Decode(&doc); err != nil {
		s.t.Fatal(err)
	}
	want[map[string]any](s, 201, "POST", s.in("/flows"), `{"document":`+document+`}`)
	want[map[string]any](s, 201, "POST", s.in("/flows/%s/versions", doc.ID), `{"revision":1,"note":""}`)
}

// run starts a run and returns its id.
func (s *server) run(flow string, inputs map[string]any) string {
	s.t.Helper()
	r := want[struct {
		ID string `json:"id"`
	}](s, 201, "POST", s.in("/flows/%s/runs", flow), map[string]any{"inputs": inputs})
	return r.ID
}
